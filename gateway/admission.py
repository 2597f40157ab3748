"""Who may run now, who waits, who is refused: the decisions, without any I/O.

Knows slots, tickets, places and how fast slots come free. Knows nothing of engines, prompts, streams
or the event loop.

    admit ──► waiting ──► running ──► released
                 └───────────────────────▲
"""

import math
from collections.abc import Callable
from enum import StrEnum

from gateway.errors import BacklogFull, DeadlineUnmet, Draining
from gateway.estimate import Estimate, Pacer
from gateway.schedule import Class, Schedule


class State(StrEnum):
    """Where a ticket is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    RELEASED = "released"


class Ticket:
    """What an admitted chat holds: a slot, or a place in line for one.

    Units: cost is tokens, prompt and answer together. on_change is called after every change of
    state or place, from inside the change; it must not call back into the admission.
    """

    def __init__(self, admission: "Admission", client: str, kind: Class, cost: int) -> None:
        self._admission = admission
        self.client = client
        self.kind = kind
        self.cost = cost
        self.state = State.WAITING
        self.granted: float | None = None
        self.on_change: Callable[[], None] | None = None

    @property
    def place(self) -> int | None:
        """Give the 1-based place in the backlog, None when not waiting."""
        return self._admission.place_of(self)

    @property
    def estimate(self) -> Estimate | None:
        """Give the wait that is left, None when not waiting or nothing was measured yet."""
        place = self.place
        return None if place is None else self._admission.estimate(place)

    def release(self, used: int | None = None) -> None:
        """Give the slot or the place back, saying how many tokens were used if that is known.

        Any number of calls has the effect of the first.
        """
        self._admission.release(self, used)

    def __repr__(self) -> str:
        return f"<Ticket {self.client} {self.kind} {self.state} place={self.place}>"


class Admission:
    """The slots and the backlog in front of them, fair between clients.

    All changes pass through admit, release and drain, which are synchronous; no ticket is ever both
    waiting and running, and no open slot stays free while a ticket waits. Slots are closed while no
    engine is ready: then everybody waits.

    Units: clock gives seconds, monotonic; backlog_token_limit bounds the sum of the waiting costs.
    """

    def __init__(
        self, slots: int, backlog_limit: int, backlog_token_limit: int, clock: Callable[[], float]
    ) -> None:
        self.slots = slots
        self.open_slots = slots
        self.backlog_limit = backlog_limit
        self.backlog_token_limit = backlog_token_limit
        self.is_draining = False
        self._clock = clock
        self._pacer = Pacer(clock)
        self._schedule: Schedule[Ticket] = Schedule()
        self._running: set[Ticket] = set()
        self._waiting_tokens = 0

    @property
    def running(self) -> int:
        """Count the tickets that hold a slot."""
        return len(self._running)

    @property
    def waiting(self) -> int:
        """Count the tickets in the backlog."""
        return len(self._schedule)

    @property
    def waiting_tokens(self) -> int:
        """Add up what the tickets in the backlog ask for."""
        return self._waiting_tokens

    def admit(
        self,
        client: str,
        cost: int,
        kind: Class = Class.INTERACTIVE,
        deadline_seconds: float | None = None,
    ) -> Ticket:
        """Give a ticket: running when a slot is free, else waiting with a place.

        Raises: Draining once the gateway is stopping; BacklogFull when nobody else may wait;
                DeadlineUnmet when even the low estimate of the wait is later than the caller needs.
        """
        # 1. A stopping gateway takes nobody.
        if self.is_draining:
            raise Draining("the server is stopping; try again in a moment", retry_after_seconds=5)
        # 2. A free slot implies an empty backlog, so nobody is overtaken.
        if len(self._running) >= self.open_slots:
            # 3. No free slot: wait, if waiting is bounded in chats and in tokens. One chat may always
            #    wait, or a limit below its cost would refuse it for ever.
            if self.waiting >= self.backlog_limit:
                raise self._full(f"{self.running} chats run and {self.waiting} wait, which is the limit")
            if self.waiting and self._waiting_tokens + cost > self.backlog_token_limit:
                raise self._full(
                    f"the chats that wait ask for {self._waiting_tokens} tokens, which is the limit"
                )
            # 4. And if the caller can wait that long.
            estimate = self.estimate(self.waiting + 1)
            if deadline_seconds is not None and estimate is not None and estimate.low > deadline_seconds:
                raise DeadlineUnmet(
                    f"the wait is at least {estimate.low:.1f} s, which is later than asked for",
                    retry_after_seconds=self._retry_after(),
                )
            self._pacer.saturate()
        ticket = Ticket(self, client, kind, cost)
        self._schedule.add(ticket, client, kind, cost)
        self._waiting_tokens += cost
        self._promote()
        if ticket.state is State.WAITING:
            self._tell()
        return ticket

    def release(self, ticket: Ticket, used: int | None = None) -> None:
        """Take a ticket back and let the next ones run."""
        if ticket.state is State.RELEASED:
            return
        if ticket.state is State.RUNNING:
            self._running.discard(ticket)
            held = self._clock() - (ticket.granted or 0.0)
            self._pacer.release(held, others_wait=self.waiting > 0)
            if used is not None:
                self._schedule.settle(ticket.client, ticket.kind, ticket.cost - used)
        else:
            self._schedule.remove(ticket, ticket.client, ticket.kind)
            self._waiting_tokens -= ticket.cost
        ticket.state = State.RELEASED
        self._promote()
        self._tell()

    def resize(self, slots: int, open_slots: int) -> None:
        """Set how many slots there are and how many of them can be used now.

        Fewer than run: nobody is stopped, nobody new runs until it fits. Those who wait are told in
        any case, because what they wait for has changed.
        """
        self.slots, self.open_slots = slots, open_slots
        self._promote()
        self._tell()

    def drain(self) -> None:
        """Admit nobody from now on; those who run or wait keep their tickets."""
        self.is_draining = True

    def place_of(self, ticket: Ticket) -> int | None:
        """Give a ticket's 1-based place in the backlog, None when it does not wait."""
        return self._schedule.place(ticket) if ticket.state is State.WAITING else None

    def estimate(self, place: int) -> Estimate | None:
        """Estimate the wait at a place, None before anything was measured or while no slot is open."""
        return self._pacer.estimate(place, self.open_slots) if self.open_slots else None

    def _promote(self) -> None:  # the only place a ticket starts to run
        while len(self._schedule) and len(self._running) < self.open_slots:
            ticket = self._schedule.take()
            self._waiting_tokens -= ticket.cost
            ticket.state = State.RUNNING
            ticket.granted = self._clock()
            self._running.add(ticket)
            if ticket.on_change is not None:
                ticket.on_change()

    def _tell(self) -> None:
        """Tell all who wait that places may have moved."""
        for ticket in self._schedule:
            if ticket.on_change is not None:
                ticket.on_change()

    def _full(self, why: str) -> BacklogFull:
        return BacklogFull(f"{why}; try again soon", retry_after_seconds=self._retry_after())

    def _retry_after(self) -> int:
        """Give the seconds until a place has surely come free, by the same estimate that is shown."""
        estimate = self.estimate(1)
        return 1 if estimate is None else max(1, math.ceil(estimate.high))
