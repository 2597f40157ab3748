"""What readers follow, and what it means when they leave.

One rule: a chat whose last reader leaves ends at once, or after a grace if its client asked to be able to
come back. Who comes back later still is told in the stream why it ends there.

Knows readers, a log and a task. Knows nothing of what the task does.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Callable

from gateway.errors import NobodyFollowed, PaddockError
from gateway.order import Order
from gateway.streams import Journal


class Followed(ABC):
    """A chat's answer while it comes. States: running -> over.

    Units: grace_seconds is how long one that can be followed again goes on without a reader.
    """

    _task: asyncio.Task[None]

    def __init__(self, order: Order, log: Journal, grace_seconds: float) -> None:
        self.order = order
        self.log = log
        self.error: PaddockError | None = None
        self.failed_first = False
        self._grace_seconds = grace_seconds
        self._readers = 0
        self._grace: asyncio.TimerHandle | None = None
        self._deserted: NobodyFollowed | None = None

    @property
    def is_over(self) -> bool:
        """Say whether it has ended, in whatever way."""
        return self._task.done()

    def join(self) -> None:
        """Take note of one more reader."""
        self._readers += 1
        if self._grace is not None:
            self._grace.cancel()
            self._grace = None

    def leave(self) -> None:
        """Take note that a reader is gone.

        When it was the last, the engine's connection is closed: at once for a plain client, after a
        grace for one that asked to be able to come back.
        """
        self._readers -= 1
        if self._readers or self._task.done():
            return
        if not self.order.is_resumable:
            self._desert()
        elif self._grace is None:
            self._grace = asyncio.get_running_loop().call_later(self._grace_seconds, self._give_up)

    def when_over(self, call: Callable[[], None]) -> None:
        """Call something once it is over."""
        self._task.add_done_callback(lambda _: call())

    async def over(self) -> None:
        """Wait until it is over and all that it held is free. Never raises."""
        await asyncio.wait([self._task])

    def _give_up(self) -> None:
        self._deserted = NobodyFollowed(
            f"nobody followed the stream for {self._grace_seconds:g} s, so it was stopped; the text is a part"
        )
        self._desert()

    @abstractmethod
    def _desert(self) -> None:
        """End it, because nobody reads it any more."""
