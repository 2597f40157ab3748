"""Engine and gateway as processes of this checkout, without scripts/up.

Knows:  how both are started, when they serve, how they end.
Knows nothing of: what is asked of them.
"""

import contextlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.contract.target import ROOT, launched
from tests.contract.wire import LIMIT_SECONDS, ask
from tests.fakes.port import free_port

_POLL_SECONDS = 0.02


@dataclass(frozen=True)
class Stack:
    """A running gateway and the port of the engine behind it."""

    port: int
    engine_port: int

    @property
    def url(self) -> str:
        """The gateway's address."""
        return f"http://127.0.0.1:{self.port}"


@contextlib.contextmanager
def gateway(engine_port: int, **variables: str) -> Iterator[Stack]:
    """A gateway in front of an engine, from when it would serve a chat until it has ended."""
    port = free_port()
    environment = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
    environment |= {"GATEWAY_PORT": str(port), "GATEWAY_ENGINE_URL": f"http://127.0.0.1:{engine_port}"}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "gateway.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "gateway"],
                cwd=ROOT,
                env=environment | variables,
                stdout=output,
                stderr=output,
            )
        try:
            _wait_ready(process, port, log)
            yield Stack(port, engine_port)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_ready(process: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the gateway ended with {process.returncode}:\n{log.read_text()}")
        with contextlib.suppress(OSError):
            if ask(port, "GET", "/ready").status == 200:
                return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"the gateway was not ready within {LIMIT_SECONDS} s:\n{log.read_text()}")


@contextlib.contextmanager
def started(**variables: str) -> Iterator[Stack]:
    """The embedded engine with its model, and a gateway in front of it."""
    with launched() as engine:
        engine.wait_ready()
        with gateway(engine.port, **variables) as stack:
            yield stack
