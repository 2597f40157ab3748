"""Where an answer ends by itself: read from the model's files, or from the embedded engine's own line."""

import json
from pathlib import Path
from typing import Any

import pytest

from engine.gguf import read_header
from engine.model import DEMO_PATH
from engine.supervisor import Stops, model_files, read_stops, read_stops_line
from engine.vocabulary import end_texts

EOT, EOM, END = "<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"
ADDED = {"128001": {"content": END}, "128008": {"content": EOM}, "128009": {"content": EOT}}
CHAT = {"added_tokens_decoder": ADDED, "eos_token": EOT, "chat_template": "{{ messages }}"}
BASE = {"added_tokens_decoder": ADDED, "eos_token": END}
COMMIT = "0123456789abcdef"


def cached(home: Path, **files: dict[str, Any]) -> Path:
    """Write a model's files into a cache; give the model's folder there."""
    folder = home / "hub/models--org--name"
    snapshot = folder / "snapshots" / COMMIT
    snapshot.mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs/main").write_text(COMMIT)
    for name, content in files.items():
        (snapshot / f"{name}.json").write_text(json.dumps(content))
    return folder


@pytest.mark.parametrize(
    ("files", "stops"),
    [
        ({"generation_config": {"eos_token_id": [128001, 128009]}, "tokenizer_config": CHAT},
         Stops((END, EOT), "generation_config.json", True)),
        ({"generation_config": {"eos_token_id": [128001, 128008, 128009]}, "tokenizer_config": CHAT},
         Stops((END, EOM, EOT), "generation_config.json", True)),
        # A single number there is nothing to TGI, so the tokenizer's own end counts.
        ({"generation_config": {"eos_token_id": 128001}, "tokenizer_config": CHAT},
         Stops((EOT,), "tokenizer_config.json", True)),
        ({"generation_config": {"eos_token_id": 128001}, "tokenizer_config": BASE},
         Stops((END,), "tokenizer_config.json", False)),
        ({"tokenizer_config": {**CHAT, "eos_token": {"content": END}}},
         Stops((END,), "tokenizer_config.json", True)),
        ({"tokenizer_config": {**BASE, "eos_token": EOT}}, Stops((EOT,), "tokenizer_config.json", True)),
        ({"config": {"eos_token_id": [128009]}, "tokenizer_config": {"added_tokens_decoder": ADDED}},
         Stops((EOT,), "config.json", True)),
        ({"generation_config": {"eos_token_id": [7]},
          "tokenizer": {"added_tokens": [{"id": 7, "content": EOT}]}},
         Stops((EOT,), "generation_config.json", True)),
    ],
)  # fmt: skip
def test_the_files_say_where_an_answer_ends(tmp_path: Path, files: dict[str, Any], stops: Stops) -> None:
    """As TGI reads them: a list in generation_config.json, else the tokenizer's end, else config.json's."""
    assert stops == read_stops(cached(tmp_path, **files), "main")


@pytest.mark.parametrize("files", [{}, {"generation_config": {"eos_token_id": [128009]}},
                                   {"tokenizer_config": {"added_tokens_decoder": ["x"]}}])  # fmt: skip
def test_files_that_do_not_say_it_say_nothing(tmp_path: Path, files: dict[str, Any]) -> None:
    """Missing, without texts, or of another form: unknown, and no end of the supervisor."""
    assert read_stops(cached(tmp_path, **files), "main") is None


def test_a_damaged_file_says_nothing(tmp_path: Path) -> None:
    """A download that is under way leaves halves."""
    folder = cached(tmp_path, tokenizer_config=CHAT)
    (folder / "snapshots" / COMMIT / "generation_config.json").write_text('{"eos_tok')

    assert read_stops(folder, "main") is None


def test_a_pinned_commit_and_a_plain_folder_are_found(tmp_path: Path) -> None:
    """A commit needs no ref; a folder as MODEL_ID is the model."""
    folder = cached(tmp_path, tokenizer_config=CHAT)
    plain = folder / "snapshots" / COMMIT

    assert Stops((EOT,), "tokenizer_config.json", True) == read_stops(folder, COMMIT)
    assert Stops((EOT,), "tokenizer_config.json", True) == read_stops(plain, "main")
    assert folder == model_files({"MODEL_ID": "org/name"}, tmp_path)
    assert plain == model_files({"MODEL_ID": str(plain)}, tmp_path)
    assert tmp_path / "x/models--org--name" == model_files(
        {"MODEL_ID": "org/name", "HUGGINGFACE_HUB_CACHE": str(tmp_path / "x")}, tmp_path)
    assert model_files({}, tmp_path) is None


def test_a_template_of_its_own_makes_a_chat_model(tmp_path: Path) -> None:
    """Newer repositories keep it in a file beside."""
    folder = cached(tmp_path, tokenizer_config=BASE)
    (folder / "snapshots" / COMMIT / "chat_template.jinja").write_text("{{ messages }}")

    assert Stops((END,), "tokenizer_config.json", True) == read_stops(folder, "main")


def test_the_embedded_engine_tells_it_in_a_line() -> None:
    """And what it tells of the demo model is what llama.cpp says when it loads it."""
    ends = end_texts(read_header(DEMO_PATH))

    assert [END, EOM, EOT] == ends
    assert Stops((END, EOM, EOT), "the engine", True) == read_stops_line(
        f"engine: stops at {' '.join(ends)}; made for chat.")
    assert Stops((END,), "the engine", False) == read_stops_line(
        f"engine: stops at {END}; a base model, for x has no chat template.")
    assert read_stops_line("engine: loading x: 8 slots of 2048 tokens, 1 thread(s).") is None
