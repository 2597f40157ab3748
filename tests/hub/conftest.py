"""A hub with one model, and a job that is to fetch it."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.hub import Hub, running
from tests.fakes.repository import GOOD_TOKEN, File, Model
from tests.hub.job import MODEL, Job

SHARDS = tuple(f"model-0000{number}-of-00003.safetensors" for number in (1, 2, 3))


@pytest.fixture(scope="session")
def files() -> dict[str, File]:
    """A small model's files, and some that TGI does not need."""
    dice = random.Random(3)
    index = {"metadata": {}, "weight_map": {f"layer.{n}": shard for n, shard in enumerate(SHARDS)}}
    return {
        "README.md": File(b"# The fox\n"),
        "config.json": File(b'{"model_type": "llama"}\n'),
        "generation_config.json": File(b'{"eos_token_id": [1, 2]}\n'),
        "model.safetensors.index.json": File(json.dumps(index).encode()),
        **{shard: File(dice.randbytes(3_000_000 + n), is_lfs=True) for n, shard in enumerate(SHARDS)},
        "tokenizer.json": File(dice.randbytes(200_000), is_lfs=True),
        "tokenizer_config.json": File(b"{}\n"),
        "pytorch_model.bin": File(b"pickle", is_lfs=True),
        "original/consolidated.00.pth": File(b"the same again", is_lfs=True),
        "original/tokenizer.model": File(b"another", is_lfs=True),
    }


@pytest.fixture
def hub(files: dict[str, File]) -> Iterator[Hub]:
    """A hub with the model on it, well-behaved until told otherwise."""
    with running() as hub:
        hub.models[MODEL] = Model(dict(files))
        yield hub


@pytest.fixture
def job(hub: Hub, tmp_path: Path) -> Iterator[Job]:
    """A job with an empty cache."""
    job = Job(hub, tmp_path / "cache")
    yield job
    job.kill()


@pytest.fixture(scope="module")
def done(files: dict[str, File], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """A job whose model is complete; tests that use it only look."""
    with running() as hub:
        hub.models[MODEL] = Model(dict(files), is_gated=True)
        job = Job(hub, tmp_path_factory.mktemp("done") / "cache")
        assert job.run(HF_TOKEN=GOOD_TOKEN).status == 0
        yield job
