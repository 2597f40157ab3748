"""Tells how far a download is, by the size of the file that grows: in lines, and in a file for the gateway.

The client library of the hub shows bars, and on terminals only.

Knows: files, time, the form of the progress file (gateway/download/progress.py).
Knows nothing of: where the model comes from.
"""

import contextlib
import json
import threading
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

# A line this often at a terminal, and when nobody sits at one; between two looks at the file that grows.
_TERMINAL_SECONDS, _LOG_SECONDS, _LOOK_SECONDS = 1.0, 5.0, 1.0
# The rate is the mean of this long, so that one slow moment does not double the time left.
_RATE_SECONDS = 15.0


class Progress:
    """Says from a thread, while it is open, how much of the unfinished file in a folder has come.

    told: the file for the gateway, None for none. Its folder is made; where it cannot be written, it is not.
    """

    def __init__(
        self, folder: Path, size: int, say: Callable[[str], None], is_terminal: bool, told: Path | None = None
    ) -> None:
        self._folder = folder
        self._size = size
        self._say = say
        self._seconds = _TERMINAL_SECONDS if is_terminal else _LOG_SECONDS
        self._told = told
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> None:
        self._tell("downloading", _size(self._folder), 0.0)
        self._thread.start()

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self._done.set()
        self._thread.join()
        if kind is None:
            self._tell("complete", self._size, 0.0)

    def fail(self, sentence: str) -> None:
        """Say in the file why the model did not come. To be called when it is no longer open."""
        self._tell("failed", _size(self._folder), 0.0, {"code": "download_failed", "message": sentence})

    def _watch(self) -> None:
        looks = deque([(time.monotonic(), _size(self._folder))])
        said = looks[0][0]
        while not self._done.wait(min(_LOOK_SECONDS, self._seconds)):
            looks.append((time.monotonic(), _size(self._folder)))
            while len(looks) > 2 and looks[-1][0] - looks[1][0] >= _RATE_SECONDS:
                looks.popleft()
            (began, first), (now, have) = looks[0], looks[-1]
            self._tell("downloading", have, (have - first) / (now - began) if now > began else 0.0)
            if now - said >= self._seconds:
                said = now
                self._say(progress_line(have, self._size, have - first, now - began))

    def _tell(self, phase: str, done: int, rate: float, error: dict[str, str] | None = None) -> None:
        if self._told is None:
            return
        rate = max(0.0, round(rate, 1))
        left = None if rate == 0 else round(max(0, self._size - done) / rate, 1)
        state = {"phase": phase, "bytes_done": done, "bytes_total": self._size, "bytes_per_second": rate,
                 "seconds_left": left, "error": error, "updated": time.time()}
        new = self._told.with_name(f".{self._told.name}.new")
        with contextlib.suppress(OSError):
            self._told.parent.mkdir(parents=True, exist_ok=True)
            new.write_text(json.dumps(state), encoding="utf-8")
            new.replace(self._told)


def forget(told: Path) -> None:
    """Remove the word of a download that was not completed: whoever starts now begins anew, or needs none."""
    with contextlib.suppress(OSError, ValueError, AttributeError):
        if json.loads(told.read_bytes()).get("phase") != "complete":
            told.unlink()


def progress_line(have: int, size: int, fetched: int, seconds: float) -> str:
    """Write how far a download is. Units: bytes, and the seconds in which so many were fetched."""
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
