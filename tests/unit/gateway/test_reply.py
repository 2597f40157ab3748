"""A generation's log on its way to clients: the same bytes as sse-starlette's, to slow ones too."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from starlette.types import Message

from gateway.errors import EngineFailed, PaddockError
from gateway.generation import Generation
from gateway.routes import reply
from gateway.routes.reply import EventStream, Follow, FollowStyle
from gateway.streams import Log

SCOPE = {"type": "http", "method": "POST", "path": "/"}
STYLE = FollowStyle(heartbeat_seconds=0)


@dataclass
class Order:
    """What a reply asks of an order."""

    request_id: str = "req-1"


@dataclass
class Source:
    """A generation as a reply sees it."""

    log: Log
    error: PaddockError | None = None
    failed_first: bool = False
    is_granted: bool = True
    readers: int = 0
    order: Order = field(default_factory=Order)

    def join(self) -> None:
        """Count a reader."""
        self.readers += 1

    def leave(self) -> None:
        """Count one less."""
        self.readers -= 1

    def spans(self) -> dict[str, float]:
        """Give a wait."""
        return {"wait": 0.5}


class Client:
    """A server's end of one connection: what was sent, and whether more is taken."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.is_gone = asyncio.Event()

    @property
    def body(self) -> bytes:
        """Join what came."""
        return b"".join(message.get("body", b"") for message in self.messages)

    @property
    def status(self) -> int:
        """Give the status."""
        status: int = self.messages[0]["status"]
        return status

    async def send(self, message: Message) -> None:
        """Take a message, once the one before is through, as uvicorn does."""
        await self.takes.wait()
        if self.is_gone.is_set():
            return
        self.messages.append(message)
        if message["type"] == "http.response.body" and not message["more_body"]:
            self.is_gone.set()

    async def receive(self) -> Message:
        """Say that it left, or has all."""
        await self.is_gone.wait()
        return {"type": "http.disconnect"}


def follow(source: Source, style: FollowStyle = STYLE, after: int = 0) -> Follow:
    """Make an answer."""
    return Follow(cast(Generation, source), style, after=after)


@contextlib.asynccontextmanager
async def served(source: Source, *clients: Client, style: FollowStyle = STYLE) -> AsyncIterator[None]:
    """Serve some clients for the length of a block, and to their end."""
    async with asyncio.timeout(10), asyncio.TaskGroup() as group:
        for client in clients:
            group.create_task(follow(source, style)(SCOPE, client.receive, client.send))
        await asyncio.sleep(0)
        yield


async def until(is_so: Callable[[], bool]) -> None:
    """Let time pass until something is so."""
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0.001)


def written(log: Log) -> None:
    """Write an answer into a log."""
    log.append([b"data: 1\n\n", b"data: 2\n\n"])
    log.append([b"data: 3\n\n"])
    log.append([b"data: [DONE]\n\n"], is_last=True)
    log.close()


@pytest.mark.parametrize("keeps", [False, True])
async def test_the_answer_is_the_one_that_sse_starlette_would_give(*, keeps: bool) -> None:
    """Status, headers and bytes; only the time so far is ours alone."""
    answers: list[tuple[Any, ...]] = []
    for answer in (follow, lambda source: EventStream(source.log.read(), STYLE)):
        source, client = Source(Log(keeps=keeps)), Client()
        written(source.log)
        await answer(source)(SCOPE, client.receive, client.send)
        headers = dict(client.messages[0]["headers"])
        headers.pop(b"server-timing", None)
        answers.append((client.status, headers, client.body))

    assert answers[0] == answers[1]
    assert b"data: [DONE]\n\n" in answers[0][2]


async def test_a_frame_is_sent_in_the_call_that_appends_it() -> None:
    """Nobody has to wake up for it, and the last one brings the end of the body with it."""
    source, client = Source(Log(keeps=False)), Client()
    async with served(source, client):
        assert [] == client.messages
        source.log.append([b"a"])
        assert (200, b"a") == (client.status, client.body)
        source.log.append([b"b"])
        assert b"ab" == client.body
        source.log.append([b"z"], is_last=True)
        source.log.close()
        assert (b"z", False) == (client.messages[-1]["body"], client.messages[-1]["more_body"])

    assert 0 == source.readers


async def test_a_slow_reader_gets_all_and_holds_nobody_up() -> None:
    """What it does not take stays in the log, and goes out in one piece once it does."""
    source, slow, quick = Source(Log(keeps=True)), Client(), Client()
    async with served(source, slow, quick):
        source.log.append([b"a"])
        slow.takes.clear()
        for _ in range(100):
            source.log.append([b"b" * 1000])
        assert (1, 102) == (len(slow.messages) - 1, len(quick.messages))
        slow.takes.set()
        await until(lambda: slow.body == quick.body)
        # One that was under way when it stopped to read, and one with all that came since.
        assert 2 == len(slow.messages) - 2
        source.log.close()

    assert slow.body == quick.body


async def test_a_reader_may_leave_in_the_middle_of_a_push() -> None:
    """While its send waits: the others go on, and it is no reader any more."""
    source, leaves, stays = Source(Log(keeps=True)), Client(), Client()
    async with served(source, leaves, stays):
        source.log.append([b"a"])
        leaves.takes.clear()
        source.log.append([b"b"])
        leaves.is_gone.set()
        await until(lambda: source.readers == 1)
        source.log.append([b"c"])
        source.log.close()

    assert (b"id: 1\na", b"id: 1\naid: 2\nbid: 3\nc") == (leaves.body, stays.body)


async def test_an_error_before_the_first_frame_has_its_status() -> None:
    """One that comes behind a frame is a frame."""
    early, late = Source(Log(keeps=False)), Source(Log(keeps=False))
    for source, frames in ((early, []), (late, [b"data: 1\n\n"])):
        client = Client()
        async with served(source, client):
            source.log.append(frames)
            source.error, source.failed_first = EngineFailed("broken"), not frames
            source.log.append([b"data: {}\n\n"], is_last=True)
            source.log.close()
        assert (502 if not frames else 200) == client.status
        assert (b"data: {}" in client.body) is bool(frames)


async def test_a_status_is_not_held_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    """After the limit the head goes out without a frame."""
    monkeypatch.setattr(reply, "STATUS_HOLD_SECONDS", 0.01)
    source, client = Source(Log(keeps=False)), Client()
    async with served(source, client):
        await until(lambda: len(client.messages) == 1)
        assert (200, b"") == (client.status, client.body)
        written(source.log)

    assert client.body.endswith(b"data: [DONE]\n\n")


async def test_silence_is_broken_by_comments() -> None:
    """Once the head is out, again and again."""
    source, client = Source(Log(keeps=False)), Client()
    async with served(source, client, style=FollowStyle(heartbeat_seconds=0.01)):
        source.log.append([b"data: 1\n\n"])
        await until(lambda: client.body.count(b": keep-alive\n\n") == 2)
        source.log.close()

    assert client.body.startswith(b"data: 1\n\n: keep-alive\n\n")


async def test_a_cursor_that_was_forgotten_breaks_the_answer_and_not_the_generation() -> None:
    """What the log raises for a reader is the reader's, also when the log is in the middle of an append."""
    source, client = Source(Log(keeps=False)), Client()
    source.log.append([b"a", b"b"])
    assert [b"a", b"b"] == source.log.since(0)
    with pytest.raises(ExceptionGroup) as raised:
        async with served(source, client):
            source.log.append([b"c"])

    assert ["frames before 2 are gone"] == [str(one) for one in raised.value.exceptions]
