"""Names that look like settings and are none: what is told of them, and that all places know the same."""

from pathlib import Path

import pytest

from engine import supervisor
from engine.names import PREFIXES, known_names, strangers, warnings
from gateway.settings import Settings

ROOT = Path(__file__).parents[2]
KNOWN = known_names(ROOT)


@pytest.mark.parametrize(("name", "near"), [
    ("MODEL_IDD", "MODEL_ID"), ("ENGINE_MEMORY_LIMITS", "ENGINE_MEMORY_LIMIT"), ("UI_PROT", "UI_PORT"),
    ("GATEWAY_SLOT", "GATEWAY_SLOTS"), ("PADDOCK_KEYS", "PADDOCK_KEY"),
    ("ENGINE_MAX_TOKENS", "ENGINE_MAX_TOTAL_TOKENS"),
])
def test_a_misspelt_setting_is_told_with_the_nearest(name: str, near: str) -> None:
    """In the environment and in .env alike."""
    sentence = f"is no setting of Paddock; did you mean {near}?"

    assert warnings({name: "1"}, {}, KNOWN) == [f"{name} {sentence}"]
    assert warnings({}, {name: "1"}, KNOWN) == [f"{name} in .env {sentence}"]


@pytest.mark.parametrize(("name", "near"), [
    ("IDLE_SECOND", "IDLE_SECONDS"), ("NUM_SHARDS", "NUM_SHARD"), ("QUANTISE", "QUANTIZE"),
    ("HF_TOKENS", "HF_TOKEN"), ("KEYS_FILE_GROUPS", "KEYS_FILE_GROUP"),
])
def test_without_our_prefix_only_env_is_looked_at(name: str, near: str) -> None:
    """The environment is full of other programs' names; .env is the stack's own."""
    assert warnings({name: "1"}, {}, KNOWN) == []
    assert warnings({}, {name: "1"}, KNOWN) == [
        f"{name} in .env is no setting of Paddock; did you mean {near}?"]


def test_a_name_like_no_setting_has_no_nearest() -> None:
    """A guess that helps nobody is not made."""
    assert warnings({"UI_XYZ_12345": "1"}, {}, KNOWN) == ["UI_XYZ_12345 is no setting of Paddock"]


@pytest.mark.parametrize("name", [
    "COMPOSE_PROFILES", "COMPOSE_PROJECT_NAME", "DOCKER_HOST", "PATH", "HOME", "LANG", "TZ", "http_proxy",
    "OTEL_SERVICE_NAME", "CUDA_VISIBLE_DEVICES",
])
def test_other_programs_names_are_left_alone(name: str) -> None:
    """Neither in the environment nor in .env."""
    assert warnings({name: "1"}, {name: "1"}, KNOWN) == []


def test_what_is_set_to_nothing_is_not_set() -> None:
    """An empty value is the same as none."""
    assert warnings({"MODEL_IDD": " "}, {"NUM_SHARDS": ""}, KNOWN) == []


def test_every_setting_is_known() -> None:
    """The example and the gateway's own fields are one list of names."""
    aliases = {str(field.alias) for field in Settings.model_fields.values()}

    assert aliases - KNOWN == set()
    assert warnings(dict.fromkeys(KNOWN, "1"), dict.fromkeys(KNOWN, "1"), KNOWN) == []
    assert strangers(KNOWN, KNOWN) == []


def test_the_supervisor_knows_the_same_names() -> None:
    """Its one file is mounted into an image without the example, so it holds a copy."""
    assert {name for name in KNOWN if name.startswith(supervisor.PREFIXES)} == supervisor.NAMES
    assert set(supervisor.PREFIXES) < set(PREFIXES)


def test_without_the_example_nothing_is_told(tmp_path: Path) -> None:
    """A list of names that is not there makes no name a stranger."""
    assert warnings({"MODEL_IDD": "1"}, {"NUM_SHARDS": "1"}, known_names(tmp_path)) == []
