"""Connections to an engine: kept, retried, limited, and closed the moment nobody reads."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.connection import TransportError, TransportTimeout
from gateway.transport import Pool, Reply
from tests.gateway.peer import CHUNKED, LIMIT_SECONDS, OK, Visit, chunk, peer

MEBIBYTE = 1024 * 1024


@asynccontextmanager
async def pooled(url: str, connect_seconds: float = LIMIT_SECONDS) -> AsyncIterator[Pool]:
    """A pool that is closed at the end."""
    pool = Pool(url, connect_seconds)
    try:
        yield pool
    finally:
        pool.close()


async def ask(pool: Pool, body: bytes = b"{}", limit: float = LIMIT_SECONDS) -> bytes:
    """Send a request and read the whole answer."""
    async with pool.ask("POST", "/x", body, limit) as reply:
        assert reply.status == 200
        return await reply.whole(limit)


async def serve_ok(visit: Visit) -> None:
    """Answer every request of a connection."""
    while await visit.request():
        visit.send(OK)


async def test_a_connection_is_used_again() -> None:
    """Three requests, one connection."""
    async with peer(serve_ok) as engine, pooled(engine.url) as pool:
        assert [b"ok"] * 3 == [await ask(pool) for _ in range(3)]
        assert 1 == len(engine.visits)


async def test_the_request_is_whole() -> None:
    """Method, path, host, type, length, further headers, body."""
    seen: list[bytes] = []

    async def talk(visit: Visit) -> None:
        seen.append(await visit.request())
        visit.send(OK)
        await visit.request()

    async with (
        peer(talk) as engine,
        pooled(engine.url) as pool,
        pool.ask("POST", "/generate", b'{"a":1}', LIMIT_SECONDS, {"traceparent": "00-1"}) as reply,
    ):
        assert b"ok" == await reply.whole(LIMIT_SECONDS)

    host = engine.url.removeprefix("http://")
    assert [
        f"POST /generate HTTP/1.1\r\nhost: {host}\r\naccept: */*\r\ncontent-type: application/json\r\n"
        f'content-length: 7\r\ntraceparent: 00-1\r\n\r\n{{"a":1}}'.encode()
    ] == seen


async def test_two_at_once_are_two_connections() -> None:
    """Answers never share one."""
    together = asyncio.Event()

    async def talk(visit: Visit) -> None:
        await visit.request()
        await together.wait()
        visit.send(OK)
        await visit.request()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        both = [asyncio.create_task(ask(pool)) for _ in range(2)]
        async with asyncio.timeout(LIMIT_SECONDS):
            while len(engine.visits) < 2:
                await asyncio.sleep(0.001)
        together.set()
        assert [b"ok", b"ok"] == await asyncio.gather(*both)


async def test_an_idle_connection_that_the_engine_closed_is_replaced() -> None:
    """The request goes out once more, and the caller notices nothing."""
    requests: list[int] = []

    async def talk(visit: Visit) -> None:
        await visit.request()
        requests.append(len(engine.visits))
        visit.send(OK)
        if len(engine.visits) == 1:
            # The second request arrives, and the connection ends without a byte of an answer.
            await visit.request()
            requests.append(len(engine.visits))
            visit.writer.transport.abort()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        assert [b"ok", b"ok"] == [await ask(pool), await ask(pool)]
    assert [1, 1, 2] == requests


async def test_a_new_connection_that_breaks_is_not_tried_again() -> None:
    """An engine that cannot answer is asked once."""

    async def talk(visit: Visit) -> None:
        await visit.request()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        with pytest.raises(TransportError, match="closed by the engine") as broken:
            await ask(pool)
        assert (True, 1) == (broken.value.is_fresh, len(engine.visits))


async def test_no_server_is_a_fresh_error() -> None:
    """Nothing of an answer came."""
    async with peer(serve_ok) as engine:
        pass
    async with pooled(engine.url) as pool:
        with pytest.raises(TransportError) as broken:
            await ask(pool)
    assert broken.value.is_fresh


async def test_a_body_that_is_cut_is_told_after_what_came() -> None:
    """The bytes before the cut are given; the end is an error and not an end."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED + chunk(b"half"))

    async with (
        peer(talk) as engine,
        pooled(engine.url) as pool,
        pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply,
    ):
        assert b"half" == await reply.take(LIMIT_SECONDS)
        with pytest.raises(TransportError) as broken:
            await reply.take(LIMIT_SECONDS)
    assert not broken.value.is_fresh


async def test_what_is_no_http_is_an_error() -> None:
    """Another protocol on the port does not hang anybody."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(b"SSH-2.0-OpenSSH_9\r\n")
        await visit.gone()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        with pytest.raises(TransportError, match="not HTTP"):
            await ask(pool)


async def test_an_answer_that_ends_its_connection_is_not_pooled() -> None:
    """connection: close is obeyed."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        await visit.gone()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        assert [b"ok", b"ok"] == [await ask(pool), await ask(pool)]
        assert 2 == len(engine.visits)


async def silent(visit: Visit) -> None:
    """Take a request and say nothing."""
    await visit.request()
    await visit.gone()


async def test_a_silent_engine_runs_into_the_head_limit() -> None:
    """And its connection is closed."""
    async with peer(silent) as engine, pooled(engine.url) as pool:
        with pytest.raises(TransportTimeout):
            await ask(pool, limit=0.02)
        async with asyncio.timeout(LIMIT_SECONDS):
            while not engine.visits:  # it may have been taken by the kernel alone
                await asyncio.sleep(0.001)
        await asyncio.wait_for(engine.visits[0].over.wait(), LIMIT_SECONDS)


async def test_a_stalled_body_runs_into_its_limit() -> None:
    """A limit is for each wait."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED + chunk(b"a"))
        await visit.gone()

    async with (
        peer(talk) as engine,
        pooled(engine.url) as pool,
        pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply,
    ):
        assert b"a" == await reply.take(LIMIT_SECONDS)
        with pytest.raises(TransportTimeout):
            await reply.take(0.02)


async def test_a_shorter_limit_counts_after_a_longer_one() -> None:
    """A wait of hours that was not needed does not stretch the next."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        await asyncio.sleep(0)  # the head is waited for, with its long limit
        visit.send(CHUNKED)
        await visit.gone()

    async with (
        peer(talk) as engine,
        pooled(engine.url) as pool,
        asyncio.timeout(LIMIT_SECONDS),
        pool.ask("POST", "/x", b"", 3600.0) as reply,
    ):
        with pytest.raises(TransportTimeout):
            await reply.take(0.02)


async def test_a_reader_that_leaves_closes_the_connection() -> None:
    """At once, in the middle of the body."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED + chunk(b"a"))
        await visit.gone()

    async with peer(talk) as engine, pooled(engine.url) as pool:
        async with pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply:
            assert b"a" == await reply.take(LIMIT_SECONDS)
        await asyncio.wait_for(engine.visits[0].over.wait(), LIMIT_SECONDS)


async def test_a_cancelled_reader_closes_the_connection() -> None:
    """While it waits for the head as well."""
    async with peer(silent) as engine, pooled(engine.url) as pool:
        asking = asyncio.create_task(ask(pool))
        async with asyncio.timeout(LIMIT_SECONDS):
            while not engine.visits:
                await asyncio.sleep(0.001)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await asyncio.wait_for(engine.visits[0].over.wait(), LIMIT_SECONDS)


async def until_still(visit: Visit, sent: list[int]) -> int:
    """Wait until the peer can write no more; give how much it wrote."""
    before = -1
    while before != sent[0] or not visit.writer.transport.get_write_buffer_size():
        before = sent[0]
        await asyncio.sleep(0.05)
    return sent[0]


async def test_a_slow_reader_holds_the_engine_back() -> None:
    """Unread bytes are bounded; what was held back arrives once it is read."""
    total = 64 * MEBIBYTE
    sent = [0]

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(CHUNKED)
        piece = chunk(b"x" * 65536)
        while sent[0] < total:
            visit.send(piece)
            await visit.writer.drain()
            sent[0] += 65536
        visit.send(chunk(b""))
        await visit.request()

    async def read_all(reply: Reply) -> int:
        size = 0
        while piece := await reply.take(LIMIT_SECONDS):
            size += len(piece)
        return size

    async with peer(talk) as engine, pooled(engine.url) as pool:
        async with pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply:
            held = await asyncio.wait_for(until_still(engine.visits[0], sent), LIMIT_SECONDS)
            unread = reply._connection._unread
            assert total == await asyncio.wait_for(read_all(reply), LIMIT_SECONDS)
        # What the kernel buffers is its own affair; ours is a bound and the last read on top.
        assert unread <= MEBIBYTE
        assert held < total


async def test_a_large_answer_left_unread_does_not_come_back() -> None:
    """A connection that was held back when its answer ended is not given to the next request."""
    # Above the bound only with its last read, so that the end and the pause come together.
    body = b"x" * (300 * 1024)
    asked: list[int] = []
    whole = b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body)

    async def talk(visit: Visit) -> None:
        while await visit.request():
            visit.send(OK if asked else whole + body)
            asked.append(1)

    async with peer(talk) as engine, pooled(engine.url) as pool:
        async with pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply:
            async with asyncio.timeout(LIMIT_SECONDS):
                while not reply._connection.is_complete:
                    await asyncio.sleep(0.001)
            assert reply._connection._is_paused
        assert b"ok" == await ask(pool)


async def test_a_small_answer_left_unread_does_not_come_back() -> None:
    """Even if all of it had arrived."""
    async with peer(serve_ok) as engine, pooled(engine.url) as pool:
        async with pool.ask("POST", "/x", b"", LIMIT_SECONDS) as reply:
            async with asyncio.timeout(LIMIT_SECONDS):
                while not reply._connection.is_complete:
                    await asyncio.sleep(0.001)
        assert [b"ok", b"ok"] == [await ask(pool), await ask(pool)]


async def test_idle_connections_close_with_the_pool() -> None:
    """None is left open."""
    async with peer(serve_ok) as engine:
        async with pooled(engine.url) as pool:
            await ask(pool)
        await asyncio.wait_for(engine.visits[0].over.wait(), LIMIT_SECONDS)
