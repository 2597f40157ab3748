"""Transfers that break, content that is wrong, jobs that are killed."""

import signal

import pytest

from tests.fakes.repository import COMMIT, File
from tests.hub.conftest import SHARDS
from tests.hub.job import MODEL, Job, until

# Pieces of 1 MiB are kept; each of the four workers may lose one.
LOSS_BYTES = 4 * (1 << 20)


def weights(files: dict[str, File]) -> int:
    """Count the bytes that come from the content store."""
    return sum(files[name].size for name in (*SHARDS, "tokenizer.json"))


def is_whole(job: Job, files: dict[str, File]) -> bool:
    """Compare every file of the snapshot with the hub's."""
    snapshot = job.folder / "snapshots" / COMMIT
    return all(path.read_bytes() == files[path.name].content for path in snapshot.iterdir())


def test_kill_9_at_any_point_loses_little_and_breaks_nothing(job: Job, files: dict[str, File]) -> None:
    """Killed again and again, the job goes on from its partial files and never claims to be complete."""
    # Slow, so that it cannot be over before it is killed.
    job.hub.faults.bytes_per_second = 1_000_000
    kept = [0]
    for more in (0, 1, 1_500_000, 1_500_000):
        process = job.start()
        least = kept[-1] + more
        until(lambda: job.hub.bytes_sent > 0 and job.content_bytes() >= least)  # noqa: B023 - used at once
        process.kill()
        assert job.end(process).status == -signal.SIGKILL
        assert not job.marker.exists()
        assert not (job.folder / "refs/main").exists()
        kept.append(job.content_bytes())
    assert kept == sorted(kept)
    job.hub.faults.bytes_per_second = 0.0
    assert job.run().status == 0
    assert is_whole(job, files)
    assert job.marker.exists()
    assert job.hub.bytes_sent <= weights(files) + 4 * LOSS_BYTES
    assert any(request.range for request in job.hub.paths("/store/"))


def test_broken_connections_are_gone_on_with(job: Job, files: dict[str, File]) -> None:
    """Each break costs at most a piece, and the file is fetched from where it broke."""
    job.hub.faults.cut_after, job.hub.faults.cuts = 1_500_000, 5
    assert job.run().status == 0
    assert is_whole(job, files)
    assert sum(request.range is not None for request in job.hub.paths("/store/")) == 5


def test_a_hub_that_ignores_ranges_still_serves(job: Job, files: dict[str, File]) -> None:
    """A whole answer to a question for a part replaces what was there."""
    job.hub.faults.cut_after, job.hub.faults.cuts, job.hub.faults.ignores_range = 1_500_000, 2, True
    assert job.run().status == 0
    assert is_whole(job, files)


def test_a_hub_that_is_away_for_a_moment_is_asked_again(job: Job) -> None:
    """One 503 to the first question does not end the job."""
    job.hub.faults.unavailable = 1
    assert job.run().status == 0


def test_a_file_spoiled_once_is_fetched_again(job: Job, files: dict[str, File]) -> None:
    """A wrong hash costs one more transfer of that file and no other."""
    job.hub.faults.spoiled = {SHARDS[0]: 1}
    assert job.run().status == 0
    assert is_whole(job, files)
    assert weights(files) + files[SHARDS[0]].size == job.hub.bytes_sent


@pytest.mark.parametrize("name", [SHARDS[0], "tokenizer_config.json"])
def test_a_file_spoiled_twice_fails_and_is_not_kept(job: Job, name: str) -> None:
    """A hash that stays wrong, SHA-256 or git's, is named with its file, and no marker is written."""
    job.hub.faults.spoiled = {name: 9}
    result = job.run()
    assert result.status == 18
    assert f"{name} of {MODEL} came twice" in result.err
    assert not job.marker.exists()
    assert not (job.folder / "snapshots" / COMMIT / name).exists()
    assert job.progress()["error"]["code"] == "hash_mismatch"


def test_damage_to_an_unfinished_cache_is_found(job: Job, files: dict[str, File]) -> None:
    """Files that were there before are verified too: a right size alone is not enough."""
    job.run()
    job.marker.unlink()
    damaged = (job.folder / "snapshots" / COMMIT / SHARDS[2]).resolve()
    damaged.write_bytes(bytes(files[SHARDS[2]].size))
    sent = job.hub.bytes_sent
    assert job.run().status == 0
    assert is_whole(job, files)
    assert files[SHARDS[2]].size == job.hub.bytes_sent - sent


def test_another_revision_takes_the_marker_and_leaves_the_refs_until_it_is_whole(
    job: Job, files: dict[str, File]
) -> None:
    """While a new commit is half there nobody may start, and refs still lead to the whole one."""
    job.run()
    newer = "b" * 40
    model = job.hub.models[MODEL]
    model.revisions = {"main": newer, "v2": newer}
    model.files = {**files, SHARDS[0]: File(files[SHARDS[1]].content[::-1], is_lfs=True)}
    job.hub.faults.is_held = True
    process = job.start({"MODEL_REVISION": "v2"})
    until(lambda: bool(job.hub.paths(f"/store/{MODEL}/{newer}")))
    assert not job.marker.exists()
    process.kill()
    job.end(process)
    refs = job.folder / "refs"
    assert {path.name: path.read_text() for path in refs.iterdir()} == {"main": COMMIT, COMMIT: COMMIT}
    job.hub.faults.is_held = False
    job.hub.faults.released.set()
    assert job.run(MODEL_REVISION="v2").status == 0
    assert (refs / "v2").read_text() == newer
    assert job.marker.exists()


def test_a_partial_file_that_is_too_long_is_thrown_away(job: Job, files: dict[str, File]) -> None:
    """What cannot be a beginning of the file is not gone on with."""
    blobs = job.folder / "blobs"
    blobs.mkdir(parents=True)
    shard = files[SHARDS[1]]
    (blobs / f"{shard.sha256}.incomplete").write_bytes(bytes(shard.size + 1))
    assert job.run().status == 0
    assert is_whole(job, files)


def test_a_silent_connection_is_given_up_and_gone_on_with(job: Job, files: dict[str, File]) -> None:
    """A silence as long as the client's limit is a break; an empty variable for it is no limit."""
    job.hub.faults.is_held = True
    process = job.start({"HF_HUB_DOWNLOAD_TIMEOUT": "1", "HF_HUB_ETAG_TIMEOUT": ""})
    until(lambda: len(job.hub.paths("/store/")) > 1)
    assert not job.hub.faults.released.is_set()
    job.hub.faults.is_held = False
    job.hub.faults.released.set()
    assert job.end(process).status == 0
    assert is_whole(job, files)
