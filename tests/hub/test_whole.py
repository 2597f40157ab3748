"""A model that comes without trouble: what lies in the cache, and what the hub was asked."""

import contextlib
import json
import os
import pty
import signal
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.hub import Hub
from tests.fakes.repository import COMMIT, GOOD_TOKEN, File
from tests.hub.conftest import SHARDS
from tests.hub.job import MODEL, Job, until

NEEDED = {
    "config.json", "generation_config.json", "model.safetensors.index.json", "tokenizer.json",
    "tokenizer_config.json", *SHARDS,
}


def test_only_what_tgi_needs_comes_and_each_file_is_whole(done: Job, files: dict[str, File]) -> None:
    """The snapshot holds the needed files, as links into blobs, with the hub's content."""
    snapshot = done.folder / "snapshots" / COMMIT
    assert {name: files[name].content for name in NEEDED} == {
        path.name: path.read_bytes() for path in snapshot.iterdir()
    }
    assert {"../../blobs"} == {str(path.readlink().parent) for path in snapshot.iterdir()}


def test_refs_of_the_branch_and_of_the_commit_have_no_newline(done: Job) -> None:
    """TGI's launcher finds the commit under its branch and under its own name."""
    assert {
        path.name: path.read_text() for path in (done.folder / "refs").iterdir()
    } == {"main": COMMIT, COMMIT: COMMIT}


def test_a_pinned_commit_has_its_own_ref(job: Job) -> None:
    """A commit as MODEL_REVISION starts offline: refs/COMMIT exists, and only it."""
    assert job.run(MODEL_REVISION=COMMIT).status == 0
    assert {path.name: path.read_text() for path in (job.folder / "refs").iterdir()} == {COMMIT: COMMIT}


def test_the_marker_tells_what_is_complete(done: Job, files: dict[str, File]) -> None:
    """The marker names model, revision, commit and the size of each file."""
    marker = json.loads(done.marker.read_text())
    assert marker.pop("seconds") > 0
    sizes = {name: files[name].size for name in NEEDED}
    assert marker == {
        "model": MODEL, "revision": "main", "commit": COMMIT, "files": sizes, "bytes": sum(sizes.values()),
    }


def test_the_progress_file_ends_complete(done: Job, files: dict[str, File]) -> None:
    """The last state has everything done and no error."""
    size = sum(files[name].size for name in NEEDED)
    progress = done.progress()
    assert progress.pop("updated") > 1.7e9
    assert progress == {
        "model": MODEL, "phase": "complete", "bytes_done": size, "bytes_total": size, "bytes_per_second": 0.0,
        "seconds_left": 0.0, "files_done": len(NEEDED), "files_total": len(NEEDED), "error": None,
    }


def test_a_complete_model_needs_no_network_and_less_than_a_second(done: Job) -> None:
    """The second run asks the hub nothing and ends at once: a second of processor time is far more."""
    asked = len(done.hub.requests)
    again = done.run(HF_ENDPOINT="http://127.0.0.1:9", HF_HUB_OFFLINE="1")
    assert (0, asked) == (again.status, len(done.hub.requests))
    assert again.cpu_seconds < 1.0
    assert "is complete" in again.out


def test_lost_refs_are_written_again_without_the_network(job: Job) -> None:
    """A complete model whose refs were removed is mended at the next start."""
    job.run()
    (job.folder / "refs/main").unlink()
    assert job.run(HF_ENDPOINT="http://127.0.0.1:9").status == 0
    assert (job.folder / "refs/main").read_text() == COMMIT


def test_a_lost_file_takes_the_marker_with_it_and_comes_again(job: Job, files: dict[str, File]) -> None:
    """A marker is not believed when a file is gone: the file alone is fetched."""
    job.run()
    lost = job.folder / "snapshots" / COMMIT / SHARDS[1]
    lost.resolve().unlink()
    sent = job.hub.bytes_sent
    assert job.run().status == 0
    assert files[SHARDS[1]].size == job.hub.bytes_sent - sent
    assert files[SHARDS[1]].content == lost.read_bytes()


def test_the_content_store_never_sees_the_token_and_xet_is_not_used(done: Job) -> None:
    """A token goes to the hub and to no other host, and the partial files are plain ones."""
    stores = done.hub.paths("/store/")
    assert {None} == {request.token for request in stores}
    assert {f"localhost:{done.hub.url.rpartition(':')[2]}"} == {request.host for request in stores}
    assert {GOOD_TOKEN} == {request.token for request in done.hub.paths("/resolve/")}
    assert done.hub.paths("xet-read-token") == []


def test_a_token_from_a_secret_file_opens_a_gated_model(job: Job, tmp_path: Path) -> None:
    """HF_TOKEN_FILE is read, its newline is not part of the token."""
    job.hub.models[MODEL].is_gated = True
    secret = tmp_path / "secret"
    secret.write_text(GOOD_TOKEN + "\n")
    assert job.run(HF_TOKEN_FILE=str(secret)).status == 0


def test_without_a_token_none_is_sent_even_if_the_cache_holds_one(job: Job) -> None:
    """A token that lies in HF_HOME is not the job's: only its settings count."""
    job.home.mkdir()
    (job.home / "token").write_text(GOOD_TOKEN)
    assert job.run(HF_TOKEN="").status == 0
    assert {None} == {request.token for request in job.hub.requests}


def test_progress_is_told_while_bytes_come(job: Job) -> None:
    """The progress file shows bytes, rate and time left, and the log says the same in words."""
    job.hub.faults.bytes_per_second = 1_000_000
    process = job.start()
    progress: dict[str, Any] = {}

    def has_rate() -> bool:
        if (job.own / "progress.json").exists():
            progress.update(job.progress())
        return bool(progress.get("bytes_per_second"))

    until(has_rate)
    result = job.end(process)
    assert (result.status, progress["phase"]) == (0, "downloading")
    assert 0 < progress["bytes_done"] < progress["bytes_total"]
    assert progress["seconds_left"] > 0
    assert "of 9.2 MB" in result.out


def test_a_terminal_gets_a_bar(job: Job) -> None:
    """Where somebody watches, one line is drawn again and again."""
    job.hub.faults.bytes_per_second = 3_000_000
    leader, follower = pty.openpty()
    process = job.start(out=follower)
    os.close(follower)
    shown = b""
    with contextlib.suppress(OSError):  # how a terminal says that the other side has ended
        while piece := os.read(leader, 65536):
            shown += piece
    os.close(leader)
    assert job.end(process).status == 0
    assert b"\r\x1b[K[##" in shown
    assert b"MB/s" in shown


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_the_job_and_keeps_what_has_come(job: Job, number: signal.Signals) -> None:
    """The exit status names the signal, partial files stay, nothing says complete."""
    # Slow, so that it cannot be over before the signal arrives.
    job.hub.faults.bytes_per_second = 1_000_000
    process = job.start()
    until(lambda: job.content_bytes() > 2_000_000)
    process.send_signal(number)
    result = job.end(process)
    assert 128 + number == result.status
    assert "stopped; what has come is kept" in result.err
    assert job.content_bytes() > 2_000_000
    assert not job.marker.exists()
    assert (job.progress()["phase"], job.progress()["error"]["code"]) == ("failed", "stopped")


def test_two_jobs_on_one_cache_fetch_the_model_once(job: Job, hub: Hub, files: dict[str, File]) -> None:
    """The second job waits for the first and then finds nothing to do."""
    hub.faults.is_held = True
    first = job.start()
    until(lambda: hub.bytes_sent > 0)
    second = job.start()
    assert second.stdout is not None
    assert "another download uses this cache" in second.stdout.readline()
    hub.faults.is_held = False
    hub.faults.released.set()
    assert (job.end(first).status, job.end(second).status) == (0, 0)
    assert sum(file.size for name, file in files.items() if file.is_lfs and name in NEEDED) == hub.bytes_sent
