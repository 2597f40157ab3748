"""A gateway with keys in front of the double of TGI, for what an engine does not do when it is asked to.

Knows:  its address, a key that may have one chat at once, the double behind it.
Knows nothing of: the clients that are tested with it.
"""

import contextlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from gateway.keyfile import Key, hash_key, make_key, write_keys
from tests.fakes.double import ThreadDouble, thread_double
from tests.live.stack import gateway


@dataclass(frozen=True)
class Front:
    """The running gateway; the double's script decides what becomes of a chat."""

    url: str
    key: str
    double: ThreadDouble


@contextlib.contextmanager
def guarded() -> Iterator[Front]:
    """Run one for the length of a block."""
    key = make_key()
    with tempfile.TemporaryDirectory() as folder, thread_double() as double:
        path = Path(folder) / "keys.json"
        write_keys(path, [Key("ann", hash_key(key), "2026-01-01T00:00:00+00:00", concurrent=1)])
        with gateway(double.port, GATEWAY_KEYS_FILE=str(path)) as running:
            yield Front(running.url, key, double)
