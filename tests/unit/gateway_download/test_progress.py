"""Rates, times left, and how they are told."""

import errno
import io
import json
from pathlib import Path

import pytest

from gateway.download.errors import SpaceMissing, TokenMissing
from gateway.download.progress import LINE_SECONDS, Meter, Progress, State, bar, duration, gigabytes, line


class Clock:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_the_rate_is_of_the_last_seconds() -> None:
    """A fast start is forgotten, and bytes of an earlier run never counted."""
    clock = Clock()
    meter = Meter(clock)
    assert meter.rate(5_000_000) == 0.0
    for second in range(1, 11):
        clock.now = 100.0 + second
        fast = meter.rate(5_000_000 + second * 1_000_000)
    assert fast == 1_000_000
    for second in range(11, 60):
        clock.now = 100.0 + second
        slow = meter.rate(15_000_000 + (second - 10) * 1_000)
    assert slow == 1_000


def test_a_file_that_is_dropped_makes_no_negative_rate() -> None:
    """A wrong hash takes bytes away; the rate is then zero."""
    clock = Clock()
    meter = Meter(clock)
    meter.rate(1_000)
    clock.now += 1
    assert meter.rate(0) == 0.0


def test_a_line_tells_bytes_rate_and_time_left() -> None:
    """People read decimal units and minutes."""
    state = State("m", "downloading", 3_200_000_000, 16_000_000_000, 52_100_000.0, 245.7, 3, 12)
    assert line(state) == "3.2 GB of 16.0 GB (20 %), 52.1 MB/s, 4 min 06 s left, 3 of 12 files"


def test_a_line_without_a_rate_says_that_it_waits() -> None:
    """No time left is made up from nothing."""
    state = State("m", "downloading", 0, 16_000_000_000, 0.0, None, 0, 12)
    assert line(state) == "0 bytes of 16.0 GB (0 %), waiting for data, 0 of 12 files"


def test_a_line_while_verifying() -> None:
    """When all bytes have come, the files checked are what moves."""
    state = State("m", "verifying", 10**9, 10**9, 5.0, 0.0, 3, 12)
    assert line(state) == "verifying 1.0 GB of 1.0 GB: 3 of 12 files checked"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.4, "0 s"), (59.4, "59 s"), (60, "1 min 00 s"), (3599, "59 min 59 s"), (7260, "2 h 01 min")],
)
def test_durations(seconds: float, text: str) -> None:
    """Seconds become what people say."""
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("size", "text"), [(12, "12 bytes"), (654_321, "0.7 MB"), (16_060_000_000, "16.1 GB")]
)
def test_sizes(size: int, text: str) -> None:
    """Bytes become what disks are sold in."""
    assert gigabytes(size) == text


def test_a_bar_is_as_full_as_the_download() -> None:
    """A quarter done is a quarter of the bar."""
    assert bar(State("m", "downloading", 25, 100)) == "[######..................] "
    assert bar(State("m")) == "[........................] "


def test_lines_come_now_and_then_and_the_file_always(tmp_path: Path) -> None:
    """Without a terminal the log gets a line every few seconds; the gateway's file is never older."""
    clock, out = Clock(), io.StringIO()
    progress = Progress("m", tmp_path / "progress.json", out, clock)
    for _ in range(21):
        progress.show(int(clock.now), 1000, 0, 1)
        clock.now += LINE_SECONDS / 10
    assert out.getvalue().count("\n") == 3
    assert json.loads((tmp_path / "progress.json").read_text())["bytes_done"] == 110
    assert [path.name for path in tmp_path.iterdir()] == ["progress.json"]


def test_a_failure_keeps_how_far_it_came(tmp_path: Path) -> None:
    """The page can show both the reason and the bytes that are kept."""
    progress = Progress("m", tmp_path / "progress.json", io.StringIO(), Clock())
    progress.show(40, 100, 1, 3)
    progress.fail(TokenMissing("No token."))
    kept = json.loads((tmp_path / "progress.json").read_text())
    assert (kept["phase"], kept["bytes_done"], kept["error"]) == (
        "failed", 40, {"code": "token_missing", "message": "No token."},
    )


def test_a_full_disk_does_not_hide_its_own_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no second file can be made, the one that is there is written over."""
    def full(path: Path, text: str) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    path = tmp_path / "progress.json"
    progress = Progress("a long name of a model", path, io.StringIO(), Clock())
    progress.show(40, 100, 1, 3)
    monkeypatch.setattr("gateway.download.progress.write_whole", full)
    progress.fail(SpaceMissing("Full."))
    assert json.loads(path.read_text())["error"] == {"code": "space_missing", "message": "Full."}
    monkeypatch.setattr(progress, "_path", tmp_path / "none/progress.json")
    with pytest.raises(OSError, match="No such file"):
        progress.fail(SpaceMissing("Full."))
