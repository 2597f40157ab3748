"""Token bytes, and the tokens behind a character."""

import pytest

from engine.vocabulary import Vocabulary


def bpe() -> Vocabulary:
    """A byte-level vocabulary: letters, a space, and the bytes of an emoji in two cuts."""
    texts = ["a", "Ġb", "ð", "Ł", "ĺ", "Ģ", "ðŁ", "ĺĢ", "<|eot_id|>", "<|user|>"]
    return Vocabulary(texts, [1] * 8 + [3, 4], is_bpe=True)


def sentencepiece() -> Vocabulary:
    """A SentencePiece vocabulary with byte tokens."""
    return Vocabulary(["<unk>", "<s>", "\u2581Hi", "<0xF0>", "<0x9F>"], [2, 3, 1, 6, 6], is_bpe=False)


def test_bytes_of_byte_level_tokens() -> None:
    """The stand-in characters become the bytes they stand for."""
    vocabulary = bpe()

    assert [b"a", b" b", b"\xf0", b"\xf0\x9f", b"\x98\x80"] == [
        vocabulary.bytes_of(i) for i in (0, 1, 2, 6, 7)
    ]
    assert b"<|eot_id|>" == vocabulary.bytes_of(8)
    assert b"<|user|>" == vocabulary.bytes_of(9)


def test_bytes_of_sentencepiece_tokens() -> None:
    """The lower block is a space; byte tokens are bytes."""
    vocabulary = sentencepiece()

    assert [b"<unk>", b" Hi", b"\xf0"] == [vocabulary.bytes_of(i) for i in (0, 2, 3)]


def test_control_tokens_come_from_the_file() -> None:
    """User-defined tokens are text."""
    assert frozenset({8}) == bpe().control
    assert frozenset({1}) == sentencepiece().control


def test_a_token_beyond_the_vocabulary_is_empty() -> None:
    """A padded output layer can give such ids."""
    assert ("", b"") == (bpe().name(99), bpe().bytes_of(99))


def test_half_a_character_shows_as_a_replacement() -> None:
    """Alternatives are shown one by one."""
    assert "\ufffd" == bpe().text_of(2)


@pytest.mark.parametrize(
    ("data", "count", "ids"),
    [
        (b"\xf0\x9f\x98", 3, [2, 3, 4]),
        (b"\xf0\x9f\x98\x80", 2, [6, 7]),
        (b"\xf0\x9f\x98", 2, [6, 4]),
        (b"", 0, []),
        (b"\xf0", 2, None),
        (b"\xf0", 0, None),
        (b"\xff", 1, None),
    ],
)
def test_bytes_are_split_into_tokens(data: bytes, count: int, ids: list[int] | None) -> None:
    """Exactly as many tokens as were generated, longest first, or none."""
    assert ids == bpe().split(data, count)
