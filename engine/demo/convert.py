"""Write trained weights as a GGUF file that llama.cpp loads: Q8_0 matrices, float32 norms.

Source: gguf's writer; key names of llama.cpp's llama architecture.
"""

from __future__ import annotations

import json
from pathlib import Path

import gguf
import numpy

from engine.demo import llama3
from engine.demo.train import read

NAME = "paddock-demo"
DESCRIPTION = "Paddock's tiny demo chat model in Llama 3's format, trained from scratch on made-up dialogues"
# The file lives in the repository; this keeps a clone small.
LARGEST_FILE_BYTES = 10_000_000
TRAINING_KEY = "paddock.training"


def _add_tokenizer(writer: gguf.GGUFWriter, tokenizer_path: Path) -> None:
    saved = json.loads(tokenizer_path.read_text(encoding="utf-8"))
    special = {entry["id"]: entry["content"] for entry in saved["added_tokens"]}
    text_of = {number: text for text, number in saved["model"]["vocab"].items()} | special
    tokens = [text_of[number] for number in range(len(text_of))]
    control, normal = gguf.TokenType.CONTROL, gguf.TokenType.NORMAL
    kinds = [control if number in special else normal for number in range(len(tokens))]
    merges = [" ".join(pair) if isinstance(pair, list) else pair for pair in saved["model"]["merges"]]
    number_of = {text: number for number, text in special.items()}
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("llama-bpe")
    writer.add_token_list(tokens)
    writer.add_token_types(kinds)
    writer.add_token_merges(merges)
    writer.add_bos_token_id(number_of[llama3.BEGIN_OF_TEXT])
    writer.add_eos_token_id(number_of[llama3.END_OF_TURN])
    writer.add_eot_token_id(number_of[llama3.END_OF_TURN])
    writer.add_pad_token_id(number_of[llama3.PADDING])
    writer.add_add_bos_token(True)
    writer.add_chat_template(llama3.CHAT_TEMPLATE)


def convert(weights_path: Path, tokenizer_path: Path, out: Path) -> None:
    """Write the model file.

    Raises: ValueError if the file is larger than `LARGEST_FILE_BYTES`.
    """
    model, facts = read(weights_path)
    shape = model.shape
    unfinished = out.with_suffix(".part")
    writer = gguf.GGUFWriter(str(unfinished), "llama")
    writer.add_name(NAME)
    writer.add_description(DESCRIPTION)
    writer.add_license("mit")
    writer.add_string(TRAINING_KEY, json.dumps(facts))
    writer.add_context_length(shape.context)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.hidden)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.key_heads)
    writer.add_layer_norm_rms_eps(shape.epsilon)
    writer.add_rope_freq_base(shape.rope_base)
    writer.add_rope_dimension_count(shape.head_width)
    writer.add_vocab_size(shape.vocabulary)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    _add_tokenizer(writer, tokenizer_path)
    for name, weight in model.named_parameters():
        array = weight.detach().numpy().astype(numpy.float32)
        if array.ndim == 1:
            writer.add_tensor(name, array)
        else:
            packed = gguf.quants.quantize(array, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(name, packed, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    size = unfinished.stat().st_size
    if size > LARGEST_FILE_BYTES:
        unfinished.unlink()
        raise ValueError(f"the model file would have {size:,} bytes, more than {LARGEST_FILE_BYTES:,}")
    unfinished.replace(out)
