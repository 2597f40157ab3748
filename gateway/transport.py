"""HTTP/1.1 to one engine over pooled connections, for bodies that arrive in small pieces.

An own client on httptools, because relaying a token is mostly the cost of receiving it: a
general-purpose client costs 16 to 60 µs more per token (measured, see ARCHITECTURE.md, "Costs").

Knows connections, limits and bytes. Knows nothing of TGI, JSON or events.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from typing import cast
from urllib.parse import urlsplit

import httptools

# Above this many unread bytes the socket is not read, so a slow consumer holds the engine back
# instead of filling our memory: 256 KiB is about a thousand TGI events.
_HIGH_WATER_BYTES = 256 * 1024
# uvicorn closes an idle connection after 5 s, hyper never: stay below both.
_IDLE_SECONDS = 4.0
_QUICKACK = getattr(socket, "TCP_QUICKACK", None)


class TransportError(Exception):
    """No connection, or it broke; is_fresh says that nothing of the answer had arrived."""

    def __init__(self, message: str, *, is_fresh: bool) -> None:
        super().__init__(message)
        self.is_fresh = is_fresh


class TransportTimeout(Exception):
    """A limit passed without a byte."""


class _Connection(asyncio.Protocol):
    """One connection and the answer that is being read from it."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.idle_since = 0.0
        self.uses = 0
        self._loop = asyncio.get_running_loop()
        self._socket: socket.socket | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._pour: Callable[[bytes], bool] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._lost: str | None = None
        self._reset()

    def _reset(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.headers: dict[str, str] = {}
        self.has_head = False
        self.is_complete = False
        self.can_be_kept = False
        self._pieces: list[bytes] = []
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
        # waits some 40 ms for ours. The kernel clears the flag, so it is set after each read.
        if _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._lost = f"not HTTP: {error}"
            self.close()
        if self._pour is None:
            self._wake()
            return
        if self._pieces:
            self._hand_over(self._pour)
        if self.is_complete or self._lost is not None:
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

    def on_body(self, body: bytes) -> None:
        self._pieces.append(body)
        self._unread += len(body)
        if self._unread > _HIGH_WATER_BYTES and not self._is_paused and self.transport is not None:
            self._is_paused = True
            self.transport.pause_reading()

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
        self._deadline = self._loop.time() + limit_seconds
        if self._timer is not None and self._timer.when() > self._deadline:
            self._timer.cancel()
            self._timer = None
        if self._timer is None:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _hand_over(self, into: Callable[[bytes], bool]) -> None:
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        try:
            if into(self._taken()):
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
            self._timer = None
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
        self._timer = None
        if self._waiter is None or self._waiter.done():
            return
        if self._loop.time() >= self._deadline:
            self._waiter.set_exception(TransportTimeout())
        else:
            self._timer = self._loop.call_at(self._deadline, self._on_timer)

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)


class Reply:
    """An answer whose head has arrived and whose body is still to be read."""

    def __init__(self, connection: _Connection) -> None:
        self._connection = connection
        self.status: int = connection.parser.get_status_code()
        self.headers: Mapping[str, str] = connection.headers

    async def take(self, limit_seconds: float) -> bytes:
        """Give all bytes that arrived since the last call, b"" at the end.

        Raises: TransportTimeout after limit_seconds without a byte, TransportError when it broke.
        """
        return await self._connection.take(limit_seconds)

    async def pour(self, into: Callable[[bytes], bool], limit_seconds: float) -> None:
        """Hand every read's bytes to a function, right where they arrive, until it says False.

        No task is woken for a read, which is what makes relaying a token cheap. The function must be
        quick, may call extend, and what it raises is raised here.

        Raises: TransportTimeout once the deadline passes, TransportError when it broke.
        """
        await self._connection.pour(into, limit_seconds)

    def extend(self, limit_seconds: float) -> None:
        """Move the deadline of what is being poured to so many seconds from now."""
        self._connection.extend(limit_seconds)

    async def whole(self, limit_seconds: float) -> bytes:
        """Read the body to its end."""
        pieces = []
        while piece := await self.take(limit_seconds):
            pieces.append(piece)
        return b"".join(pieces)


class Pool:
    """Connections to one engine.

    Units:  every limit is in seconds.
    Closes: a connection whose answer was not read to its end, so the engine notices at once.
    """

    def __init__(self, url: str, connect_limit_seconds: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._authority = parts.netloc
        self._connect_limit_seconds = connect_limit_seconds
        self._idle: list[_Connection] = []

    @contextlib.asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        body: bytes,
        head_limit_seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Reply]:
        """Send a request and hold its answer open for the length of the block.

        Raises: TransportError, TransportTimeout.
        """
        request = self._request(method, path, body, headers or {})
        connection = self._pooled()
        try:
            if connection is not None:
                try:
                    connection.send(request)
                    await connection.head(head_limit_seconds)
                except TransportError as error:
                    # An idle connection may have been closed by the other side just now: no byte of
                    # an answer came, so the same request goes out once more on a new one.
                    if not error.is_fresh:
                        raise
                    connection.close()
                    connection = None
            if connection is None:
                connection = await self._connect()
                connection.send(request)
                await connection.head(head_limit_seconds)
            yield Reply(connection)
        finally:
            if connection is not None:
                self._put_back(connection)

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._authority}", "accept: */*"]
        if method == "POST":
            lines.append("content-type: application/json")
        lines.append(f"content-length: {len(body)}")
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def _pooled(self) -> _Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_limit_seconds):
                _, connection = await loop.create_connection(_Connection, self._host, self._port)
        except TimeoutError:
            raise TransportError("no connection in time", is_fresh=True) from None
        except OSError as error:
            raise TransportError(error.strerror or str(error), is_fresh=True) from None
        return connection

    def _put_back(self, connection: _Connection) -> None:
        if connection.is_usable and connection.can_be_kept and connection.is_read:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()
