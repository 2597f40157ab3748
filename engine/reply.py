"""One HTTP answer of the inner server, read as it comes.

Knows: HTTP's framing, when to read and when to let tokens gather.
Knows nothing of: what is in the answer, apart from the form of an error.
"""

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self, cast

import httptools
import orjson

from engine.errors import GenerationFailed

# A stream is read at most once per tick, and all streams at the same ones, so that a fast model's tokens
# travel several to a system call. Nothing is delayed that comes later than a tick after what came before.
# Measured with the demo model, 8 streams on 2 cores, 2 threads: 0.73 of llama.cpp's own tokens/s without
# ticks, 0.90 with 10 ms.
TICK_SECONDS = 0.01


class Reply(asyncio.Protocol):
    """One HTTP answer, read as it comes. sent -> reading -> ended or closed.

    `on_end` is called once, when the inner server is done with the request for whatever reason.
    Reading never pauses: a slow reader must not hold a slot.
    """

    def __init__(self, request: bytes, on_end: Callable[[], None] | None) -> None:
        self._request = request
        self._on_end = on_end
        self._parser = httptools.HttpResponseParser(self)
        self._body = bytearray()
        self._wake: asyncio.Future[None] | None = None
        self._transport: asyncio.Transport | None = None
        self.status = 0
        self.is_complete = False
        self.is_ended = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the request."""
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        """Parse what came and wake the reader; the next piece is taken from the socket at the next tick."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.close()
        self._notify()
        # The head of the answer often comes alone, and the first token must not wait for a tick.
        if self._body and self._on_end is not None and self._transport is not None and not self.is_ended:
            self._transport.pause_reading()
            loop = asyncio.get_running_loop()
            loop.call_at((loop.time() // TICK_SECONDS + 1) * TICK_SECONDS, self._resume)

    def _resume(self) -> None:
        if self._transport is not None and not self._transport.is_closing():
            self._transport.resume_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        """Note the end, expected or not."""
        self._end()

    def on_headers_complete(self) -> None:
        """Take the status from the parser."""
        self.status = self._parser.get_status_code()

    def on_body(self, data: bytes) -> None:
        """Take a piece of the body from the parser."""
        self._body += data

    def on_message_complete(self) -> None:
        """Note that the answer is whole."""
        self.is_complete = True
        self._end()

    def _end(self) -> None:
        if not self.is_ended:
            self.is_ended = True
            if self._on_end is not None:
                self._on_end()
            self._notify()

    def _notify(self) -> None:
        if self._wake is not None and not self._wake.done():
            self._wake.set_result(None)

    async def read(self) -> bytes:
        """Give what has come since the last call; empty at the end.

        Waits on: the next piece, unless one is there.
        """
        while not self._body and not self.is_ended:
            self._wake = asyncio.get_running_loop().create_future()
            try:
                await self._wake
            finally:
                self._wake = None
        data = bytes(self._body)
        self._body.clear()
        return data

    async def whole(self) -> bytes:
        """Give the whole body.

        Raises: GenerationFailed where the connection ends before it.
        """
        pieces = []
        while piece := await self.read():
            pieces.append(piece)
        if not self.is_complete:
            raise GenerationFailed("the inference server closed the connection")
        return b"".join(pieces)

    def close(self) -> None:
        """Close the connection, which cancels what still runs for it. Idempotent."""
        if self._transport is not None:
            # Order: abort rather than close, so that the other side sees it now, whatever is unread.
            self._transport.abort()
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def reason_of(data: bytes) -> str:
    """Take the message out of an inner error answer."""
    try:
        return str(orjson.loads(data)["error"]["message"])
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return data.decode("utf-8", "replace")[:300] or "no reason given"
