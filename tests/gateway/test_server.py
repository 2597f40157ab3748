"""The server's side of a connection: heads and bodies that are too large, too slow, or no HTTP."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import orjson
import pytest

from gateway.server import HEAD_LIMIT_BYTES, Http
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat, content_of, streaming

HOST = b"host: localhost\r\n"


@contextlib.asynccontextmanager
async def connected(served: Served) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """Open a connection for the length of a block."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    try:
        yield reader, writer
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def told(reader: asyncio.StreamReader) -> tuple[int, str]:
    """Read one answer up to the connection's end; give its status and the error's code."""
    async with asyncio.timeout(LIMIT_SECONDS):
        answer = await reader.read()
    head, _, body = answer.partition(b"\r\n\r\n")
    error = orjson.loads(body)["error"]
    assert f"x-request-id: {error['request_id']}".encode() in head
    return int(head.split()[1]), error["code"]


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the limits, to what a client of our own keeps on a busy machine too."""
    monkeypatch.setattr(Http, "head_limit_seconds", 0.4)
    monkeypatch.setattr(Http, "body_limit_seconds", 0.6)


async def test_a_head_without_end_is_refused(served: Served) -> None:
    """No more than the limit is kept of it."""
    async with connected(served) as (reader, writer):
        writer.write(b"GET /stats HTTP/1.1\r\n" + HOST + b"x-long: ")
        with contextlib.suppress(ConnectionError):
            for _ in range(64):
                writer.write(b"y" * HEAD_LIMIT_BYTES)
                await writer.drain()
        # A connection that is closed with bytes unread may be reset before its answer was read.
        with contextlib.suppress(ConnectionError):
            assert (431, "head_too_large") == await told(reader)

    assert 200 == (await served.client.get("/health")).status_code


async def test_a_long_head_within_the_limit_is_read(served: Served) -> None:
    """And a second one on the same connection: each is counted by itself."""
    for _ in range(3):
        answer = await served.client.get("/stats", headers={"x-long": "y" * (HEAD_LIMIT_BYTES // 2)})
        assert 200 == answer.status_code


async def test_what_is_not_http_is_told_so(served: Served) -> None:
    """In the envelope."""
    async with connected(served) as (reader, writer):
        writer.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert (400, "request_invalid") == await told(reader)


@pytest.mark.usefixtures("hurried")
async def test_a_silent_connection_is_closed(served: Served) -> None:
    """Without a word: nothing was asked."""
    async with connected(served) as (reader, _):
        async with asyncio.timeout(LIMIT_SECONDS):
            assert b"" == await reader.read()


@pytest.mark.usefixtures("hurried")
async def test_half_a_head_and_half_a_body_are_timed_out(served: Served) -> None:
    """Whoever sends them is told, whatever trickles in."""
    async with connected(served) as (reader, writer):
        writer.write(b"GET /stats HTTP/1.1\r\n")
        assert (408, "request_timeout") == await told(reader)
    async with connected(served) as (reader, writer):
        writer.write(b"POST %b HTTP/1.1\r\n" % CHAT.encode() + HOST)
        writer.write(b"content-type: application/json\r\ncontent-length: 100\r\n\r\n{")
        assert (408, "request_timeout") == await told(reader)

    await served.until_idle()
    assert [] == served.records()


@pytest.mark.usefixtures("hurried")
async def test_a_long_answer_and_a_kept_connection_have_no_such_limit(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """The limits are for requests."""
    served = await serve()
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat()) as stream:
        assert "one" == await stream.until_text()
        # Longer than both limits together.
        await asyncio.sleep(1.1)
        tgi_double.release()
        frames = await stream.rest()

    assert ("two three", "[DONE]") == (content_of(frames).strip(), frames[-1].data)
    assert 200 == (await served.client.get("/health")).status_code
