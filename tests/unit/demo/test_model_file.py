"""The shipped model file: small, Llama 3's special tokens and template, and a table that describes it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.demo import llama3
from engine.gguf import Header, read_header

DEMO = Path(__file__).resolve().parents[3] / "engine" / "demo"
MODEL = DEMO / "paddock-demo.gguf"
# The name of a control token's type in GGUF.
CONTROL = 3


@pytest.fixture(scope="module")
def header() -> Header:
    """The metadata of the shipped file."""
    return read_header(MODEL)


def test_the_file_is_small_enough_for_the_repository() -> None:
    """A clone must stay quick."""
    assert 4_000_000 < MODEL.stat().st_size <= 10_000_000


def test_the_header_names_the_model_and_its_sizes(header: Header) -> None:
    """Name, licence, architecture and context are what the engine reports."""
    assert header.text("general.name") == "paddock-demo"
    assert header.text("general.license") == "mit"
    assert header.text("general.architecture") == "llama"
    assert header.integer("llama.context_length") == 2048
    assert header.integer("llama.vocab_size") == len(header.strings("tokenizer.ggml.tokens")) == 4096


def test_special_tokens_are_llama_3s_and_marked_as_control(header: Header) -> None:
    """No text can become one of them, because only control tokens carry these names."""
    tokens, kinds = header.strings("tokenizer.ggml.tokens"), header.integers("tokenizer.ggml.token_type")

    assert list(llama3.SPECIAL_TOKENS) == [
        text for text, kind in zip(tokens, kinds, strict=True) if kind == CONTROL
    ]
    assert tokens[header.integer("tokenizer.ggml.bos_token_id") or 0] == llama3.BEGIN_OF_TEXT
    assert tokens[header.integer("tokenizer.ggml.eos_token_id") or 0] == llama3.END_OF_TURN
    assert tokens[header.integer("tokenizer.ggml.eot_token_id") or 0] == llama3.END_OF_TURN
    assert header.text("tokenizer.ggml.pre") == "llama-bpe"


def test_role_words_and_digits_are_single_tokens(header: Header) -> None:
    """A header costs four tokens, and no token holds two digits."""
    tokens = header.strings("tokenizer.ggml.tokens")

    assert set(llama3.ROLES) <= set(tokens)
    assert not [text for text in tokens if re.search(r"\d\d", text) and text not in llama3.SPECIAL_TOKENS]


def test_the_chat_template_is_the_one_of_the_corpus(header: Header) -> None:
    """Whoever serves the file writes the prompts that the model was trained on."""
    assert header.text("tokenizer.chat_template") == llama3.CHAT_TEMPLATE


def test_the_published_table_describes_this_file(header: Header) -> None:
    """Size and training facts in EVALUATION.md are those of the file."""
    report = (DEMO / "EVALUATION.md").read_text(encoding="utf-8")
    facts = json.loads(header.text("paddock.training") or "{}")

    assert f"{MODEL.stat().st_size:,} bytes" in report
    assert f"{facts['tokens']:,} tokens" in report
    assert f"{facts['parameters']:,} parameters" in report
