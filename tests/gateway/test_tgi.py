"""TGI's wire over real connections: limits, ends, and answers that are not TGI's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.chat import Batch
from gateway.errors import (
    EngineCutOff,
    EngineFailed,
    EngineOverloaded,
    EngineRejected,
    EngineUnreachable,
    FirstTokenTimeout,
    GapTimeout,
)
from gateway.tgi import Info, Limits, Tgi, TokenSpan
from tests.gateway.peer import CHUNKED, LIMIT_SECONDS, Peer, Talk, Visit, chunk, peer
from tests.unit.gateway.wire import error, final, token

HEAD = CHUNKED.replace(b"\r\n\r\n", b"\r\ncontent-type: text/event-stream\r\n\r\n")
PATIENT = Limits(connect_seconds=5.0, first_token_seconds=LIMIT_SECONDS, gap_seconds=LIMIT_SECONDS)


@asynccontextmanager
async def engine(talk: Talk, limits: Limits = PATIENT) -> AsyncIterator[tuple[Tgi, Peer]]:
    """An engine that does as it is told, and its client."""
    async with peer(talk) as served:
        tgi = Tgi(served.url, limits)
        try:
            yield tgi, served
        finally:
            tgi.close()


async def texts(tgi: Tgi, into: list[str] | None = None) -> list[str]:
    """Stream a generation to its end."""
    shown: list[str] = [] if into is None else into

    def give(batch: Batch) -> bool:
        shown.extend(json.loads(delta) for delta in batch.deltas)
        return True

    await tgi.generate(b"{}", give)
    return shown


def says(*chunks: bytes, ends: bool = True) -> Talk:
    """Make an engine that streams chunks to each request, and ends the body or stays silent."""

    async def talk(visit: Visit) -> None:
        while await visit.request():
            visit.send(HEAD)
            for one in chunks:
                visit.send(chunk(one))
                await visit.writer.drain()
            if not ends:
                await visit.gone()
                return
            visit.send(chunk(b""))

    return talk


def answers(status: str, body: bytes) -> Talk:
    """Make an engine that gives every request the same whole answer."""

    async def talk(visit: Visit) -> None:
        while await visit.request():
            visit.send(f"HTTP/1.1 {status}\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body)

    return talk


async def test_a_generation_keeps_its_connection() -> None:
    """Two in a row use one."""
    async with engine(says(token("a"), final())) as (tgi, served):
        assert [["a"]] * 2 == [await texts(tgi), await texts(tgi)]
        assert 1 == len(served.visits)


async def test_an_end_without_a_final_event_is_an_error() -> None:
    """A cut stream looks like success; it is not one. The text before it was given."""
    shown: list[str] = []
    async with engine(says(token("a"))) as (tgi, _):
        with pytest.raises(EngineCutOff, match="before its final event"):
            await texts(tgi, shown)
    assert ["a"] == shown


async def test_a_broken_connection_is_an_error_behind_the_text() -> None:
    """The same for a reset."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(HEAD + chunk(token("a")))

    shown: list[str] = []
    async with engine(talk) as (tgi, _):
        with pytest.raises(EngineCutOff, match="broke"):
            await texts(tgi, shown)
    assert ["a"] == shown


async def test_a_stream_that_breaks_at_once_was_not_reached() -> None:
    """No byte of an answer: another attempt can be made."""

    async def talk(visit: Visit) -> None:
        await visit.request()

    async with engine(talk) as (tgi, _):
        with pytest.raises(EngineUnreachable) as unreachable:
            await texts(tgi)
    assert 5 == unreachable.value.retry_after_seconds


async def test_an_error_event_is_raised() -> None:
    """Alone, before any token."""
    async with engine(says(error("Model is overloaded", "overloaded"))) as (tgi, _):
        with pytest.raises(EngineOverloaded):
            await texts(tgi)


async def test_an_error_behind_a_token_is_raised_at_once() -> None:
    """Even if the engine then leaves the connection open."""
    shown: list[str] = []
    told = token("a") + error("Request failed", "generation")
    async with engine(says(told, ends=False)) as (tgi, served):
        with pytest.raises(EngineFailed, match="Request failed"):
            await texts(tgi, shown)
        await asyncio.wait_for(served.visits[0].over.wait(), LIMIT_SECONDS)
    assert ["a"] == shown


@pytest.mark.parametrize(
    ("status", "body", "expected"),
    [
        ("422 Unprocessable Entity", b"Failed to deserialize", EngineRejected),
        ("429 Too Many Requests", b'{"error":"full","error_type":"overloaded"}', EngineOverloaded),
        ("401 Unauthorized", b"", EngineFailed),
    ],
)
async def test_a_refusal_by_status_is_translated(status: str, body: bytes, expected: type[Exception]) -> None:
    """Before a stream begins, errors come as they do on the other routes."""
    async with engine(answers(status, body)) as (tgi, _):
        with pytest.raises(expected):
            await texts(tgi)


def keeps_alive(*first: bytes) -> Talk:
    """Make an engine that sends some events, then comments for ever."""

    async def talk(visit: Visit) -> None:
        await visit.request()
        visit.send(HEAD)
        for one in first:
            visit.send(chunk(one))
        while not visit.reader.at_eof():
            visit.send(chunk(b":\n\n"))
            await visit.writer.drain()
            await asyncio.sleep(0.005)

    return talk


async def test_comments_are_no_first_token() -> None:
    """An engine that stalls and says so every few seconds has stalled."""
    limits = Limits(connect_seconds=5.0, first_token_seconds=0.05, gap_seconds=LIMIT_SECONDS)
    async with asyncio.timeout(LIMIT_SECONDS), engine(keeps_alive(), limits) as (tgi, _):
        with pytest.raises(FirstTokenTimeout):
            await texts(tgi)


async def test_comments_are_no_next_token() -> None:
    """The same between two tokens; and the shorter limit holds after the longer."""
    limits = Limits(connect_seconds=5.0, first_token_seconds=3600.0, gap_seconds=0.05)
    shown: list[str] = []
    async with asyncio.timeout(LIMIT_SECONDS), engine(keeps_alive(token("a")), limits) as (tgi, _):
        with pytest.raises(GapTimeout):
            await texts(tgi, shown)
    assert ["a"] == shown


async def test_a_reader_that_stops_closes_the_connection() -> None:
    """That is what frees the GPU."""
    async with engine(says(token("a"), ends=False)) as (tgi, served):
        await tgi.generate(b"{}", lambda _: False)
        await asyncio.wait_for(served.visits[0].over.wait(), LIMIT_SECONDS)


async def test_info_and_tokens_are_read() -> None:
    """What of TGI's answers is used."""
    body = b'{"model_id":"m","max_total_tokens":4096,"router":"x"}'
    async with engine(answers("200 OK", body)) as (tgi, _):
        assert Info("m", 4096) == await tgi.info()
    async with engine(answers("200 OK", b'[{"id":7,"text":"a","start":0,"stop":1}]')) as (tgi, _):
        assert [TokenSpan(7, "a", 0, 1)] == await tgi.tokenize("a")


@pytest.mark.parametrize(
    ("body", "count"),
    [
        (b"[]", 0),
        (b'[{"id":7,"text":"a","start":0,"stop":1},{"id":8,"text":"{\\"id\\":","start":1,"stop":7}]', 2),
        (b'[ {"text": "a", "id": 7, "start": 0, "stop": 1} ]', 1),
    ],
)
async def test_tokens_are_counted_without_reading_them(body: bytes, count: int) -> None:
    """Also where one of them looks like an entry, and where another server writes them differently."""
    async with engine(answers("200 OK", body)) as (tgi, _):
        assert count == await tgi.count("a")


async def test_counting_says_why_it_could_not() -> None:
    """The engine's own refusal, or that it is no engine."""
    refusal = answers("422 Unprocessable Entity", b'{"error":"no","error_type":"validation"}')
    async with engine(refusal) as (tgi, _):
        with pytest.raises(EngineRejected, match="no"):
            await tgi.count("a")
    async with engine(answers("200 OK", b"<html>")) as (tgi, _):
        with pytest.raises(EngineFailed, match="is not TGI: /tokenize"):
            await tgi.count("a")


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"model_id":"m","max_total_tokens":null}', b"7"])
async def test_what_is_not_tgi_is_said_so(body: bytes) -> None:
    """Another server on the address is an engine error, and not a defect of ours."""
    async with engine(answers("200 OK", body)) as (tgi, _):
        with pytest.raises(EngineFailed, match="is not TGI: /info"):
            await tgi.info()
    async with engine(answers("200 OK", b"[1]" if body in (b"[]", b"{}") else body)) as (tgi, _):
        with pytest.raises(EngineFailed, match="is not TGI: /tokenize"):
            await tgi.tokenize("a")
