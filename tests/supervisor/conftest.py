"""The supervisor as a program of its own, over the child that a test plans."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.port import free_port

ROOT = Path(__file__).resolve().parents[2]
CHILD = Path(__file__).with_name("child.py")
# How long anything may take on a busy machine; reaching it is a failure.
LIMIT_SECONDS = 60.0


class Bench:
    """A supervisor under test: its control surface, its engine, its log."""

    def __init__(self, folder: Path, plan: list[dict[str, Any]], settings: dict[str, str],
                 command: list[str] | None) -> None:
        self.engine_port = free_port()
        self.plan = folder / "plan.json"
        self.plan.write_text(json.dumps(plan))
        given = ["--", sys.executable, str(CHILD), str(self.engine_port), str(self.plan)]
        environment = {"PATH": os.environ["PATH"], "HF_HOME": str(folder / "cache"),
                       "ENGINE_PORT": str(self.engine_port), "ENGINE_CONTROL_HOST": "127.0.0.1",
                       "ENGINE_CONTROL_PORT": "0", "IDLE_SECONDS": "0",
                       "ENGINE_DRAIN_SECONDS": "5", **settings}
        self.program = subprocess.Popen(
            [sys.executable, str(ROOT / "engine/supervisor.py"), *(given if command is None else command)],
            stdout=subprocess.PIPE, env=environment, text=True)
        self.lines: list[str] = []
        self._told = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.program.stdout is not None
        with self.program.stdout as stream:
            for line in stream:
                with self._told:
                    self.lines.append(line.rstrip("\n"))
                    self._told.notify_all()

    def line_with(self, text: str) -> str:
        """Wait for a line of the log that holds a text."""
        with self._told:
            found = self._told.wait_for(lambda: [line for line in self.lines if text in line], LIMIT_SECONDS)
        assert found, f"no line with {text!r} in:\n" + "\n".join(self.lines)
        return found[0]

    @cached_property
    def control(self) -> str:
        """Give the address of the control surface, once it has told."""
        return self.line_with("control on ").rpartition(" ")[2]

    def ask(self, method: str, path: str, headers: dict[str, str] | None = None) -> tuple[int, Any]:
        """Ask the control surface; give the status and the answer, read as JSON where it is."""
        request = urllib.request.Request(self.control + path, method=method, headers=headers or {})
        try:
            with urllib.request.urlopen(request, timeout=LIMIT_SECONDS) as answer:
                status, kind, body = answer.status, answer.headers["Content-Type"], answer.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                status, kind, body = refusal.code, refusal.headers["Content-Type"], refusal.read()
        return status, json.loads(body) if kind == "application/json" else body.decode()

    def state(self) -> dict[str, Any]:
        """Give the state now."""
        answer: dict[str, Any] = self.ask("GET", "/state")[1]
        return answer

    def when(self, phase: str, is_it: Callable[[dict[str, Any]], bool] = lambda _: True) -> dict[str, Any]:
        """Wait for a phase, and for more if asked."""
        limit = time.monotonic() + LIMIT_SECONDS
        while True:
            state = self.state()
            if state["phase"] == phase and is_it(state):
                return state
            assert time.monotonic() < limit, f"no {phase} but {state} after\n" + "\n".join(self.lines)
            time.sleep(0.02)

    def is_generating(self) -> bool:
        """Ask the engine whether a request runs."""
        url = f"http://127.0.0.1:{self.engine_port}/metrics"
        with urllib.request.urlopen(url, timeout=LIMIT_SECONDS) as page:
            return b"tgi_batch_current_size 1" in page.read()

    def engine(self, path: str, body: dict[str, Any]) -> Any:
        """Post to the engine itself."""
        url = f"http://127.0.0.1:{self.engine_port}{path}"
        with urllib.request.urlopen(url, json.dumps(body).encode(), timeout=LIMIT_SECONDS) as answer:
            return json.loads(answer.read())

    def end(self) -> int:
        """Ask the supervisor to end and give its exit code."""
        self.program.send_signal(signal.SIGTERM)
        code = self.program.wait(LIMIT_SECONDS)
        self._reader.join(LIMIT_SECONDS)
        return code

    def close(self) -> None:
        """Leave nothing behind."""
        if self.program.poll() is None:
            self.program.send_signal(signal.SIGTERM)
            self.program.send_signal(signal.SIGTERM)
        try:
            self.program.wait(LIMIT_SECONDS)
        except subprocess.TimeoutExpired:
            self.program.kill()
            self.program.wait()
            raise
        finally:
            self._reader.join(LIMIT_SECONDS)


Start = Callable[..., Bench]


@contextmanager
def starting(folder: Path) -> Iterator[Start]:
    """Start supervisors; each takes a plan, settings and perhaps another command. All end with the block."""
    benches: list[Bench] = []

    def start(plan: list[dict[str, Any]] | None = None, command: list[str] | None = None,
              **settings: str) -> Bench:
        bench = Bench(folder, plan or [{}], settings, command)
        benches.append(bench)
        return bench

    yield start
    for bench in benches:
        bench.close()


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Start]:
    """Start supervisors for one test."""
    with starting(tmp_path) as start:
        yield start
