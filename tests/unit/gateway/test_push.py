"""A push: sent on the spot while the client takes it, finished by a task when it does not."""

import asyncio
from collections.abc import Callable

import pytest
from starlette.types import Message

from gateway.routes.push import SERVER_SEND, SERVER_WRITE, Push


class Client:
    """A server's send and receive, that can be held, broken and left."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.is_gone = asyncio.Event()
        self.error: Exception | None = None
        self.held = 0

    async def send(self, message: Message) -> None:
        """Take a message, once it may."""
        if not self.takes.is_set():
            self.held += 1
            try:
                # Twice: a send may wait more than once.
                await self.takes.wait()
                await asyncio.sleep(0)
            finally:
                self.held -= 1
        if self.error is not None:
            raise self.error
        self.sent.append(message["body"])
        if not message["more_body"]:
            self.is_gone.set()

    async def receive(self) -> Message:
        """Say that it left."""
        await self.is_gone.wait()
        return {"type": "http.disconnect"}


def body(data: bytes, *, has_more: bool = True) -> Message:
    """Make a message."""
    return {"type": "http.response.body", "body": data, "more_body": has_more}


def nothing() -> None:
    """Make nothing."""


async def until(is_so: Callable[[], bool]) -> None:
    """Let other tasks run until something is so."""
    async with asyncio.timeout(5):
        while not is_so():
            await asyncio.sleep(0)


async def test_what_is_taken_at_once_is_sent_in_the_call() -> None:
    """No task, no turn of the loop."""
    client = Client()
    push = Push(client.send, nothing)
    push.put(body(b"a"), body(b"b"))

    assert ([b"a", b"b"], True) == (client.sent, push.is_free)


async def test_a_send_that_waits_is_finished_by_a_task_and_asked_after() -> None:
    """Nothing is made meanwhile; behind it, in order, comes what was made since."""
    client, fresh = Client(), [b"c", b"d"]
    push = Push(client.send, lambda: push.put(body(b"".join(fresh))))
    client.takes.clear()
    push.put(body(b"a"), body(b"b"))
    push.tell()
    assert ([], False) == (client.sent, push.is_free)
    client.takes.set()
    await until(lambda: len(client.sent) == 3)

    assert ([b"a", b"b", b"cd"], True) == (client.sent, push.is_free)


async def test_the_end_of_the_answer_ends_the_push() -> None:
    """Nothing can follow it, and the watch for the client's leaving is over."""
    client = Client()
    push = Push(client.send, lambda: push.put(body(b"late")))
    push.put(body(b"a"), body(b"z", has_more=False))
    push.tell()
    async with asyncio.timeout(5):
        await push.until_gone(client.receive)

    assert ([b"a", b"z"], False) == (client.sent, push.is_free)


async def test_an_end_that_had_to_wait_ends_the_push_too() -> None:
    """The task that finishes it asks for no more."""
    client = Client()
    push = Push(client.send, lambda: push.put(body(b"late")))
    client.takes.clear()
    push.put(body(b"z", has_more=False))
    watching = asyncio.create_task(push.until_gone(client.receive))
    await until(lambda: client.held == 1)
    client.takes.set()
    async with asyncio.timeout(5):
        await watching

    assert ([b"z"], False) == (client.sent, push.is_free)


async def test_leaving_ends_a_send_that_waits() -> None:
    """The task is not left behind, and later news make nothing."""
    client = Client()
    push = Push(client.send, lambda: push.put(body(b"late")))
    client.takes.clear()
    push.put(body(b"a"))
    client.is_gone.set()
    await push.until_gone(client.receive)
    push.tell()
    await until(lambda: client.held == 0)

    assert ([], False) == (client.sent, push.is_free)


@pytest.mark.parametrize("waits", [False, True])
async def test_a_send_that_breaks_is_raised_where_the_client_is_watched(*, waits: bool) -> None:
    """Not in the callback that brought the token; nothing is sent behind it."""
    client = Client()
    push = Push(client.send, lambda: push.put(body(b"late")))
    watching = asyncio.create_task(push.until_gone(client.receive))
    await asyncio.sleep(0)
    client.error = RuntimeError("broken")
    if waits:
        client.takes.clear()
    push.put(body(b"a"))
    client.takes.set()

    with pytest.raises(RuntimeError, match="broken"):
        await asyncio.wait_for(watching, 5)
    push.tell()
    assert ([], 0, False) == (client.sent, watching.cancelling(), push.is_free)


async def test_what_cannot_be_made_is_raised_where_the_client_is_watched() -> None:
    """Even before it is."""
    client = Client()

    def broken() -> None:
        raise LookupError("not there")

    push = Push(client.send, broken)
    push.tell()

    with pytest.raises(LookupError, match="not there"):
        await push.until_gone(client.receive)


async def test_a_watch_that_is_cancelled_is_cancelled() -> None:
    """The server's own cancellation is no error of a send."""
    client = Client()
    push = Push(client.send, nothing)
    watching = asyncio.create_task(push.until_gone(client.receive))
    await asyncio.sleep(0)
    watching.cancel()

    with pytest.raises(asyncio.CancelledError):
        await watching
    assert not push.is_free


async def test_bodies_go_past_the_layers_once_the_head_is_out() -> None:
    """Where the scope has the server's own send."""
    layers, server = Client(), Client()
    push = Push(layers.send, nothing)
    push.put(body(b"head"))
    push.shorten({})
    push.put(body(b"one"))
    push.shorten({SERVER_SEND: server.send})
    push.put(body(b"two"))

    assert ([b"head", b"one"], [b"two"]) == (layers.sent, server.sent)


async def test_a_piece_goes_the_servers_short_way_once_the_head_was_put() -> None:
    """Before, and where a server has none, it is a message like any other."""
    client, written = Client(), list[bytes]()

    def write(data: bytes) -> bool:
        written.append(data)
        return True

    push = Push(client.send, nothing)
    push.write(b"a")
    push.shorten({SERVER_WRITE: write})
    push.write(b"b")
    push.put(body(b"c", has_more=False))

    assert ([b"a", b"c"], [b"b"]) == (client.sent, written)


async def test_what_the_short_way_does_not_take_waits_in_a_send() -> None:
    """What comes meanwhile is asked for when the client has taken that."""
    client, fresh = Client(), [b"b"]
    push = Push(client.send, lambda: push.write(fresh.pop()) if fresh else None)
    push.shorten({SERVER_WRITE: lambda _: False})
    client.takes.clear()
    push.write(b"a")
    push.tell()
    assert ([], False) == (client.sent, push.is_free)
    client.takes.set()
    await until(lambda: len(client.sent) == 2)

    assert [b"a", b"b"] == client.sent


async def test_a_short_way_that_breaks_is_told_where_the_client_is_watched() -> None:
    """As a send that breaks is."""

    def write(_: bytes) -> bool:
        raise OSError("broken")

    client = Client()
    push = Push(client.send, nothing)
    push.shorten({SERVER_WRITE: write})
    push.write(b"a")

    with pytest.raises(OSError, match="broken"):
        await push.until_gone(client.receive)
