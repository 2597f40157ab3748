"""scripts/up before it starts anything: the command line, the choice of engine, ports in use."""

import os
import shutil
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from tests.unit.script import SCRIPTS, load

ROOT = SCRIPTS.parent
UP = SCRIPTS / "up"
DEADLINE_SECONDS = 30.0


@pytest.fixture(scope="module")
def up() -> ModuleType:
    """Give scripts/up as a module."""
    return load("up")


@dataclass
class Machine:
    """A folder of programs that is all of the PATH: what a machine has, as scripts/up sees it."""

    folder: Path

    def add(self, name: str, body: str) -> None:
        """Give the machine a program."""
        program = self.folder / name
        program.write_text(f"#!/bin/sh\n{body}\n")
        program.chmod(0o755)

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run scripts/up on the machine, with this Python alone and no packages."""
        return subprocess.run(
            [sys.executable, "-I", "-S", str(UP), *arguments], capture_output=True, text=True, check=False,
            timeout=DEADLINE_SECONDS, env={"PATH": str(self.folder), **variables}, cwd="/")


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path)


def give_docker(machine: Machine, facts: str) -> None:
    """Give the machine a docker that shows how it was called."""
    machine.add("docker", f"""case "$1 $2" in
        "compose version") echo v2.40;;
        "info --format") echo '{facts}';;
        "compose up") echo "compose up in $(pwd): port $UI_PORT, model $MODEL_ID";;
        *) exit 9;;
    esac""")


@pytest.mark.parametrize("facts", [
    '{"Runtimes": {"runc": {}, "nvidia": {}}}',
    '{"Runtimes": {"runc": {}}, "DiscoveredDevices": [{"Source": "cdi", "ID": "nvidia.com/gpu=all"}]}',
])
def test_a_gpu_for_containers_means_compose(machine: Machine, facts: str) -> None:
    """With Docker, compose and an NVIDIA GPU the stack of compose.yaml is started."""
    machine.add("nvidia-smi", "echo GPU 0")
    give_docker(machine, facts)
    done = machine.run("--port", "8123", "--model", "org/name")

    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == f"compose up in {ROOT}: port 8123, model org/name"


@pytest.mark.parametrize(("facts", "smi"), [
    ('{"Runtimes": {"runc": {}}}', "echo GPU 0"),
    ('{"Runtimes": {"nvidia": {}}}', "exit 9"),
    ("Cannot connect to the Docker daemon", "echo GPU 0"),
])
def test_anything_less_means_the_embedded_engine(up: ModuleType, machine: Machine, facts: str, smi: str,
                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver without a card, no container toolkit or no daemon: no compose."""
    machine.add("nvidia-smi", smi)
    give_docker(machine, facts)
    monkeypatch.setenv("PATH", str(machine.folder))

    assert up.has_container_gpu() is False


def test_cpu_is_a_choice(machine: Machine) -> None:
    """--cpu does not even look at Docker; the port in use ends this run before it starts anything."""
    machine.add("nvidia-smi", "echo GPU 0")
    give_docker(machine, '{"Runtimes": {"nvidia": {}}}')
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = machine.run("--cpu", "--port", str(server.getsockname()[1]))

    assert (done.returncode, done.stdout) == (1, "")


def test_a_taken_port_says_by_whom_and_what_to_do(machine: Machine) -> None:
    """The owner is named, with a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        done = machine.run("--port", str(port))

    assert done.returncode == 1
    assert done.stderr.startswith(f"scripts/up: port {port} is taken by process {os.getpid()} (")
    assert "; to use another port: scripts/up --port " in done.stderr


@pytest.mark.parametrize(("arguments", "sentence"), [
    (("--port", "70000"), "--port must be between 1 and 65535, not 70000"),
    (("--host", "0.0.0.0"), "--host 0.0.0.0 is no loopback address"),
    (("--host", "example.org"), "--host example.org is no loopback address"),
    (("--model", "./none.gguf"), "--model ./none.gguf: no such file"),
    (("--model", "/"), "--model /: a folder, and no GGUF file"),
    (("--model", ""), "--model is empty; leave it out for the default"),
])
def test_wrong_usage_is_refused_in_words(machine: Machine, arguments: tuple[str, ...], sentence: str) -> None:
    """Exit status 2, before anything is installed or started."""
    done = machine.run(*arguments)

    assert done.returncode == 2
    assert sentence in " ".join(done.stderr.split())


@pytest.mark.parametrize("name", ["ENGINE_PORT", "ENGINE_CONTROL_PORT"])
@pytest.mark.parametrize("value", ["abc", "-1", "65536", "8e3"])
def test_a_port_that_is_none_is_named(machine: Machine, name: str, value: str) -> None:
    """A wrong port of the environment ends the start with its name, before anything is installed."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    done = machine.run("--cpu", "--port", str(port), **{name: value})

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"scripts/up: {name} must be a whole number from 0 to 65535, not {value!r}\n"


@pytest.mark.parametrize(("text", "port"), [("", 8090), (" 9000 ", 9000), ("0", 0)])
def test_a_port_is_read_from_the_environment(up: ModuleType, text: str, port: int,
                                             monkeypatch: pytest.MonkeyPatch) -> None:
    """Empty is unset, 0 is any free one."""
    monkeypatch.setenv("ENGINE_PORT", text)

    assert up.port_setting("ENGINE_PORT", 8090) == port


def test_a_misspelt_setting_is_told_before_the_start(machine: Machine) -> None:
    """With the nearest one that exists, and it ends nothing: a taken port does."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        done = machine.run("--cpu", "--port", str(server.getsockname()[1]), MODEL_IDD="a/b", ENGINE_XYZ="1")
    warning, other, port = done.stderr.splitlines()

    assert warning.startswith("scripts/up: warning: ENGINE_XYZ is no setting of Paddock")
    assert other == "scripts/up: warning: MODEL_IDD is no setting of Paddock; did you mean MODEL_ID?"
    assert " is taken by " in port


def test_a_misspelt_setting_is_told_once(up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """The programs, which would tell of it again, do not get it."""
    monkeypatch.setenv("ENGINE_SLOTTS", "3")
    monkeypatch.setenv("ENGINE_SLOTS", "4")
    told = [program.environment for program in up.programs(up.parse([]), 8091, 8082)]

    assert [("ENGINE_SLOTTS" in one, one["ENGINE_SLOTS"]) for one in told] == [(False, "4")] * 2


def test_an_env_file_that_is_not_read_is_told(up: ModuleType, tmp_path: Path,
                                              capsys: pytest.CaptureFixture[str],
                                              monkeypatch: pytest.MonkeyPatch) -> None:
    """Compose alone reads it; what the environment has as well is in use, and strange names are Compose's."""
    (tmp_path / ".env").write_text("GATEWAY_SLOTS=4\nMODEL_ID=a/b\nNUM_SHARDS=2\n")
    shutil.copy(ROOT / ".env.example", tmp_path)
    monkeypatch.setattr(up, "ROOT", tmp_path)
    monkeypatch.setenv("GATEWAY_SLOTS", "4")
    monkeypatch.delenv("MODEL_ID", raising=False)
    up.warn(has_compose=False)
    alone = capsys.readouterr().err
    up.warn(has_compose=True)
    compose = capsys.readouterr().err

    assert alone.startswith(
        "scripts/up: warning: .env is for docker compose, and its MODEL_ID is not used here;")
    assert compose == (
        "scripts/up: warning: NUM_SHARDS in .env is no setting of Paddock; did you mean NUM_SHARD?\n")


def test_help_needs_nothing_installed(machine: Machine) -> None:
    """--help works with a bare Python."""
    done = machine.run("--help")

    assert done.returncode == 0
    assert done.stdout.startswith("usage: scripts/up")


@pytest.mark.parametrize(("model", "is_file"), [
    ("models/a.gguf", True), ("/models/a", True), ("./a", True), ("~/a", True),
    ("org/name", False), ("org/name:Q4_K_M", False), ("org/name:a.gguf", False),
])
def test_files_and_model_ids_are_told_apart(up: ModuleType, model: str, is_file: bool) -> None:
    """A GGUF file is a path; ORG/NAME, perhaps with a file or a quantization behind a colon, is an id."""
    assert up.names_file(model) is is_file


def test_the_programs_get_what_they_need(up: ModuleType, tmp_path: Path,
                                         monkeypatch: pytest.MonkeyPatch) -> None:
    """The gateway gets the engine's address, the engine the model, both the one dial of slots."""
    monkeypatch.setenv("GATEWAY_SLOTS", "3")
    monkeypatch.setenv("GATEWAY_DRAIN_SECONDS", "100")
    monkeypatch.setenv("HF_HOME", "/models")
    monkeypatch.delenv("ENGINE_DRAIN_SECONDS", raising=False)
    model = tmp_path / "a.gguf"
    model.write_bytes(b"")
    engine, gateway = up.programs(up.parse(["--model", str(model), "--port", "8123"]), 8091, 8082)

    assert gateway.environment["GATEWAY_ENGINE_URL"] == "http://127.0.0.1:8091"
    assert engine.environment["ENGINE_PORT"] == "8091"
    assert engine.environment["ENGINE_CONTROL_PORT"] == "8082"
    assert gateway.environment["GATEWAY_ENGINE_CONTROL_PORT"] == "8082"
    assert (gateway.environment["GATEWAY_PORT"], engine.environment["GATEWAY_SLOTS"]) == ("8123", "3")
    assert engine.environment["MODEL_PATH"] == str(model)
    assert gateway.environment["GATEWAY_DOWNLOAD_FILE"] == "/models/paddock/progress.json"
    assert (engine.grace_seconds, gateway.grace_seconds) == (45, 115)


def test_who_has_no_home_gets_one_in_the_checkout(up: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """A number that is no user, and no HOME: as in a container that is started with any number."""
    def unknown() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setenv("HOME", "/before")
    up.give_home()
    kept = os.environ["HOME"]
    monkeypatch.setattr(up.Path, "home", unknown)
    up.give_home()

    assert (kept, os.environ["HOME"]) == ("/before", str(ROOT / ".cache/home"))


def test_every_script_has_help() -> None:
    """Every script answers --help with exit status 0."""
    scripts = [path for path in SCRIPTS.iterdir() if path.is_file() and os.access(path, os.X_OK)]
    failed = [path.name for path in scripts
              if subprocess.run([str(path), "--help"], capture_output=True, check=False).returncode != 0]

    assert failed == []


def test_help_needs_no_environment(tmp_path: Path) -> None:
    """Every script says what it does in a fresh clone, and in one whose environment lacks packages."""
    left = shutil.ignore_patterns("__pycache__", "demo", "node_modules")
    for folder in ("scripts", "engine", "gateway", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=left)
    base = Path(sys.base_prefix) / "bin"
    scripts = sorted(path for path in (tmp_path / "scripts").iterdir() if os.access(path, os.X_OK))

    def failing() -> list[str]:
        return [path.name for path in scripts if subprocess.run(
            [str(path), "--help"], capture_output=True, check=False, timeout=DEADLINE_SECONDS,
            env={"PATH": f"{base}:/usr/bin:/bin"}).returncode != 0]

    fresh = failing()
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(base / "python3")
    (tmp_path / ".venv/pyvenv.cfg").write_text(f"home = {base}\n")

    assert (fresh, failing()) == ([], [])


@pytest.mark.parametrize("command", [
    ("vendor", "x"), ("lock", "none"), ("demo-model", "none"), ("prepare", "none"), ("test", "none"),
    ("chat", "--none"), ("doctor", "--none"), ("keys", "none"), ("plan", "--none"), ("top", "--none"),
])
def test_a_wrong_word_starts_nothing(command: tuple[str, str]) -> None:
    """Exit status 2 and the script's own name, at once."""
    name, word = command
    done = subprocess.run([str(SCRIPTS / name), word], capture_output=True, text=True, check=False,
                          timeout=DEADLINE_SECONDS)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"scripts/{name}: " in done.stderr
