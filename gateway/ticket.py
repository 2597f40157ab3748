"""What an admitted chat holds: a slot, or a place in line for one.

Knows its client, its cost and where in its life it is. Knows nothing of other tickets: what depends on
them is asked of who keeps them all.
"""

from collections.abc import Callable
from enum import StrEnum
from typing import Protocol

from gateway.estimate import Estimate
from gateway.schedule import Class


class State(StrEnum):
    """Where a ticket is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    RELEASED = "released"


class Keeper(Protocol):
    """Who keeps all tickets."""

    def place_of(self, ticket: "Ticket") -> int | None:
        """Give a ticket's 1-based place in the backlog, None when it does not wait."""

    def estimate_of(self, ticket: "Ticket") -> Estimate | None:
        """Estimate what is left of a ticket's wait."""

    def release(self, ticket: "Ticket", used: int | None = None) -> None:
        """Take a ticket back."""


class Ticket:
    """One ticket.

    Units: cost is tokens, prompt and answer together. on_change is called after every change of state, from
    inside the change, and after one of place; far back in a long line not after every one. It must not call
    back into the admission. told is how many went before it when it was last called.
    """

    def __init__(self, keeper: Keeper, client: str, kind: Class, cost: int) -> None:
        self._keeper = keeper
        self.client = client
        self.kind = kind
        self.cost = cost
        self.state = State.WAITING
        self.granted: float | None = None
        self.on_change: Callable[[], None] | None = None
        self.told = 0

    @property
    def place(self) -> int | None:
        """Give the 1-based place in the backlog, None when not waiting."""
        return self._keeper.place_of(self)

    @property
    def estimate(self) -> Estimate | None:
        """Give the wait that is left, None when not waiting or nothing was measured yet."""
        return self._keeper.estimate_of(self)

    def release(self, used: int | None = None) -> None:
        """Give the slot or the place back, saying how many tokens were used if that is known.

        Any number of calls has the effect of the first.
        """
        self._keeper.release(self, used)

    def __repr__(self) -> str:
        return f"<Ticket {self.client} {self.kind} {self.state} place={self.place}>"
