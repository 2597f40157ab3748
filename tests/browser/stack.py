"""The real stack for a browser: supervised engine and gateway as programs of this checkout, on free ports.

Knows how both are started and asked whether they are ready. Knows nothing of the page.
"""

import contextlib
import os
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from tests.fakes.port import free_port

ROOT = Path(__file__).resolve().parent.parent.parent
# Loading the demo model takes a second or two; a machine at its limits takes longer.
READY_SECONDS = 120.0
# From SIGTERM to gone, with nothing to drain.
STOP_SECONDS = 30.0
LOOK_SECONDS = 0.05
# The demo model needs a tenth of a second and more for the shortest of the answers that are cut.
STEP_SECONDS = 0.02


class Stack:
    """An engine under its supervisor, a gateway, and one address. Leave it through stop().

    With `beside` another gateway for the engine of that stack, with `settings` of its own.
    """

    def __init__(self, beside: "Stack | None" = None, **settings: str) -> None:
        self.output = tempfile.TemporaryFile(mode="w+")  # noqa: SIM115 - closed by stop()
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._processes = []
        if beside is None:
            self.engine_port, self.control_port = free_port(), free_port()
            model = {} if os.environ.get("MODEL_PATH") else {"MODEL_ID": "paddock-demo"}
            ports = {
                "ENGINE_PORT": str(self.engine_port),
                "ENGINE_CONTROL_HOST": "127.0.0.1",
                "ENGINE_CONTROL_PORT": str(self.control_port),
            }
            supervised = ["engine/supervisor.py", "--", sys.executable, "-m", "engine"]
            self._processes.append(self._start(supervised, {**model, **ports}))
        else:
            self.engine_port, self.control_port = beside.engine_port, beside.control_port
        self._settings = {
            "GATEWAY_PORT": str(self.port),
            "GATEWAY_ENGINE_URL": f"http://127.0.0.1:{self.engine_port}",
            "GATEWAY_ENGINE_CONTROL_PORT": str(self.control_port),
            "GATEWAY_SITE_DIR": str(ROOT / "frontend/site"),
            **settings,
        }
        self._processes.append(self._start(["-m", "gateway"], self._settings))

    def restart_gateway(self) -> None:
        """Kill the gateway as a crash would, and start it anew at the same address."""
        gateway = self._processes.pop()
        gateway.kill()
        gateway.wait()
        self._processes.append(self._start(["-m", "gateway"], self._settings))

    def put_engine_to_sleep(self) -> None:
        """Have the supervisor stop the engine, as it does after the idle time."""
        order = urllib.request.Request(f"http://127.0.0.1:{self.control_port}/stop", method="POST")
        with urllib.request.urlopen(order, timeout=STOP_SECONDS):
            pass

    @contextlib.contextmanager
    def engine_held(self) -> Iterator[Callable[[], None]]:
        """Stop the engine's clock: whoever has its slots keeps them, and no token comes.

        Gives a step, which lets it run for a few tokens' time.
        """
        held = children(self._processes[0].pid)

        def send(order: signal.Signals) -> None:
            for pid in held:
                os.kill(pid, order)

        def step() -> None:
            send(signal.SIGCONT)
            time.sleep(STEP_SECONDS)
            send(signal.SIGSTOP)

        send(signal.SIGSTOP)
        try:
            yield step
        finally:
            send(signal.SIGCONT)

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

    def _start(self, program: list[str], settings: dict[str, str]) -> subprocess.Popen[str]:
        # A developer's own settings must not reach the test's programs, the model's file excepted.
        ours = ("ENGINE_", "GATEWAY_", "MODEL_ID")
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(ours)}
        return subprocess.Popen(
            [sys.executable, *program],
            cwd=ROOT,
            env={**inherited, **settings},
            stdout=self.output,
            stderr=subprocess.STDOUT,
            text=True,
        )


def children(pid: int) -> list[int]:
    """List the processes that a process started, and those that they started."""
    own = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [one for child in map(int, own) for one in (child, *children(child))]
