"""Turns: fair by tokens between clients, and batch work never starves."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.account import Spot
from gateway.schedule import BATCH_EVERY, Class, Schedule

Job = tuple[str, Class, int, int]

JOBS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(Class), st.integers(1, 3000)), min_size=1, max_size=40
)


def filled(jobs: list[tuple[str, Class, int]]) -> tuple[Schedule[Job], list[Spot[Job]]]:
    """Make a schedule of numbered jobs."""
    schedule: Schedule[Job] = Schedule()
    return schedule, [
        schedule.add((client, kind, cost, number), client, kind, cost)
        for number, (client, kind, cost) in enumerate(jobs)
    ]


@given(JOBS)
def test_everybody_is_taken_once_in_the_order_of_places(jobs: list[tuple[str, Class, int]]) -> None:
    """The place shown is the place kept while nobody comes or goes."""
    schedule, spots = filled(jobs)
    places = {spot.entry: schedule.place(spot) for spot in spots}
    taken = [schedule.take().entry for _ in spots]

    assert list(range(1, len(spots) + 1)) == [places[job] for job in taken]
    assert 0 == len(schedule)


@given(JOBS)
def test_a_client_s_own_jobs_keep_their_order(jobs: list[tuple[str, Class, int]]) -> None:
    """First come, first served within a client and a class."""
    schedule, spots = filled(jobs)
    taken = [schedule.take().entry for _ in spots]
    for client in "abc":
        for kind in Class:
            numbers = [job[3] for job in taken if job[:2] == (client, kind)]
            assert sorted(numbers) == numbers


@given(JOBS)
def test_batch_work_waits_for_a_bounded_number_of_others(jobs: list[tuple[str, Class, int]]) -> None:
    """While batch work waits, no more than BATCH_EVERY interactive jobs go in a row."""
    schedule, spots = filled(jobs)
    waiting = sum(spot.entry[1] is Class.BATCH for spot in spots)
    row = 0
    for _ in spots:
        job = schedule.take().entry
        row = row + 1 if job[1] is Class.INTERACTIVE and waiting else 0
        waiting -= job[1] is Class.BATCH
        assert row <= BATCH_EVERY


@given(
    st.lists(st.integers(16, 2000), min_size=20, max_size=60),
    st.lists(st.integers(16, 2000), min_size=20, max_size=60),
)
def test_two_busy_clients_get_equal_tokens(first: list[int], second: list[int]) -> None:
    """While both wait, their shares differ by no more than a largest job."""
    jobs = [("a", Class.INTERACTIVE, cost) for cost in first] + [
        ("b", Class.INTERACTIVE, cost) for cost in second
    ]
    schedule, _ = filled(jobs)
    left = Counter(client for client, _, _ in jobs)
    served: Counter[str] = Counter()
    while min(left.values()):
        spot = schedule.take()
        client, _, cost, _ = spot.entry
        schedule.end(spot, cost)
        served[client] += cost
        left[client] -= 1
        assert abs(served["a"] - served["b"]) <= 2000


def test_a_short_chat_passes_a_heavy_client_s_line() -> None:
    """A hundred long chats of one client, some of which run, delay another's by no turn."""
    schedule, _ = filled([("heavy", Class.INTERACTIVE, 2000)] * 100)
    for _ in range(8):
        schedule.take()
    place = schedule.newcomer_turns("light", Class.INTERACTIVE)
    spot = schedule.add(("light", Class.INTERACTIVE, 200, 100), "light", Class.INTERACTIVE, 200)

    assert (1, 1) == (place, schedule.place(spot))


@given(JOBS, st.data())
def test_leaving_closes_the_gap(jobs: list[tuple[str, Class, int]], data: st.DataObject) -> None:
    """Places stay one to n, whoever goes, and nobody moves who was in front."""
    schedule, spots = filled(jobs)
    while spots:
        spot = spots.pop(data.draw(st.integers(0, len(spots) - 1)))
        before = {one.entry: schedule.place(one) for one in spots}
        behind = {job for _, job in schedule.behind(spot)}
        schedule.remove(spot)
        after = {one.entry: schedule.place(one) for one in spots}
        assert all(later - sooner == 1 for sooner, later in pairwise([0, *sorted(after.values())]))
        assert {job for job in after if after[job] != before[job]} <= behind
        assert sorted(after) == sorted(job for _, job in schedule)
        assert sorted(after) == sorted(schedule[number].entry for number in range(len(schedule)))


@given(JOBS, st.sampled_from("abcd"), st.sampled_from(Class))
def test_a_newcomer_s_place_is_known_before_it_comes(
    jobs: list[tuple[str, Class, int]], client: str, kind: Class
) -> None:
    """A deadline can be judged without touching the line."""
    schedule, _ = filled(jobs)
    told = schedule.newcomer_turns(client, kind)
    spot = schedule.add((client, kind, 500, len(jobs)), client, kind, 500)

    assert told == schedule.place(spot) == schedule.turns(spot)


def test_nobody_waits() -> None:
    """To take from an empty schedule is an error."""
    with pytest.raises(LookupError):
        Schedule().take()
