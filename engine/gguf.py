"""Reads the header of a GGUF file: metadata and the tensor list, never the weights.

Knows: the GGUF layout, versions 2 and 3, little endian.
Knows nothing of: llama.cpp, what the values mean to a model.
"""

import struct
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, cast

from engine.errors import EXIT_MODEL_UNUSABLE, StartRefused

Value = int | float | bool | str | list["Value"]

_MAGIC = b"GGUF"
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# No real file comes near these; a damaged one easily does, and must not make us allocate gigabytes.
_MOST_ITEMS = 16_777_216
_LONGEST_STRING = 64 * 1024 * 1024


class _Damaged(Exception):
    """The bytes do not follow the layout."""


@dataclass(frozen=True, slots=True)
class Header:
    """Metadata of one GGUF file.

    Units:  furthest_tensor is the last tensor's first byte, counted from the file's start.
    """

    values: dict[str, Value]
    tensor_count: int
    furthest_tensor: int

    def text(self, key: str) -> str | None:
        """Give a string value, or None where it is absent or of another type."""
        value = self.values.get(key)
        return value if isinstance(value, str) else None

    def integer(self, key: str) -> int | None:
        """Give a whole number, or None where it is absent or of another type."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def strings(self, key: str) -> list[str]:
        """Give an array of strings, empty where it is absent."""
        value = self.values.get(key)
        return cast("list[str]", value) if isinstance(value, list) else []

    def integers(self, key: str) -> list[int]:
        """Give an array of whole numbers, empty where it is absent."""
        value = self.values.get(key)
        return cast("list[int]", value) if isinstance(value, list) else []


class _Reader:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def take(self, size: int) -> bytes:
        got = self._file.read(size)
        if len(got) != size:
            raise _Damaged("it ends inside its header")
        return got

    def number(self, code: str) -> int:
        return cast(int, struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0])

    def string(self) -> str:
        size = self.number("Q")
        if size > _LONGEST_STRING:
            raise _Damaged("a text in its header has an impossible length")
        return self.take(size).decode("utf-8", "replace")

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.string()
        if kind == _ARRAY:
            inner, count = self.number("I"), self.number("Q")
            if count > _MOST_ITEMS:
                raise _Damaged("a list in its header has an impossible length")
            if inner in _SCALARS:
                layout = f"<{count}{_SCALARS[inner]}"
                return list(struct.unpack(layout, self.take(struct.calcsize(layout))))
            return [self.value(inner) for _ in range(count)]
        if kind not in _SCALARS:
            raise _Damaged(f"its header has a value of unknown type {kind}")
        return self.number(_SCALARS[kind])

    def header(self) -> Header:
        if self.take(4) != _MAGIC:
            raise _Damaged("it does not begin with GGUF")
        version = self.number("I")
        if version not in (2, 3):
            raise _Damaged(f"it has GGUF version {version}, and only 2 and 3 are known")
        tensors, pairs = self.number("Q"), self.number("Q")
        if tensors > _MOST_ITEMS or pairs > _MOST_ITEMS:
            raise _Damaged("its header counts are impossible")
        values: dict[str, Value] = {}
        for _ in range(pairs):
            key = self.string()
            values[key] = self.value(self.number("I"))
        furthest = 0
        for _ in range(tensors):
            self.string()
            dimensions = self.number("I")
            if dimensions > 8:
                raise _Damaged("a tensor in its header has an impossible shape")
            self.take(8 * dimensions + 4)
            furthest = max(furthest, self.number("Q"))
        alignment = values.get("general.alignment", 32)
        step = alignment if isinstance(alignment, int) and alignment > 0 else 32
        start = -(-self._file.tell() // step) * step
        return Header(values, tensors, start + furthest)


def read_header(path: Path) -> Header:
    """Read a GGUF file's header.

    Raises: StartRefused where the file is missing, unreadable, no GGUF, or cut short.
    """
    try:
        with path.open("rb") as file:
            header = _Reader(file).header()
            size = path.stat().st_size
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise _unusable(f"The model file {path} cannot be opened: {reason}.") from None
    except _Damaged as damage:
        raise _unusable(f"The file {path} is not a usable GGUF model: {damage}.") from None
    if header.tensor_count and header.furthest_tensor >= size:
        raise _unusable(
            f"The model file {path} is cut short: {size} bytes, and its last tensor begins at byte "
            f"{header.furthest_tensor}; fetch it again.",
        )
    return header


def _unusable(sentence: str) -> StartRefused:
    return StartRefused(EXIT_MODEL_UNUSABLE, sentence)
