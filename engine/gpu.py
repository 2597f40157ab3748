"""The NVIDIA GPUs of this machine, as nvidia-smi tells of them.

Knows: nvidia-smi's CSV. Knows nothing of: models. Standard library only.
"""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20
# One row each; nvidia-smi --help-query-gpu and --help-query-compute-apps list the names.
QUERY = (
    "nvidia-smi",
    "--query-gpu=index,name,uuid,memory.total,memory.free,compute_cap,driver_version",
    "--format=csv,noheader,nounits",
)
HOLDERS_QUERY = (
    "nvidia-smi",
    "--query-compute-apps=gpu_uuid,pid,process_name,used_memory",
    "--format=csv,noheader,nounits",
)


@dataclass(frozen=True)
class Gpu:
    """One GPU. Units: bytes."""

    index: int
    name: str
    uuid: str
    total: int
    free: int
    capability: tuple[int, int]
    driver: str


@dataclass(frozen=True)
class Holder:
    """A program that holds memory of a GPU; used is None where the driver does not tell (in containers)."""

    uuid: str
    pid: int
    name: str
    used: int | None


def read_gpus(text: str) -> list[Gpu]:
    """Read the rows of QUERY; rows that are no GPU are left out.

    A field that a card does not have reads [N/A]: a capability then counts as 0.0, memory as 0.
    """
    gpus = []
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.split(",")]
        if len(cells) == 7 and cells[0].isdigit():
            major, _, minor = cells[5].partition(".")
            gpus.append(
                Gpu(
                    int(cells[0]), cells[1], cells[2], _mib(cells[3]) or 0, _mib(cells[4]) or 0,
                    (int(major), int(minor)) if major.isdigit() and minor.isdigit() else (0, 0), cells[6],
                )
            )
    return gpus


def read_holders(text: str) -> list[Holder]:
    """Read the rows of HOLDERS_QUERY."""
    holders = []
    for row in text.splitlines():
        # A program's name may hold a comma; it stands between the second one and the last.
        uuid, _, rest = row.partition(",")
        pid, _, rest = rest.partition(",")
        name, _, used = rest.rpartition(",")
        if pid.strip().isdigit():
            holders.append(Holder(uuid.strip(), int(pid), name.strip(), _mib(used.strip())))
    return holders


def _mib(cell: str) -> int | None:
    return int(cell) * MIB if cell.isdigit() else None
