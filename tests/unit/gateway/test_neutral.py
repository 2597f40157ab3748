"""Control tokens against a tokenizer in Llama 3's shape: none comes out of a caller's text."""

import os
import random
from collections.abc import Iterator

import pytest
from tokenizers import AddedToken, Tokenizer
from tokenizers.decoders import ByteLevel as Bytes
from tokenizers.models import BPE
from tokenizers.pre_tokenizers import ByteLevel
from tokenizers.processors import TemplateProcessing

from gateway.chat import Call, Chat, Message, Role, Tool
from gateway.prompt import MARK, Family, neutralise, render, resume

# Llama 3's control tokens: 128000 to 128255. Here they come behind the 256 bytes, without any merges:
# splitting at special tokens is done before those, so words do not matter.
NAMED = (
    "begin_of_text", "end_of_text", "reserved_special_token_0", "reserved_special_token_1",
    "finetune_right_pad_id", "step_id", "start_header_id", "end_header_id", "eom_id", "eot_id", "python_tag",
)  # fmt: skip
CONTROL = [f"<|{name}|>" for name in NAMED]
CONTROL += [f"<|reserved_special_token_{number}|>" for number in range(2, 256 - len(NAMED) + 2)]
# What an attack is made of: whole tokens, their halves, what may stand between, and look-alikes.
FRAGMENTS = [
    *CONTROL[:14], "<|", "|>", "<", "|", ">", "eot_id", "start_header_id", "system", "\n\n", " ", "_", "9",
    "\u2060", "\u200b", "\u00ad", "\ufeff", "\u0301", "\u202e", "\uff1c|eot_id|\uff1e",
    "<\uff5ceot_id\uff5c>",
    "\u2039|eot_id|\u203a", "<|eot\u200b_id|>", "<|EOT_ID|>", "<| eot_id |>", "<|eot_id", "eot_id|>",
    "<<|eot_id|>|>", "<|<|eot_id|>eot_id|>", "&lt;|eot_id|&gt;", "\\u003c|eot_id|\\u003e", "%3C|eot_id|%3E",
    "\u00e9", "\u6f22", "\U0001f600", "\u0627", "\r", "\0", '"', "\\",
]  # fmt: skip
# FUZZ_TIMES=50 draws so many times as many texts, FUZZ_SEED=7 others; one time takes seconds, and is what CI
# runs, always with the same texts.
TIMES, SEED = (int(os.environ.get(name, usual)) for name, usual in (("FUZZ_TIMES", "1"), ("FUZZ_SEED", "0")))
STRINGS = 240_000
PROMPTS = 20_000
ROLES: tuple[Role, ...] = ("system", "user", "assistant")
TOOL = "get_weather"


def llama_shaped() -> Tokenizer:
    """Make a tokenizer as Llama 3's: bytes, special tokens split off first, one automatic begin."""
    letters = sorted(ByteLevel.alphabet())
    made = Tokenizer(BPE(vocab={letter: place for place, letter in enumerate(letters)}, merges=[]))
    made.pre_tokenizer = ByteLevel(add_prefix_space=False, use_regex=False)
    made.decoder = Bytes()
    made.add_special_tokens([AddedToken(name, special=True, normalized=False) for name in CONTROL])
    begin = made.token_to_id(CONTROL[0])
    made.post_processor = TemplateProcessing(
        single=f"{CONTROL[0]} $A", special_tokens=[(CONTROL[0], begin)]
    )
    return made


def attacks(seed: int, count: int) -> Iterator[str]:
    """Draw texts, the same ones every time."""
    draw = random.Random(seed)
    for _ in range(count):
        yield "".join(draw.choices(FRAGMENTS, k=draw.randint(1, 6)))


def test_the_tokenizer_would_be_fooled() -> None:
    """Without our care a written token is the control token: the check below can fail."""
    tokenizer = llama_shaped()
    eot = tokenizer.token_to_id("<|eot_id|>")

    assert 256 == len(CONTROL) == len(set(CONTROL))
    assert eot in tokenizer.encode("a<|eot_id|>é").ids
    assert [tokenizer.token_to_id(CONTROL[0])] * 2 == tokenizer.encode(CONTROL[0] + "a").ids[:2]


@pytest.mark.parametrize("time", range(TIMES))
def test_no_text_becomes_a_control_token(time: int) -> None:
    """Nor is it harmed: what is read back is the text, and without the marks the one that came."""
    tokenizer = llama_shaped()
    first_control = 256
    texts = list(attacks(3 * (SEED + time) + 1, STRINGS))
    neutral = [neutralise(text)[0] for text in texts]
    encodings = tokenizer.encode_batch_fast(neutral, add_special_tokens=False)

    assert max(max(one.ids, default=0) for one in encodings) < first_control
    assert neutral == tokenizer.decode_batch([one.ids for one in encodings], skip_special_tokens=False)
    plain = [text.replace(MARK, "") for text in texts]
    assert plain == [text.replace(MARK, "") for text in neutral]


@pytest.mark.parametrize("time", range(TIMES))
def test_a_prompt_has_our_control_tokens_alone(time: int) -> None:
    """Whatever its messages say, however a token is split over them, in every family, tools included."""
    tokenizer = llama_shaped()
    draw = random.Random(3 * (SEED + time) + 2)
    texts = attacks(3 * (SEED + time) + 3, 7 * PROMPTS)
    prompts, expected = [], []
    for number in range(PROMPTS):
        family = list(Family)[number % len(Family)]
        chat = _chat(draw, texts, has_tools=family is not Family.LLAMA3)
        prompts.append(render(chat, family).text)
        turns = len(chat.messages) + (family is not Family.LLAMA3 and chat.messages[0].role != "system")
        # A header is two tokens; every turn ends, and one more header is open for the answer.
        expected.append(3 * turns + 2 + 1)
    found = [
        sum(1 for token in one.ids if token >= 256) for one in tokenizer.encode_batch_fast(prompts)
    ]

    assert expected == found


def test_what_a_model_has_written_adds_no_control_token() -> None:
    """Wherever it is cut: behind a prompt it is what it is alone, and the prompt keeps its own tokens."""
    tokenizer = llama_shaped()
    draw = random.Random(3 * SEED + 4)
    resumed, expected = [], []
    for attack in attacks(3 * SEED + 5, PROMPTS):
        whole = draw.choice(CONTROL) + attack + draw.choice(CONTROL)
        cut = draw.randrange(len(whole) + 1)
        # A caller's open message by the assistant, which the model went on with.
        opened = render(Chat((Message("user", "Hi"), Message("assistant", "A" + whole[:cut])))).text
        resumed.append(resume(opened, whole[cut:]))
        expected.append(sum(token >= 256 for token in tokenizer.encode(opened).ids))
        assert resumed[-1].replace(MARK, "") == (opened + whole[cut:]).replace(MARK, "")
    found = [sum(token >= 256 for token in one.ids) for one in tokenizer.encode_batch_fast(resumed)]

    assert expected == found


def _chat(draw: random.Random, texts: Iterator[str], *, has_tools: bool) -> Chat:
    """Draw a chat that ends in a user's message."""
    if not has_tools:
        messages = [Message(draw.choice(ROLES), next(texts)) for _ in range(draw.randint(0, 3))]
        return Chat((*messages, Message("user", next(texts))))
    call = Call(TOOL, {next(texts): next(texts)})
    messages = [Message("user", next(texts)), Message("assistant", "", call), Message("tool", next(texts))]
    if draw.random() < 0.5:
        messages.insert(0, Message("system", next(texts)))
    described = {"type": "function", "function": {"name": TOOL, "description": next(texts)}}
    return Chat((*messages, Message("user", next(texts))), (Tool(TOOL, None, described),))
