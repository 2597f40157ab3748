"""How far a download is."""

import json
import threading
from pathlib import Path

import pytest

from engine import progress
from engine.progress import Progress, forget, progress_line
from gateway.progress import Download, read_download


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


def test_the_gateway_reads_what_is_told(tmp_path: Path) -> None:
    """Under way, complete and failed, in the form of the download job's own file."""
    told, seen = tmp_path / "paddock/progress.json", []
    (tmp_path / "a.incomplete").write_bytes(bytes(40))
    progress = Progress(tmp_path, 100, print, is_terminal=False, told=told)
    with progress:
        seen.append(read_download(told))
    seen.append(read_download(told))
    progress.fail("The hub cannot be reached.")
    seen.append(read_download(told))

    error = {"code": "download_failed", "message": "The hub cannot be reached."}
    assert seen == [
        Download("downloading", 40, 100, 0.0, None, None),
        Download("complete", 100, 100, 0.0, None, None),
        Download("failed", 40, 100, 0.0, None, error),
    ]


def test_a_failure_is_not_told_as_complete(tmp_path: Path) -> None:
    """Whoever leaves by an exception has not got the file."""
    told = tmp_path / "progress.json"
    with pytest.raises(KeyError), Progress(tmp_path, 100, print, is_terminal=False, told=told):
        raise KeyError

    assert "downloading" == json.loads(told.read_text())["phase"]


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [('{"phase": "complete"}', True), ('{"phase": "failed"}', False), ("[]", True), ("{", True)],
)
def test_what_was_not_completed_is_forgotten(tmp_path: Path, text: str, is_kept: bool) -> None:
    """A start that needs no download does not go on telling of an old one."""
    told = tmp_path / "progress.json"
    told.write_text(text)
    forget(told)
    forget(tmp_path / "nothing")

    assert is_kept == told.exists()


def test_a_cache_that_cannot_be_written_ends_no_download(tmp_path: Path) -> None:
    """Where the gateway cannot be told, the file comes all the same."""
    (tmp_path / "file").write_text("")
    with Progress(tmp_path, 100, print, is_terminal=False, told=tmp_path / "file/progress.json"):
        pass

    assert ["file"] == [path.name for path in tmp_path.iterdir()]
