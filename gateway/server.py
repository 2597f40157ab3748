"""The server's side of a connection: uvicorn's own, with a limit on a request's head and on its slowness.

uvicorn reads a head of any size and waits for the rest of a request for ever, so that one client could fill
the memory or hold all connections.

Knows heads, bodies' arrival and connections. Knows nothing of routes.
"""

import asyncio
import secrets

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from gateway.errors import HeadTooLarge, PaddockError, RequestInvalid, RequestTimeout
from gateway.routes.push import SERVER_WRITE, Write
from gateway.schema import error_body

# A browser's largest cookies and a long question in the path fit many times; nginx takes 32 KiB.
HEAD_LIMIT_BYTES = 64 * 1024
# From the connection, or a request's first byte, to the end of its head. A browser's spare connections
# are silent for long, and open a new one when they find theirs closed.
HEAD_LIMIT_SECONDS = 30.0
# From there to the end of the body: 8 MiB at 0.6 Mbit/s.
BODY_LIMIT_SECONDS = 120.0

_REASONS = {400: b"Bad Request", 408: b"Request Timeout", 431: b"Request Header Fields Too Large"}


class Http(HttpToolsProtocol):
    """One client's connection.

    States: silent -> head -> body -> answered -> silent ... A limit runs in the first three, unless an
    earlier request of the same connection is still being answered.
    """

    head_limit_seconds = HEAD_LIMIT_SECONDS
    body_limit_seconds = BODY_LIMIT_SECONDS

    _limit: asyncio.TimerHandle | None = None
    _is_in_head = True
    _head_bytes = 0
    _head_ended = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._limit = self.loop.call_later(self.head_limit_seconds, self._on_limit)

    def connection_lost(self, exc: Exception | None) -> None:
        self._end_limit()
        super().connection_lost(exc)
        # Deliberate divergence: uvicorn leaves a transport that its client reset to the garbage collector.
        self.transport.close()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return  # it was refused, and what it still sends is of no use
        if self._is_in_head:
            self._head_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._head_bytes > HEAD_LIMIT_BYTES:
            self._refuse(HeadTooLarge(f"the request's head is larger than {HEAD_LIMIT_BYTES} bytes"))

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head = True
        if self._limit is None and self._is_answered:
            self._limit = self.loop.call_later(self.head_limit_seconds, self._on_limit)

    def on_headers_complete(self) -> None:
        self._is_in_head, self._head_bytes = False, 0
        self._head_ended = self.loop.time()
        super().on_headers_complete()
        if self.cycle is not None and self.cycle.scope is self.scope:  # or else it is no longer HTTP
            self.scope[SERVER_WRITE] = _write(self.cycle)  # type: ignore[literal-required]

    def on_message_complete(self) -> None:
        self._end_limit()
        # What follows is another head, also in the same piece.
        self._is_in_head = True
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        """Answer what is not HTTP in the one envelope."""
        self._refuse(RequestInvalid("what was sent is not an HTTP request"))

    @property
    def _is_answered(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _end_limit(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _on_limit(self) -> None:
        self._limit = None
        if self._is_in_head and not self._head_bytes:
            self.transport.close()  # silent since it connected: nobody asked, so nobody is told
            return
        limit = self.head_limit_seconds
        if not self._is_in_head:
            limit = self.body_limit_seconds
            left = self._head_ended + limit - self.loop.time()
            if left > 0:
                self._limit = self.loop.call_later(left, self._on_limit)
                return
        part = "head" if self._is_in_head else "body"
        self._refuse(RequestTimeout(f"the request's {part} did not arrive within {limit:g} s"))

    def _refuse(self, error: PaddockError) -> None:
        """Answer with an error where no other answer is under way, and close the connection."""
        self._end_limit()
        if self._is_answered or not (self._is_in_head or self.cycle.response_started):
            identity = secrets.token_hex(12)
            body = error_body(error, identity)
            head = (
                b"HTTP/1.1 %d %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
                b"x-request-id: %b\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(
                head % (error.status, _REASONS[error.status], len(body), identity.encode()) + body
            )
        if not self._is_answered:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.transport.close()


def _write(cycle: RequestResponseCycle) -> Write:
    """Give the short way for a piece of a chunked body.

    Deliberate divergence: for a token uvicorn's send makes a coroutine and a message and looks at both,
    which costs more than writing the chunk (measured in ARCHITECTURE.md). Delete when it costs as little.
    """
    flow, write = cycle.flow, cycle.transport.write

    def write_chunk(body: bytes) -> bool:
        # Only what the head said is chunked is so, and one that waits for its client waits in send.
        if flow.write_paused or not cycle.chunked_encoding:
            return False
        if not cycle.disconnected:
            write(b"%x\r\n%b\r\n" % (len(body), body))
        return True

    return write_chunk
