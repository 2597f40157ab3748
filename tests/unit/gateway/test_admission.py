"""Admission driven by random events: whatever happens, nobody is lost and no slot is wasted."""

import contextlib
import random
import tracemalloc
from functools import partial
from itertools import count

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from gateway.account import MOST_REMEMBERED
from gateway.admission import Admission, State, Ticket
from gateway.errors import BacklogFull, DeadlineUnmet, Draining
from gateway.schedule import Class
from tests.unit.gateway.clock import Clock

PLENTY = 10**9


def admission(slots: int = 1, backlog_limit: int = 8, tokens: int = PLENTY) -> Admission:
    """Make an admission whose clock stands still."""
    return Admission(slots, backlog_limit, tokens, Clock())


class Backlog(RuleBasedStateMachine):
    """Tickets come, go and finish in any order."""

    @initialize(slots=st.integers(1, 4), backlog_limit=st.integers(0, 6))
    def start(self, slots: int, backlog_limit: int) -> None:
        self.clock = Clock()
        self.admission = Admission(slots, backlog_limit, PLENTY, self.clock)
        self.tickets: list[Ticket] = []
        self.released: set[Ticket] = set()
        self.refusals = 0
        # What each ticket's owner was last told; the invariants compare it with the truth.
        self.told: dict[Ticket, tuple[State, int | None]] = {}
        self.granted: dict[tuple[str, Class], list[int]] = {}

    def kept_at_most(self) -> int:
        return min(self.refusals, self.admission.most_kept)

    def held(self) -> list[Ticket]:
        return [ticket for ticket in self.tickets if ticket not in self.released]

    def watch(self, ticket: Ticket) -> None:
        self.told[ticket] = (ticket.state, ticket.place)
        if ticket.state is State.RUNNING:
            self.note_grant(ticket)

        def tell() -> None:
            before = self.told[ticket][0]
            self.told[ticket] = (ticket.state, None)
            if before is State.WAITING and ticket.state is State.RUNNING:
                self.note_grant(ticket)

        ticket.on_change = tell

    def note_grant(self, ticket: Ticket) -> None:
        self.granted.setdefault((ticket.client, ticket.kind), []).append(self.tickets.index(ticket))

    @rule(client=st.sampled_from("abc"), cost=st.integers(0, 3000), kind=st.sampled_from(Class))
    def admit(self, client: str, cost: int, kind: Class) -> None:
        full = self.admission.running >= self.admission.slots
        over = full and self.admission.waiting >= self.admission.backlog_limit
        # Some of the places may be kept for those who were told when to come.
        may_be_over = full and self.admission.waiting >= self.admission.backlog_limit - self.kept_at_most()
        own = sum(one.client == client and one.state is State.WAITING for one in self.held())
        free = self.admission.backlog_limit - self.admission.waiting
        may_be_over |= full and own > 0 and (own + 1 > 3 * (free - 1))
        try:
            ticket = self.admission.admit(client, cost, kind)
        except Draining:
            assert self.admission.is_draining
            return
        except BacklogFull as refused:
            assert may_be_over
            assert refused.retry_after_seconds is not None
            assert refused.retry_after_seconds >= 1
            self.refusals += 1
            return
        assert not over
        assert not self.admission.is_draining
        self.tickets.append(ticket)
        self.watch(ticket)
        assert (State.WAITING if full else State.RUNNING) is ticket.state

    @rule(client=st.sampled_from("abc"), cost=st.integers(0, 3000), seconds=st.floats(0, 60))
    def admit_in_time(self, client: str, cost: int, seconds: float) -> None:
        """Who is let in was told a wait that may be short enough; who is not, one that is too long."""
        if self.admission.is_draining:
            return
        expected = self.admission.estimate(client)
        is_full = self.admission.running >= self.admission.slots
        is_late = is_full and expected is not None and expected.low > seconds
        try:
            ticket = self.admission.admit(client, cost, deadline_seconds=seconds)
        except BacklogFull:
            assert is_full
            self.refusals += 1
        except DeadlineUnmet:
            assert is_late
        else:
            assert not is_late
            self.tickets.append(ticket)
            self.watch(ticket)

    @precondition(lambda self: self.held())
    @rule(data=st.data(), used=st.none() | st.integers(0, 5000), seconds=st.floats(0, 30))
    def release(self, data: st.DataObject, used: int | None, seconds: float) -> None:
        self.clock.pass_by(seconds)
        ticket = data.draw(st.sampled_from(self.held()))
        self.released.add(ticket)
        ticket.release(used)

    @precondition(lambda self: self.released)
    @rule(data=st.data())
    def release_again(self, data: st.DataObject) -> None:
        before = (self.admission.running, self.admission.waiting, self.admission.waiting_tokens)
        data.draw(st.sampled_from(sorted(self.released, key=self.tickets.index))).release(7)
        assert before == (self.admission.running, self.admission.waiting, self.admission.waiting_tokens)

    @rule()
    def finish_the_first_in_line(self) -> None:
        """Who is shown the first place is the next to run."""
        first = next((ticket for ticket in self.held() if ticket.place == 1), None)
        running = next((ticket for ticket in self.held() if ticket.state is State.RUNNING), None)
        if first is not None and running is not None:
            self.released.add(running)
            running.release()
            assert State.RUNNING is first.state

    @precondition(lambda self: len(self.tickets) > 8)
    @rule()
    def drain(self) -> None:
        self.admission.drain()

    @invariant()
    def no_slot_is_overbooked_or_wasted(self) -> None:
        assert self.admission.running <= self.admission.slots
        assert self.admission.waiting == 0 or self.admission.running == self.admission.slots
        assert self.admission.waiting <= self.admission.backlog_limit

    @invariant()
    def no_ticket_is_lost(self) -> None:
        states = [ticket.state for ticket in self.held()]
        assert states.count(State.RUNNING) == self.admission.running
        assert states.count(State.WAITING) == self.admission.waiting
        assert all(ticket.state is State.RELEASED for ticket in self.released)

    @invariant()
    def places_have_no_holes(self) -> None:
        places = sorted(ticket.place for ticket in self.held() if ticket.place is not None)
        assert list(range(1, self.admission.waiting + 1)) == places

    @invariant()
    def waiting_tokens_add_up(self) -> None:
        waiting = [ticket.cost for ticket in self.held() if ticket.state is State.WAITING]
        assert sum(waiting) == self.admission.waiting_tokens

    @invariant()
    def owners_were_told(self) -> None:
        for ticket in self.held():
            state, place = self.told[ticket]
            assert state is ticket.state
            # None: told that something changed, so that the owner looked; else what it saw still holds.
            assert place in (None, ticket.place)
            self.told[ticket] = (ticket.state, ticket.place)

    @invariant()
    def a_client_s_own_chats_keep_their_order(self) -> None:
        for order in self.granted.values():
            assert sorted(order) == order


# Few long runs find more than many short ones: a backlog has to build up first.
Backlog.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestBacklog = Backlog.TestCase


def test_a_free_slot_is_given_at_once() -> None:
    """Nobody waits while a slot is free."""
    admitted = admission(slots=2)

    assert [State.RUNNING, State.RUNNING] == [admitted.admit("a", 1).state for _ in range(2)]
    assert (2, 0) == (admitted.running, admitted.waiting)


def test_one_client_is_served_first_come_first_served() -> None:
    """Five chats of one client run in the order they came."""
    admitted = admission()
    tickets = [admitted.admit("a", 100 * number) for number in range(5)]
    order = []
    for _ in tickets:
        running = next(ticket for ticket in tickets if ticket.state is State.RUNNING)
        order.append(tickets.index(running))
        running.release()

    assert [0, 1, 2, 3, 4] == order


def test_places_move_up_when_one_in_the_middle_leaves() -> None:
    """Who stood behind is told, and stands one place nearer."""
    admitted = admission()
    admitted.admit("a", 1)
    first, leaves, last = (admitted.admit("a", 1) for _ in range(3))
    told: list[int | None] = []
    last.on_change = lambda: told.append(last.place)
    leaves.release()

    assert (1, 2) == (first.place, last.place)
    assert 2 == told[-1]


def test_the_refusal_comes_exactly_at_the_bound() -> None:
    """The last who may wait is admitted, the next is refused with a time to come again."""
    admitted = admission(slots=2, backlog_limit=3)
    for client in "aabcd":
        admitted.admit(client, 1)
    with pytest.raises(BacklogFull) as refused:
        admitted.admit("e", 1)

    assert (2, 3) == (admitted.running, admitted.waiting)
    assert isinstance(refused.value.retry_after_seconds, int)
    assert refused.value.retry_after_seconds >= 1


def test_without_a_backlog_only_slots_admit() -> None:
    """A bound of zero refuses whoever would have to wait."""
    admitted = admission(backlog_limit=0)
    ticket = admitted.admit("a", 1)
    with pytest.raises(BacklogFull):
        admitted.admit("a", 1)
    ticket.release()

    assert State.RUNNING is admitted.admit("a", 1).state


def test_the_backlog_is_bounded_in_tokens_too() -> None:
    """A chat that would exceed the bound is refused; a long one counts by a quarter of it, so it may wait."""
    admitted = admission(tokens=100)
    admitted.admit("a", 1)
    for client, cost in (("a", 500), ("b", 90), ("c", 25), ("d", 24)):
        admitted.admit(client, cost)
    with pytest.raises(BacklogFull, match="639 tokens"):
        admitted.admit("e", 2)
    admitted.admit("e", 1)

    assert (5, 640) == (admitted.waiting, admitted.waiting_tokens)


def test_one_client_alone_has_most_of_the_backlog_and_the_rest_is_for_others() -> None:
    """Three quarters of all places; then each other one finds one, and the greedy one's next is its own."""
    admitted, _ = measured(backlog_limit=64)
    tickets = [admitted.admit("greedy", 500) for _ in range(48)]
    with pytest.raises(BacklogFull, match="48 chats of this client wait") as refused:
        admitted.admit("greedy", 500)
    others = [admitted.admit(f"client {number}", 500) for number in range(16)]
    with pytest.raises(BacklogFull, match="64 wait, which is the limit"):
        admitted.admit("one more", 500)

    assert {State.WAITING} == {ticket.state for ticket in (*tickets, *others)}
    # When its first in line will have run: the one that runs holds its slot for two seconds.
    assert 2 == refused.value.retry_after_seconds
    # Newcomers go first, but for the first that came.
    assert list(range(2, 18)) == [ticket.place for ticket in others]


@pytest.mark.parametrize(
    ("limit", "greedy", "each"), [(64, 2, 27), (64, 5, 12), (64, 14, 4), (8, 1, 6), (4, 1, 3), (2, 1, 1)]
)
def test_however_many_are_greedy_a_newcomer_finds_a_place(limit: int, greedy: int, each: int) -> None:
    """All of them ask as often as they can; all get the same."""
    admitted = admission(backlog_limit=limit)
    admitted.admit("runs", 500)
    for number in range(greedy * limit):
        with contextlib.suppress(BacklogFull):
            admitted.admit(f"greedy {number % greedy}", 500)
    had = [admitted.waiting_of(f"greedy {number}") for number in range(greedy)]

    assert State.WAITING is admitted.admit("newcomer", 500).state
    assert each == max(had)
    assert max(had) - min(had) <= 1


@pytest.mark.parametrize("cost", [10_000, 100_000])
def test_one_client_s_long_chats_leave_tokens_for_a_newcomer_s(cost: int) -> None:
    """Also for one as long."""
    admitted = admission(backlog_limit=64, tokens=131_072)
    admitted.admit("runs", 500)
    with contextlib.suppress(BacklogFull):
        for _ in range(64):
            admitted.admit("greedy", cost)

    assert 3 * 131_072 // 4 // min(cost, 131_072 // 4) == admitted.waiting
    assert State.WAITING is admitted.admit("newcomer", cost).state


def test_who_was_promised_a_place_has_it_beyond_its_share() -> None:
    """Both were promised when it had nothing in line; the first has come in when the second is due."""
    admitted, clock = measured(backlog_limit=8)
    tickets = [admitted.admit(client, 1) for client in "bcdefghi"]
    for _ in range(2):
        with pytest.raises(BacklogFull) as refused:
            admitted.admit("a", 1)
    for ticket in tickets[:2]:
        ticket.release()
    clock.pass_by(refused.value.retry_after_seconds or 0)
    for _ in range(2):
        admitted.admit("a", 1)

    assert (8, 2) == (admitted.waiting, admitted.waiting_of("a"))


def test_several_places_are_promised_for_one_time() -> None:
    """A chat of several answers that comes as told finds all its places, though others ask all the time."""
    admitted, clock = measured(backlog_limit=32)
    tickets = [admitted.admit(f"client {number}", 1) for number in range(32)]
    with pytest.raises(BacklogFull) as refused:
        admitted.check_room("three", 1, 3)
    told = refused.value.retry_after_seconds or 0
    for ticket in tickets[:3]:
        ticket.release()
        clock.pass_by(told / 3)
        with pytest.raises(BacklogFull, match="kept"):
            admitted.admit("hasty", 1)
    admitted.check_room("three", 1, 3)
    for _ in range(3):
        admitted.admit("three", 1)

    assert (32, 6) == (admitted.waiting, told)


def test_a_drain_refuses_the_new_and_keeps_the_old() -> None:
    """Who runs or waits at the stop still gets a slot."""
    admitted = admission()
    runs, waits = admitted.admit("a", 1), admitted.admit("a", 1)
    admitted.drain()
    with pytest.raises(Draining) as refused:
        admitted.admit("a", 1)
    runs.release()

    assert 5 == refused.value.retry_after_seconds
    assert State.RUNNING is waits.state


def test_a_released_ticket_has_no_place() -> None:
    """Nor has one that runs."""
    admitted = admission()
    runs, waits = admitted.admit("a", 1), admitted.admit("a", 1)
    assert (None, 1) == (runs.place, waits.place)
    waits.release()

    assert (None, State.RELEASED) == (waits.place, waits.state)


def test_a_grant_is_told_once() -> None:
    """The owner of a waiting ticket is told of its slot."""
    admitted = admission()
    runs, waits = admitted.admit("a", 1), admitted.admit("a", 1)
    told: list[State] = []
    waits.on_change = lambda: told.append(waits.state)
    runs.release()

    assert [State.RUNNING] == told


def test_a_ticket_shows_itself() -> None:
    """Its repr names client, state and place."""
    admitted = admission()
    admitted.admit("a", 1)

    assert "<Ticket b interactive waiting place=1>" == repr(admitted.admit("b", 1))


def test_a_cost_without_bound_costs_no_time() -> None:
    """Whatever a chat asks for, its turn comes at once; turns are counted in quanta."""
    admitted = admission(tokens=10**20)
    tickets = [admitted.admit(client, 10**18) for client in "abc"]

    assert [None, 1, 2] == [ticket.place for ticket in tickets]


def measured(slots: int = 1, backlog_limit: int = 8) -> tuple[Admission, Clock]:
    """Make an admission that has seen a slot come free every two seconds."""
    clock = Clock()
    admitted = Admission(slots, 1, PLENTY, clock)
    first = admitted.admit("a", 1)
    for _ in range(20):
        following = admitted.admit("a", 1)
        clock.pass_by(2)
        first.release()
        first = following
    admitted.backlog_limit = backlog_limit
    return admitted, clock


def test_each_who_is_refused_is_told_a_later_time() -> None:
    """One place comes free for each; who asks again too early is told the same time."""
    admitted, clock = measured(backlog_limit=1)
    admitted.admit("a", 1)

    def told(client: str) -> int | None:
        with pytest.raises(BacklogFull) as refused:
            admitted.admit(client, 1)
        return refused.value.retry_after_seconds

    assert [2, 5, 7] == [told("b"), told("c"), told("d")]
    clock.pass_by(1)
    assert [1, 4, 6] == [told("b"), told("c"), told("d")]


def test_who_comes_as_told_finds_a_place_among_those_who_do_not_wait() -> None:
    """Others ask again all the time, and the place that comes free is kept from them."""
    admitted, clock = measured(backlog_limit=4)
    tickets = [admitted.admit(client, 1) for client in "abcd"]
    with pytest.raises(BacklogFull) as refused:
        admitted.admit("patient", 1)
    told = refused.value.retry_after_seconds
    clock.pass_by(1)
    tickets[0].release()
    assert 3 == admitted.waiting
    with pytest.raises(BacklogFull, match="kept"):
        admitted.admit("hasty", 1)
    clock.pass_by(1)
    admitted.admit("patient", 1)

    assert 2 == told
    assert 4 == admitted.waiting


@pytest.mark.parametrize(("limit", "kept"), [(0, 0), (1, 0), (2, 1), (8, 1), (9, 2), (64, 8)])
def test_kept_places_leave_others_most_of_all(limit: int, kept: int) -> None:
    """However many were told when to come; and no slot is ever kept."""
    admitted, _ = measured(backlog_limit=limit)
    tickets = [admitted.admit(f"early {number}", 1) for number in range(limit)]
    for number in range(40):
        with pytest.raises(BacklogFull):
            admitted.admit(f"client {number}", 1)
    for ticket in tickets:
        ticket.release()
    for number in range(limit - kept):
        admitted.admit(f"hasty {number}", 1)

    assert kept == admitted.most_kept
    with pytest.raises(BacklogFull):
        admitted.admit("hasty", 1)


def test_a_deadline_is_held_against_the_place_that_a_turn_gives() -> None:
    """Behind another's long line a newcomer goes next, and is not refused for the line's length."""
    admitted, _ = measured(backlog_limit=16)
    for _ in range(6):
        admitted.admit("a", 512)
    with pytest.raises(DeadlineUnmet) as refused:
        admitted.admit("a", 512, deadline_seconds=6)
    ticket = admitted.admit("b", 512, deadline_seconds=6)
    expected = admitted.estimate("c")

    assert refused.value.retry_after_seconds == 8
    assert (1, 7) == (ticket.place, admitted.waiting)
    assert expected is not None
    assert 4.0 == expected.likely


def test_a_deadline_that_is_refused_leaves_nothing_behind() -> None:
    """No place, no tokens, no turn."""
    admitted, _ = measured()
    ticket = admitted.admit("a", 512)
    with pytest.raises(DeadlineUnmet):
        admitted.admit("b", 512, deadline_seconds=0.5)
    with pytest.raises(DeadlineUnmet):
        admitted.admit("a", 512, deadline_seconds=0.5)

    assert (1, 512, 1) == (admitted.waiting, admitted.waiting_tokens, ticket.place)


def test_a_deadline_is_not_judged_before_anything_was_measured() -> None:
    """Nor while no slot is open."""
    fresh, (closed, _) = admission(), measured()
    fresh.admit("a", 1)
    closed.resize(1, 0)

    assert State.WAITING is fresh.admit("a", 1, deadline_seconds=0.0).state
    assert State.WAITING is closed.admit("a", 1, deadline_seconds=0.0).state
    assert None is closed.estimate("a")


def test_while_no_engine_is_ready_times_are_told_from_when_one_will_be() -> None:
    """A deadline before that is refused at arrival; a full queue is promised its places from then on."""
    closed = admission(backlog_limit=4)
    closed.resize(1, 0)
    closed.opens_seconds = lambda: 40.0
    with pytest.raises(DeadlineUnmet, match=r"expected to be ready in 40\.0 s") as late:
        closed.admit("a", 1, deadline_seconds=30.0)
    closed.admit("a", 1, deadline_seconds=60.0)
    for client in "abc":
        closed.admit(client, 1)
    told = []
    for client in "ade":
        with pytest.raises(BacklogFull) as full:
            closed.admit(client, 1)
        told.append(full.value.retry_after_seconds)

    assert 10 == late.value.retry_after_seconds
    assert [40, 40, 42] == told


def test_what_was_used_is_charged_whatever_was_asked_for() -> None:
    """Two clients ask for the same; the one that used more is behind, and the other way round."""
    orders = []
    for used in ((2000, 100), (100, 2000)):
        admitted = admission(slots=2, backlog_limit=8)
        running = [admitted.admit(client, 500) for client in "ab"]
        waiting = [admitted.admit(client, 500) for client in "ab"]
        for ticket, tokens in zip(running, used, strict=True):
            admitted.resize(2, 0)
            ticket.release(tokens)
        orders.append([ticket.place for ticket in waiting])

    assert [[2, 1], [1, 2]] == orders


def test_a_chat_that_nobody_counted_is_charged_what_it_asked_for() -> None:
    """An engine that was cut off says nothing of its use: no client gains by cutting it off."""
    admitted = admission(slots=2, backlog_limit=8)
    running = [admitted.admit("a", 800), admitted.admit("b", 800)]
    waiting = [admitted.admit(client, 500) for client in "ab"]
    admitted.resize(2, 0)
    running[0].release(None)
    running[1].release(700)

    assert [2, 1] == [ticket.place for ticket in waiting]


def test_only_those_are_told_whose_place_may_have_moved() -> None:
    """A chat at the end of the line wakes nobody in front of it."""
    admitted = admission()
    admitted.admit("a", 500)
    told: list[str] = []
    for name in "ab":
        admitted.admit(name, 500).on_change = lambda name=name: told.append(name)
    told.clear()
    last = admitted.admit("a", 500)
    assert [] == told
    last.release()
    assert [] == told
    admitted.admit("c", 500)

    assert ["a"] == told


def test_a_long_line_is_told_in_steps() -> None:
    """Of four hundred who wait the first are told every change; the last see a place that nearly holds."""
    admitted = admission(backlog_limit=600)
    running = admitted.admit("a", 500)
    tickets = [admitted.admit("a", 500) for _ in range(400)]
    seen: dict[Ticket, int | None] = {}
    told = 0

    def tell(ticket: Ticket) -> None:
        nonlocal told
        told += 1
        seen[ticket] = ticket.place

    for ticket in tickets:
        seen[ticket] = ticket.place
        ticket.on_change = partial(tell, ticket)
    for _ in range(200):
        running.release()
        running = tickets.pop(0)
        for place, ticket in enumerate(tickets, start=1):
            shown = seen[ticket] or 0
            assert place <= shown <= place + place // 16
            assert shown == place or place > 64

    assert told <= 200 * (64 + 1 + 16 * 2)
    admitted.resize(1, 0)
    assert list(range(1, 201)) == [seen[ticket] for ticket in tickets]


def test_memory_grows_with_nothing_that_goes_on() -> None:
    """Overload for hours, each chat of a client of its own: what is kept of those who left is bounded.

    The first part fills what remembers, with as many clients as are kept; after that nothing grows.
    """
    clock = Clock()
    admitted = Admission(4, 16, PLENTY, clock)
    chance = random.Random(1)
    held: list[Ticket] = []
    names = count()

    def play(chats: int) -> int:
        for _ in range(chats):
            clock.pass_by(0.5)
            with contextlib.suppress(BacklogFull):
                held.append(admitted.admit(f"client {next(names)}", chance.randint(1, 1000)))
            if chance.random() < 0.8:
                held.pop(chance.randrange(len(held))).release(chance.randint(0, 1000))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        play(2 * MOST_REMEMBERED)
        before = play(1_000)
        after = play(2 * MOST_REMEMBERED)
    finally:
        tracemalloc.stop()

    assert after <= 1.05 * before


def test_who_all_left_leave_nothing() -> None:
    """Every chat ended or gone: no tokens, no places."""
    admitted, clock = measured(slots=1)
    tickets = [admitted.admit(client, 700) for client in "aabbc"]
    for ticket in tickets:
        clock.pass_by(1)
        ticket.release()

    assert (1, 0, 0) == (admitted.running, admitted.waiting, admitted.waiting_tokens)
