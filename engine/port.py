"""Say whether a TCP port on this machine is free, and who holds it when it is not.

Knows: sockets and Linux's /proc.
Knows nothing of: what is served on a port.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import struct
import sys
from dataclasses import dataclass
from pathlib import Path

# The state column of /proc/net/tcp for a listening socket (Linux include/net/tcp_states.h).
LISTENING = "0A"
# Linux's abstract names begin with a zero byte and need no file (unix(7)).
_CLAIM_NAME = b"\0paddock port %d"


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
    """Return the preferred port if it is free, else (and for 0) one the system picks."""
    if preferred and is_free(host, preferred):
        return preferred
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def claim(port: int) -> socket.socket | None:
    """Claim a port among the starters of this machine; None if another one has it.

    Between the look at a port and the moment its program listens, seconds pass, on a first run minutes:
    two starters would both find it free. The claim is a name that the kernel gives to one socket at a time
    and takes back when its holder dies. Linux only; elsewhere every claim is granted.

    Closes:  nothing; closing the socket gives the claim back.
    """
    held = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    if sys.platform == "linux":
        try:
            held.bind(_CLAIM_NAME % port)
            held.listen()
        except OSError:
            held.close()
            return None
    return held


def reserve(host: str, preferred: int) -> tuple[int, socket.socket]:
    """Choose a free port and claim it: the preferred one, else one the system picks."""
    port = choose(host, preferred)
    while (held := claim(port)) is None:
        port = choose(host, 0)
    return port, held


def owner(port: int, proc: Path = Path("/proc")) -> Owner | None:
    """Find who listens on a port or has claimed it, or None where the system does not tell."""
    inodes = _listening_inodes(port, proc)
    for folder in proc.glob("[0-9]*/fd") if inodes else ():
        with contextlib.suppress(OSError):  # ended meanwhile, or someone else's
            if any(_target(link) in inodes for link in folder.iterdir()):
                return _describe(int(folder.parent.name), proc)
    return _claimant(port, proc)


def _claimant(port: int, proc: Path) -> Owner | None:
    """Ask the kernel which process holds the claim of a port."""
    if sys.platform != "linux":
        return None
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as caller, contextlib.suppress(OSError):
        caller.connect(_CLAIM_NAME % port)
        pid, _, _ = struct.unpack("3i", caller.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))
        return _describe(pid, proc)
    return None


def _describe(pid: int, proc: Path) -> Owner:
    words = (proc / str(pid) / "cmdline").read_bytes().split(b"\0")
    return Owner(pid, tuple(word.decode("utf-8", "replace") for word in words if word))


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
