"""The header reader, on files written by the test."""

from pathlib import Path

import pytest

from engine.errors import EXIT_MODEL_UNUSABLE, StartRefused
from engine.gguf import read_header
from tests.unit.engine.gguf_file import LLAMA, content, write


def refusal(path: Path) -> str:
    """Read a file that must be refused, and give the sentence."""
    with pytest.raises(StartRefused) as caught:
        read_header(path)

    assert EXIT_MODEL_UNUSABLE == caught.value.exit_code
    return caught.value.sentence


def test_values_come_back(tmp_path: Path) -> None:
    """Every type of value is read as it was written."""
    header = read_header(write(tmp_path / "m.gguf", content(LLAMA, tensors=3)))

    assert "llama" == header.text("general.architecture")
    assert 4096 == header.integer("llama.context_length")
    assert ["a", "Ġb", "<|eot_id|>"] == header.strings("tokenizer.ggml.tokens")
    assert [1, 1, 3] == header.integers("tokenizer.ggml.token_type")
    assert True is header.values["tokenizer.ggml.add_bos_token"]
    assert 500000.0 == header.values["llama.rope.freq_base"]
    assert 3 == header.tensor_count


def test_wrong_types_read_as_absent(tmp_path: Path) -> None:
    """A text asked for as a number is no number, and a flag is none either."""
    header = read_header(write(tmp_path / "m.gguf", content(LLAMA)))

    assert header.integer("general.name") is None
    assert header.integer("tokenizer.ggml.add_bos_token") is None
    assert header.text("llama.block_count") is None
    assert [] == header.strings("absent")


def test_alignment_is_followed(tmp_path: Path) -> None:
    """The tensors begin at a multiple of the file's own alignment."""
    data = content({"general.alignment": ("u32", 64)}, tensors=2)
    header = read_header(write(tmp_path / "m.gguf", data + bytes(64)))

    assert 0 == (header.furthest_tensor - 32) % 64


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "ends inside its header"),
        (b"PK\x03\x04 some other file", "does not begin with GGUF"),
        (content(LLAMA)[:100], "ends inside its header"),
        (content(LLAMA, version=1), "GGUF version 1"),
        (content(LLAMA, version=0x03000000), "GGUF version 50331648"),
        (b"GGUF\x03\0\0\0" + b"\xff" * 16, "counts are impossible"),
        (b"GGUF\x03\0\0\0" + bytes(8) + b"\x01" + bytes(7) + b"\xff" * 8, "impossible length"),
        (content({"k": ("u32", 1)}).replace(b"k\x04", b"k\x63"), "unknown type 99"),
        (
            content({"k": ("[u8]", [])}).replace(b"k\x09\0\0\0\0\0\0\0\0", b"k\x09\0\0\0\0\0\0\0\xff"),
            "ends inside",
        ),
    ],
)
def test_damaged_headers_are_refused(tmp_path: Path, data: bytes, words: str) -> None:
    """Each kind of damage is told in one sentence."""
    assert words in refusal(write(tmp_path / "m.gguf", data))


def test_a_file_cut_in_its_tensors_is_refused(tmp_path: Path) -> None:
    """A download that broke off is noticed by its size."""
    whole = content(LLAMA, tensors=3)

    assert "cut short" in refusal(write(tmp_path / "m.gguf", whole[:-40]))


def test_a_missing_file_is_refused(tmp_path: Path) -> None:
    """The system's reason is told."""
    assert "No such file" in refusal(tmp_path / "none.gguf")
