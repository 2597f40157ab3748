"""An idle connection to an engine, kept for its end: that is how one learns at once that a process ended.

Between two looks an engine can end and another start on the same address. Its port tells nothing of that;
a connection does, because it ends with the process that accepted it.

Knows TCP. Knows nothing of HTTP: not one byte is sent.
"""

import asyncio
import contextlib
import socket
from collections.abc import Awaitable, Callable
from typing import Protocol, cast
from urllib.parse import urlsplit

from gateway.errors import EngineUnreachable

# A machine that loses its power ends no connection: the kernel asks after so much silence, so often.
_SILENCE_SECONDS, _ASK_SECONDS, _ASK_TIMES = 5, 2, 3


class Held(Protocol):
    """A line that is held."""

    @property
    def is_lost(self) -> bool:
        """Say whether it ended."""

    def close(self) -> None:
        """Let go of it; nobody is told."""


# Opens a line to a URL within seconds; calls back when it ends. Raises: EngineUnreachable.
Hold = Callable[[str, float, Callable[[], None]], Awaitable[Held]]


class Line(asyncio.Protocol):
    """One such connection."""

    def __init__(self, when_lost: Callable[[], None]) -> None:
        self.is_lost = False
        self._when_lost: Callable[[], None] | None = when_lost
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)
        told: socket.socket | None = transport.get_extra_info("socket")
        if told is None:
            return
        told.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (
            ("TCP_KEEPIDLE", _SILENCE_SECONDS), ("TCP_KEEPINTVL", _ASK_SECONDS), ("TCP_KEEPCNT", _ASK_TIMES),
        ):  # fmt: skip
            with contextlib.suppress(AttributeError, OSError):  # not on every system
                told.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_lost = True
        if self._when_lost is not None:
            self._when_lost()

    def close(self) -> None:
        self._when_lost = None
        if self._transport is not None:
            self._transport.abort()


async def hold(url: str, limit_seconds: float, when_lost: Callable[[], None]) -> Line:
    """Open a line. Raises: EngineUnreachable."""
    parts = urlsplit(url)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(limit_seconds):
            _, line = await loop.create_connection(
                lambda: Line(when_lost), parts.hostname or "", parts.port or 80
            )
    except (OSError, TimeoutError) as error:
        reason = "no connection in time" if isinstance(error, TimeoutError) else error.strerror or str(error)
        raise EngineUnreachable(
            f"no answer from the engine at {url}: {reason}", retry_after_seconds=5
        ) from None
    return line
