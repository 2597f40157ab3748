"""Several engines, and engines that sleep, load or failed behind a supervisor."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat, content_of, error_of, frames_of, streaming

StartDouble = Callable[..., ThreadDouble]


class Supervisor:
    """A control surface that says what a test wants, on 127.0.0.1; starts are counted."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"phase": "ready", "reason": None, "model": "m"}
        self.starts = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request on a connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"POST /start"):
                    self.starts += 1
                body = json.dumps(self.state).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    """A supervisor that listens."""
    one = Supervisor()
    server = await asyncio.start_server(one.talk, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    yield one
    server.close()


async def test_two_engines_share_the_work(serve: Serve, start_tgi_double: StartDouble) -> None:
    """Twice the slots, and chats at once go to both."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles), slots=2)
    await served.until(lambda: served.gateway.fleet.online == 2)
    for double in doubles:
        for _ in range(2):
            double.script(reply="one two", fault="stall", after=1)
    assert 4 == served.gateway.admission.open_slots
    tasks = [
        asyncio.create_task(served.client.post(CHAT, json=chat(f"question {number}", stream=True)))
        for number in range(4)
    ]
    await served.until(lambda: served.gateway.admission.running == 4)
    await served.until(lambda: [2, 2] == [one.running for one in served.gateway.fleet.replicas])
    for double in doubles:
        streams = partial(double.seen, "/generate_stream")
        await served.until(lambda seen=streams: 3 == sum(one.events >= 1 for one in seen()))  # type: ignore[misc]
    for double in doubles:
        double.release()

    assert {"one two"} == {content_of(frames_of((await task).text)) for task in tasks}
    assert [2, 2] == sorted(
        sum(seen.path == "/generate_stream" for seen in double.seen()) - 1 for double in doubles
    )


async def test_a_prefix_goes_where_it_is_cached(serve: Serve, start_tgi_double: StartDouble) -> None:
    """The same beginning, one at a time: the same engine every time."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles))
    await served.until(lambda: served.gateway.fleet.online == 2)
    for _ in range(6):
        assert 200 == (await served.client.post(CHAT, json=chat("the same question"))).status_code
        await served.until_idle()

    assert [0, 6] == sorted(
        sum(seen.path == "/generate_stream" for seen in double.seen()) - 1 for double in doubles
    )


async def test_a_dead_engine_is_left_out(serve: Serve, start_tgi_double: StartDouble) -> None:
    """A chat that finds it dead goes to the other, and so do those after it."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles))
    await served.until(lambda: served.gateway.fleet.online == 2)
    doubles[0].die()
    answers = [await served.client.post(CHAT, json=chat(f"question {number}")) for number in range(12)]

    assert [200] * 12 == [answer.status_code for answer in answers]
    assert 1 == served.gateway.fleet.online


async def test_a_sleeping_engine_is_woken_and_waited_for(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """The chat sees the phases in its stream, then its answer."""
    supervisor.state = {"phase": "stopped", "reason": "idle", "model": "m"}
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.phase == "stopped")
    async with streaming(served.client, chat("good morning"), paddock_progress="1") as stream:
        first = (await stream.next()).json
        await served.until(lambda: supervisor.starts >= 1)
        supervisor.state = {
            "phase": "loading",
            "reason": "shard 1 of 1",
            "estimate_seconds": 12.5,
            "model": "m",
        }
        async with asyncio.timeout(LIMIT_SECONDS):
            while (news := (await stream.next()).json)["phase"] != "loading":
                pass
        supervisor.state = {"phase": "ready", "reason": None, "model": "m"}
        rest = await stream.rest()

    assert ("waiting", 1, "stopped") == (first["state"], first["place"], first["phase"])
    assert ("shard 1 of 1", 12.5) == (news["reason"], news["ready_seconds"])
    assert "good morning" == content_of([frame for frame in rest if not frame.event])


async def test_a_failed_engine_refuses_at_once_with_its_reason(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """New chats, and those that were waiting for it."""
    supervisor.state = {"phase": "loading", "reason": None, "model": "m"}
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.will_serve)
    async with streaming(served.client, chat(), paddock_progress="1") as stream:
        await stream.next()
        reason = "the GPU has too little memory; lower MAX_TOTAL_TOKENS"
        supervisor.state = {"phase": "failed", "reason": reason, "cause": "out_of_memory", "model": "m"}
        rest = await stream.rest()
    refused = await served.client.post(CHAT, json=chat())
    ready = await served.client.get("/ready")

    assert "engine_down" == error_of(rest)["code"]
    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])
    assert reason in refused.json()["error"]["message"]
    assert (503, reason) == (ready.status_code, ready.json()["reason"])
    assert "out_of_memory" == ready.json()["cause"]
    assert "out_of_memory" == (await served.client.get("/stats")).json()["cause"]
    page = (await served.client.get("/metrics")).text
    (name,) = (one.name for one in served.gateway.fleet.replicas)
    assert f'paddock_replica_failed{{cause="out_of_memory",replica="{name}"}} 1.0' in page


async def test_without_a_supervisor_a_dead_engine_refuses_at_once(serve: Serve) -> None:
    """Nobody says that it is on the way."""
    served = await serve(waits=False, url="http://127.0.0.1:9")
    refused = await served.client.post(CHAT, json=chat())

    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])
