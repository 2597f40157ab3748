"""Say whether a TCP port on this machine is free, and who holds it when it is not.

Knows: sockets and Linux's /proc.
Knows nothing of: what is served on a port.
"""

from __future__ import annotations

import contextlib
import errno
import socket
from dataclasses import dataclass
from pathlib import Path

# The state column of /proc/net/tcp for a listening socket (Linux include/net/tcp_states.h).
LISTENING = "0A"


@dataclass(frozen=True)
class Owner:
    """A program that listens on a port."""

    pid: int
    command: tuple[str, ...]

    def __str__(self) -> str:
        """Write the owner as `process 123 (python -m gateway)`, cut to a readable length."""
        command = " ".join(self.command)
        return f"process {self.pid} ({command[:77] + '...' if len(command) > 80 else command})"


def is_free(host: str, port: int) -> bool:
    """Try to bind as a server would; a port in TIME_WAIT counts as free.

    Raises:  OSError for other causes (no such address, no permission).
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as failure:
            if failure.errno == errno.EADDRINUSE:
                return False
            raise
    return True


def choose(host: str, preferred: int) -> int:
    """Return the preferred port if it is free, else one the system picks."""
    if is_free(host, preferred):
        return preferred
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def owner(port: int, proc: Path = Path("/proc")) -> Owner | None:
    """Find who listens on a port, or None where the system does not tell."""
    inodes = _listening_inodes(port, proc)
    if not inodes:
        return None
    for folder in proc.glob("[0-9]*/fd"):
        with contextlib.suppress(OSError):  # ended meanwhile, or someone else's
            if any(_target(link) in inodes for link in folder.iterdir()):
                words = (folder.parent / "cmdline").read_bytes().split(b"\0")
                command = tuple(word.decode("utf-8", "replace") for word in words if word)
                return Owner(int(folder.parent.name), command)
    return None


def _target(link: Path) -> str:
    """Read one link of /proc/PID/fd, empty if it was closed meanwhile."""
    try:
        return str(link.readlink())
    except FileNotFoundError:
        return ""


def _listening_inodes(port: int, proc: Path) -> set[str]:
    """Read the names that /proc/PID/fd gives the sockets listening on a port."""
    names = set()
    for table in (proc / "net/tcp", proc / "net/tcp6"):
        try:
            rows = table.read_text().splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if columns[3] == LISTENING and int(columns[1].rpartition(":")[2], 16) == port:
                names.add(f"socket:[{columns[9]}]")
    return names
