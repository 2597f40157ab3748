"""One HTTP exchange: reading a JSON body, replying, keeping a stream alive, noticing that a client left.

Knows: ASGI messages.
Knows nothing of: routes, generations.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, MutableMapping
from typing import Any

from engine.body import BODY_LIMIT, Body, parse_body, refuse_content_type
from engine.errors import BodyRefused
from engine.wire import KEEP_ALIVE

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Heartbeat:
    """Sends a body's pieces, and a comment whenever none has been sent for a while."""

    def __init__(self, send: Send, seconds: float) -> None:
        self._send = send
        self._seconds = seconds
        self._loop = asyncio.get_running_loop()
        self._sent_at = self._loop.time()
        self._task = asyncio.create_task(self._beat())

    async def send(self, data: bytes) -> None:
        """Send a piece."""
        self._sent_at = self._loop.time()
        await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def _beat(self) -> None:
        while True:
            idle = self._loop.time() - self._sent_at
            if idle >= self._seconds:
                await self.send(KEEP_ALIVE)
            else:
                await asyncio.sleep(self._seconds - idle)

    def stop(self) -> None:
        """Send no more comments."""
        self._task.cancel()


async def disconnected(receive: Receive) -> None:
    """Return when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass


async def read_body(scope: Scope, receive: Receive) -> Body:
    """Read a JSON body, in the order in which TGI's framework refuses.

    Raises: BodyRefused; CancelledError has no part here, a client that leaves sends no body.
    """
    headers = dict(scope["headers"])
    refuse_content_type(headers.get(b"content-type", b"").decode("latin-1"))
    pieces = bytearray()
    while True:
        message = await receive()
        pieces += message.get("body", b"")
        if len(pieces) > BODY_LIMIT:
            raise BodyRefused(413, "Failed to buffer the request body: length limit exceeded")
        if not message.get("more_body", False):
            return parse_body(bytes(pieces))


async def reply(
    send: Send, status: int, body: bytes = b"", headers: Iterable[tuple[bytes, bytes]] = ()
) -> None:
    """Send a whole answer."""
    head = [*headers, (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})
