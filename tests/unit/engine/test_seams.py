"""Text in pieces has the tokens of the whole, by llama.cpp's own account."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from engine import llama
from engine.gguf import read_header
from engine.inference import Inference
from engine.llama import InnerServer
from engine.metrics import Metrics
from engine.request import Limits
from engine.seams import PIECE_CHARACTERS, Seams
from engine.slots import Slots
from engine.vocabulary import Vocabulary

DEMO = Path(__file__).parents[3] / "engine/demo/paddock-demo.gguf"
NAMES = [text for text in read_header(DEMO).strings("tokenizer.ggml.tokens") if text.startswith("<|")]
# What a control token may stand beside: words, half names, what looks like one, other scripts.
BETWEEN = ["", "a", " a", "hello ", "\n\n", "  ", "<", "|", ">", "<|", "|>", "<|eot_id|", "eot_id|>",
           "<|no_such|>", "<<|", "|>>", "é", "日本", "🦊", "123456", "\t", "\r\n", "'s", "<||>", "\u0301"]


@pytest.fixture(scope="module")
def inner() -> Iterator[InnerServer]:
    """A real inner server over the demo model."""
    yield llama.start(DEMO, context=64, slots=1, threads=1)


@pytest.fixture
def inference(inner: InnerServer) -> Inference:
    """An engine that only tokenises."""
    vocabulary = Vocabulary.of(read_header(DEMO))
    return Inference(inner, vocabulary, Limits(64), Slots(1), 1, Metrics(63, 64))


async def whole(inner: InnerServer, text: str, add_special: bool) -> list[int]:
    """Let llama.cpp tokenise a text in one piece."""
    body = {"content": text, "add_special": add_special, "parse_special": True}
    tokens: list[int] = (await inner.post("/tokenize", body))["tokens"]
    return tokens


@pytest.mark.parametrize("seed", range(60))
async def test_pieces_have_the_tokens_of_the_whole(inference: Inference, seed: int) -> None:
    """Whatever stands between the control tokens, and whether a begin-of-text is added or not."""
    chance = random.Random(seed)
    share = chance.choice([0.05, 0.3, 0.9])
    text = "".join(chance.choice(NAMES) if chance.random() < share else chance.choice(BETWEEN)
                   for _ in range(1500))
    pieces = inference.vocabulary.seams.cut(text)

    assert len(pieces) > 1
    assert "".join(pieces) == text
    for add_special in (True, False):
        assert await inference.tokenize(text, add_special) == await whole(inference.inner, text, add_special)


async def test_no_piece_is_long_where_there_are_many_control_tokens(inference: Inference) -> None:
    """So the inner server's work grows with the text's length alone."""
    pieces = inference.vocabulary.seams.cut("<|eot_id|>" * 100_000)

    assert max(map(len, pieces)) < PIECE_CHARACTERS + len("<|eot_id|>")


@pytest.mark.parametrize("text", ["", "<|eot_id|>", "x" * 5000, "<|" * 5000, "<|eot_id|" * 2000])
def test_a_text_without_a_seam_stays_whole(text: str) -> None:
    """A short one, and one without control tokens."""
    assert Seams(NAMES, [3] * len(NAMES)).cut(text) == [text]


@pytest.mark.parametrize("other", [
    "<|eot_id|><|eot_id|>", "x<", "x<|eot", ">x", "id|>!", "eot_id", "<|e", "|",
])
def test_a_token_that_could_overlap_allows_no_seam(other: str) -> None:
    """Which of two overlapping tokens a text has depends on all that is in front of them."""
    text = "<|eot_id|>" * 1000

    assert Seams(["<|eot_id|>", other], [3, 4]).cut(text) == [text]


@pytest.mark.parametrize("other", ["<tool_call>", "</think>", "[PAD]", "<unk>", "\n\n", "<s>"])
def test_a_token_of_another_form_is_no_hindrance(other: str) -> None:
    """It cannot begin inside a control token, nor end in one."""
    assert len(Seams(["<|eot_id|>", other], [3, 4]).cut("<|eot_id|>" * 1000)) > 1


def test_a_plain_word_of_the_vocabulary_is_no_special_token() -> None:
    """Ordinary tokens are looked for within the text between control tokens only."""
    assert len(Seams(["<|eot_id|>", "eot", "<"], [3, 1, 1]).cut("<|eot_id|>" * 1000)) > 1


@pytest.mark.parametrize(("name", "value"), [
    ("tokenizer.ggml.pre", "phi-3"), ("tokenizer.ggml.model", "llama"),
    ("tokenizer.ggml.add_eos_token", True),
])
def test_another_tokenizer_gets_the_text_whole(name: str, value: str | bool) -> None:
    """What is known of Llama 3's need not hold for another."""
    header = read_header(DEMO)
    header.values[name] = value
    text = "<|eot_id|>" * 1000

    assert Seams.of(header).cut(text) == [text]
