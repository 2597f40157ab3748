"""python -m gateway as a process: start, stop, and what an open chat sees of it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat, content_of, error_of, frames_of, streaming

ROOT = Path(__file__).resolve().parents[2]
Start = Callable[..., "Process"]


class Process:
    """A gateway process, and its address."""

    def __init__(self, arguments: list[str], settings: dict[str, str]) -> None:
        kept = {key: value for key, value in os.environ.items() if not key.startswith("GATEWAY_")}
        self.popen = subprocess.Popen(
            [sys.executable, "-m", "gateway", *arguments],
            cwd=ROOT,
            env={**kept, **{f"GATEWAY_{key.upper()}": value for key, value in settings.items()}},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.url = ""

    def until_ready(self) -> "Process":
        """Wait until it listens, and until a chat would be served."""
        self.url = self.until_said("listening on ").split("listening on ")[1].strip()
        deadline = time.monotonic() + LIMIT_SECONDS
        while httpx.get(f"{self.url}/ready", timeout=LIMIT_SECONDS).status_code != 200:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        return self

    def until_said(self, words: str) -> str:
        """Wait for a line of its log with some words; at the limit it is killed, and what it said told."""
        assert self.popen.stderr is not None
        said = []
        watchdog = threading.Timer(LIMIT_SECONDS, self.popen.kill)
        watchdog.start()
        try:
            for line in self.popen.stderr:
                said.append(line)
                if words in line:
                    return line
        finally:
            watchdog.cancel()
            watchdog.join()
        raise AssertionError(f"it never said {words!r}, but:\n{''.join(said)}")

    def stop(self) -> None:
        """Ask it to end, as a process manager does."""
        self.popen.send_signal(signal.SIGTERM)

    def ended(self) -> tuple[int, str, str]:
        """Wait for its end; give the exit status and what it wrote."""
        out, err = self.popen.communicate(timeout=LIMIT_SECONDS)
        return self.popen.returncode, out, err


@pytest.fixture
def start(tgi_double: ThreadDouble) -> Iterator[Start]:
    """Start processes that are killed at the end if they did not end themselves."""
    started: list[Process] = []

    def begin(*arguments: str, **settings: str) -> Process:
        process = Process(list(arguments), {"port": "0", "engine_url": tgi_double.url, **settings})
        started.append(process)
        return process

    yield begin
    for process in started:
        process.popen.kill()
        process.popen.communicate()


def records(out: str) -> list[tuple[str, str | None]]:
    """Read outcome and code of each record."""
    return [(one["outcome"], one["code"]) for one in map(json.loads, out.splitlines())]


async def test_a_running_chat_finishes_within_the_grace(start: Start, tgi_double: ThreadDouble) -> None:
    """Its text and its end go out; then the process ends with 0."""
    process = start(drain_seconds="120").until_ready()
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with (
        httpx.AsyncClient(base_url=process.url, timeout=LIMIT_SECONDS) as client,
        streaming(client, chat()) as stream,
    ):
        assert "one" == await stream.until_text()
        process.stop()
        process.until_said("stopping:")
        tgi_double.release()
        frames = await stream.rest()

    assert ("two three", "[DONE]") == (content_of(frames).strip(), frames[-1].data)
    status, out, _ = process.ended()
    assert 0 == status
    assert ("finished", None) == records(out)[-1]


async def test_past_the_grace_a_chat_ends_with_an_error(start: Start, tgi_double: ThreadDouble) -> None:
    """The text stays, the frame says why, the engine's connection closes, the process ends with 0."""
    process = start(drain_seconds="0.3").until_ready()
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with (
        httpx.AsyncClient(base_url=process.url, timeout=LIMIT_SECONDS) as client,
        streaming(client, chat()) as stream,
    ):
        assert "one" == await stream.until_text()
        process.stop()
        frames = await stream.rest()
    status, out, _ = process.ended()

    assert "draining" == error_of(frames)["code"]
    assert 0 == status
    assert [("failed", "draining")] == records(out)
    await tgi_double.until_seen(lambda seen: seen.disconnected_at is not None)


async def test_while_it_stops_it_admits_nobody(start: Start, tgi_double: ThreadDouble) -> None:
    """A running chat goes on; others are refused, and then find no listener."""
    process = start(drain_seconds="120").until_ready()
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with (
        httpx.AsyncClient(base_url=process.url, timeout=LIMIT_SECONDS) as client,
        streaming(client, chat()) as stream,
    ):
        assert "one" == await stream.until_text()
        process.stop()
        process.until_said("stopping:")
        answers: list[tuple[int, str]] = []
        # A connection that the kernel took while the listener closed is reset.
        with contextlib.suppress(httpx.NetworkError, httpx.RemoteProtocolError):
            while True:
                async with httpx.AsyncClient(base_url=process.url, timeout=LIMIT_SECONDS) as other:
                    answer = await other.post(CHAT, json=chat())
                answers.append((answer.status_code, answer.json()["error"]["code"]))
        tgi_double.release()
        frames = await stream.rest()

    assert {(503, "draining")} >= set(answers)
    assert "[DONE]" == frames[-1].data
    assert 0 == process.ended()[0]


async def test_open_numbers_do_not_hold_the_process(start: Start) -> None:
    """A page that watches the queue is cut at once: the process ends long before the grace is over."""
    process = start(drain_seconds=str(10 * LIMIT_SECONDS)).until_ready()
    async with (
        httpx.AsyncClient(base_url=process.url, timeout=LIMIT_SECONDS) as client,
        client.stream("GET", "/stats/stream") as response,
    ):
        bytes_read = response.aiter_bytes()
        await anext(bytes_read)
        process.stop()
        with contextlib.suppress(httpx.RemoteProtocolError):  # a stream without an end has no proper one
            async for _ in bytes_read:
                pass

    assert 0 == process.ended()[0]


def test_an_idle_gateway_ends_at_once(start: Start) -> None:
    """With 0 when told to stop, with the shell's 130 at Ctrl-C."""
    statuses = []
    for sent in (signal.SIGTERM, signal.SIGINT):
        process = start().until_ready()
        process.popen.send_signal(sent)
        statuses.append(process.ended()[0])

    assert [0, 130] == statuses


def test_a_stream_is_one_line_in_the_log(start: Start) -> None:
    """Records go to standard output, nothing else does."""
    process = start().until_ready()
    frames = frames_of(httpx.post(f"{process.url}{CHAT}", json=chat(stream=True), timeout=LIMIT_SECONDS).text)
    process.stop()

    assert "[DONE]" == frames[-1].data
    assert [("finished", None)] == records(process.ended()[1])


def test_wrong_settings_end_it_with_2(start: Start) -> None:
    """Every problem on a line of its own, behind the names that are no settings."""
    status, _, err = start(slots="many", drain_secs="5").ended()

    assert 2 == status
    assert [
        "warning: GATEWAY_DRAIN_SECS is no setting of Paddock; did you mean GATEWAY_DRAIN_SECONDS?",
        "GATEWAY_SLOTS='many'",
    ] == [line.removeprefix("gateway: ").split(": Input")[0] for line in err.splitlines()]


def test_a_taken_port_ends_it(start: Start, tgi_double: ThreadDouble) -> None:
    """And is said, with uvicorn's status for a start that failed."""
    status, _, err = start(port=str(tgi_double.port)).ended()

    assert 3 == status
    assert "address already in use" in err


def test_check_asks_the_gateway_on_this_machine(start: Start, tgi_double: ThreadDouble) -> None:
    """0 while it is up, 1 when it is not; help is 0 and an unknown word 2."""
    process = start().until_ready()
    port = process.url.rpartition(":")[2]
    assert 0 == start("--check", port=port).ended()[0]
    process.stop()
    process.ended()

    assert 1 == start("--check", port=port).ended()[0]
    assert (0, 2) == (start("--help").ended()[0], start("--no-such").ended()[0])
