"""What a machine must have for `docker compose up`: Docker, driver, toolkit, GPU memory, disk, access, ports.

Knows: Docker's and NVIDIA's programs, what the compose file asks of them.
Knows nothing of: how a program is run; every question goes through a Machine. Standard library only.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from engine import sizing
from engine.checkup import (
    GATEWAY_PORT,
    UI_PORT,
    Check,
    Machine,
    check_access,
    check_port,
    done,
    gigabytes,
    int_setting,
)
from engine.gpu import HOLDERS_QUERY, QUERY, Gpu, read_gpus, read_holders
from engine.repository import Found, ModelUnreadable, find

# The compose file uses start_interval, which these versions brought.
ENGINE_VERSION, COMPOSE_VERSION = (25, 0), (2, 24)
# TGI asks for a driver of CUDA 12.2, which is 535; its kernels begin with Ampere, 8.0.
DRIVER_VERSION, CAPABILITY = (535, 0), (8, 0)
SHARED_MEMORY_BYTES = 10**9
_INSTALL_DOCKER = "curl -fsSL https://get.docker.com | sudo sh"
_NO_MODEL = "scripts/plan MODEL --env >> .env"


def docker(machine: Machine) -> list[Check]:
    """Look at everything; later checks say so when an earlier one leaves them nothing to look at."""
    info = _json(machine, "docker", "info", "--format", "{{json .}}")
    gpus = read_gpus(_text(machine, *QUERY))
    model = machine.settings.get("MODEL_ID", "")
    revision = machine.settings.get("MODEL_REVISION", "main")
    try:
        found: Found | str = find(model, revision, machine.settings, machine.ask)
    except ModelUnreadable as reason:
        found = str(reason)
    checks = [
        _engine(machine), _compose(machine), _image(machine), _driver(machine, gpus), _toolkit(machine, info),
        _capability(machine, gpus), _memory(machine, gpus, found), _disk(machine, info, found),
        check_access(machine, model, revision), *_ports(machine), _shared_memory(machine),
    ]
    return [done(check) for check in checks]


def _engine(machine: Machine) -> Check:
    asked = machine.run(("docker", "version", "--format", "{{.Server.Version}}"))
    if asked is None:
        return Check("docker", False, "Docker is not installed", _INSTALL_DOCKER)
    if "permission denied" in asked.text.lower():
        return Check("docker", False, "you may not use Docker; log in again after this",
                     "sudo usermod -aG docker $USER")
    version = _version(asked.text) if asked.status == 0 else None
    if version is None:
        return Check("docker", False, "Docker does not run", "sudo systemctl start docker")
    says = f"Docker Engine {_dotted(version)}; 25 or newer is needed"
    return Check("docker", version >= ENGINE_VERSION, says, _INSTALL_DOCKER)


def _compose(machine: Machine) -> Check:
    fix = "sudo apt-get install docker-compose-plugin"
    asked = machine.run(("docker", "compose", "version", "--short"))
    version = _version(asked.text) if asked and asked.status == 0 else None
    if version is None:
        return Check("compose", False, "the Compose plugin is not installed", fix)
    says = f"Compose {_dotted(version)}; 2.24 or newer is needed"
    return Check("compose", version >= COMPOSE_VERSION, says, fix)


def _image(machine: Machine) -> Check:
    """Say which TGI runs, or is here, to the byte; nothing about it has to be mended."""
    name = machine.settings.get("TGI_IMAGE", "")
    compose = ("docker", "compose", "--project-directory", str(machine.root))
    containers = _text(machine, *compose, "ps", "--quiet", "engine").split()
    # A tag may have moved on since the container was made.
    inspect = ("docker", "inspect", "--format", "{{.Image}}")
    running = _text(machine, *inspect, containers[0]).strip() if containers else ""
    digests = _text(machine, "docker", "image", "inspect", "--format", '{{join .RepoDigests " "}}',
                    running or name)
    found = re.search(r"@(sha256:[0-9a-f]{64})", digests)
    if found is None:
        return Check("image", True, f"{name} has no digest here; docker compose up fetches what is missing")
    says = f"{name} {'runs' if running else 'is here'} as {found[1]}"
    pin = "" if "@" in name else f"; to keep exactly this one, .env: TGI_IMAGE={name}@{found[1]}"
    return Check("image", True, says + pin)


def _driver(machine: Machine, gpus: list[Gpu]) -> Check:
    is_ubuntu = "ID=ubuntu" in machine.read(Path("/etc/os-release"))
    fix = "sudo ubuntu-drivers install" if is_ubuntu else "sudo apt-get install nvidia-driver"
    if machine.run(("nvidia-smi", "--list-gpus")) is None:
        return Check("driver", False, "there is an NVIDIA card and no driver for it", fix)
    if not gpus:
        return Check("driver", False, "nvidia-smi finds no GPU; new drivers need a restart", "sudo reboot")
    version = _version(gpus[0].driver) or (0, 0)
    return Check("driver", version >= DRIVER_VERSION, f"driver {gpus[0].driver}; 535 or newer is needed", fix)


def _toolkit(machine: Machine, info: dict[str, Any]) -> Check:
    devices = [str(device.get("ID")) for device in info.get("DiscoveredDevices") or ()]
    if "nvidia" in (info.get("Runtimes") or {}) or any(one.startswith("nvidia.com/gpu") for one in devices):
        return Check("toolkit", True, "containers can be given GPUs")
    if machine.run(("nvidia-ctk", "--version")) is None:
        return Check("toolkit", False, "the NVIDIA container toolkit is not installed",
                     "sudo apt-get install nvidia-container-toolkit")
    return Check("toolkit", False, "Docker does not know the NVIDIA container toolkit",
                 "sudo nvidia-ctk runtime configure --runtime=docker && sudo systemctl restart docker")


def _capability(machine: Machine, gpus: list[Gpu]) -> Check:
    shards = int_setting(machine, "NUM_SHARD", 1)
    if shards not in sizing.SHARDS:
        says = f"NUM_SHARD={shards} is impossible: a Llama is split over 1, 2, 4 or 8 GPUs"
        return Check("capability", False, says, "NUM_SHARD=1 docker compose up")
    able = [gpu for gpu in gpus if gpu.capability >= CAPABILITY]
    names = ", ".join(f"{gpu.name} {_dotted(gpu.capability)}" for gpu in gpus) or "no GPU"
    if len(gpus) >= shards > len(able):
        return Check("capability", False, f"{names}; TGI needs compute capability 8.0 or newer",
                     "./scripts/up --cpu")
    says = f"{names}; NUM_SHARD={shards} needs {shards} of 8.0 or newer"
    return Check("capability", len(able) >= shards, says, f"NUM_SHARD={max(1, len(able))} docker compose up")


def _memory(machine: Machine, gpus: list[Gpu], found: Found | str) -> Check:
    """Compare free memory with the least that this model starts with in this format and these shards."""
    if isinstance(found, str):
        return Check("memory", False, f"what it must hold is unknown: {found}", _NO_MODEL)
    shards = int_setting(machine, "NUM_SHARD", 1)
    shards = shards if shards in sizing.SHARDS else 1
    quantize = machine.settings.get("QUANTIZE")
    forms = sizing.formats(found.shape)
    form = next((one for one in forms if one.quantize == quantize), forms[0])
    needed = sizing.fit(found.shape, form, shards, [0] * shards, found.stored).needed
    used = gpus[:shards]
    rows = [f"GPU {gpu.index}: {_gib(gpu.free)} of {_gib(gpu.total)} free" for gpu in used] or ["no GPU"]
    says = f"{'; '.join(rows)}; {found.model} in {form.name} needs {_gib(needed)} to start"
    if used and len(used) == shards and all(gpu.free >= needed for gpu in used):
        return Check("memory", True, says)
    here = {gpu.uuid for gpu in used}
    holders = [one for one in read_holders(_text(machine, *HOLDERS_QUERY)) if one.uuid in here]
    for one in holders:
        says += f"; process {one.pid} ({one.name}) holds {_gib(one.used) if one.used else 'some'}"
    if holders and all(gpu.total >= needed for gpu in used):
        return Check("memory", False, says, "sudo kill " + " ".join(str(one.pid) for one in holders))
    return Check("memory", False, says, "scripts/plan --env >> .env")


def _disk(machine: Machine, info: dict[str, Any], found: Found | str) -> Check:
    where = Path(str(info.get("DockerRootDir") or "/var/lib/docker"))
    free = machine.free_bytes(where)
    if isinstance(found, str) or found.stored is None:
        why = found if isinstance(found, str) else f"the size of {found.model} is unknown"
        return Check("disk", False, f"{gigabytes(free)} free at {where}; {why}", _NO_MODEL)
    slug = found.model.replace("/", "--")
    marker = where / "volumes/paddock_cache/_data/paddock" / f"{slug}.complete.json"
    if machine.read(marker):
        return Check("disk", True, f"{found.model} is downloaded; {gigabytes(free)} free at {where}")
    takes = f"{found.model} takes {gigabytes(found.stored)}, images come on top"
    return Check("disk", free >= found.stored, f"{gigabytes(free)} free at {where}; {takes}",
                 "docker system prune")


def _ports(machine: Machine) -> list[Check]:
    running = machine.run(
        ("docker", "compose", "--project-directory", str(machine.root), "ps", "--quiet", "frontend")
    )
    checks = []
    for name, default in (("UI_PORT", UI_PORT), ("GATEWAY_PORT", GATEWAY_PORT)):
        port = int_setting(machine, name, default)
        if running and running.status == 0 and running.text.strip():
            checks.append(Check(name.lower(), True, f"{port} is this stack's own: it runs"))
        else:
            checks.append(check_port(machine, port, _at(name), name.lower()))
    return checks


def _at(name: str) -> Any:
    return lambda other: f"{name}={other} docker compose up"


def _shared_memory(machine: Machine) -> Check:
    """NCCL exchanges data between shards there; Docker's own 64 MB are too little."""
    if int_setting(machine, "NUM_SHARD", 1) == 1:
        return Check("shm", True, "one shard needs no shared memory")
    found = re.search(r"^\s*shm_size:\s*[\"']?(\d+)\s*([mg])b?", machine.read(machine.root / "compose.yaml"),
                      re.IGNORECASE | re.MULTILINE)
    size = int(found[1]) * (2**30 if found[2].lower() == "g" else 2**20) if found else 0
    says = f"compose.yaml gives the engine {gigabytes(size)} of shared memory; shards need 1 GB"
    return Check("shm", size >= SHARED_MEMORY_BYTES, says, "git checkout -- compose.yaml")


def _text(machine: Machine, *command: str) -> str:
    answer = machine.run(command)
    return answer.text if answer and answer.status == 0 else ""


def _json(machine: Machine, *command: str) -> dict[str, Any]:
    try:
        value = json.loads(_text(machine, *command) or "{}")
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _version(text: str) -> tuple[int, int] | None:
    found = re.search(r"(\d+)\.(\d+)", text)
    return (int(found[1]), int(found[2])) if found else None


def _dotted(version: tuple[int, int]) -> str:
    return f"{version[0]}.{version[1]}"


def _gib(size: int) -> str:
    return f"{size / sizing.GIB:.1f} GiB"
