"""Promises: who was refused and comes again as told finds a place, and nobody else pays for it."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from gateway.promise import KEPT_SECONDS, MOST_PROMISES, Promises
from tests.unit.gateway.clock import Clock

ALL = 10**6


def told(
    promises: Promises, client: str, first: float = 2.0, gap: float = 2.0, cost: int = 1, most: int = 4
) -> int:
    """Refuse a client."""
    return promises.tell(client, cost, most, first, gap)


def kept(promises: Promises, client: str, most: int = ALL) -> tuple[int, int]:
    """Give what is kept from a client, whether or not it has a promise."""
    return promises.kept(client, most, most)


def test_each_who_is_refused_is_told_a_later_time() -> None:
    """One place comes free for each, a little more slowly than they really do."""
    promises = Promises(Clock())

    assert [2, 5, 7, 9] == [told(promises, name) for name in "abcd"]


def test_what_is_told_is_whole_seconds_and_not_too_early() -> None:
    """As Retry-After is; rounding up adds nothing to the times of those behind."""
    clock = Clock()
    promises = Promises(clock)
    assert [1, *[2] * 10, *[3] * 4] == [told(promises, str(number), 0.9, 0.1) for number in range(15)]
    clock.pass_by(1)

    assert (0, 0) == kept(promises, "0")
    assert 14 == kept(promises, "1")[0]


def test_a_faster_engine_lets_nobody_come_before_those_who_were_told_first() -> None:
    """Times that were told stand, so the next one is behind them, however fast places come free by now."""
    promises = Promises(Clock())
    first = [told(promises, name, 10, 10) for name in "abc"]

    assert [10, 21, 32] == first
    assert 33 == told(promises, "d", 1, 1)


def test_a_place_is_kept_until_its_time_has_passed() -> None:
    """From others, whether they ask all the time or come by; in order, and no more than some."""
    clock = Clock()
    promises = Promises(clock)
    for name, cost in (("a", 700), ("b", 50), ("c", 1)):
        told(promises, name, cost=cost)
    assert (3, 751) == kept(promises, "new")
    assert (2, 750) == kept(promises, "new", 2)
    assert (2, 701) == kept(promises, "b", 2)
    clock.pass_by(2 + KEPT_SECONDS)
    assert 3 == kept(promises, "new")[0]
    clock.pass_by(0.1)

    assert (2, 51) == kept(promises, "new")
    assert 2 == len(promises)


def test_who_comes_as_told_is_kept_from_by_nobody() -> None:
    """Its time has come: any place is its. Who comes too early is one of the others."""
    clock = Clock()
    promises = Promises(clock)
    for name in "abc":
        told(promises, name, 1, 1)
    clock.pass_by(2.5)

    assert [0, 0, 2, 3] == [kept(promises, name)[0] for name in "abcd"]


def test_asking_too_early_is_held_against_another_bound() -> None:
    """More is kept from who was told to wait than from who comes by."""
    promises = Promises(Clock())
    for name in "abcdef":
        told(promises, name)

    assert (2, 2) == promises.kept("new", 2, 4)
    assert (4, 4) == promises.kept("f", 2, 4)


def test_a_place_that_is_taken_is_no_longer_kept() -> None:
    """Whenever its client got it; to redeem what was never promised is nothing."""
    promises = Promises(Clock())
    told(promises, "a")
    promises.redeem("a")
    promises.redeem("a")

    assert (0, 0) == kept(promises, "b")


def test_a_place_that_is_not_there_in_time_is_the_next() -> None:
    """Who came in vain is told when the next comes free that no other comes for, not the end of the line."""
    clock = Clock()
    promises = Promises(clock)
    for name in "abcdef":
        told(promises, name)
    clock.pass_by(5)

    assert [6, 4] == [told(promises, name) for name in "ab"]
    assert 6 == len(promises)


def test_asking_again_and_again_fills_no_line() -> None:
    """A client has so many promises and no more, and keeps their times."""
    clock = Clock()
    promises = Promises(clock)
    first = [told(promises, "hasty", most=2) for _ in range(100)]
    clock.pass_by(1)

    assert [2, *[5] * 99] == first
    assert 4 == told(promises, "hasty", most=2)
    assert 6 == told(promises, "patient")


def test_a_flood_of_names_ends() -> None:
    """Beyond a bound times are told and no place is promised."""
    promises = Promises(Clock())
    last = [told(promises, str(number), 1, 1) for number in range(MOST_PROMISES + 100)]

    assert MOST_PROMISES == len(promises)
    assert all(before <= after for before, after in itertools.pairwise(last))
    assert last[-1] == last[MOST_PROMISES]


@given(
    st.lists(
        st.tuples(st.sampled_from(["tell", "redeem", "pass"]), st.sampled_from("abcd"), st.integers(0, 30)),
        max_size=60,
    )
)
def test_promises_are_neither_lost_nor_doubled(events: list[tuple[str, str, int]]) -> None:
    """Whatever happens: as many as were told and neither redeemed nor passed by, a client's bounded."""
    clock = Clock()
    promises = Promises(clock)
    due: dict[str, list[float]] = {name: [] for name in "abcd"}
    for event, name, number in events:
        for times in due.values():
            times[:] = [time for time in times if time >= clock.now - KEPT_SECONDS]
        if event == "pass":
            clock.pass_by(number)
        elif event == "redeem":
            kept(promises, name)  # as admission does, looks before
            promises.redeem(name)
            del due[name][:1]
        else:
            was_due = bool(due[name]) and due[name][0] <= clock.now
            times = sorted(itertools.chain(*due.values()))
            assert told(promises, name, number + 0.5, 1, most=3) >= 1
            if was_due:
                times.remove(due[name].pop(0))
                rivals = sum(time < clock.now + number + 0.5 for time in times)
                due[name] = sorted([*due[name], clock.now + number + 0.5 + rivals])
            elif len(due[name]) < 3:
                last = times[-1] + 1.08 if times else 0.0
                due[name].append(max(clock.now + number + 0.5, last))
        for times in due.values():
            times[:] = [time for time in times if time >= clock.now - KEPT_SECONDS]
        near = [time for times in due.values() for time in times]
        assert (len(near), len(near)) == kept(promises, "nobody")
        assert len(near) == len(promises)
