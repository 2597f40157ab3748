"""The breaker, by random events too; the retries' budget; silence; ways to choose."""

from collections import Counter
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.breaker import FAILURES_IN_A_ROW, LONGEST_PAUSE_SECONDS, Breaker, State
from gateway.budget import MOST_SAVED, Budget
from gateway.errors import EngineTimeout
from gateway.routing import LOAD_BOUND, Route, cached_prefix, in_turn, least_outstanding
from gateway.silence import silent_seconds


def opened() -> Breaker:
    """Give one that has just opened, at zero."""
    breaker = Breaker()
    assert [False] * (FAILURES_IN_A_ROW - 1) + [True] == [breaker.fail(0.0) for _ in range(FAILURES_IN_A_ROW)]
    return breaker


def test_failures_in_a_row_open_it() -> None:
    """A success between them begins the row anew; while it is open no failure counts."""
    breaker = Breaker()
    for _ in range(5):
        for _ in range(FAILURES_IN_A_ROW - 1):
            assert not breaker.fail(0.0)
        breaker.succeed()
    one = opened()

    assert (State.CLOSED, State.OPEN) == (breaker.state, one.state)
    assert (False, 1) == (one.fail(0.0), one.opened)


def test_one_chat_is_one_failure() -> None:
    """However many of its answers fail; a chat that nobody named is one of its own each time."""
    breaker = Breaker()

    assert [False] * 7 == [breaker.fail(0.0, chat) for chat in ("a", "a", "a", "b", "a", "b", "b")]
    assert breaker.fail(0.0, "c")


def test_the_pause_doubles_while_no_token_comes() -> None:
    """The first try is at once; the longest pause is half a minute."""
    breaker, now, pauses = opened(), 0.0, []
    for _ in range(8):
        pauses.append(breaker.pause_seconds(now))
        now += breaker.pause_seconds(now)
        breaker.begin_try()
        assert State.HALF_OPEN is breaker.state
        breaker.end_try(now, is_good=False)

    assert [0, 1, 2, 4, 8, 16, 30, 30] == pauses
    assert LONGEST_PAUSE_SECONDS == 30


def test_a_token_lets_chats_in_and_a_chat_takes_the_pauses_back() -> None:
    """After a try it takes a row of failures again; without a chat that went well the pause is longer."""
    failing, cured = opened(), opened()
    for breaker in (failing, cured):
        breaker.begin_try()
        breaker.end_try(0.0, is_good=True)
        assert State.CLOSED is breaker.state
    cured.succeed()
    row = [[breaker.fail(0.0) for _ in range(FAILURES_IN_A_ROW)] for breaker in (failing, cured)]

    assert [[False] * (FAILURES_IN_A_ROW - 1) + [True]] * 2 == row
    assert (1.0, 0.0) == (failing.pause_seconds(0.0), cured.pause_seconds(0.0))


def test_an_engine_that_fails_every_second_chat_goes_on_serving() -> None:
    """However long: nobody is served by leaving it alone."""
    breaker = opened()
    breaker.begin_try()
    breaker.end_try(0.0, is_good=True)
    for _ in range(100):
        assert not breaker.fail(0.0)
        breaker.succeed()

    assert (State.CLOSED, 1) == (breaker.state, breaker.opened)


@given(st.lists(st.sampled_from(["fail", "succeed", "try", "good", "bad", "trip", "renew", "wait"])))
def test_whatever_happens_it_can_be_tried_within_the_longest_pause(events: list[str]) -> None:
    """It never stays open for ever, and never is half open without a try."""
    breaker, now = Breaker(), 0.0
    for event in events:
        match event:
            case "fail":
                breaker.fail(now)
            case "succeed":
                breaker.succeed()
            case "try" if not breaker.pause_seconds(now):
                breaker.begin_try()
            case "good" | "bad":
                breaker.end_try(now, is_good=event == "good")
            case "trip":
                breaker.trip(now)
            case "renew":
                breaker.renew()
            case "wait":
                now += 7.0
        assert 0.0 <= breaker.pause_seconds(now) <= LONGEST_PAUSE_SECONDS
        if breaker.state is not State.OPEN:
            assert 0.0 == breaker.pause_seconds(now)


def test_one_chat_in_ten_may_be_tried_again() -> None:
    """Beyond what was saved; both are counted."""
    budget = Budget()
    tried = 0
    for _ in range(1000):
        budget.earn()
        tried += budget.take()

    assert 100 + MOST_SAVED - 1 <= tried <= 100 + MOST_SAVED
    assert (tried, 1000 - tried) == (budget.taken, budget.refused)


@dataclass
class Chat:
    """One that an engine works on."""

    heard_at: float | None

    def end(self, error: EngineTimeout) -> None:
        """Do nothing."""

    def __hash__(self) -> int:
        return id(self)


@pytest.mark.parametrize(
    ("heard", "ended", "silent"),
    [([], 0.0, 0.0), ([None, None], 0.0, 0.0), ([4.0, None], 0.0, 6.0), ([4.0, 9.0], 0.0, 1.0),
     ([4.0], 7.0, 3.0)],
)  # fmt: skip
def test_silence_counts_while_an_answer_is_being_written(
    heard: list[float | None], ended: float, silent: float
) -> None:
    """From the last token of any chat; those that are still read do not count."""
    assert silent == silent_seconds([Chat(at) for at in heard], ended, 10.0)


@dataclass
class Engine:
    """One that a chat may go to."""

    name: str
    running: int = 0
    outstanding: int = 0


def test_the_same_beginning_goes_to_the_same_engine_until_that_has_too_much_to_do() -> None:
    """Different ones spread; nobody has more than the bound over the mean, but for one chat."""
    engines = [Engine(f"engine-{number}") for number in range(4)]
    prompts = [f"system prompt {number} " * 40 for number in range(400)]
    spread = Counter(cached_prefix(engines, prompt).name for prompt in prompts)
    for number in range(400):
        chosen = cached_prefix(engines, prompts[0] + str(number))
        chosen.outstanding += 100
        mean = sum(engine.outstanding for engine in engines) / 4
        assert chosen.outstanding <= LOAD_BOUND * mean + 100

    assert 4 == len(spread)
    assert min(spread.values()) >= 60


def test_the_other_ways_to_choose() -> None:
    """The fewest tokens still to do, then the fewest chats; and one after the other."""
    busy, free = Engine("a", 1, 900), Engine("b", 2, 100)
    turn: Route[Engine] = in_turn()

    assert free is least_outstanding([busy, free])
    assert [busy, free, busy] == [turn([busy, free], "x") for _ in range(3)]
