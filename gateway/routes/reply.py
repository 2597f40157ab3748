"""Answers that follow a generation, and what a departure means.

One rule: a plain client that leaves ends its generation at once, streamed or not, waiting or
running; one that asked to be able to come back keeps it alive for a grace.

Knows ASGI and logs. Knows nothing of what was asked.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.choices import Answer
from gateway.errors import GatewayFault, PaddockError
from gateway.schema import error_body
from gateway.sse import KEEP_ALIVE, native_error

# A status is held back until the first frame, so that a refusal by the engine keeps its own; not for
# longer than this, because proxies and people give up on an answer without a head.
STATUS_HOLD_SECONDS = 10.0

EVENT_HEADERS = {"cache-control": "no-cache"}


@dataclass(frozen=True, slots=True)
class FollowStyle:
    """How streams are kept open.

    Units: heartbeat_seconds is the silence before a comment; grace_seconds is how long an open
    stream may go on once the server is told to stop, where sse-starlette would cut it at once.
    """

    heartbeat_seconds: float
    grace_seconds: float = 0.0


class ErrorReply(Response):
    """An error with its honest status: the one envelope, or TGI's shape on TGI's routes."""

    def __init__(self, error: PaddockError, request_id: str, *, is_native: bool = False) -> None:
        body = native_error(error) if is_native else error_body(error, request_id)
        super().__init__(body, error.status, media_type="application/json")
        if error.retry_after_seconds is not None:
            self.headers["retry-after"] = str(error.retry_after_seconds)


class Follow(Response):
    """A generation's log as an event stream; an error before its first frame as an HTTP error."""

    def __init__(
        self, generation: Answer, style: FollowStyle, *, after: int = 0, is_native: bool = False
    ) -> None:
        super().__init__()
        generation.join()
        self._generation = generation
        self._style = style
        self._after = after
        self._is_native = is_native

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        generation = self._generation
        try:
            if not await _unless_gone(generation.log.opened, receive, STATUS_HOLD_SECONDS):
                return
            response: Response
            if generation.error is not None and generation.failed_first and not self._after:
                response = _error_of(generation, is_native=self._is_native)
            else:
                response = event_stream(generation.log.read(self._after), self._style)
            _time(generation, response, names=("wait",))
            _carry(self, response)
            await response(scope, receive, send)
        finally:
            generation.leave()


class Whole(Response):
    """A generation's answer in one piece, written once it is over.

    write gives the answer, or None where the generation's error is to be told.
    """

    def __init__(
        self, generation: Answer, write: Callable[[], Response | None], *, is_native: bool = False
    ) -> None:
        super().__init__()
        generation.join()
        self._generation = generation
        self._write = write
        self._is_native = is_native

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        generation = self._generation
        try:
            if not await _unless_gone(generation.log.closed, receive, None):
                return
            response = self._write()
            if response is None:
                response = _error_of(generation, is_native=self._is_native)
            _time(generation, response)
            _carry(self, response)
            await response(scope, receive, send)
        finally:
            generation.leave()


def _time(
    generation: Answer,
    response: Response,
    names: Sequence[str] = ("wait", "first_token", "generation"),
) -> None:
    """Say in Server-Timing, in milliseconds, what is known of the answer's parts when its head is sent.

    A stream's head may be sent while its chat waits: then the wait so far is told, and called so.
    """
    so_far = "" if generation.is_granted or generation.is_over else ';desc="so far"'
    told = [
        f"{name};dur={seconds * 1000:.1f}{so_far}"
        for name, seconds in generation.spans().items()
        if name in names
    ]
    response.headers["server-timing"] = ", ".join(told)


def _error_of(generation: Answer, *, is_native: bool) -> ErrorReply:
    error = generation.error or GatewayFault("the answer was stopped")
    return ErrorReply(error, generation.order.request_id, is_native=is_native)


def _carry(route_set: Response, response: Response) -> None:
    """Carry over the headers that the route set, such as those that say what was changed."""
    response.raw_headers.extend(
        header for header in route_set.raw_headers if header[0] not in (b"content-length", b"content-type")
    )


class _Frames(EventSourceResponse):
    """sse-starlette's response for frames that are ready-made bytes.

    Deliberate divergence: it looks at each frame's type, writes it to its debug log and opens a cancel
    scope for it though no limit is set, which costs 15 µs a token (measured at 100 streams). Delete
    when frames of bytes pass straight through.
    """

    body_iterator: AsyncIterable[bytes]

    async def _stream_response(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        async for frame in self.body_iterator:
            await send({"type": "http.response.body", "body": frame, "more_body": True})
        async with self._send_lock:
            self.active = False
            await send({"type": "http.response.body", "body": b"", "more_body": False})


def event_stream(frames: AsyncIterable[bytes], style: FollowStyle) -> EventSourceResponse:
    """Serve ready-made frames through sse-starlette, with heartbeat comments.

    The generations end themselves within the grace, so that the last frame is theirs.
    """
    return _Frames(
        frames,
        headers=EVENT_HEADERS,
        ping=style.heartbeat_seconds,
        sep="\n",
        ping_message_factory=lambda: ServerSentEvent(comment=KEEP_ALIVE, sep="\n"),
        shutdown_grace_period=style.grace_seconds,
    )


async def _unless_gone(
    awaited: Callable[[], Coroutine[None, None, None]], receive: Receive, limit_seconds: float | None
) -> bool:
    """Wait for something, up to a limit; say False if the client left first."""
    happened = asyncio.ensure_future(awaited())
    gone = asyncio.ensure_future(_departure(receive))
    try:
        await asyncio.wait({happened, gone}, timeout=limit_seconds, return_when=asyncio.FIRST_COMPLETED)
        return happened.done() or not gone.done()
    finally:
        for future in (happened, gone):
            future.cancel()
            with suppress(asyncio.CancelledError):
                await future


async def _departure(receive: Receive) -> None:
    while True:
        message: Message = await receive()
        if message["type"] == "http.disconnect":
            return
