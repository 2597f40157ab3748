"""Each cause for which there can be no model: its sentence, its exit status, and nothing fetched."""

import socket
from pathlib import Path

import pytest

from tests.fakes.repository import FOREIGN_TOKEN, GOOD_TOKEN, NARROW_TOKEN, PENDING_TOKEN, File
from tests.hub.conftest import SHARDS
from tests.hub.job import MODEL, Job

CASES = {
    "no token": ("gated", "", 10, "token_missing", "is gated: accept its licence at {page} and set HF_TOKEN"),
    "bad token": ("gated", "hf_unknown", 11, "token_invalid", "make a new one at {url}/settings/tokens"),
    "bad token, open model": ("open", "hf_unknown", 11, "token_invalid", "does not know the token HF_TOKEN"),
    "narrow token": ("gated", NARROW_TOKEN, 11, "token_invalid", "allow public gated repositories for it"),
    "no licence": ("gated", FOREIGN_TOKEN, 12, "licence_not_accepted", "open {page} and accept it"),
    "licence pending": ("gated", PENDING_TOKEN, 12, "licence_not_accepted", "waits for its owner's answer"),
    "no model": ("absent", GOOD_TOKEN, 13, "model_unknown", "shows no model fox/Fable-8B-Instruct"),
    "no model, no token": ("absent", "", 13, "model_unknown", "if it is private, set HF_TOKEN"),
    "private model": ("private", FOREIGN_TOKEN, 13, "model_unknown", "check MODEL_ID."),
}


@pytest.mark.parametrize(("kind", "token", "status", "code", "words"), CASES.values(), ids=CASES.keys())
def test_access_is_refused_in_one_sentence(
    job: Job, kind: str, token: str, status: int, code: str, words: str
) -> None:
    """No model means one sentence, one exit status and no byte of content."""
    model = job.hub.models[MODEL]
    model.is_gated, model.is_private = kind == "gated", kind == "private"
    if kind == "absent":
        job.hub.models.clear()
    result = job.run(HF_TOKEN=token)
    expect(job, result.err, result.status, (status, code))
    assert words.format(page=f"{job.hub.url}/{MODEL}", url=job.hub.url) in result.err


def expect(job: Job, err: str, status: int, expected: tuple[int, str]) -> None:
    """Check what all refusals share."""
    assert expected == (status, job.progress()["error"]["code"])
    assert err.count("\n") == 1
    assert err == f"download: {job.progress()['error']['message']}\n"
    assert job.progress()["phase"] == "failed"
    assert job.hub.bytes_sent == 0
    assert not job.marker.exists()


def test_an_unknown_revision_is_named(job: Job) -> None:
    """A branch that does not exist is not taken for a missing model."""
    result = job.run(MODEL_REVISION="v9")
    expect(job, result.err, result.status, (14, "revision_unknown"))
    assert f"{MODEL} has no revision v9" in result.err


def test_a_model_without_safetensors_is_refused(job: Job) -> None:
    """TGI could not start from it."""
    job.hub.models[MODEL].files = {"config.json": File(b"{}"), "fable.Q4_K_M.gguf": File(b"GGUF")}
    result = job.run()
    expect(job, result.err, result.status, (15, "model_unusable"))
    assert "GGUF files for other engines" in result.err


def test_a_shard_that_the_index_names_must_be_there(job: Job) -> None:
    """A repository with a hole is found before its weights are fetched."""
    files = job.hub.models[MODEL].files
    del files[SHARDS[1]], files["tokenizer.json"]
    result = job.run()
    expect(job, result.err, result.status, (15, "model_unusable"))
    assert f"{SHARDS[1]} first" in result.err


def test_a_full_disk_is_known_before_the_first_byte(job: Job) -> None:
    """Needed and free are compared before anything is fetched."""
    job.hub.models[MODEL].files[SHARDS[0]] = File(b"x", is_lfs=True, claimed_size=10**16)
    result = job.run()
    expect(job, result.err, result.status, (16, "space_missing"))
    assert "needs 10000000.0 GB more" in result.err
    assert "GB free: make room or set HF_HOME" in result.err


def test_a_hub_out_of_reach_is_named(job: Job) -> None:
    """A closed port is no network, said within seconds."""
    with socket.socket() as held:  # bound, so that nobody else listens there, and not listening itself
        held.bind(("127.0.0.1", 0))
        endpoint = f"http://127.0.0.1:{held.getsockname()[1]}"
        result = job.run(HF_ENDPOINT=endpoint)
    expect(job, result.err, result.status, (17, "network_unreachable"))
    assert f"The hub at {endpoint} cannot be reached, the connection is refused" in result.err


def test_offline_by_setting_is_named(job: Job) -> None:
    """HF_HUB_OFFLINE with an incomplete model cannot work."""
    result = job.run(HF_HUB_OFFLINE="1")
    expect(job, result.err, result.status, (17, "network_unreachable"))
    assert "HF_HUB_OFFLINE forbids" in result.err


def test_a_hub_that_stays_away_is_named(job: Job) -> None:
    """503 to every question is the hub's failure, not the network's."""
    job.hub.faults.unavailable = 99
    result = job.run()
    expect(job, result.err, result.status, (20, "hub_failed"))


def test_a_cache_that_cannot_be_written_is_named(job: Job, tmp_path: Path) -> None:
    """A file where the folder should be: no traceback, the path is named."""
    job.home.write_text("not a folder")
    result = job.run()
    assert result.status == 19
    assert f"The cache {job.home} cannot be written" in result.err
    assert len(job.hub.requests) == 0


def test_every_wrong_setting_is_named_at_once(job: Job) -> None:
    """One run tells all that is wrong with the settings, without asking the hub."""
    result = job.run(
        MODEL_ID="a/b/c", MODEL_REVISION="../x", HF_ENDPOINT="x", HF_TOKEN_FILE="/none", DOWNLOAD_WORKERS="0"
    )
    assert (result.status, len(job.hub.requests)) == (2, 0)
    assert [
        part.split("=")[0].split()[-1] for part in result.err.split("; ")
    ] == ["MODEL_ID", "MODEL_REVISION", "HF_ENDPOINT", "HF_TOKEN_FILE", "DOWNLOAD_WORKERS"]
