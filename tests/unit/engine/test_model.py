"""Which model runs, and with how much context."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from engine.errors import EXIT_MODEL_UNAVAILABLE, EXIT_MODEL_UNUSABLE, StartRefused
from engine.gguf import Header, read_header
from engine.hub import Fetched, Hub, HubFailed
from engine.model import (
    DEFAULT_ID,
    DEMO_ID,
    Model,
    cache_bytes_per_token,
    check_header,
    choose,
    context_tokens,
    default_threads,
)
from engine.settings import Settings
from tests.unit.engine.gguf_file import LLAMA, content, write


class FakeHub(Hub):
    """A hub that has some models, and fails for the others."""

    def __init__(self, **models: Fetched) -> None:
        super().__init__(is_offline=False, is_terminal=False)
        self.models = models
        self.asked: list[str] = []

    def fetch(self, model_id: str, say: Any, revision: str | None = None) -> Fetched:
        """Give what there is."""
        self.asked.append(model_id)
        if model_id not in self.models:
            raise HubFailed("the hub cannot be reached.")
        return self.models[model_id]


def silent(line: str) -> None:
    """Say nothing."""


@pytest.fixture
def demo(tmp_path: Path) -> Path:
    """A bundled model."""
    return write(tmp_path / "demo.gguf", content(LLAMA))


def refusal(settings: Settings, hub: Hub, demo: Path) -> tuple[int, str]:
    """Choose where that must fail."""
    with pytest.raises(StartRefused) as caught:
        choose(settings, hub, silent, demo)
    return caught.value.exit_code, caught.value.sentence


def test_a_path_wins_and_gives_its_name(tmp_path: Path, demo: Path) -> None:
    """The hub is not asked."""
    mine, hub = write(tmp_path / "mine.gguf", b""), FakeHub()

    assert Model(mine, "mine.gguf") == choose(
        Settings(model_path=str(mine), model_id="a/b"), hub, silent, demo
    )
    assert [] == hub.asked


def test_a_path_to_nothing_is_an_error(tmp_path: Path, demo: Path) -> None:
    """Nothing else is served in its place."""
    path = tmp_path / "none.gguf"

    assert (EXIT_MODEL_UNUSABLE, f"MODEL_PATH names {path}, and there is no such file.") == refusal(
        Settings(model_path=str(path)), FakeHub(), demo
    )


def test_an_id_is_served_under_its_repository(demo: Path) -> None:
    """With the commit that the hub told."""
    hub = FakeHub(**{"a/b:Q8_0": Fetched(Path("/f.gguf"), "abc")})

    assert Model(Path("/f.gguf"), "a/b", "abc") == choose(Settings(model_id="a/b:Q8_0"), hub, silent, demo)


def test_an_id_that_cannot_be_had_is_an_error(demo: Path) -> None:
    """Its own exit code, so that a supervisor may try again later."""
    assert (EXIT_MODEL_UNAVAILABLE, "a/b cannot be had: the hub cannot be reached.") == refusal(
        Settings(model_id="a/b"), FakeHub(), demo
    )


def test_the_default_is_llama(demo: Path) -> None:
    """Where the hub has it."""
    hub = FakeHub(**{DEFAULT_ID: Fetched(Path("/l.gguf"), "abc")})

    assert DEFAULT_ID.partition(":")[0] == choose(Settings(), hub, silent, demo).id


def test_without_the_hub_the_demo_is_used_and_said(demo: Path) -> None:
    """A person must know which model answers."""
    said: list[str] = []

    assert Model(demo, DEMO_ID) == choose(Settings(), FakeHub(), said.append, demo)
    assert [
        "no Llama 3.2 model is at hand: the hub cannot be reached. The bundled demo model is used instead."
    ] == said


def test_the_demo_can_be_asked_for(demo: Path) -> None:
    """By the name under which it is served; the hub is not asked."""
    hub = FakeHub()

    assert Model(demo, "paddock-demo") == choose(Settings(model_id="paddock-demo"), hub, silent, demo)
    assert [] == hub.asked


def test_a_missing_demo_is_an_error(tmp_path: Path) -> None:
    """A clone without its large file."""
    code, sentence = refusal(Settings(), FakeHub(), tmp_path / "gone.gguf")

    assert EXIT_MODEL_UNAVAILABLE == code
    assert "is missing" in sentence


def header(**changes: tuple[str, Any] | None) -> Header:
    """A header with some values changed (dots written as two underscores) or removed."""
    values = {key: value[1] for key, value in LLAMA.items()}
    for name, change in changes.items():
        values.pop(name.replace("__", "."), None)
        if change is not None:
            values[name.replace("__", ".")] = change[1]
    return Header(values, 0, 0)


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"general__architecture": ("str", "gemma")},
            "m.gguf holds a model of architecture gemma, and only llama is served.",
        ),
        (
            {"general__architecture": None},
            "m.gguf holds a model of architecture unknown, and only llama is served.",
        ),
        ({"tokenizer__ggml__tokens": None}, "m.gguf has no vocabulary."),
        ({"llama__context_length": None}, "m.gguf does not say how long its context is."),
    ],
)
def test_models_that_cannot_be_served(changes: dict[str, Any], sentence: str) -> None:
    """One plain sentence each."""
    with pytest.raises(StartRefused) as caught:
        check_header(header(**changes), Path("m.gguf"))

    assert (EXIT_MODEL_UNUSABLE, sentence) == (caught.value.exit_code, caught.value.sentence)


def test_a_llama_can_be_served(tmp_path: Path) -> None:
    """As written to a file."""
    path = write(tmp_path / "m.gguf", content(LLAMA))
    check_header(read_header(path), path)


def test_the_cache_of_llama_3_2_1b() -> None:
    """16 layers, 8 key heads of 64, keys and values of 2 bytes."""
    assert 16 * 8 * 64 * 2 * 2 == cache_bytes_per_token(header())


@pytest.mark.parametrize(
    ("asked", "trained", "free", "tokens"),
    [
        (None, 2048, None, 2048),
        (None, 131_072, None, 8192),
        (512, 2048, None, 512),
        (None, 131_072, 8 << 30, 8192),
        (None, 131_072, 3 << 30, 4096),
        (None, 131_072, 1 << 20, 1024),
        (8192, 131_072, 1 << 20, 8192),
    ],
)
def test_context(asked: int | None, trained: int, free: int | None, tokens: int) -> None:
    """What is asked for; else the model's, capped, and what fits in half of the free memory."""
    settings = replace(Settings(), max_total_tokens=asked)

    assert tokens == context_tokens(header(llama__context_length=("u32", trained)), settings, free, silent)


def test_more_context_than_the_model_has_is_refused() -> None:
    """It would answer nonsense beyond."""
    with pytest.raises(StartRefused) as caught:
        context_tokens(header(), Settings(max_total_tokens=4097), None, silent)

    assert "ENGINE_MAX_TOTAL_TOKENS is 4097; this model is made for 4096." == caught.value.sentence


@pytest.mark.parametrize(
    ("size", "cores", "threads"),
    [(9_000_000, 8, 1), (800_000_000, 2, 2), (800_000_000, 64, 4), (800_000_000, 0, 1)],
)
def test_threads(size: int, cores: int, threads: int) -> None:
    """One for a small model, at most four for a large one."""
    assert threads == default_threads(size, cores)
