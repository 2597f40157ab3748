"""Slots of the inner server, given out in order of arrival.

Knows: how many there are, who waits.
Knows nothing of: what a slot is used for.
"""

import asyncio
from collections import deque


class Slots:
    """A fair counter. A waiter that is cancelled leaves the line, or passes its slot on.

    Invariant: running <= capacity; nobody waits while a slot is free.
    """

    def __init__(self, capacity: int) -> None:
        self.capacity = capacity
        self.running = 0
        self._line: deque[asyncio.Future[None]] = deque()

    def __repr__(self) -> str:
        return f"<Slots {self.running}/{self.capacity} running, {self.waiting} waiting>"

    @property
    def waiting(self) -> int:
        """Count those in line."""
        return len(self._line)

    async def take(self) -> None:
        """Take a slot.

        Waits on: those before.
        Cancel: the place in line is given up.
        """
        if self.running < self.capacity and not self._line:
            self.running += 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._line.append(turn)
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give_back()
            elif turn in self._line:
                self._line.remove(turn)
            raise

    def give_back(self) -> None:
        """Return a slot; the first in line gets it."""
        while self._line:
            turn = self._line.popleft()
            # A waiter cancelled in this same turn of the loop has not left the line yet.
            if not turn.done():
                turn.set_result(None)
                return
        self.running -= 1
