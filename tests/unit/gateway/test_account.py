"""Accounts: who has had least goes next, charged what was used, and nobody gains or starves by a trick."""

import itertools
import random
from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from gateway.account import (
    CREDIT_TOKENS,
    LEAST_TOKENS,
    MOST_EXCESS,
    MOST_REMEMBERED,
    MOST_TOKENS,
    PATIENCE,
    SHARES_PER_CLIENT,
    Line,
    Spot,
)

# Clients that always have a chat in line share tokens to within what runs of each and a largest chat.
LARGEST = 2_000


def serve(line: Line[str], used: int) -> str:
    """Let the first entry run to its end; give it."""
    spot = line.take()
    line.end(spot, used)
    return spot.entry


def busy(line: Line[str], *names: str, entries: int = 1, cost: int = 500) -> None:
    """Let clients bring some entries each, named as they are."""
    for name in names:
        for _ in range(entries):
            line.add(name, name, cost)


class Accounts(RuleBasedStateMachine):
    """Entries come, leave, run and end in any order, with any cost and use."""

    def __init__(self) -> None:
        super().__init__()
        self.line: Line[int] = Line()
        self.waiting: dict[int, Spot[int]] = {}
        self.running: dict[int, Spot[int]] = {}
        self.numbers = itertools.count()
        self.level = 0

    @rule(client=st.sampled_from("abcde"), cost=st.integers(-5, 3 * MOST_TOKENS) | st.integers(1, 800))
    def come(self, client: str, cost: int) -> None:
        expected, rank = self.line.begins(client, cost), self.line.newcomer_rank(client, cost)
        number = next(self.numbers)
        spot = self.waiting[number] = self.line.add(number, client, cost)
        # What a client is told before it comes is what it gets.
        assert (expected, rank) == (spot.begins, self.line.rank(spot))
        assert LEAST_TOKENS <= spot.cost <= MOST_TOKENS
        if len(spot.account.waiting) == 1:
            assert spot.begins >= self.line.level - CREDIT_TOKENS

    @precondition(lambda self: self.waiting)
    @rule(data=st.data())
    def leave(self, data: st.DataObject) -> None:
        number = data.draw(st.sampled_from(sorted(self.waiting)))
        spot = self.waiting.pop(number)
        before = (spot.account.had, spot.account.held)
        self.line.remove(spot)
        assert before == (spot.account.had, spot.account.held)

    @precondition(lambda self: self.waiting)
    @rule()
    def run(self) -> None:
        lowest = min(spot.begins for spot in self.waiting.values())
        spot = self.line.take()
        assert lowest == spot.begins
        assert spot is self.waiting.pop(spot.entry)
        self.running[spot.entry] = spot

    @precondition(lambda self: self.running)
    @rule(data=st.data(), used=st.integers(-5, 3 * MOST_TOKENS) | st.integers(1, 800))
    def end(self, data: st.DataObject, used: int) -> None:
        spot = self.running.pop(data.draw(st.sampled_from(sorted(self.running))))
        before = spot.account.had
        self.line.end(spot, used)
        charged = before + min(max(LEAST_TOKENS, used), MOST_TOKENS)
        # Tokens are conserved: charged is what was used, as near as the bounds around the level allow.
        low, high = self.line.level - MOST_TOKENS, self.line.level + MOST_TOKENS
        assert min(max(charged, low), high) == spot.account.had

    @invariant()
    def the_level_never_falls(self) -> None:
        assert self.level <= self.line.level
        self.level = self.line.level

    @invariant()
    def turns_follow_accounts(self) -> None:
        assert list(range(len(self.waiting))) == sorted(map(self.line.rank, self.waiting.values()))
        by_client: dict[str, list[Spot[int]]] = {}
        for spot in sorted(self.waiting.values(), key=self.line.rank):
            by_client.setdefault(spot.account.client, []).append(spot)
        for spots in by_client.values():
            # 1. First come, first served within a client.
            assert sorted(spot.number for spot in spots) == [spot.number for spot in spots]
            # 2. Each begins where those before it, and those that run, will have brought the account.
            account = spots[0].account
            begins = account.begins(spots[0].cost, account.since)
            assert account.since <= self.line.level
            # 3. However much it had: a debt delays it by what it asks for and what that left out last time.
            delay = PATIENCE * spots[0].cost + account.excess
            assert 0 <= account.excess <= MOST_EXCESS
            assert begins == account.held + min(account.had, account.since + delay)
            for spot in spots:
                assert begins == spot.begins
                begins += spot.cost

    @invariant()
    def what_runs_is_held(self) -> None:
        for spot in (*self.waiting.values(), *self.running.values()):
            costs = [one.cost for one in self.running.values() if one.account is spot.account]
            assert (sum(costs), len(costs)) == (spot.account.held, spot.account.running)

    @invariant()
    def all_who_left_are_remembered_or_forgotten(self) -> None:
        opened = {spot.account.client for spot in (*self.waiting.values(), *self.running.values())}
        assert len(opened) + self.line.remembered <= len("abcde")
        assert len(self.waiting) == len(self.line)


Accounts.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestAccounts = Accounts.TestCase


@given(
    st.lists(st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)), min_size=60, max_size=60),
    st.lists(st.tuples(st.integers(1, LARGEST), st.integers(1, LARGEST)), min_size=60, max_size=60),
    st.integers(1, 6),
    st.randoms(use_true_random=False),
)
def test_used_tokens_come_out_even_whatever_was_asked_for(
    first: list[tuple[int, int]], second: list[tuple[int, int]], slots: int, chance: random.Random
) -> None:
    """Two clients that always wait: never further apart than what runs of each and one chat."""
    line: Line[int] = Line()
    jobs = {"a": iter(first), "b": iter(second)}
    left, used = {"a": 60, "b": 60}, Counter[str]()
    running: list[tuple[Spot[int], int]] = []
    for client in "ab" * 8:  # a few in line at any time
        cost, use = next(jobs[client])
        line.add(use, client, cost)
    while min(left.values()) > 8:
        while len(running) < slots:
            spot = line.take()
            running.append((spot, spot.entry))
        spot, use = running.pop(chance.randrange(len(running)))
        line.end(spot, use)
        client = spot.account.client
        used[client] += max(LEAST_TOKENS, use)
        left[client] -= 1
        following = next(jobs[client], None)
        if following is not None:
            line.add(following[1], client, following[0])
        assert abs(used["a"] - used["b"]) <= 2 * (slots + 1) * LARGEST


def test_asking_for_little_and_using_much_gains_nothing() -> None:
    """Claims of one token for answers of a thousand: the tokens come out even all the same."""
    line: Line[str] = Line()
    used = Counter[str]()
    busy(line, "modest", cost=1)
    busy(line, "honest", cost=1_000)
    for _ in range(1_000):
        name = serve(line, 1_000)
        used[name] += 1_000
        busy(line, name, cost=1 if name == "modest" else 1_000)

    assert abs(used["modest"] - used["honest"]) <= 1_000


def test_asking_for_much_and_using_little_loses_nothing() -> None:
    """Nor does it raise the level, which would forgive others' debts."""
    line: Line[str] = Line()
    used = Counter[str]()
    busy(line, "greedy", entries=2, cost=MOST_TOKENS)
    busy(line, "honest", entries=2, cost=100)
    for _ in range(1_000):
        name = serve(line, 100)
        used[name] += 100
        busy(line, name, cost=MOST_TOKENS if name == "greedy" else 100)

    assert abs(used["greedy"] - used["honest"]) <= 200
    assert line.level <= used["honest"] + 100


def test_leaving_as_soon_as_one_is_served_starves_nobody() -> None:
    """Eight chats that are cancelled at once, again and again: each costs a turn's least."""
    line: Line[str] = Line()
    busy(line, "canceller", entries=8)
    busy(line, "worker")
    turns = Counter[str]()
    while turns["worker"] < 50:
        name = serve(line, 0 if line[0].entry == "canceller" else 500)
        turns[name] += 1
        busy(line, name)

    assert turns["canceller"] * LEAST_TOKENS <= (turns["worker"] + 1) * 500 + CREDIT_TOKENS


def test_leaving_the_line_and_coming_back_moves_nobody() -> None:
    """A client that leaves stands behind those it stood behind, and its account is as it was."""
    line: Line[str] = Line()
    busy(line, "a", "b", "c")
    serve(line, 300)
    for _ in range(100):
        spot = line.add("a", "a", 500)
        assert 2 == line.rank(spot)
        line.remove(spot)

    assert 2 == len(line)


def test_a_debt_is_not_dropped_by_going_away() -> None:
    """Who had a long answer and was gone for a moment waits until the others have had as much."""
    line: Line[str] = Line()
    busy(line, "a", "b")
    assert "a" == serve(line, 10_000)
    busy(line, "a", "b")
    turns = []
    for _ in range(30):
        name = serve(line, 500)
        turns.append(name)
        busy(line, name)

    assert 20 == turns.index("a")


def test_idle_time_saves_up_no_more_than_the_credit() -> None:
    """A program that paused for hours goes ahead by the credit and the chat it is at, not by hours."""
    line: Line[str] = Line()
    busy(line, "idler")
    serve(line, 500)
    busy(line, "worker")
    for _ in range(200):
        serve(line, 500)
        busy(line, "worker")
    busy(line, "idler", entries=50)
    ahead = list(itertools.takewhile(lambda name: name == "idler", (serve(line, 500) for _ in range(50))))

    assert 1 <= len(ahead) <= CREDIT_TOKENS // 500 + 1


def test_who_had_less_than_its_share_goes_next() -> None:
    """A person among fifteen programs, three chats each: first in line, chat after chat."""
    line: Line[str] = Line()
    programs = [f"program {number}" for number in range(15)]
    busy(line, *programs, entries=3)
    running = [line.take() for _ in range(8)]

    def pass_by(turns: int) -> None:
        for _ in range(turns):
            spot = running.pop(0)
            line.end(spot, 500)
            if spot.entry != "person":
                busy(line, spot.entry)
            running.append(line.take())

    pass_by(300)
    for _ in range(50):  # the first time as one that nobody knows
        spot = line.add("person", "person", 500)
        assert 0 == line.rank(spot)
        pass_by(20)


def test_newcomers_leave_those_who_wait_half_a_share() -> None:
    """However many new names come: four busy clients among them have at least half an equal share each."""
    line: Line[str] = Line()
    names = ["a", "b", "c", "d"]
    busy(line, *names)
    used = Counter[str]()
    newcomers = 12
    for number in range(4_000):
        while len(line) < len(names) + newcomers:
            fresh = f"new {number} {len(line)}"
            line.add(fresh, fresh, 500)
        name = serve(line, 500)
        used[name] += 500
        if name in names:
            busy(line, name)
    share = 4_000 * 500 / (len(names) + newcomers) / SHARES_PER_CLIENT

    assert all(used[name] >= 0.95 * share for name in names)


def test_whoever_waits_is_served_after_a_bounded_number_of_tokens() -> None:
    """The deepest debt there can be, in a flood of newcomers: it delays a chat by a multiple of that chat.

    Nobody who comes begins below the level less the credit, so once that has passed the chat's own begin none
    goes ahead. The level rises by each token served, divided by SHARES_PER_CLIENT times the open clients.
    """
    line: Line[str] = Line()
    busy(line, "debtor")
    serve(line, MOST_TOKENS)
    spot = line.add("debtor", "debtor", 500)
    debt, delay, clients, served = spot.account.had - line.level, spot.begins - line.level, 11, 0
    for number in itertools.count():
        while len(line) < clients:
            fresh = f"new {number} {len(line)}"
            line.add(fresh, fresh, 2_000)
        if serve(line, 2_000) == "debtor":
            break
        served += 2_000

    assert debt > MOST_TOKENS // 4
    assert delay <= PATIENCE * 500 + MOST_EXCESS
    assert served <= SHARES_PER_CLIENT * clients * (delay + CREDIT_TOKENS) + clients * 2_000


def test_a_debtor_keeps_half_a_share_and_its_debt() -> None:
    """Among seven that always wait: half their tokens while it pays, and as many once it has paid."""
    line: Line[str] = Line()
    names = [f"busy {number}" for number in range(7)]
    busy(line, "debtor", cost=60_000)
    serve(line, 60_000)
    busy(line, "debtor", *names)
    used = Counter[str]()
    shares = []
    for turn in range(1, 2_401):
        name = serve(line, 500)
        used[name] += 500
        busy(line, name)
        if turn % 600 == 0:
            shares.append(used["debtor"] / used["busy 0"])
            used.clear()

    assert 0.4 <= shares[0] <= 0.55
    assert 0.95 <= shares[-1] <= 1.05


def test_a_debt_that_is_paid_slowly_is_not_paid_less() -> None:
    """Long chats are not delayed by less than they take: who brings no others has no more than a busy one."""
    line: Line[str] = Line()
    used = Counter[str]()
    busy(line, "long", cost=20_000)
    busy(line, "short", entries=2)
    for _ in range(4_000):
        name = serve(line, 20_000 if line[0].entry == "long" else 500)
        used[name] += 20_000 if name == "long" else 500
        busy(line, name, cost=20_000 if name == "long" else 500)

    assert abs(used["long"] - used["short"]) <= 20_500


def test_no_flood_of_names_is_remembered() -> None:
    """Accounts of clients that left are bounded, and forgotten when the level has passed them."""
    line: Line[str] = Line()
    for number in range(MOST_REMEMBERED + 500):
        busy(line, f"client {number}")
        serve(line, 20)
    assert MOST_REMEMBERED == line.remembered
    busy(line, "worker", entries=1)
    for _ in range(2 * SHARES_PER_CLIENT):
        serve(line, MOST_TOKENS)
        busy(line, "worker")

    assert 0 == line.remembered


def test_turns_count_those_who_will_come() -> None:
    """Two clients, one with a long line: half of all turns are the other's, whose chats are yet to come."""
    line: Line[str] = Line()
    busy(line, "long", entries=40)
    busy(line, "short")
    for _ in range(20):
        name = serve(line, 500)
        if name == "short":
            busy(line, name)
    last = line[len(line) - 1]

    assert len(line) == line.rank(last) + 1
    assert 0.9 <= line.turns(last.begins) / (2 * line.rank(last)) <= 1.1


def test_nothing_known_says_no_turns() -> None:
    """Before a line moved nobody knows how fast it does."""
    line: Line[str] = Line()
    busy(line, "a", entries=3)

    assert 0.0 == line.turns(line[2].begins)
