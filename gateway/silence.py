"""For how long an engine has written nothing while chats wait for its next token.

Knows when tokens came. Knows nothing of what is done about it.
"""

from collections.abc import Collection
from typing import Protocol

from gateway.errors import EngineTimeout


class Served(Protocol):
    """A chat that an engine works on. Units: heard_at is when its last token came, None before the first."""

    @property
    def heard_at(self) -> float | None:
        """Give the time of its last token."""

    def end(self, error: EngineTimeout, /) -> None:
        """End it with an error that its readers see."""


def silent_seconds(chats: Collection[Served], heard_at: float, now: float) -> float:
    """Give how long no token of any chat has come while one is being written, 0 if none is.

    A chat without a first token does not count: reading a long prompt is silent work, with its own limit.
    heard_at is the last token of a chat that has ended.
    """
    heard = [at for chat in chats if (at := chat.heard_at) is not None]
    return now - max(heard_at, *heard) if heard else 0.0
