"""When an engine that fails chats is left alone, and when it may be tried again.

    closed ──(so many failures in a row)──► open ──(the pause is over)──► half_open ──(a token)──► closed
                                             ▲──────────(no token)───────────┘

Knows failures, successes and time. Knows nothing of engines.
"""

from collections.abc import Hashable
from enum import StrEnum

# One failure may be its chat's own, two a coincidence. A batch that breaks on the engine fails all its
# chats at once, so this is reached by one event that is no chat's own.
FAILURES_IN_A_ROW = 3
# The first try comes at once: most failures pass with the batch that they broke. Then the pause doubles.
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0


class State(StrEnum):
    """Whether chats are sent to an engine: yes, no, or one token is being tried."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"


class Breaker:
    """One engine's.

    A try that succeeds lets chats in again, but only a chat that succeeds takes the pauses back: an engine
    that writes one token and fails every chat is left alone for longer each time, and one that fails some of
    them goes on serving the others.

    Units: now is seconds of a monotonic clock.
    """

    def __init__(self) -> None:
        self.state = State.CLOSED
        self.opened = 0
        self._failed: list[Hashable] = []
        self._openings = 0
        self._again_at = 0.0

    def fail(self, now: float, chat: Hashable = None) -> bool:
        """Take note of a chat that the engine failed; say whether that opened it.

        Several answers to one chat, where it is named, are one failure.
        """
        if self.state is not State.CLOSED or (chat is not None and chat in self._failed):
            return False
        self._failed.append(chat)
        if len(self._failed) < FAILURES_IN_A_ROW:
            return False
        self.trip(now)
        return True

    def trip(self, now: float) -> None:
        """Open it, whatever came before."""
        if self.state is not State.OPEN:
            self.opened += 1
        pause = 0.0 if self._openings == 0 else FIRST_PAUSE_SECONDS * 2.0 ** min(self._openings - 1, 10)
        self._openings += 1
        self._failed.clear()
        self._again_at = now + min(LONGEST_PAUSE_SECONDS, pause)
        self.state = State.OPEN

    def succeed(self) -> None:
        """Take note of a chat that went well."""
        self._failed.clear()
        if self.state is State.CLOSED:
            self._openings = 0

    def renew(self) -> None:
        """Begin anew: another process answers."""
        self.state, self._openings = State.CLOSED, 0
        self._failed.clear()

    def pause_seconds(self, now: float) -> float:
        """Give the time until it may be tried, 0 for now."""
        return max(0.0, self._again_at - now) if self.state is State.OPEN else 0.0

    def begin_try(self) -> None:
        """Take note that one token is asked for."""
        if self.state is State.OPEN:
            self.state = State.HALF_OPEN

    def end_try(self, now: float, *, is_good: bool) -> None:
        """Take note of what came of it."""
        if self.state is not State.HALF_OPEN:
            return
        if is_good:
            self.state = State.CLOSED
            self._failed.clear()
        else:
            self.trip(now)
