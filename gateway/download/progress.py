"""How far a download is: measured, written for the gateway, and told to people.

Knows: bytes, files, clocks. Knows nothing of: the hub.
"""

import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Literal, TextIO

from gateway.download.cache import write_whole
from gateway.download.errors import DownloadError

Phase = Literal["checking", "downloading", "verifying", "complete", "failed"]

# The rate is the mean of this long, so that one slow moment does not double the time left.
RATE_SECONDS = 15.0
# Between two looks at the disk, and two updates of the file that the gateway shows.
LOOK_SECONDS = 0.5
# Between two lines where nobody sits at a terminal.
LINE_SECONDS = 5.0
_BAR_CELLS = 24


@dataclass(frozen=True, slots=True)
class State:
    """The content of the progress file. Units: bytes, seconds; updated is Unix time."""

    model: str
    phase: Phase = "checking"
    bytes_done: int = 0
    bytes_total: int = 0
    bytes_per_second: float = 0.0
    seconds_left: float | None = None
    files_done: int = 0
    files_total: int = 0
    error: dict[str, str] | None = None
    updated: float = 0.0


class Meter:
    """Tells the rate of the last seconds from counts of bytes."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._counts: deque[tuple[float, int]] = deque()

    def rate(self, done: int) -> float:
        """Take a count and give bytes per second; what was there at the first count does not count."""
        now = self._clock()
        self._counts.append((now, done))
        while len(self._counts) > 2 and now - self._counts[1][0] >= RATE_SECONDS:
            self._counts.popleft()
        first, before = self._counts[0]
        return max(0.0, (done - before) / (now - first)) if now > first else 0.0


class Progress:
    """Keeps the progress file and tells people."""

    def __init__(
        self, model: str, path: Path, out: TextIO, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.state = State(model)
        self._path = path
        self._out = out
        self._is_terminal = out.isatty()
        self._clock = clock
        self._meter = Meter(clock)
        self._told = -LINE_SECONDS
        self._has_bar = False

    def say(self, text: str) -> None:
        """Write one line for people."""
        if self._has_bar:
            self._out.write("\n")
            self._has_bar = False
        self._out.write(f"download: {text}\n")
        self._out.flush()

    def enter(self, phase: Phase) -> None:
        """Name the phase. Raises: OSError."""
        self._keep(replace(self.state, phase=phase))

    def show(self, bytes_done: int, bytes_total: int, files_done: int, files_total: int) -> None:
        """Take a look's counts: into the file always, to people now and then. Raises: OSError."""
        rate = self._meter.rate(bytes_done)
        left = (bytes_total - bytes_done) / rate if rate > 0 else None
        phase: Phase = "downloading" if bytes_done < bytes_total else "verifying"
        is_new = phase != self.state.phase
        self._keep(
            replace(
                self.state,
                phase=phase,
                bytes_done=bytes_done,
                bytes_total=bytes_total,
                bytes_per_second=round(rate, 1),
                seconds_left=None if left is None else round(left, 1),
                files_done=files_done,
                files_total=files_total,
            )
        )
        if self._is_terminal:
            self._out.write("\r\x1b[K" + bar(self.state) + line(self.state))
            self._out.flush()
            self._has_bar = True
        elif is_new or self._clock() - self._told >= LINE_SECONDS:
            self._told = self._clock()
            self.say(line(self.state))

    def complete(self, files: int, size: int) -> None:
        """Say in the file that the model is complete. Raises: OSError."""
        self._keep(State(self.state.model, "complete", size, size, 0.0, 0.0, files, files))

    def fail(self, error: DownloadError) -> None:
        """Say in the file why there is no model. Raises: OSError."""
        self._keep(
            replace(
                self.state,
                phase="failed",
                bytes_per_second=0.0,
                seconds_left=None,
                error={"code": error.code, "message": str(error)},
            )
        )

    def _keep(self, state: State) -> None:
        self.state = replace(state, updated=round(time.time(), 3))
        text = json.dumps(asdict(self.state)) + "\n"
        try:
            write_whole(self._path, text)
        except OSError:
            # A full disk has no block for a second file, and this reason above all must be shown: the old
            # file's own block is written over, which one write of less than a block does as good as at once.
            with self._path.open("r+", encoding="utf-8") as opened:
                opened.write(text)
                opened.truncate()


def line(state: State) -> str:
    """Write a state in words."""
    share = f"{gigabytes(state.bytes_done)} of {gigabytes(state.bytes_total)}"
    files = f"{state.files_done} of {state.files_total} files"
    if state.phase == "verifying":
        return f"verifying {share}: {files} checked"
    percent = 100 * state.bytes_done // state.bytes_total if state.bytes_total else 0
    if state.seconds_left is None:
        return f"{share} ({percent} %), waiting for data, {files}"
    rate = f"{state.bytes_per_second / 1e6:.1f} MB/s"
    return f"{share} ({percent} %), {rate}, {duration(state.seconds_left)} left, {files}"


def bar(state: State) -> str:
    """Draw a state as a bar of fixed width."""
    share = state.bytes_done / state.bytes_total if state.bytes_total else 0.0
    full = int(_BAR_CELLS * share)
    return f"[{'#' * full}{'.' * (_BAR_CELLS - full)}] "


def gigabytes(size: int) -> str:
    """Write a number of bytes as people read it, in decimal units as disks are sold."""
    if size >= 10**9:
        return f"{size / 1e9:.1f} GB"
    return f"{size / 1e6:.1f} MB" if size >= 10**5 else f"{size} bytes"


def duration(seconds: float) -> str:
    """Write seconds as people read them."""
    whole = round(seconds)
    if whole >= 3600:
        return f"{whole // 3600} h {whole % 3600 // 60:02} min"
    return f"{whole // 60} min {whole % 60:02} s" if whole >= 60 else f"{whole} s"
