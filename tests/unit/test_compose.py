"""The Compose files and .env.example, as text: what they promise about each other and about the settings."""

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from engine import supervisor
from engine.settings import Settings as EngineSettings
from gateway.download.settings import DEFAULT_WORKERS
from gateway.settings import Settings as GatewaySettings

ROOT = Path(__file__).parents[2]
FILES = sorted(path.name for path in ROOT.glob("compose*.yaml"))
# Included by compose.yaml; tests/unit/monitoring looks at the rest of it.
MONITORING = "monitoring/compose.yaml"
SERVICES = ("download", "engine", "gateway", "frontend")
# The supervisor reads TGI's own drain time, which compose.yaml leaves alone; HF_HOME is the image's.
NO_SETTINGS = {"GRACEFUL_TERMINATION_TIMEOUT", "HF_HOME"}
# The container's own business: the image or compose.yaml sets them, a person does not.
FIXED = {f"GATEWAY_{name}" for name in ("HOST", "PORT", "SITE_DIR", "ENGINE_URL", "ENGINE_CONTROL_PORT")}
# The settings that the supervisor and the download job read, as their sources name them.
READ = re.compile(r'read\.(?:text|number|port)\(\s*"([A-Z_]+)"|given(?:\.get\(|\[)"([A-Z_]+)"')


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
    """Its one network is internal, it is offline and silent, and all but its own durations is read-only."""
    writable = [volume["target"] for volume in services["engine"]["volumes"] if not volume.get("read_only")]

    assert services["engine"]["networks"] == ["engine"]
    assert read("compose.yaml")["networks"]["engine"] == {"internal": True}
    assert services["engine"]["environment"]["HF_HUB_OFFLINE"] == "1"
    assert services["engine"]["environment"]["USAGE_STATS"] == "off"
    assert writable == ["/starts"]


def test_the_control_port_is_private(services: dict[str, Any]) -> None:
    """The gateway alone shares a network with an engine, whatever the overlay."""
    cpu = read("compose.cpu.yaml")["services"]["engine"]["networks"]
    others = set(services["frontend"]["networks"])

    assert "engine" in services["gateway"]["networks"]
    assert others & {"engine", *cpu} == set()
    assert services["gateway"]["environment"]["GATEWAY_ENGINE_CONTROL_PORT"] == "8081"
    assert services["engine"]["environment"]["ENGINE_CONTROL_PORT"] == "8081"


def test_the_cache_belongs_to_the_download(services: dict[str, Any]) -> None:
    """A new volume gets its owner from the download's image, never from TGI's, whose /data is root's."""
    mounted = {name: [volume for volume in service.get("volumes", []) if "cache" in str(volume)]
               for name, service in services.items()}
    readers = [volume for name in ("engine", "gateway") for volume in mounted[name]]

    assert mounted["download"] == ["cache:/data"]
    assert [(volume["read_only"], volume["volume"]) for volume in readers] == [(True, {"nocopy": True})] * 2


def test_the_token_reaches_the_download_alone(services: dict[str, Any]) -> None:
    """No variable of any service holds it, one service gets the secret, and none gets the whole .env."""
    told = {name: yaml.safe_dump(service) for name, service in services.items()}

    assert [name for name, service in services.items() if "HF_TOKEN" in service.get("environment", {})] == []
    assert [name for name, text in told.items() if "hf_token" in text] == ["download"]
    assert [name for name, service in services.items() if "env_file" in service] == []


@pytest.mark.parametrize("name", SERVICES)
def test_no_service_has_rights_to_lose(services: dict[str, Any], name: str) -> None:
    """No capabilities, no new ones, bounded processes and memory, logs that rotate."""
    service = services[name]

    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "3"}
    assert 0 < service["pids_limit"] <= 8192
    assert service["mem_limit"]


def test_roots_are_read_only(services: dict[str, Any]) -> None:
    """All but TGI's, which writes beside its programs, and the download's, where Docker puts the secret."""
    writable = [name for name, service in services.items() if not service.get("read_only")]

    assert writable == ["download", "engine"]
    assert read("compose.cpu.yaml")["services"]["engine"]["read_only"] is True


def test_nobody_waits_for_download_or_model(services: dict[str, Any]) -> None:
    """All start at once; the page waits for the gateway's process alone."""
    waits = {name: list(service.get("depends_on", {})) for name, service in services.items()}

    assert waits == {"download": [], "engine": [], "gateway": [], "frontend": ["gateway"]}


def test_the_stop_grace_covers_the_drain(services: dict[str, Any]) -> None:
    """Docker waits longer than the gateway and TGI (90 s) let running chats finish."""
    grace = {name: int(service["stop_grace_period"].removesuffix("s"))
             for name, service in services.items() if "stop_grace_period" in service}
    engine = supervisor.read_settings([], {"MODEL_ID": "a/b"})
    embedded = supervisor.read_settings(["--", "engine"], {})
    cpu = int(read("compose.cpu.yaml")["services"]["engine"]["stop_grace_period"].removesuffix("s"))

    assert grace["gateway"] > GatewaySettings().drain_seconds
    assert grace["engine"] > engine.drain_seconds + engine.margin_seconds
    assert cpu > embedded.drain_seconds + embedded.margin_seconds


def test_the_image_of_tgi_is_pinned(services: dict[str, Any]) -> None:
    """The official image by its version, unless a person names a digest."""
    image = services["engine"]["image"]

    assert image == "${TGI_IMAGE:-ghcr.io/huggingface/text-generation-inference:3.3.7}"
    assert example()["TGI_IMAGE"] == image.removeprefix("${TGI_IMAGE:-").removesuffix("}")


def test_tgi_runs_under_the_supervisor(services: dict[str, Any]) -> None:
    """The image's own Python starts the mounted file, which waits for the download's marker."""
    engine = services["engine"]
    mounted = {volume["target"]: volume for volume in engine["volumes"]}["/supervisor.py"]
    given = {name: re.sub(r"\$\{[A-Z_]+:-(.*?)\}", r"\1", value)
             for name, value in engine["environment"].items()}
    settings = supervisor.read_settings([], given)
    model = "NousResearch/Meta-Llama-3-8B-Instruct"

    assert engine["entrypoint"] == ["python", "/supervisor.py"]
    assert (mounted["source"], mounted["read_only"]) == ("./engine/supervisor.py", True)
    assert (settings.control_port, settings.engine_port, settings.idle_seconds) == (8081, 80, 600)
    assert str(settings.marker).endswith(f"/paddock/{model.replace('/', '--')}.complete.json")
    assert sorted(settings.command[-4:]) == sorted(("--model-id", model, "--num-shard", "1"))


def test_replicas_have_a_card_each() -> None:
    """Each engine is pinned to its own GPU, holds the whole model and is found by the one name."""
    engines = read("compose.replicas.yaml")["services"]
    cards = [engine["deploy"]["resources"]["reservations"]["devices"][0]["device_ids"]
             for engine in engines.values()]

    assert cards == [["0"], ["1"], ["2"], ["3"]]
    assert {engine["environment"]["NUM_SHARD"] for engine in engines.values()} == {"1"}
    assert [engine.get("networks") for engine in engines.values()] == [
        None, *[{"engine": {"aliases": ["engine"]}}] * 3]


def test_every_setting_is_in_the_env_example() -> None:
    """A variable that nobody can discover does not exist."""
    gateway = {str(field.alias) for field in GatewaySettings.model_fields.values()}
    source = (ROOT / "engine/settings.py").read_text()
    engine = set(re.findall(r'"((?:ENGINE|MODEL|HF)_[A-Z_]+)"', source))
    others = [(ROOT / name).read_text() for name in ("engine/supervisor.py", "gateway/download/settings.py")]
    read_there = {name for text in others for pair in READ.findall(text) for name in pair if name}
    taken = set().union(*(interpolated(name) for name in (*FILES, MONITORING)))

    assert len(engine) > 5
    assert len(read_there) > 10
    assert sorted((gateway | engine | taken | read_there) - {*example(), *NO_SETTINGS}) == []


def test_the_env_example_has_no_variable_that_nobody_reads() -> None:
    """A setting that was taken away is taken away there, too."""
    sources = [*ROOT.glob("gateway/**/*.py"), *ROOT.glob("engine/*.py"), *(ROOT / "scripts").iterdir(),
               *(ROOT / name for name in (*FILES, MONITORING))]
    text = "\n".join(source.read_text() for source in sources if source.is_file())
    gateway = {str(field.alias) for field in GatewaySettings.model_fields.values()}

    assert [name for name in example() if name not in gateway and not re.search(rf"\b{name}\b", text)] == []


def test_the_defaults_in_the_env_example_are_true() -> None:
    """What stands after the = is what the program takes without it."""
    given = example()
    fields = {str(field.alias): field.default for field in GatewaySettings.model_fields.values()}
    engine = {f"ENGINE_{name.upper()}": getattr(EngineSettings(), name)
              for name in ("host", "port", "slots", "max_concurrent_requests", "drain_seconds")}
    plain = supervisor.read_settings(["--", "engine"], {})
    supervised = {"IDLE_SECONDS": plain.idle_seconds, "ENGINE_START_LIMIT_SECONDS": plain.start_limit_seconds,
                  "ENGINE_HANG_SECONDS": plain.hang_seconds, "ENGINE_CONTROL_PORT": plain.control_port}
    others = {**supervised, "DOWNLOAD_WORKERS": DEFAULT_WORKERS}
    wrong = {name: given[name] for name, default in {**fields, **engine, **others}.items()
             if given[name] != ("" if default is None else
                                f"{default:g}" if isinstance(default, float) else
                                str(default).lower() if isinstance(default, bool) else str(default))}

    assert wrong == {}


def test_compose_hands_every_gateway_setting_on(services: dict[str, Any]) -> None:
    """What .env.example offers for the gateway reaches its container."""
    settings = {str(field.alias) for field in GatewaySettings.model_fields.values()}

    assert sorted(settings - FIXED - services["gateway"]["environment"].keys()) == []


def test_compose_hands_every_setting_of_the_embedded_engine_on() -> None:
    """What .env.example offers for it reaches its container, but for paths and addresses of this machine."""
    text = (ROOT / ".env.example").read_text()
    offered = {name for block in re.findall(r"((?:^# .*\n)+)((?:^#[A-Z_]+=.*\n)+)", text, re.MULTILINE)
               if re.search(r"embedded engine|engines\]", block[0])
               for name in re.findall("#([A-Z_]+)=", block[1])}
    handed = read("compose.cpu.yaml")["services"]["engine"]["environment"].keys()
    here = {"MODEL_PATH", "ENGINE_HOST", "ENGINE_PORT", "GATEWAY_SLOTS"}

    assert {"HF_ENDPOINT", "ENGINE_THREADS", "MODEL_REVISION"} <= offered
    assert sorted(offered - handed - here) == []


def test_an_env_file_copied_from_the_example_changes_nothing() -> None:
    """Every line is a comment, so that a copy sets nothing by accident."""
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert [line for line in lines if line and not line.startswith("#")] == []
