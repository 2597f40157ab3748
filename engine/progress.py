"""Tells how far a download is, by the size of the file that grows.

The client library of the hub shows bars, and on terminals only.

Knows: files, time.
Knows nothing of: where the file comes from.
"""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A line this often at a terminal, and when nobody sits at one.
_TERMINAL_SECONDS, _LOG_SECONDS = 1.0, 5.0


class Progress:
    """Says from a thread, while it is open, how much of the unfinished file in a folder has come."""

    def __init__(self, folder: Path, size: int, say: Callable[[str], None], is_terminal: bool) -> None:
        self._folder = folder
        self._size = size
        self._say = say
        self._seconds = _TERMINAL_SECONDS if is_terminal else _LOG_SECONDS
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(self, *_: Any) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        first, began = _size(self._folder), time.monotonic()
        while not self._done.wait(self._seconds):
            have = _size(self._folder)
            self._say(progress_line(have, self._size, have - first, time.monotonic() - began))


def progress_line(have: int, size: int, fetched: int, seconds: float) -> str:
    """Write how far a download is. Units: bytes, and seconds since it began."""
    rate = fetched / seconds if seconds > 0 else 0.0
    share = f"{have / 1e6:.0f} MB"
    if size:
        share = f"{have / 1e6:.0f} of {size / 1e6:.0f} MB ({100 * have / size:.0f} %)"
    if rate <= 0:
        return f"downloading: {share}, waiting for data"
    left = max(0, size - have) / rate
    return f"downloading: {share}, {rate / 1e6:.1f} MB/s, {left // 60:.0f} min {left % 60:02.0f} s left"


def _size(folder: Path) -> int:
    try:
        return max((file.stat().st_size for file in folder.glob("*.incomplete")), default=0)
    except OSError:
        return 0
