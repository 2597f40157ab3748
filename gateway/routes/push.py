"""Messages to one client, sent in the callback that made them, while the server takes them at once.

A task that waits for news costs a wake-up of it and a turn of the loop for every token. Here the first
step of the server's send is taken on the spot; only a send that has to wait, because the client reads
slowly, is finished by a task.

Knows ASGI. Knows nothing of logs or what is sent.
"""

import asyncio
import types
from collections.abc import Callable, Generator, Iterator
from typing import Any

from starlette.types import Message, Receive, Scope, Send

# Where a scope has the server's own send, without what the layers in between do to the head of an answer.
SERVER_SEND = "paddock.server_send"

# Where a scope may have the server's short way for a piece of a body: a Write.
SERVER_WRITE = "paddock.server_write"

# Sends a piece of a body whose head was sent, and does not end it; False if that is not possible now.
Write = Callable[[bytes], bool]

# What an awaitable does step by step, and what it waits for in between.
_Steps = Generator[Any, Any, None]


class Push:
    """The way to one client, for whoever makes what it gets.

    make is called when there may be something to send and the client takes it; it puts it.

    States: free -> blocked -> free ... -> over. Blocked is between a send that had to wait and its end;
    make is then called again. Over is behind the last message of the answer, an error, or the leaving.
    """

    def __init__(self, send: Send, make: Callable[[], None]) -> None:
        self._send = send
        self._make = make
        self._write: Write | None = None
        self._task: asyncio.Task[None] | None = None
        self._limit: asyncio.Timeout | None = None
        self._error: Exception | None = None
        self._is_over = False
        self.is_free = True

    def shorten(self, scope: Scope) -> None:
        """Send from now on past the layers that only look at an answer's head, which was put."""
        self._send = scope.get(SERVER_SEND, self._send)
        self._write = scope.get(SERVER_WRITE)

    def tell(self) -> None:
        """Take note that there may be something to send. Never raises."""
        if self.is_free:
            try:
                self._make()
            except Exception as error:  # noqa: BLE001 - raised where the client is watched
                self._fail(error)

    def write(self, body: bytes) -> None:
        """Send a piece of a body that is not the last, while free. Never raises."""
        try:
            if self._write is not None and self._write(body):
                return
        except Exception as error:  # noqa: BLE001 - raised where the client is watched
            self._fail(error)
            return
        self.put({"type": "http.response.body", "body": body, "more_body": True})

    def put(self, *messages: Message) -> None:
        """Send messages, in order, while free. Never raises."""
        left = iter(messages)
        try:
            for message in left:
                steps = self._send(message).__await__()
                try:
                    waited = next(steps)
                except StopIteration:
                    continue
                self.is_free = False
                self._task = asyncio.create_task(self._finish(steps, waited, left))
                break
        except Exception as error:  # noqa: BLE001 - raised where the client is watched
            self._fail(error)
        if not messages[-1].get("more_body", True):
            self._is_over = True
            self.is_free = False

    async def until_gone(self, receive: Receive) -> None:
        """Wait until the client has left, or the whole answer was sent: ASGI tells both alike.

        Raises: what a send raised, or what was made for it.
        """
        try:
            if self._error is not None:
                raise self._error
            async with asyncio.timeout(None) as self._limit:
                while (await receive())["type"] != "http.disconnect":
                    pass
        except TimeoutError:
            if self._error is None:
                raise
            raise self._error from None
        finally:
            self._is_over = True
            self.is_free = False
            # Whoever makes has this in turn: a circle, which only the collector would find.
            self._make, self._limit = _nothing, None
            if self._task is not None:
                self._task.cancel()
                self._task = None

    async def _finish(self, steps: _Steps, waited: Any, left: Iterator[Message]) -> None:
        try:
            await _resumed(steps, waited)
            for message in left:
                await self._send(message)
        except Exception as error:  # noqa: BLE001 - raised where the client is watched
            self._fail(error)
            return
        self._task = None
        self.is_free = not self._is_over
        self.tell()

    def _fail(self, error: Exception) -> None:
        self._error = self._error or error
        self._is_over = True
        self.is_free = False
        if self._limit is not None:
            # Ends until_gone in the way in which a limit that passes does.
            self._limit.reschedule(asyncio.get_running_loop().time())


def forget_ways(scope: Scope) -> None:
    """Take the server's ways out of a scope that is over.

    They belong to what has the scope: a circle, which only the garbage collector would find.
    """
    scope.pop(SERVER_SEND, None)
    scope.pop(SERVER_WRITE, None)


def _nothing() -> None:
    """Make nothing: the answer is over."""


@types.coroutine
def _resumed(steps: _Steps, waited: Any) -> _Steps:
    """Go on with an awaitable that waits for something since its first step."""
    try:
        while True:
            try:
                came = yield waited
            except BaseException as error:  # noqa: BLE001 - handed on, a cancellation above all
                waited = steps.throw(error)
            else:
                waited = steps.send(came)
    except StopIteration:
        return
