"""scripts/up for real: engine, gateway and page of this checkout, killed and ended in every way."""

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from gateway.keyfile import Key, hash_key, write_keys
from tests.fakes.port import free_port

ROOT = Path(__file__).parents[2]
# A person may replace the model; by default it is the one of the repository, whatever hub is reachable.
MODEL = os.environ.get("MODEL_PATH") or str(ROOT / "engine/demo/paddock-demo.gguf")
COMMAND = (sys.executable, str(ROOT / "scripts/up"), "--cpu")
# For anything at all on a busy machine; reaching it is a failure.
DEADLINE_SECONDS = 90.0
JSON = {"Content-Type": "application/json"}
# What the README promises for a start when all is installed. Held against processor time, as what else
# runs on the machine delays a start and makes it no dearer.
SECOND_START_SECONDS = 10.0


class Running:
    """One scripts/up and what it printed so far."""

    def __init__(self, *arguments: str, **settings: str) -> None:
        self.port = free_port()
        environment = {key: value for key, value in os.environ.items()
                       if not key.startswith(("ENGINE_", "GATEWAY_", "MODEL_", "IDLE_"))} | settings
        command = [*COMMAND, "--port", str(self.port), "--model", MODEL, *arguments]
        # In another folder: where one stands must not matter.
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                        text=True, env=environment, cwd="/")
        self.lines: list[str] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, text: str, count: int = 1) -> str:
        """Wait until a line has come that starts with a text (for the count-th time) and return it."""
        def found() -> list[str]:
            return [line for line in self.lines if line.startswith(text)]
        self.until(lambda: len(found()) >= count, f"no line {text!r}")
        return found()[count - 1]

    def until(self, is_so: Callable[[], bool], what: str) -> None:
        """Wait until something is so; fail at the deadline with all that was printed."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        pause = threading.Event()
        while not is_so():
            assert time.monotonic() < deadline, "\n".join([f"{what} in time", *self.lines])
            pause.wait(0.02)

    def children(self) -> dict[str, psutil.Process]:
        """Give the programs it runs now, by name."""
        found = {}
        for child in psutil.Process(self.process.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                words = child.cmdline()
                if words[1:2] == ["-m"]:
                    found[words[2]] = child
        return found

    def cpu_seconds(self) -> float:
        """Give the processor time that it and its programs have taken, ended ones included."""
        own = psutil.Process(self.process.pid)
        times = [one.cpu_times() for one in (own, *own.children(recursive=True))]
        return sum(one.user + one.system + one.children_user + one.children_system for one in times)

    def end(self, number: signal.Signals = signal.SIGINT) -> int:
        """Send a signal and wait for the end; return the exit status."""
        self.process.send_signal(number)
        status = self.process.wait(DEADLINE_SECONDS)
        self._reader.join(DEADLINE_SECONDS)
        return status

    def close(self) -> None:
        """End it whatever state it is in."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self._reader.join(DEADLINE_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()


@pytest.fixture
def start() -> Iterator[Callable[..., Running]]:
    """Start scripts/up on a free port, as often as a test likes."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments: str, **settings: str) -> Running:
            running = Running(*arguments, **settings)
            stack.callback(running.close)
            return running

        yield begin


def chat(port: int, question: str = "Hello!", **more: Any) -> tuple[int, dict[str, Any]]:
    """Ask a question and wait for the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
    body = {"messages": [{"role": "user", "content": question}], "max_tokens": 40, **more}
    with contextlib.closing(connection):
        connection.request("POST", "/v1/chat/completions", json.dumps(body), JSON)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())


def answers(port: int) -> bool:
    """Say whether a chat gets a text now."""
    try:
        status, body = chat(port)
    except OSError:
        return False
    return status == 200 and bool(body["choices"][0]["message"]["content"])


def is_gone(process: psutil.Process) -> bool:
    """Say whether a process has ended."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() == psutil.STATUS_ZOMBIE
    return True


def test_it_says_ready_and_a_chat_answers(start: Callable[..., Running]) -> None:
    """The ready line names the address of a page and an API that work, for no more work than promised."""
    up = start()
    ready = up.wait_for("ready: ")
    seconds = up.cpu_seconds()
    figures = up.wait_for("figures: ")
    page = http.client.HTTPConnection("127.0.0.1", up.port, timeout=DEADLINE_SECONDS)
    with contextlib.closing(page):
        page.request("GET", "/")
        shown = page.getresponse()
        text = shown.read()

    assert ready.startswith(f"ready: http://127.0.0.1:{up.port}  (first token after ")
    assert seconds < SECOND_START_SECONDS
    assert figures == (
        f"figures: scripts/top; Prometheus: scrape http://127.0.0.1:{up.port}/metrics (docs/metrics.md)"
    )
    assert answers(up.port)
    assert (shown.status, b"<!doctype html>" in text.lower()) == (200, True)


def test_with_keys_it_is_ready_as_well(start: Callable[..., Running], tmp_path: Path) -> None:
    """It has no key itself, and says ready all the same; a chat without one is turned away."""
    file = tmp_path / "keys.json"
    write_keys(file, [Key("ann", hash_key("pk-1"), "2026-01-01T00:00:00+00:00")])
    up = start(GATEWAY_KEYS_FILE=str(file))
    up.wait_for("ready: ")
    script = [sys.executable, str(ROOT / "scripts/chat"), "--url", f"http://127.0.0.1:{up.port}", "Hello!"]
    answered = subprocess.run(script, env=os.environ | {"PADDOCK_KEY": "pk-1"}, capture_output=True,
                              text=True, check=False, timeout=DEADLINE_SECONDS)

    assert chat(up.port)[0] == 401
    assert (answered.returncode, bool(answered.stdout.strip())) == (0, True)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_ending_it_leaves_no_process(start: Callable[..., Running], number: signal.Signals) -> None:
    """Ctrl-C, SIGTERM and a closed terminal end the gateway, then the engine, then itself with status 0."""
    up = start()
    up.wait_for("ready: ")
    children = up.children()
    status = up.end(number)
    ends = [line for line in up.lines if "stopp" in line and line.startswith(("engine", "gateway"))]

    assert status == 0
    assert sorted(children) == ["engine", "gateway"]
    assert [name for name, child in children.items() if not is_gone(child)] == []
    assert [line.split(" ")[0] for line in ends][:1] == ["gateway"]
    assert up.lines[-1] == "ended; nothing is left running"


def test_killing_it_leaves_no_process(start: Callable[..., Running]) -> None:
    """kill -9 of scripts/up itself takes its programs along."""
    up = start()
    up.wait_for("ready: ")
    children = up.children()
    up.process.kill()
    up.process.wait()
    up.until(lambda: all(is_gone(child) for child in children.values()), "programs left")

    assert sorted(children) == ["engine", "gateway"]


def test_a_running_chat_may_finish(start: Callable[..., Running]) -> None:
    """Ctrl-C during an answer lets it come to its end."""
    up = start()
    up.wait_for("ready: ")
    stream = Stream(up.port, "Tell me a story about a brave little owl named Pip.", max_tokens=300)
    stream.read_delta()
    up.process.send_signal(signal.SIGINT)
    rest = stream.read_rest()
    status = up.process.wait(DEADLINE_SECONDS)

    assert rest.endswith("data: [DONE]\n\n")
    assert status == 0


def test_a_killed_gateway_comes_back(start: Callable[..., Running]) -> None:
    """kill -9 is said, mended, and the next chat answers."""
    up = start()
    up.wait_for("ready: ")
    before = up.children()["gateway"]
    before.kill()
    up.wait_for("gateway ended (SIGKILL); starting it again in 1 s")
    up.wait_for("ready again: ")

    assert up.children()["gateway"].pid != before.pid
    assert answers(up.port)


def test_a_chat_waits_for_a_killed_engine(start: Callable[..., Running]) -> None:
    """kill -9 of the engine: its supervisor says and mends it, and a chat asked meanwhile is answered."""
    up = start()
    up.wait_for("ready: ")
    before = up.children()["engine"]
    before.kill()
    up.wait_for("engine  | supervisor: starting: The engine was killed by SIGKILL")
    status, body = chat(up.port)
    up.wait_for("ready again: ")

    assert (status, bool(body["choices"][0]["message"]["content"])) == (200, True)
    assert up.children()["engine"].pid != before.pid


def test_a_killed_supervisor_takes_its_engine_along(start: Callable[..., Running]) -> None:
    """Nobody is left behind, and a new supervisor starts a new engine."""
    up = start()
    up.wait_for("ready: ")
    before = up.children()["engine"]
    supervisor = before.parent()
    assert supervisor is not None
    supervisor.kill()
    up.wait_for("engine ended (SIGKILL); starting it again in 1 s")
    up.wait_for("ready again: ")

    up.until(lambda: is_gone(before), "the first engine is left")
    assert answers(up.port)


def test_an_idle_engine_rests_until_a_chat(start: Callable[..., Running]) -> None:
    """After IDLE_SECONDS the engine ends; a chat starts it and gets its answer."""
    up = start(IDLE_SECONDS="3")
    up.wait_for("ready: ")
    up.wait_for("engine  | supervisor: stopped: idle")
    rested = "engine" not in up.children()
    status, _ = chat(up.port)

    assert (rested, status) == (True, 200)


def test_an_engine_killed_in_a_stream_ends_it_as_an_error(start: Callable[..., Running]) -> None:
    """The text so far stays, an error frame follows and no [DONE]; then the engine is back and answers."""
    up = start()
    up.wait_for("ready: ")
    engine = up.children()["engine"]
    # At this temperature the demo model hardly ever comes to an end by itself.
    stream = Stream(up.port, "Tell me a story about a brave little owl named Pip.", 1000, temperature=2)
    stream.read_delta()
    # Order: held, then killed, so that a fast answer cannot be complete before the kill arrives.
    engine.suspend()
    engine.kill()
    rest = stream.read_rest()
    # The empty line behind the delta that was read comes first.
    frames = [frame for frame in rest.lstrip("\n").split("\n\n") if frame.startswith("data: ")]
    error = json.loads(frames[-1].removeprefix("data: "))["error"]
    up.wait_for("ready again: ")

    assert "[DONE]" not in rest
    assert sorted(error) == ["code", "message", "param", "request_id", "retry_after_seconds", "type"]
    assert answers(up.port)


class Stream:
    """One streamed answer, read piece by piece."""

    def __init__(self, port: int, question: str, max_tokens: int, **more: Any) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=DEADLINE_SECONDS)
        messages = [{"role": "user", "content": question}]
        body = {"messages": messages, "max_tokens": max_tokens, "stream": True, **more}
        self._connection.request("POST", "/v1/chat/completions", json.dumps(body), JSON)
        self._response = self._connection.getresponse()
        assert self._response.status == 200

    def read_delta(self) -> str:
        """Read until the first frame that has text, and return it."""
        for raw in self._response:
            line = raw.decode()
            if line.startswith("data: ") and json.loads(line[6:])["choices"][0]["delta"].get("content"):
                return line
        raise AssertionError("the stream ended before its first text")

    def read_rest(self) -> str:
        """Read to the end and close."""
        with contextlib.closing(self._connection), self._response:
            return self._response.read().decode()


def test_a_second_one_says_who_has_the_port(start: Callable[..., Running]) -> None:
    """Started twice by mistake, the second explains and leaves the first alone."""
    up = start()
    up.wait_for("ready: ")
    second = subprocess.run([*COMMAND, "--port", str(up.port)], capture_output=True, text=True, check=False,
                            timeout=DEADLINE_SECONDS)

    assert second.returncode == 1
    assert second.stderr.startswith(f"scripts/up: port {up.port} is taken by Paddock itself (process ")
    assert "; to use another port: scripts/up --port " in second.stderr
    assert answers(up.port)


def test_two_side_by_side(start: Callable[..., Running]) -> None:
    """A second one on another port finds its own engine port and works beside the first."""
    one, two = start(), start()
    one.wait_for("ready: ")
    two.wait_for("ready: ")

    assert (answers(one.port), answers(two.port)) == (True, True)
    assert one.children()["engine"].pid != two.children()["engine"].pid


def test_a_model_that_is_none_ends_the_start_with_a_sentence(
        start: Callable[..., Running], tmp_path: Path) -> None:
    """A hopeless cause is not tried again: the engine's own sentence, exit status 1, nothing left."""
    broken = tmp_path / "broken.gguf"
    broken.write_bytes(b"this is no model")
    up = start("--model", str(broken))
    status = up.process.wait(DEADLINE_SECONDS)
    up.close()
    said = [line for line in up.lines if line.startswith("scripts/up: the engine cannot run: ")]

    assert status == 1
    assert len(said) == 1
    assert str(broken) in said[0]
    assert not any("starting again" in line for line in up.lines)
