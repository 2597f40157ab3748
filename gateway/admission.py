"""Who may run now, who waits, who is refused: the decisions, without any I/O.

Knows slots, tickets and places. Knows nothing of engines, prompts, streams or the event loop.

    admit ──► waiting ──► running ──► released
                 └───────────────────────▲
"""

from collections import deque
from collections.abc import Callable
from enum import StrEnum

from gateway.errors import BacklogFull, Draining


class State(StrEnum):
    """Where a ticket is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    RELEASED = "released"


class Ticket:
    """What an admitted chat holds: a slot, or a place in line for one.

    on_change is called after every change of state or place, from inside the change; it must not
    call back into the admission.
    """

    def __init__(self, admission: "Admission", client: str, cost: int) -> None:
        self._admission = admission
        self.client = client
        self.cost = cost
        self.state = State.WAITING
        self.on_change: Callable[[], None] | None = None

    @property
    def place(self) -> int | None:
        """Give the 1-based place in the backlog, None when not waiting."""
        return self._admission.place_of(self)

    def release(self) -> None:
        """Give the slot or the place back. Any number of calls has the effect of one."""
        self._admission.release(self)

    def __repr__(self) -> str:
        return f"<Ticket {self.client} {self.state} place={self.place}>"


class Admission:
    """The slots and the backlog in front of them, first come, first served.

    All changes pass through admit, release and drain, which are synchronous; no ticket is ever both
    waiting and running, and no slot stays free while a ticket waits.
    """

    def __init__(self, slots: int, backlog_limit: int) -> None:
        self.slots = slots
        self.backlog_limit = backlog_limit
        self.is_draining = False
        self._waiting: deque[Ticket] = deque()
        self._running: set[Ticket] = set()

    @property
    def running(self) -> int:
        """Count the tickets that hold a slot."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Count the tickets in the backlog."""
        return len(self._waiting)

    def admit(self, client: str, cost: int) -> Ticket:
        """Give a ticket: running when a slot is free, else waiting with a place.

        Units:  cost is tokens, prompt and answer together; today's order does not weigh it.
        Raises: Draining once the gateway is stopping; BacklogFull when nobody else may wait.
        """
        # 1. A stopping gateway takes nobody.
        if self.is_draining:
            raise Draining("the server is stopping; try again in a moment", retry_after_seconds=5)
        # 2. A free slot implies an empty backlog, so nobody is overtaken.
        # 3. No free slot: wait, if waiting is bounded.
        if len(self._running) >= self.slots and len(self._waiting) >= self.backlog_limit:
            raise BacklogFull(
                f"{self.running} chats run and {self.waiting} wait, which is the limit; try again soon",
                retry_after_seconds=max(1, len(self._waiting) // self.slots),
            )
        ticket = Ticket(self, client, cost)
        self._waiting.append(ticket)
        self._promote()
        return ticket

    def release(self, ticket: Ticket) -> None:
        """Take a ticket back and let the next ones run."""
        if ticket.state is State.RELEASED:
            return
        if ticket.state is State.RUNNING:
            self._running.discard(ticket)
            moved = 0
        else:
            moved = self._waiting.index(ticket)
            del self._waiting[moved]
        ticket.state = State.RELEASED
        if not self._promote():
            self._tell(moved)

    def drain(self) -> None:
        """Admit nobody from now on; those who run or wait keep their tickets."""
        self.is_draining = True

    def place_of(self, ticket: Ticket) -> int | None:
        """Give a ticket's 1-based place in the backlog, None when it does not wait."""
        return self._waiting.index(ticket) + 1 if ticket.state is State.WAITING else None

    def _promote(self) -> int:  # the only place a ticket starts to run
        promoted = 0
        while self._waiting and len(self._running) < self.slots:
            ticket = self._waiting.popleft()
            ticket.state = State.RUNNING
            self._running.add(ticket)
            promoted += 1
            if ticket.on_change is not None:
                ticket.on_change()
        if promoted:
            self._tell(0)
        return promoted

    def _tell(self, first: int) -> None:
        """Tell those behind a change that their place moved."""
        for position in range(first, len(self._waiting)):
            tell = self._waiting[position].on_change
            if tell is not None:
                tell()
