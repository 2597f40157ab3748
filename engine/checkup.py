"""What a machine must have to run Paddock, looked at one by one, and the command that mends each.

Knows: the parts that both ways of running share, and those of the embedded engine.
Knows nothing of: how a machine is asked; every question goes through a Machine. Standard library only.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from engine.repository import Answer, Ask, read_token

# What scripts/up installs (packages and page take 0.55 GB) and fetches (a small model of about 0.8 GB), and
# room to unpack.
EMBEDDED_BYTES = 2_000_000_000
PYTHON = (3, 11)
UI_PORT, GATEWAY_PORT = 8080, 8000


@dataclass(frozen=True)
class Output:
    """What a program said, standard output and error together."""

    status: int
    text: str


@dataclass(frozen=True)
class Check:
    """One look: what was found, and where it failed the one command that mends it."""

    name: str
    passed: bool
    says: str
    fix: str | None = None


@dataclass(frozen=True)
class Machine:
    """The questions that a check may ask; none of them changes anything.

    run:         a program's output, None where there is no such program
    free_bytes:  free space where a path is or would be
    can_write:   whether this user may make files in a folder
    port_owner:  who listens on a port, empty where it is free
    ask:         the hub, by method and path
    has_library: whether a shared library loads
    read:        a file's text, empty where there is none
    """

    root: Path
    settings: Mapping[str, str]
    python: tuple[int, int]
    has_venv: bool
    missing_flags: tuple[str, ...]
    has_card: bool
    run: Callable[[Sequence[str]], Output | None]
    free_bytes: Callable[[Path], int]
    can_write: Callable[[Path], bool]
    port_owner: Callable[[int], str]
    ask: Ask
    has_library: Callable[[str], bool]
    read: Callable[[Path], str]


def embedded(machine: Machine) -> list[Check]:
    """Look at what ./scripts/up needs for the engine on the processor."""
    version = ".".join(map(str, machine.python))
    checks = [
        Check("python", machine.python >= PYTHON, f"Python {version}; 3.11 or newer is needed",
              "sudo apt-get install python3.11"),
        Check("venv", machine.has_venv, "Python can make environments" if machine.has_venv
              else "Python cannot make environments", "sudo apt-get install python3-venv"),
        Check("processor", not machine.missing_flags,
              "has AVX2" if not machine.missing_flags else
              f"lacks {', '.join(flag.upper() for flag in machine.missing_flags)}",
              "GATEWAY_ENGINE_URL=http://OTHER-MACHINE:80 python -m gateway"),
    ]
    has_gomp = machine.has_library("libgomp.so.1")
    checks.append(Check("libgomp", has_gomp, "libgomp.so.1 loads" if has_gomp else "libgomp.so.1 is missing",
                        "sudo apt-get install libgomp1"))
    # What an earlier start installed here is used where nothing can be written any more.
    is_installed = bool(machine.read(machine.root / ".venv/stamps/engine"))
    can_write = machine.can_write(machine.root)
    writes = "can be written" if can_write else "cannot be written, and has all" if is_installed else (
        "cannot be written, and scripts/up installs into it")
    checks.append(Check("checkout", can_write or is_installed, f"{machine.root} {writes}",
                        "git clone . ~/paddock && cd ~/paddock"))
    free = machine.free_bytes(machine.root)
    says = f"{gigabytes(free)} free at {machine.root}; {gigabytes(EMBEDDED_BYTES)} are needed"
    checks.append(Check("disk", free >= EMBEDDED_BYTES, says, "sudo apt-get clean"))
    port = int_setting(machine, "UI_PORT", UI_PORT)
    checks.append(check_port(machine, port, lambda other: f"./scripts/up --port {other}"))
    return [done(check) for check in checks]


def check_access(machine: Machine, model: str, revision: str) -> Check:
    """Ask the hub for the smallest needed file of exactly this model, with this token."""
    answer = machine.ask("GET", f"/{model}/resolve/{revision}/config.json")
    endpoint = machine.settings.get("HF_ENDPOINT", "https://huggingface.co").rstrip("/")
    has_token = read_token(machine.settings) is not None
    says, fix = _access(answer, model, revision, endpoint, has_token)
    return Check("access", fix is None, says, fix)


def _access(
    answer: Answer, model: str, revision: str, endpoint: str, has_token: bool
) -> tuple[str, str | None]:
    put_it = "echo HF_TOKEN=hf_YOURS >> .env"
    page = f"{endpoint}/{model}"
    if answer.status == 200:
        with_token = "with your token" if has_token else "without a token"
        return f"{model} may be downloaded {with_token}", None
    if answer.status == 0:
        return f"the hub at {endpoint} cannot be reached ({answer.problem})", f"curl -sSI {endpoint}"
    if answer.code == "GatedRepo" and not has_token:
        return f"{model} is gated: accept its licence at {page}, then set your token", put_it
    if answer.code == "GatedRepo" and answer.status == 403:
        return f"your account has no access to {model} yet: accept its licence", f"xdg-open {page}"
    if answer.status in (401, 403) and has_token:
        return f"the hub does not accept HF_TOKEN for {model}; make a new token", put_it
    if answer.code == "RevisionNotFound":
        return f"{model} has no revision {revision}", "sed -i /^MODEL_REVISION=/d .env"
    if answer.status in (401, 404):
        return f"the hub shows no model {model}", "scripts/plan --env >> .env"
    return f"the hub answered {answer.status}", f"curl -sSI {page}"


def check_port(machine: Machine, port: int, fix: Callable[[int], str], name: str = "port") -> Check:
    """Look whether a port is free; the fix names the next one that is."""
    if not 0 <= port < 65536:
        return Check(name, False, f"{port} is no port: they go up to 65535", fix(UI_PORT))
    owner = machine.port_owner(port)
    if not owner:
        return Check(name, True, f"{port} is free")
    above = range(port + 1, min(port + 100, 65536))
    other = next((one for one in above if not machine.port_owner(one)), UI_PORT)
    return Check(name, False, f"{port} is held by {owner}", fix(other))


def int_setting(machine: Machine, name: str, default: int) -> int:
    """Read a whole number from the settings; what is none counts as unset, its reader will complain."""
    text = machine.settings.get(name, "")
    return int(text) if text.isdecimal() else default


def done(check: Check) -> Check:
    """Take the fix away from a check that passed."""
    return Check(check.name, True, check.says) if check.passed else check


def gigabytes(size: int) -> str:
    """Write bytes in the decimal unit that disks are sold in."""
    return f"{size / 1e9:.1f} GB"
