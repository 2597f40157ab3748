"""Fairness: Jain's index of the tokens that clients had lately."""

from gateway.fairness import MOST_CLIENTS, SPAN_SECONDS, WINDOW_SECONDS, Served
from tests.unit.gateway.clock import Clock


def test_nobody_served_is_fair() -> None:
    """Without chats, and with one client alone, nobody was favoured."""
    served = Served(Clock())
    assert 1.0 == served.index()
    served.add("a", 500)

    assert 1.0 == served.index()


def test_equal_shares_are_fair_however_many_chats_they_took() -> None:
    """Tokens count, not chats."""
    served = Served(Clock())
    served.add("a", 600)
    for _ in range(3):
        served.add("b", 200)

    assert 1.0 == served.index()


def test_one_who_takes_all_leaves_one_in_n() -> None:
    """Four clients, three of whom had nothing, give a quarter."""
    served = Served(Clock())
    served.add("greedy", 1000)
    for name in "abc":
        served.add(name, 0)

    assert 0.25 == served.index()


def test_what_is_long_ago_is_forgotten() -> None:
    """Only the last minutes count."""
    clock = Clock()
    served = Served(clock)
    served.add("a", 1000)
    clock.pass_by(WINDOW_SECONDS + 1)
    served.add("b", 10)
    served.add("c", 10)

    assert 1.0 == served.index()


def test_memory_grows_with_clients_and_not_with_chats() -> None:
    """Ten hours of chats, several a second: each of three clients is kept once a span."""
    clock = Clock()
    served = Served(clock)
    for number in range(100_000):
        served.add("abc"[number % 3], 100)
        clock.pass_by(0.36)

    assert len(served) <= 3 * (WINDOW_SECONDS / SPAN_SECONDS + 1)
    assert served.index() > 0.9999


def test_a_flood_of_names_is_bounded() -> None:
    """As many clients are told apart in a span and no more."""
    served = Served(Clock())
    for number in range(10 * MOST_CLIENTS):
        served.add(f"client {number}", 100)

    assert MOST_CLIENTS == len(served)
    assert 1.0 == served.index()
