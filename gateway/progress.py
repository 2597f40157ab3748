"""How far the download of the model is, as whoever downloads keeps it in a file, and what its disk has left.

Knows: the file that gateway/download and the embedded engine write. Knows nothing of the hub and of engines.
"""

import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import orjson

# A working job writes every half second; one that has said nothing for this long was killed.
_SILENT_SECONDS = 15.0
_WORKING = ("checking", "downloading", "verifying")
# What a reader may be told; the last is our word for one that was killed.
PHASES = (*_WORKING, "complete", "failed", "stopped")


@dataclass(frozen=True, slots=True)
class Download:
    """What the stats tell.

    phase:  checking, downloading, verifying, complete, failed, or stopped: killed before its end
    error:  code and message of a failure
    Units:  bytes, seconds; seconds_left is None while nothing arrives.
    """

    phase: str
    bytes_done: int
    bytes_total: int
    bytes_per_second: float
    seconds_left: float | None
    error: dict[str, str] | None


@dataclass(frozen=True, slots=True)
class Disk:
    """The disk that the model cache is on. Units: bytes."""

    free: int
    size: int


def read_disk(path: Path | None) -> Disk | None:
    """Look at the disk of the progress file's folder, which may not be there yet; None without one."""
    for folder in () if path is None else path.absolute().parents:
        try:
            usage = shutil.disk_usage(folder)
        except FileNotFoundError:
            continue
        except OSError:
            return None
        return Disk(usage.free, usage.total)
    return None


def read_download(path: Path | None, clock: Callable[[], float] = time.time) -> Download | None:
    """Read the progress file; None where there is none.

    It has a few hundred bytes and the job replaces it whole, so it is read at once and without a thread.
    Units: clock gives Unix time.
    """
    if path is None:
        return None
    try:
        told = orjson.loads(path.read_bytes())
        phase, updated = str(told["phase"]), float(told["updated"])
        is_silent = phase in _WORKING and clock() - updated > _SILENT_SECONDS
        return Download(
            phase="stopped" if is_silent else phase,
            bytes_done=int(told["bytes_done"]),
            bytes_total=int(told["bytes_total"]),
            bytes_per_second=0.0 if is_silent else float(told["bytes_per_second"]),
            seconds_left=None if is_silent else told["seconds_left"],
            error=told["error"],
        )
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return None
