"""Answers that follow a generation, and what a departure means.

One rule: a plain client that leaves ends its generation at once, streamed or not, waiting or
running; one that asked to be able to come back keeps it alive for a grace.

Knows ASGI and logs. Knows nothing of what was asked.
"""

import asyncio
from collections.abc import AsyncIterable, Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.choices import Answer
from gateway.errors import GatewayFault, PaddockError
from gateway.routes.push import Push
from gateway.schema import error_body
from gateway.sse import KEEP_ALIVE, native_error
from gateway.streams import Log

# A status is held back until the first frame, so that a refusal by the engine keeps its own; not for
# longer than this, because proxies and people give up on an answer without a head.
STATUS_HOLD_SECONDS = 10.0

EVENT_HEADERS = {"cache-control": "no-cache"}
# The least time between two looks of a stream's timer.
_LEAST_WAIT_SECONDS = 0.001
_HEARTBEAT = f": {KEEP_ALIVE}\n\n".encode()


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


class EventStream(EventSourceResponse):
    """sse-starlette's response for frames that are ready-made bytes, with heartbeat comments.

    Deliberate divergence: it looks at each frame's type, writes it to its debug log and opens a cancel
    scope for it though no limit is set, which costs 15 µs a token (measured at 100 streams). Delete
    when frames of bytes pass straight through.
    """

    body_iterator: AsyncIterable[bytes]

    def __init__(self, frames: AsyncIterable[bytes], style: FollowStyle) -> None:
        super().__init__(
            frames,
            headers=EVENT_HEADERS,
            ping=style.heartbeat_seconds,
            sep="\n",
            ping_message_factory=partial(ServerSentEvent, comment=KEEP_ALIVE, sep="\n"),
            # The generations end themselves within the grace, so that the last frame is theirs.
            shutdown_grace_period=style.grace_seconds,
        )

    async def _stream_response(self, send: Send) -> None:
        await send(_head(self))
        async for frame in self.body_iterator:
            await send(_body(frame, has_more=True))
        async with self._send_lock:
            self.active = False
            await send(_body(b"", has_more=False))


@cache
def _event_headers() -> tuple[tuple[bytes, bytes], ...]:
    """Give the headers of every event stream. Kept, because making them takes 20 µs."""
    return tuple(EventStream(Log(keeps=False).read(), FollowStyle(0)).raw_headers)


class Follow(Response):
    """A generation's log as an event stream; an error before its first frame as an HTTP error.

    Deliberate divergence: sse-starlette waits for frames in one of four tasks of a stream. Here the log
    pushes them, one timer sends the heartbeats, and the request's own task watches for the client's
    leaving. What that saves is in ARCHITECTURE.md. Replace by EventStream when sse-starlette takes frames
    without a task to wait for them; a test shows that the bytes are the same.
    """

    def __init__(
        self, generation: Answer, style: FollowStyle, *, after: int = 0, is_native: bool = False
    ) -> None:
        # All that Response's own would set, but for the headers of a whole body.
        self.status_code, self.background = 200, None
        self.raw_headers = [*_event_headers()]
        # Those are the stream's own; what a route adds behind them is for errors as well.
        self._own_headers = len(self.raw_headers)
        generation.join()
        self._generation, self._log = generation, generation.log
        self._heartbeat_seconds = style.heartbeat_seconds
        self._cursor = after
        self._is_native = is_native
        self._is_open = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        generation = self._generation
        self._scope = scope
        self._push = push = Push(send, self._make)
        self._now = asyncio.get_running_loop().time
        self._held_until = self._now() + STATUS_HOLD_SECONDS
        self._look_again()
        try:
            with self._log.followed(push.tell):
                push.tell()
                await push.until_gone(receive)
        finally:
            self._timer.cancel()
            generation.leave()

    def _make(self) -> None:
        """Send what the log has; what a slow client does not take stays there."""
        log = self._log
        if not self._is_open:
            if log.length == 0 and not log.is_closed and self._now() < self._held_until:
                return
            self._open()
            if not self._push.is_free:
                return
        fresh = log.since(self._cursor)
        frames = fresh[0] if len(fresh) == 1 else b"".join(fresh)
        if log.is_closed:
            self._push.put(_body(frames, has_more=False))
        elif frames:
            self._cursor += len(fresh)
            self._sent_at = self._now()
            self._push.write(frames)

    def _open(self) -> None:
        """Send the head, or the whole of an error that came before the first frame."""
        self._is_open = True
        generation = self._generation
        _time(generation, self, names=("wait",))
        if generation.error is not None and generation.failed_first and not self._cursor:
            error = _error_of(generation, is_native=self._is_native)
            error.raw_headers.extend(self.raw_headers[self._own_headers :])
            self._push.put(*_messages(error))
            return
        self._push.put(_head(self))
        self._push.shorten(self._scope)
        self._sent_at = self._now()

    def _look_again(self) -> None:
        """Set the one timer, which is not moved for each frame but looks when the last one was."""
        due = self._held_until
        if self._is_open:
            due = self._sent_at + self._heartbeat_seconds
        elif self._heartbeat_seconds:
            due = min(due, self._now() + self._heartbeat_seconds)
        # Not at once: a clock that is read a moment early would make this go round in place.
        wait = max(due - self._now(), _LEAST_WAIT_SECONDS)
        self._timer = asyncio.get_running_loop().call_later(wait, self._on_timer)

    def _on_timer(self) -> None:
        """Open an answer that was held back for long enough; send a comment where nothing was sent."""
        self._push.tell()
        if self._is_open and not self._heartbeat_seconds:
            return
        if self._is_open and self._now() >= self._sent_at + self._heartbeat_seconds:
            self._sent_at = self._now()
            if self._push.is_free:
                self._push.put(_body(_HEARTBEAT, has_more=True))
        self._look_again()


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
        self._own_headers = len(self.raw_headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        generation = self._generation
        self._push = push = Push(send, self._make)
        try:
            with generation.log.followed(push.tell):
                push.tell()
                await push.until_gone(receive)
        finally:
            generation.leave()

    def _make(self) -> None:
        generation = self._generation
        if not generation.log.is_closed:
            return
        response = self._write()
        if response is None:
            response = _error_of(generation, is_native=self._is_native)
        _time(generation, response)
        response.raw_headers.extend(self.raw_headers[self._own_headers :])
        self._push.put(*_messages(response))


def _head(response: Response) -> Message:
    return {"type": "http.response.start", "status": response.status_code, "headers": response.raw_headers}


def _body(body: bytes, *, has_more: bool) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": has_more}


def _messages(response: Response) -> tuple[Message, Message]:
    """Give the messages of a response that has its whole body."""
    return _head(response), _body(bytes(response.body), has_more=False)


def _time(
    generation: Answer,
    response: Response,
    names: Sequence[str] = ("wait", "first_token", "generation"),
) -> None:
    """Say in Server-Timing, in milliseconds, what is known of the answer's parts when its head is sent.

    A stream's head may be sent while its chat waits: then the wait so far is told, and called so.
    """
    so_far = "" if generation.is_granted or generation.log.is_closed else ';desc="so far"'
    told = [
        f"{name};dur={seconds * 1000:.1f}{so_far}"
        for name, seconds in generation.spans().items()
        if name in names
    ]
    response.raw_headers.append((b"server-timing", ", ".join(told).encode()))


def _error_of(generation: Answer, *, is_native: bool) -> ErrorReply:
    error = generation.error or GatewayFault("the answer was stopped")
    return ErrorReply(error, generation.order.request_id, is_native=is_native)
