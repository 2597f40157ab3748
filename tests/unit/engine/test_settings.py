"""Settings from the environment."""

import pytest

from engine.errors import EXIT_SETTINGS, StartRefused
from engine.settings import Settings, read_settings


def test_nothing_set_gives_the_defaults() -> None:
    """An empty environment is a valid one."""
    assert Settings() == read_settings({})


def test_empty_means_unset() -> None:
    """Compose passes unset variables as empty texts."""
    names = (
        "MODEL_PATH",
        "MODEL_ID",
        "ENGINE_HOST",
        "ENGINE_PORT",
        "ENGINE_SLOTS",
        "ENGINE_THREADS",
        "ENGINE_MAX_TOTAL_TOKENS",
        "ENGINE_MAX_CONCURRENT_REQUESTS",
        "ENGINE_DRAIN_SECONDS",
        "HF_HUB_OFFLINE",
    )

    assert Settings() == read_settings(dict.fromkeys(names, " "))


def test_every_value_is_taken() -> None:
    """Each variable reaches its field."""
    environ = {
        "MODEL_PATH": "/m.gguf",
        "MODEL_ID": "a/b",
        "ENGINE_HOST": "::1",
        "ENGINE_PORT": "0",
        "ENGINE_SLOTS": "4",
        "ENGINE_THREADS": "3",
        "ENGINE_MAX_TOTAL_TOKENS": "512",
        "ENGINE_MAX_CONCURRENT_REQUESTS": "9",
        "ENGINE_DRAIN_SECONDS": "1.5",
        "HF_HUB_OFFLINE": "1",
    }

    assert Settings("/m.gguf", "a/b", "::1", 0, 4, 3, 512, 9, 1.5, True) == read_settings(environ)


def test_every_problem_is_told_at_once() -> None:
    """Nobody should correct variables one by one."""
    environ = {
        "ENGINE_PORT": "65536",
        "ENGINE_SLOTS": "0",
        "ENGINE_THREADS": "two",
        "ENGINE_MAX_TOTAL_TOKENS": "-5",
        "ENGINE_MAX_CONCURRENT_REQUESTS": "1.5",
        "ENGINE_DRAIN_SECONDS": "nan",
    }
    with pytest.raises(StartRefused) as caught:
        read_settings(environ)

    assert EXIT_SETTINGS == caught.value.exit_code
    assert [
        "ENGINE_MAX_TOTAL_TOKENS must be a whole number from 16 to 1048576, not '-5'",
        "ENGINE_PORT must be a whole number from 0 to 65535, not '65536'",
        "ENGINE_SLOTS must be a whole number from 1 to 256, not '0'",
        "ENGINE_THREADS must be a whole number from 1 to 1024, not 'two'",
        "ENGINE_MAX_CONCURRENT_REQUESTS must be a whole number from 1 to 100000, not '1.5'",
        "ENGINE_DRAIN_SECONDS must be a number of seconds from 0 to 86400, not 'nan'",
    ] == caught.value.sentence.splitlines()


@pytest.mark.parametrize(
    ("environ", "slots"),
    [
        ({"GATEWAY_SLOTS": "3"}, 3),
        ({"GATEWAY_SLOTS": "3", "ENGINE_SLOTS": "5"}, 5),
        ({"GATEWAY_SLOTS": "3", "ENGINE_SLOTS": " "}, 3),
    ],
)
def test_the_gateways_dial_counts_without_an_own_one(environ: dict[str, str], slots: int) -> None:
    """One dial for both, unless the engine has its own."""
    assert slots == read_settings(environ).slots


def test_a_wrong_dial_is_named_as_it_was_set() -> None:
    """Not by the name of the engine's own, which nobody set."""
    with pytest.raises(StartRefused) as refused:
        read_settings({"GATEWAY_SLOTS": "1000"})

    assert "GATEWAY_SLOTS must be a whole number from 1 to 256, not '1000'" == refused.value.sentence
