"""A small HTTP/1.1 server whose answers are exact to the byte.

Knows:  requests in, whole or chunked answers out, a connection that ends at any point.
Knows nothing of: TGI.
"""

import asyncio
import contextlib
import socket
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate
from http import HTTPStatus
from typing import Protocol
from urllib.parse import urlsplit

import httptools

Headers = list[tuple[str, str]]

# Of the loop, from a connection's acceptance to its protocol, and some more.
_ACCEPTING_TURNS = 5


class Exchange:
    """One request and the means to answer it."""

    def __init__(self, connection: "Connection", method: str, target: str, headers: dict[str, str]) -> None:
        """Hold a request whose body is still to come."""
        self.method = method
        self.path = urlsplit(target).path
        self.headers = headers
        self.body = b""
        self.is_too_large = False
        self.status: int | None = None
        self.gone = asyncio.Event()
        self._connection = connection
        self._is_chunked = False

    def respond(self, status: int, headers: Headers, body: bytes = b"") -> None:
        """Send a whole answer."""
        self._head(status, [*headers, ("content-length", str(len(body)))], body)
        self._connection.finish()

    def begin(self, status: int, headers: Headers) -> None:
        """Send the head of an answer whose body comes in chunks."""
        self._is_chunked = True
        self._head(status, [*headers, ("transfer-encoding", "chunked")])

    def write(self, data: bytes) -> None:
        """Send one chunk, in one write."""
        self._connection.write(b"%x\r\n%b\r\n" % (len(data), data))

    def end(self) -> None:
        """Close a chunked body as complete."""
        self._connection.write(b"0\r\n\r\n")
        self._connection.finish()

    def cut(self) -> None:
        """Break the connection off where it is."""
        self._connection.cut()

    def _head(self, status: int, headers: Headers, body: bytes = b"") -> None:
        self.status = status
        lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
        lines += [f"{name}: {value}" for name, value in headers]
        lines.append(f"date: {formatdate(usegmt=True)}")
        self._connection.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


class Application(Protocol):
    """What answers exchanges."""

    body_limit: int

    async def __call__(self, exchange: Exchange, /) -> None:
        """Answer one exchange, or cut it."""


class Connection(asyncio.Protocol):
    """One client's connection: a request at a time, in order."""

    def __init__(self, server: "Server") -> None:
        """Wait for the first request."""
        self._server = server
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target = b""
        self._headers: dict[str, str] = {}
        self._exchange: Exchange | None = None
        self._is_dispatched = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        # asyncio turns Nagle's algorithm off; TGI leaves it on (performance.md).
        sock: socket.socket = transport.get_extra_info("socket")
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0 if self._server.nagle else 1)
        self._server.connections.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the exchange in progress that its client has gone."""
        self._server.connections.discard(self)
        if self._exchange is not None:
            self._exchange.gone.set()

    def data_received(self, data: bytes) -> None:
        """Feed the parser; a malformed request ends the connection."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError:
            self.write(b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            self.finish(keep=False)

    def on_message_begin(self) -> None:
        """Start afresh."""
        self._target, self._headers, self._is_dispatched = b"", {}, False

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header."""
        self._headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """Make the exchange, and let a careful client send its body."""
        method = self._parser.get_method().decode()
        self._exchange = Exchange(self, method, self._target.decode("latin-1"), self._headers)
        if self._headers.get("expect", "").lower() == "100-continue":
            self.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        """Collect the body up to the limit, and answer at once past it."""
        exchange = self._exchange
        if exchange is None or self._is_dispatched:
            return
        exchange.body += body
        if len(exchange.body) > self._server.application.body_limit:
            exchange.is_too_large = True
            self._dispatch(exchange)

    def on_message_complete(self) -> None:
        """Answer."""
        if self._exchange is not None and not self._is_dispatched:
            self._dispatch(self._exchange)

    def _dispatch(self, exchange: Exchange) -> None:
        self._is_dispatched = True
        self._server.serve(exchange)

    def write(self, data: bytes) -> None:
        """Send, unless the client has gone."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def finish(self, *, keep: bool = True) -> None:
        """End the exchange; keep the connection if its client may."""
        exchange, self._exchange = self._exchange, None
        too_large = exchange is not None and exchange.is_too_large
        if self._transport is not None and (not keep or too_large or not self._parser.should_keep_alive()):
            self._transport.close()

    def cut(self) -> None:
        """Drop the connection with a reset."""
        if self._transport is not None:
            self._transport.abort()


class Server:
    """Listens on one loopback port, and can stop and start listening on it again."""

    def __init__(self, application: Application, *, port: int = 0, nagle: bool = False) -> None:
        """Reserve a port without listening: connections are refused until `listen`."""
        self.application = application
        self.nagle = nagle
        self.connections: set[Connection] = set()
        self.faults: list[BaseException] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._listening: asyncio.Server | None = None
        self._dying: asyncio.Task[None] | None = None
        self._socket = self._reserve(port)
        self.port: int = self._socket.getsockname()[1]

    @staticmethod
    def _reserve(port: int) -> socket.socket:
        reserved = socket.socket()
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind(("127.0.0.1", port))
        return reserved

    async def listen(self) -> None:
        """Accept connections from now on."""
        await self.dead()
        if self._listening is None:
            if self._socket.fileno() < 0:
                self._socket = self._reserve(self.port)
            loop = asyncio.get_running_loop()
            self._listening = await loop.create_server(lambda: Connection(self), sock=self._socket)

    def die(self) -> None:
        """Refuse and break every connection, as a killed process does; `dead` waits for the last.

        Order: who was accepted gets a protocol within the loop's next turns, and an asyncio server that is
        closed before leaves it to the collector. So this stops listening now, and closes behind them.
        """
        self._cut()
        listening, self._listening = self._listening, None
        if listening is None:
            self._socket.close()
            return
        loop = asyncio.get_running_loop()
        loop.remove_reader(self._socket.fileno())
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._dying = loop.create_task(self._bury(listening))

    async def dead(self) -> None:
        """Wait until a death is over."""
        if self._dying is not None:
            await self._dying

    async def _bury(self, listening: asyncio.Server) -> None:
        for _ in range(_ACCEPTING_TURNS):
            await asyncio.sleep(0)
        self._cut()
        listening.close()
        self._socket.close()

    def _cut(self) -> None:
        for connection in list(self.connections):
            connection.cut()

    def serve(self, exchange: Exchange) -> None:
        """Answer one exchange in a task of its own."""
        task = asyncio.get_running_loop().create_task(self._answer(exchange))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    async def _answer(self, exchange: Exchange) -> None:
        await self.application(exchange)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (fault := task.exception()) is not None:
            self.faults.append(fault)

    async def close(self) -> None:
        """Stop listening, break connections, end every task."""
        self.die()
        await self.dead()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def first(*waits: Callable[[], Awaitable[object]]) -> None:
    """Wait until one of several waits is over, and cancel the others.

    Cancel:  cancels all of them.
    """
    tasks = [asyncio.ensure_future(wait()) for wait in waits]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def now() -> float:
    """Seconds of the monotonic clock, shared by every process of the machine."""
    return time.monotonic()
