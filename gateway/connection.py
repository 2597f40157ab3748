"""One HTTP/1.1 connection to an engine, and the answer that is being read from it.

An own client on httptools, because relaying a token is mostly the cost of receiving it: a
general-purpose client costs 16 to 60 µs more per token (performance figures in ARCHITECTURE.md).

Knows bytes, limits and when a connection broke. Knows nothing of TGI, JSON or events.
"""

import asyncio
import math
import socket
from collections.abc import Callable
from typing import cast

import httptools

# Above this many unread bytes the socket is not read, so a slow consumer holds the engine back
# instead of filling our memory: 256 KiB is about a thousand TGI events.
_HIGH_WATER_BYTES = 256 * 1024
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class TransportError(Exception):
    """No connection, or it broke; is_fresh says that nothing of the answer had arrived."""

    def __init__(self, message: str, *, is_fresh: bool) -> None:
        super().__init__(message)
        self.is_fresh = is_fresh


class TransportTimeout(Exception):
    """A limit passed without a byte."""


class Connection(asyncio.Protocol):
    """One connection and the answer that is being read from it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self.uses = 0
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._now = self._loop.time
        self._waiter: asyncio.Future[None] | None = None
        self._pour: Callable[[bytes], bool] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = math.inf
        self._lost: str | None = None
        self._reset()

    def _reset(self) -> None:
        self._pieces: list[bytes] = []
        # The parser calls it for every chunk, and each token is a chunk: the list's own method costs least.
        self.on_body = self._pieces.append
        self.parser = httptools.HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.is_complete = False
        self.can_be_kept = False
        self._unread = 0
        self._is_paused = False

    # asyncio.Protocol

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # What create_connection gives is one; uvloop's does not say so by its class.
        self.transport = cast(asyncio.Transport, transport)
        # uvloop's own socket object makes a new one for each call; this one is made once.
        self._socket = socket.socket(fileno=transport.get_extra_info("socket").fileno())

    def data_received(self, data: bytes) -> None:
        # TGI leaves Nagle's algorithm on: with delayed acknowledgements every second small event
        # waits some 40 ms for ours. The kernel delays them where both sides talk, so the flag is cleared
        # by each request that goes out, and by nothing while its answer comes in.
        if not self.has_head and _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = f"not HTTP: {error}"
            self.close()
        pieces = self._pieces
        if self._pour is not None:
            if pieces:
                # Nothing that is poured is held back, so there is no more to taking it.
                data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
                pieces.clear()
                self._hand_over(data, self._pour)
            if not self.is_complete and self._lost is None:
                return
        elif pieces:
            self._unread += len(data)
            if self._unread > _HIGH_WATER_BYTES and not self._is_paused and self.transport is not None:
                self._is_paused = True
                self.transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost = self._lost or (str(exc) if exc else "closed by the engine")
        if self._socket is not None:
            # The descriptor is the transport's, which closes it.
            self._socket.detach()
            self._socket = None
        self._wake()

    # httptools

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        self.has_head = True

    def on_message_complete(self) -> None:
        self.is_complete = True
        self.can_be_kept = self.parser.should_keep_alive()

    # for Reply

    @property
    def is_usable(self) -> bool:
        return self._lost is None and self.transport is not None and not self.transport.is_closing()

    @property
    def is_read(self) -> bool:
        """Say whether nothing waits to be taken; a connection that was held back may still be paused."""
        return not self._pieces

    def send(self, request: bytes) -> None:
        assert self.transport is not None  # set before create_connection returns
        if self.uses:
            self._reset()
        self.uses += 1
        self.transport.write(request)

    async def head(self, limit_seconds: float) -> None:
        while not self.has_head:
            self._raise_if_lost()
            await self._wait(limit_seconds)

    async def take(self, limit_seconds: float) -> bytes:
        """Give all body bytes that arrived since the last call, b"" at the end of the answer."""
        while not self._pieces:
            if self.is_complete:
                return b""
            self._raise_if_lost()
            await self._wait(limit_seconds)
        return self._taken()

    async def pour(self, into: Callable[[bytes], bool], limit_seconds: float) -> None:
        """Hand the body on in the callbacks that bring it, until it ends or is enough."""
        self.extend(limit_seconds)
        if self._pieces and not into(self._taken()):
            return
        if self.is_complete:
            return
        self._raise_if_lost()
        self._pour, self._waiter = into, self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._pour = self._waiter = None
        if not self.is_complete:
            self._raise_if_lost()

    def extend(self, limit_seconds: float) -> None:
        """Move the deadline to so many seconds from now."""
        # One timer that is moved, not made anew, per read: arming one costs more than a token. Only a
        # deadline before the timer's, after a longer limit that was not needed, takes a new one.
        self._deadline = deadline = self._now() + limit_seconds
        if deadline < self._timer_at:
            self._arm(deadline)

    def _arm(self, when: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer_at = when
        self._timer = self._loop.call_at(when, self._on_timer)

    def _hand_over(self, data: bytes, into: Callable[[bytes], bool]) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        try:
            if into(data):
                return
            waiter.set_result(None)
        except Exception as error:  # noqa: BLE001 - raised where the pouring is awaited
            waiter.set_exception(error)
        self._pour = None

    def _taken(self) -> bytes:
        taken = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._unread = 0
        if self._is_paused and self.transport is not None:
            self._is_paused = False
            self.transport.resume_reading()
        return taken

    def close(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer, self._timer_at = None, math.inf
        if self.transport is not None:
            # abort: what is still unsent is a request nobody waits for any more, and the engine
            # must see the connection end now.
            self.transport.abort()

    def _raise_if_lost(self) -> None:
        if self._lost is not None:
            raise TransportError(self._lost, is_fresh=not self.has_head)

    async def _wait(self, limit_seconds: float) -> None:
        self.extend(limit_seconds)
        self._waiter = self._loop.create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None

    def _on_timer(self) -> None:
        self._timer, self._timer_at = None, math.inf
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._deadline:
            self._waiter.set_exception(TransportTimeout())
        else:
            self._arm(self._deadline)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
