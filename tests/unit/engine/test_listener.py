"""The open port: draining, and ending when the inner server is gone."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from engine.listener import Listener
from tests.unit.engine.conftest import Engine
from tests.unit.engine.inner import Completion

REQUEST = (
    b"POST /generate_stream HTTP/1.1\r\nHost: x\r\n"
    b"Content-Type: application/json\r\nContent-Length: 17\r\n\r\n"
    b'{"inputs":"text"}'
)


@dataclass
class Running:
    """A service on a free port."""

    service: Listener
    port: int
    result: "asyncio.Task[int]"
    said: list[str] = field(default_factory=list)


@pytest.fixture
def port() -> Iterator[socket.socket]:
    """A bound socket that does not listen yet."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


@asynccontextmanager
async def running(
    engine: Engine, port: socket.socket, drain_seconds: float = 5.0, watch_seconds: float = 60.0
) -> AsyncIterator[Running]:
    """Serve until the test is over."""
    said: list[str] = []
    number = port.getsockname()[1]
    service = Listener(engine.app, engine.inference.inner, drain_seconds, said.append, watch_seconds)
    result = asyncio.create_task(service.run_on(port, "m"))
    async with asyncio.timeout(5):
        while not service.started:
            await asyncio.sleep(0.001)
    yield Running(service, number, result, said)
    async with asyncio.timeout(5):
        await result


async def begun(engine: Engine, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter, Completion]:
    """Open a stream and generate its first token."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    completion = await engine.inner.asked.get()
    completion.head()
    completion.say("a")
    await reader.readuntil(b'"text":"a"')
    return reader, writer, completion


async def test_draining_closes_the_port_and_finishes_what_runs(engine: Engine, port: socket.socket) -> None:
    """Exit code 0; nobody new gets in, nobody old is cut."""
    async with running(engine, port) as run:
        reader, writer, completion = await begun(engine, run.port)
        run.service.stop()
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection("127.0.0.1", run.port)
        completion.say("b")
        completion.end()
        rest = await reader.read()
        writer.close()

    assert b'"generated_text":"ab"' in rest
    assert 0 == run.result.result()
    assert ["draining: what runs may finish within 5 s.", "stopped."] == run.said


async def test_past_the_drain_time_streams_end_in_an_error(engine: Engine, port: socket.socket) -> None:
    """TGI's word for a stream without its end."""
    async with running(engine, port, drain_seconds=0.05) as run:
        reader, writer, completion = await begun(engine, run.port)
        run.service.stop()
        rest = await reader.read()
        await completion.closed.wait()
        writer.close()

    assert (
        b'data: {"error":"Incomplete generation stream","error_type":"incomplete_generation_stream"}' in rest
    )
    assert 0 == run.result.result()


async def test_an_inner_server_that_is_gone_ends_the_process(engine: Engine, port: socket.socket) -> None:
    """Exit code 1, so that whoever watches starts it anew."""
    async with running(engine, port, watch_seconds=0.01) as run:
        reader, writer, _ = await begun(engine, run.port)
        engine.inner.is_healthy = False
        rest = await reader.read()
        writer.close()

    assert b"Incomplete generation stream" in rest
    assert 1 == run.result.result()
    assert "the inference server has stopped answering; this process ends." in run.said
