"""How far a download is."""

import threading
from pathlib import Path

import pytest

from engine import progress
from engine.progress import Progress, progress_line


@pytest.mark.parametrize(
    ("have", "size", "fetched", "line"),
    [
        (50_000_000, 100_000_000, 40_000_000, "downloading: 50 of 100 MB (50 %), 4.0 MB/s, 0 min 12 s left"),
        (50_000_000, 0, 40_000_000, "downloading: 50 MB, 4.0 MB/s, 0 min 00 s left"),
        (0, 807_694_464, 0, "downloading: 0 of 808 MB (0 %), waiting for data"),
    ],
)
def test_progress(have: int, size: int, fetched: int, line: str) -> None:
    """Bytes, share, rate, time left."""
    assert line == progress_line(have, size, fetched, 10.0)


def test_the_growing_file_is_watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines come while it is open."""
    monkeypatch.setattr(progress, "_LOG_SECONDS", 0.001)
    (tmp_path / "a.incomplete").write_bytes(bytes(2_000_000))
    lines: list[str] = []
    told = threading.Event()

    def say(line: str) -> None:
        lines.append(line)
        told.set()

    with Progress(tmp_path, 4_000_000, say, is_terminal=False):
        assert told.wait(5)

    assert "downloading: 2 of 4 MB (50 %), waiting for data" == lines[0]
