"""A log on disk: the second of its kind, so that nothing else may know where frames are kept."""

import struct
import tempfile
from collections.abc import Sequence

from gateway.streams import Journal

_SIZE = struct.Struct(">I")


class FileLog(Journal):
    """A log whose frames stand in a file, each behind its size; in memory it has where each begins."""

    def __init__(self, *, keeps: bool) -> None:
        super().__init__(keeps=keeps)
        self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the log
        self._places: list[int] = []

    @property
    def length(self) -> int:
        """Count the frames."""
        return len(self._places)

    @property
    def held_bytes(self) -> int:
        """Say that no frame is in memory."""
        return 0

    def since(self, cursor: int) -> list[bytes]:
        """Read the frames behind a cursor."""
        return [self._frame(place) for place in self._places[cursor:]]

    def _store(self, frames: Sequence[bytes]) -> None:
        for frame in frames:
            self._places.append(self._file.seek(0, 2))
            self._file.write(_SIZE.pack(len(frame)) + frame)

    def _frame(self, place: int) -> bytes:
        self._file.seek(place)
        (size,) = _SIZE.unpack(self._file.read(_SIZE.size))
        return self._file.read(size)

    def __del__(self) -> None:
        self._file.close()
