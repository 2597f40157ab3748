"""Chooses ports for programs that are told theirs before they bind it.

Knows:  which ports the system hands out by itself.
Knows nothing of: who will listen.
"""

import random
import socket
from pathlib import Path

# Below it are ports of services that people know.
_LEAST = 15000
_TRIES = 1000


def free_port() -> int:
    """Give a port of 127.0.0.1 that nobody uses now, and that the system will give to nobody else.

    Between the choice and the bind seconds may pass. A port that the system chose it may choose again
    meanwhile, for a listener on port 0 or for a connection's own end; so this is one outside its range.
    """
    ours = _ours()
    for _ in range(_TRIES):
        with socket.socket() as probe:
            # As servers do: what earlier connections left in TIME_WAIT does not count.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", random.SystemRandom().choice(ours)))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"no free port of {ours}")


def _ours() -> range:
    """Give the ports below the system's own, else those above, else any (0)."""
    try:
        first, last = map(int, Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    except OSError:  # not Linux
        return range(1)
    return range(_LEAST, first) or range(last + 1, 65536) or range(1)
