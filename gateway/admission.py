"""Who may run now, who waits, who is refused: the decisions, without any I/O.

Knows slots, tickets, places and how fast slots come free. Knows nothing of engines, prompts, streams
or the event loop.

    admit ──► waiting ──► running ──► released
                 └───────────────────────▲
"""

import math
from collections.abc import Callable, Iterable

from gateway.errors import BacklogFull, DeadlineUnmet, Draining
from gateway.estimate import Estimate, Pacer, Wait
from gateway.promise import Promises
from gateway.schedule import Class, Schedule, Spot
from gateway.share import Shares, most_of
from gateway.ticket import State, Ticket

__all__ = ["Admission", "State", "Ticket"]

# Moments of one wait that are learned from; some stand in line for hundreds of releases.
_MOST_SAMPLES = 16
# Places that are told every change: as many as a screen could show to be moving.
_TOLD_ALWAYS = 64
# Takes the sampled places apart, so that near and far ones take turns.
_STRIDE = 7


class Admission:
    """The slots and the backlog in front of them, fair between clients.

    All changes pass through admit, release, resize and drain, which are synchronous; no ticket is ever
    both waiting and running, and no open slot stays free while a ticket waits. Slots are closed while no
    engine is ready: then everybody waits.

    Units: clock gives seconds, monotonic; backlog_token_limit bounds the sum of the waiting costs, a long
    one's part of it; opens_seconds gives the time until a slot is open again, 0 if one is or nobody knows.
    """

    def __init__(
        self, slots: int, backlog_limit: int, backlog_token_limit: int, clock: Callable[[], float]
    ) -> None:
        self.slots = slots
        self.open_slots = slots
        self.backlog_limit = backlog_limit
        self.backlog_token_limit = backlog_token_limit
        self.is_draining = False
        self.opens_seconds: Callable[[], float] = float
        self._clock = clock
        self._pacer = Pacer(clock)
        self._promises = Promises(clock)
        self._schedule: Schedule[Ticket] = Schedule()
        # Where each ticket stands that was not released, and where the waits were that go on.
        self._spots: dict[Ticket, Spot[Ticket]] = {}
        self._waits: dict[Ticket, list[Wait]] = {}
        self._sampled = 0
        self._waiting_tokens = 0
        self._shares = Shares(backlog_token_limit)

    @property
    def running(self) -> int:
        """Count the tickets that hold a slot."""
        return len(self._spots) - len(self._schedule)

    @property
    def waiting(self) -> int:
        """Count the tickets in the backlog."""
        return len(self._schedule)

    @property
    def waiting_tokens(self) -> int:
        """Add up what the tickets in the backlog ask for."""
        return self._waiting_tokens

    def waiting_of(self, client: str) -> int:
        """Count a client's tickets in the backlog."""
        return self._shares.chats(client)

    @property
    def most_kept(self) -> int:
        """Give how many places are kept at most for those who were told when to come.

        An eighth, so that those who come as told find a place though others come all the time (with a
        sixteenth one in seven does not, in the trace), and the line stays long. Of one place none: it
        would be empty when a slot comes free.
        """
        return -(-self.backlog_limit // 8) if self.backlog_limit > 1 else 0

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
        is_full = self.running >= self.open_slots
        if is_full:
            # 3. No free slot: wait, if waiting is bounded in chats and in tokens.
            self.check_room(client, cost)
            # 4. And if the caller can wait that long, where its turn comes.
            if deadline_seconds is not None:
                self._check_deadline(deadline_seconds, self.estimate(client, kind, cost))
            self._pacer.saturate()
        self._promises.redeem(client)
        ticket = Ticket(self, client, kind, cost)
        spot = self._spots[ticket] = self._schedule.add(ticket, client, kind, cost)
        self._waiting_tokens += cost
        self._shares.add(client, cost)
        if is_full:
            self._begin(spot)
            ticket.told = spot.line.rank(spot)
            self._tell(self._schedule.behind(spot))
        else:
            self._promote()
        return ticket

    def release(self, ticket: Ticket, used: int | None = None) -> None:
        """Take a ticket back and let the next ones run.

        What it used is charged to its client; what it asked for, if that is not known.
        """
        spot = self._spots.pop(ticket, None)
        if spot is None:
            return
        if ticket.state is State.RUNNING:
            moved: Iterable[tuple[int, Ticket]]
            held = self._clock() - (ticket.granted or 0.0)
            self._pacer.release(held, others_wait=self.waiting > 0)
            self._schedule.end(spot, ticket.cost if used is None else used)
            moved = self._schedule
        else:
            moved = self._schedule.behind(spot)
            self._schedule.remove(spot)
            self._waiting_tokens -= ticket.cost
            self._shares.remove(ticket.client, ticket.cost)
            self._waits.pop(ticket, None)
        ticket.state = State.RELEASED
        self._promote()
        self._sample()
        self._tell(moved)

    def resize(self, slots: int, open_slots: int) -> None:
        """Set how many slots there are and how many of them can be used now.

        Fewer than run: nobody is stopped, nobody new runs until it fits. Those who wait are told in
        any case, because what they wait for has changed.
        """
        if open_slots != self.open_slots:
            # Waits that a change of slots cut short or drew out teach nothing.
            self._waits.clear()
            self._pacer.pause()
        self.slots, self.open_slots = slots, open_slots
        self._promote()
        self._tell(self._schedule, is_for_all=True)

    def drain(self) -> None:
        """Admit nobody from now on; those who run or wait keep their tickets."""
        self.is_draining = True

    def place_of(self, ticket: Ticket) -> int | None:
        """Give a ticket's 1-based place in the backlog, None when it does not wait."""
        return self._schedule.place(self._spots[ticket]) if ticket.state is State.WAITING else None

    def estimate_of(self, ticket: Ticket) -> Estimate | None:
        """Estimate what is left of a ticket's wait.

        None when it does not wait, before anything was measured, and while no slot is open.
        """
        if ticket.state is not State.WAITING or not self.open_slots:
            return None
        turns = self._schedule.turns(self._spots[ticket])
        return self._pacer.estimate(turns, self.open_slots, _groups(ticket.client, ticket.kind))

    def estimate(
        self, client: str = "", kind: Class = Class.INTERACTIVE, cost: int = 0
    ) -> Estimate | None:
        """Estimate the wait of a chat that a client brought now, by default one that nobody knows.

        None before anything was measured and while no slot is open.
        """
        if not self.open_slots:
            return None
        turns = self._schedule.newcomer_turns(client, kind, cost)
        return self._pacer.estimate(turns, self.open_slots, _groups(client, kind))

    def could_hold(self, count: int, cost: int) -> bool:
        """Say whether so many chats of one client would be let in while nobody else is here."""
        wait = count - self.slots
        tokens = wait * self._shares.weight(cost)
        is_within = wait <= 1 or tokens <= most_of(self.backlog_token_limit)
        return is_within and wait <= most_of(self.backlog_limit)

    def check_room(self, client: str, cost: int, count: int = 1) -> None:
        """See that so many more chats of a client may wait, each of this cost. Raises: BacklogFull."""
        # 1. Who has chats in line leaves room for others, but for a place that was promised to it.
        free = self.backlog_limit - self.waiting
        is_within = self._shares.has_room(client, cost, count, free, self.backlog_limit)
        is_within = is_within or self._promises.is_due(client)
        if not is_within and self._shares.chats(client):
            raise BacklogFull(
                f"{self._shares.chats(client)} chats of this client wait, and with one more too little would "
                "be left for others; try again when one of them runs",
                retry_after_seconds=self._seconds_to_next(client),
            )
        # 2. Places that are promised to others are kept for them.
        places = tokens = 0
        if self._promises:
            places, tokens = self._promises.kept(client, self.most_kept, self.backlog_limit // 2)
        weight = self._shares.weight(cost)
        if places + count > free or not is_within:
            why = f"{self.running} chats run and {self.waiting} wait, which is the limit"
            if free > 0:
                why = f"{self.waiting} chats wait, and {places} places are kept for those told to come"
            if count > 1 and free > 0:
                why = f"{self.waiting} chats wait, and {count} more would have to, which are too many"
        elif self.waiting and self._shares.tokens + tokens + count * weight > self.backlog_token_limit:
            why = f"the chats that wait ask for {self._waiting_tokens} tokens, which is the limit"
        else:
            return
        # As many as it has chats here, which shows that it sends several at once, and one.
        most = min(1 + self._schedule.open(client), max(1, self.backlog_limit // 4))
        plain = self._pacer.plain(1, self.open_slots) if self.open_slots else None
        first, gap = (max(1.0, self.opens_seconds()), 1.0) if plain is None else (plain.high, plain.likely)
        seconds = self._promises.tell(client, weight, most, first, gap, count)
        raise BacklogFull(f"{why}; try again soon", retry_after_seconds=seconds)

    def _check_deadline(self, deadline_seconds: float, expected: Estimate | None) -> None:
        """See that a wait can be short enough. Raises: DeadlineUnmet."""
        soonest, why = 0.0 if expected is None else expected.low, "the wait is at least"
        if not self.open_slots:
            soonest, why = self.opens_seconds(), "an engine is expected to be ready in"
        if soonest > deadline_seconds:
            raise DeadlineUnmet(
                f"{why} {soonest:.1f} s, which is later than asked for",
                retry_after_seconds=max(1, math.ceil(soonest - deadline_seconds)),
            )

    def _seconds_to_next(self, client: str) -> int:
        """Estimate, with little risk, when the first chat that a client has in line will run."""
        first = self._schedule.first(client)
        expected = None if first is None else self.estimate_of(first.entry)
        return max(1, math.ceil(self.opens_seconds() if expected is None else expected.high))

    def _promote(self) -> None:  # the only place a ticket starts to run
        while len(self._schedule) and self.running < self.open_slots:
            ticket = self._schedule.take().entry
            self._waiting_tokens -= ticket.cost
            self._shares.remove(ticket.client, ticket.cost)
            ticket.state = State.RUNNING
            ticket.granted = self._clock()
            for wait in self._waits.pop(ticket, ()):
                self._pacer.grant(wait)
            if ticket.on_change is not None:
                ticket.on_change()

    def _tell(self, moved: Iterable[tuple[int, Ticket]], *, is_for_all: bool = False) -> None:
        """Tell some who wait, with how many go before each, that their places may have moved.

        Each who is told costs far more than what is decided here. So those far back are told in steps of a
        sixteenth of their place, unless something else has changed for all.
        """
        for ahead, ticket in moved:
            if ahead < _TOLD_ALWAYS or is_for_all or abs(ticket.told - ahead) >= ahead // 16:
                ticket.told = ahead
                if ticket.on_change is not None:
                    ticket.on_change()

    def _begin(self, spot: Spot[Ticket]) -> None:
        """Take note of where a wait stands; not while no slot is open, when that says nothing of it."""
        waits = self._waits.setdefault(spot.entry, [])
        if self.open_slots and len(waits) < _MOST_SAMPLES:
            groups = _groups(spot.entry.client, spot.entry.kind)
            wait = self._pacer.begin(self._schedule.turns(spot), self.open_slots, groups)
            if wait is not None:
                waits.append(wait)

    def _sample(self) -> None:
        """Look at one of those who wait, another at each release: what is left of a wait teaches, too."""
        if len(self._schedule):
            self._sampled += _STRIDE
            self._begin(self._schedule[self._sampled % len(self._schedule)])


def _groups(client: str, kind: Class) -> tuple[tuple[Class, str], Class]:
    """Give whose waits an estimate is learned from: the client's own, else those of its class."""
    return (kind, client), kind
