"""The progress file of the download job, as the stats tell it."""

import io
from pathlib import Path
from typing import get_args

import pytest

from gateway.download.errors import NetworkUnreachable
from gateway.download.progress import Phase, Progress
from gateway.progress import PHASES, Download, read_disk, read_download


def job(folder: Path) -> tuple[Progress, Path]:
    """Give the job's own writer and its file, so that both sides are held to one form."""
    path = folder / "progress.json"
    return Progress("fox/Fable-8B", path, io.StringIO(), clock=lambda: 10.0), path


def test_a_download_under_way_is_told(tmp_path: Path) -> None:
    """Bytes, rate and time left are the job's."""
    progress, path = job(tmp_path)
    progress.show(40, 100, 1, 3)
    told = read_download(path, clock=lambda: progress.state.updated + 1)

    assert told == Download("downloading", 40, 100, 0.0, None, None)


def test_a_complete_one_is_told(tmp_path: Path) -> None:
    """Nothing is left, however long ago that was."""
    progress, path = job(tmp_path)
    progress.complete(3, 100)

    assert read_download(path, clock=lambda: 1e12) == Download("complete", 100, 100, 0.0, 0.0, None)


def test_the_reason_of_a_failure_is_told(tmp_path: Path) -> None:
    """The job's code and sentence arrive unchanged."""
    progress, path = job(tmp_path)
    progress.show(40, 100, 1, 3)
    progress.fail(NetworkUnreachable("The hub cannot be reached."))
    told = read_download(path)

    assert told == Download(
        "failed", 40, 100, 0.0, None, {"code": "network_unreachable", "message": "The hub cannot be reached."}
    )


def test_a_killed_job_is_not_taken_for_a_working_one(tmp_path: Path) -> None:
    """What has not been written for a while is stopped, without a rate."""
    progress, path = job(tmp_path)
    progress.show(40, 100, 1, 3)
    told = read_download(path, clock=lambda: progress.state.updated + 16)

    assert told == Download("stopped", 40, 100, 0.0, None, None)


def test_without_a_job_nothing_is_told(tmp_path: Path) -> None:
    """No setting, no file: None."""
    assert read_download(None) is None
    assert read_download(tmp_path / "progress.json") is None


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"phase": "downloading"', '{"phase": 1, "updated": "x"}'])
def test_a_file_of_another_form_is_none(tmp_path: Path, text: str) -> None:
    """The stats never fail over it."""
    path = tmp_path / "progress.json"
    path.write_text(text)

    assert read_download(path) is None


def test_the_disk_is_told_before_its_folder_is_there(tmp_path: Path) -> None:
    """An empty cache has a disk all the same; without a file nobody asks."""
    found = read_disk(tmp_path / "not/yet/progress.json")

    assert found is not None
    assert 0 < found.free < found.size
    assert read_disk(None) is None


def test_every_phase_is_one_that_metrics_know(tmp_path: Path) -> None:
    """The job's own, and the one of a job that was killed."""
    assert set(PHASES) == {*get_args(Phase), "stopped"}
