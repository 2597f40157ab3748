"""The real stack for a browser: engine and gateway as programs of this checkout, on free ports.

Knows how both are started and asked whether they are ready. Knows nothing of the page.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# Loading the demo model takes a second or two; a machine at its limits takes longer.
READY_SECONDS = 60.0
# From SIGTERM to gone, with nothing to drain.
STOP_SECONDS = 15.0
LOOK_SECONDS = 0.05


class Stack:
    """Two processes and one address. Leave it through stop()."""

    def __init__(self) -> None:
        self.output = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed by stop()
        engine_port, gateway_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{gateway_port}/"
        model = {} if os.environ.get("MODEL_PATH") else {"MODEL_ID": "paddock-demo"}
        self._processes = [
            self._start("engine", {**model, "ENGINE_PORT": str(engine_port)}),
            self._start(
                "gateway",
                {
                    "GATEWAY_PORT": str(gateway_port),
                    "GATEWAY_ENGINE_URL": f"http://127.0.0.1:{engine_port}",
                    "GATEWAY_SITE_DIR": str(ROOT / "frontend/site"),
                },
            ),
        ]

    def wait_until_ready(self) -> None:
        """Wait for /ready. Raises: RuntimeError with both programs' output when it does not come."""
        deadline = time.monotonic() + READY_SECONDS
        while time.monotonic() < deadline:
            if any(process.poll() is not None for process in self._processes):
                raise RuntimeError(f"a program of the stack has ended:\n{self.read_output()}")
            try:
                with urllib.request.urlopen(f"{self.url}ready", timeout=2) as answer:
                    if answer.status == 200:
                        return
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(LOOK_SECONDS)
        raise RuntimeError(f"not ready within {READY_SECONDS:.0f} s:\n{self.read_output()}")

    def read_output(self) -> str:
        """Return what both programs have said so far."""
        self.output.seek(0)
        return self.output.read()

    def stop(self) -> None:
        """End both programs, by force when they do not listen."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self.output.close()

    def _start(self, module: str, settings: dict[str, str]) -> subprocess.Popen[str]:
        # A developer's own settings must not reach the test's programs, the model's file excepted.
        ours = ("ENGINE_", "GATEWAY_", "MODEL_ID")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return subprocess.Popen(
            [sys.executable, "-m", module],
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
