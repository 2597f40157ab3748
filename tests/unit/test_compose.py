"""The Compose files and .env.example, as text: what they promise about each other and about the settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine.settings import Settings as EngineSettings
from gateway.settings import Settings as GatewaySettings

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in ROOT.glob("compose*.yaml"))
OWN_SERVICES = ("download", "gateway", "frontend")
# The container's own business: the image or compose.yaml sets them, a person does not.
FIXED = {f"GATEWAY_{name}" for name in ("HOST", "PORT", "SITE_DIR", "ENGINE_URL", "ENGINE_CONTROL_PORT")}


class Loader(yaml.SafeLoader):
    """Reads Compose's own tags: what is reset is left out, what overrides stands alone."""


Loader.add_constructor("!reset", lambda loader, node: None)
def _override(loader: yaml.SafeLoader, node: yaml.Node) -> Any:
    if isinstance(node, yaml.SequenceNode):
        return loader.construct_sequence(node, deep=True)
    assert isinstance(node, yaml.MappingNode)
    return loader.construct_mapping(node, deep=True)


Loader.add_constructor("!override", _override)


def read(name: str) -> dict[str, Any]:
    """Give one Compose file without what it resets."""

    def without_none(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: without_none(item) for key, item in value.items()
                    if item is not None or str(key).isupper()}
        return value

    loaded: dict[str, Any] = without_none(yaml.load((ROOT / name).read_text(), Loader))  # a SafeLoader
    return loaded


@pytest.fixture(scope="module")
def services() -> dict[str, Any]:
    """Give the services of compose.yaml."""
    found: dict[str, Any] = read("compose.yaml")["services"]
    return found


def example() -> dict[str, str]:
    """Give the variables of .env.example with their defaults."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    return {found[1]: found[2] for line in lines if (found := re.fullmatch(r"#([A-Z_]+)=(.*)", line))}


def interpolated(name: str) -> set[str]:
    """Give the variables that a Compose file takes from .env: ${NAME:-x}, and NAME: without a value."""
    text = re.sub(r"^ *#.*$", "", (ROOT / name).read_text(), flags=re.MULTILINE).replace("$$", "")
    return set(re.findall(r"\$\{([A-Z_]+)", text)) | set(re.findall(r"^ +([A-Z_]+):$", text, re.MULTILINE))


@pytest.mark.parametrize("name", FILES)
def test_a_compose_file_follows_the_schema(name: str, tmp_path: Path) -> None:
    """No unknown key and no wrong type, in the overlays too."""
    plain = tmp_path / name
    plain.write_text(yaml.safe_dump(read(name)))
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(plain)]
    done = subprocess.run(check, capture_output=True, text=True, check=False)

    assert (done.returncode, done.stdout) == (0, "ok -- validation done\n")


def test_services_are_in_start_order(services: dict[str, Any]) -> None:
    """The file reads as the stack starts."""
    assert list(services) == ["download", "engine", "gateway", "frontend"]


def test_ports_are_open_to_this_machine_alone(services: dict[str, Any]) -> None:
    """Everything published is bound to loopback, and the engine publishes nothing."""
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}

    assert sorted(published) == ["frontend", "gateway"]
    # Only the page can be opened to a network, by a setting that the gateway sees and refuses without keys.
    own = ("127.0.0.1:", "${UI_BIND:-127.0.0.1}:${UI_PORT")
    assert [port for ports in published.values() for port in ports if not port.startswith(own)] == []
    assert services["gateway"]["environment"]["UI_BIND"] == "${UI_BIND:-127.0.0.1}"


def test_the_engine_has_no_way_out(services: dict[str, Any]) -> None:
    """Its one network is internal, it is offline, and the cache is read-only to it."""
    assert services["engine"]["networks"] == ["engine"]
    assert read("compose.yaml")["networks"]["engine"] == {"internal": True}
    assert services["engine"]["environment"]["HF_HUB_OFFLINE"] == "1"
    assert [volume["read_only"] for volume in services["engine"]["volumes"]] == [True]


def test_the_cache_belongs_to_the_download(services: dict[str, Any]) -> None:
    """A new volume gets its owner from the download's image, never from TGI's, whose /data is root's."""
    assert [volume["volume"] for volume in services["engine"]["volumes"]] == [{"nocopy": True}]
    assert services["download"]["volumes"] == ["cache:/data"]


def test_the_token_reaches_the_download_alone(services: dict[str, Any]) -> None:
    """No other service of compose.yaml gets HF_TOKEN, and none gets the whole .env."""
    assert [name for name, service in services.items() if "HF_TOKEN" in service.get("environment", {})] == [
        "download"]
    assert [name for name, service in services.items() if "env_file" in service] == []


@pytest.mark.parametrize("name", OWN_SERVICES)
def test_our_own_services_have_no_rights_to_lose(services: dict[str, Any], name: str) -> None:
    """No capabilities, no new ones, a read-only root."""
    service = services[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["read_only"] is True


def test_the_page_waits_neither_for_download_nor_model(services: dict[str, Any]) -> None:
    """The gateway depends on nothing and the page on the gateway alone; the engine waits for the download."""
    waits = {name: list(service.get("depends_on", {})) for name, service in services.items()}

    assert waits == {"download": [], "engine": ["download"], "gateway": [], "frontend": ["gateway"]}


def test_the_stop_grace_covers_the_drain(services: dict[str, Any]) -> None:
    """Docker waits longer than the gateway and TGI (90 s) let running chats finish."""
    drain_seconds = GatewaySettings().drain_seconds
    grace = {name: int(service["stop_grace_period"].removesuffix("s"))
             for name, service in services.items() if "stop_grace_period" in service}

    assert grace["gateway"] > drain_seconds
    assert grace["engine"] > 90


def test_the_image_of_tgi_is_pinned(services: dict[str, Any]) -> None:
    """The official image by its version."""
    assert services["engine"]["image"] == "ghcr.io/huggingface/text-generation-inference:3.3.7"


def run_engine_command(services: dict[str, Any], environment: dict[str, str], tmp_path: Path) -> list[str]:
    """Run the engine's start line with a stand-in for TGI's entrypoint; give what it saw."""
    script = services["engine"]["command"][0].replace("$$", "$")
    seen = tmp_path / "entrypoint"
    seen.write_text('#!/bin/sh\nenv | grep -E "^(QUANTIZE|NUM_SHARD|REVISION)="\nprintf "%s\\n" "$@"\n')
    seen.chmod(0o755)
    script = script.replace("/tgi-entrypoint.sh", str(seen))
    done = subprocess.run(["/bin/sh", "-euc", script], env={"PATH": "/usr/bin:/bin", **environment},
                          capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_tgi_gets_no_empty_variable(services: dict[str, Any], tmp_path: Path) -> None:
    """Settings that are empty are unset, others arrive, and TGI_ARGS becomes flags."""
    environment = {"QUANTIZE": "", "REVISION": "", "NUM_SHARD": "2", "TGI_ARGS": "--max-best-of 1"}

    assert run_engine_command(services, environment, tmp_path) == ["NUM_SHARD=2", "--max-best-of", "1"]
    assert run_engine_command(services, {"QUANTIZE": "fp8", "TGI_ARGS": ""}, tmp_path) == ["QUANTIZE=fp8"]


@pytest.mark.parametrize("revision", ["", "0123abc", "v1"])
def test_the_download_writes_the_name_that_an_offline_start_needs(
        services: dict[str, Any], tmp_path: Path, revision: str) -> None:
    """refs/REVISION holds the commit without a newline, also where the revision is a commit itself."""
    snapshot = tmp_path / "hub/models--a--b/snapshots/0123abc"
    snapshot.mkdir(parents=True)
    hub = tmp_path / "hf"
    hub.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\necho {snapshot}\n')
    hub.chmod(0o755)
    script = services["download"]["command"][0].replace("$$", "$")
    subprocess.run(["/bin/sh", "-euc", script], check=True, capture_output=True,
                   env={"PATH": f"{tmp_path}:/usr/bin:/bin", "MODEL_ID": "a/b", "REVISION": revision})
    asked = (tmp_path / "asked").read_text()

    assert (tmp_path / "hub/models--a--b/refs" / (revision or "main")).read_bytes() == b"0123abc"
    assert ("--revision" in asked) is bool(revision)
    assert asked.startswith("download a/b ")


def test_every_setting_is_in_the_env_example() -> None:
    """A variable that nobody can discover does not exist."""
    gateway = {str(field.alias) for field in GatewaySettings.model_fields.values()}
    source = (ROOT / "engine/settings.py").read_text()
    engine = set(re.findall(r'"((?:ENGINE|MODEL|HF)_[A-Z_]+)"', source))
    taken = set().union(*(interpolated(name) for name in FILES))

    assert len(engine) > 5
    assert sorted((gateway | engine | taken) - example().keys()) == []


def test_the_env_example_has_no_variable_that_nobody_reads() -> None:
    """A setting that was taken away is taken away there, too."""
    sources = [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("engine/*.py"), *(ROOT / "scripts").iterdir(),
               *(ROOT / name for name in FILES)]
    text = "\n".join(source.read_text() for source in sources if source.is_file())
    gateway = {str(field.alias) for field in GatewaySettings.model_fields.values()}

    assert [name for name in example() if name not in gateway and not re.search(rf"\b{name}\b", text)] == []


def test_the_defaults_in_the_env_example_are_true() -> None:
    """What stands after the = is what the program takes without it."""
    given = example()
    fields = {str(field.alias): field.default for field in GatewaySettings.model_fields.values()}
    engine = {f"ENGINE_{name.upper()}": getattr(EngineSettings(), name)
              for name in ("host", "port", "slots", "max_concurrent_requests", "drain_seconds")}
    wrong = {name: given[name] for name, default in {**fields, **engine}.items()
             if given[name] != ("" if default is None else
                                f"{default:g}" if isinstance(default, float) else
                                str(default).lower() if isinstance(default, bool) else str(default))}

    assert wrong == {}


def test_compose_hands_every_gateway_setting_on(services: dict[str, Any]) -> None:
    """What .env.example offers for the gateway reaches its container."""
    settings = {str(field.alias) for field in GatewaySettings.model_fields.values()}

    assert sorted(settings - FIXED - services["gateway"]["environment"].keys()) == []


def test_an_env_file_copied_from_the_example_changes_nothing() -> None:
    """Every line is a comment, so that a copy sets nothing by accident."""
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []
