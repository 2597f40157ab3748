"""Turns: fair by tokens between clients, and batch work never starves."""

from collections import Counter
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.schedule import BATCH_EVERY, QUANTUM_TOKENS, Class, Schedule

Job = tuple[str, Class, int, int]

JOBS = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(Class), st.integers(1, 3000)), min_size=1, max_size=40
)


def filled(jobs: list[tuple[str, Class, int]]) -> tuple[Schedule[Job], list[Job]]:
    """Make a schedule of numbered jobs."""
    schedule: Schedule[Job] = Schedule()
    named = [(client, kind, cost, number) for number, (client, kind, cost) in enumerate(jobs)]
    for job in named:
        schedule.add(job, job[0], job[1], job[2])
    return schedule, named


@given(JOBS)
def test_everybody_is_taken_once_in_the_order_of_places(jobs: list[tuple[str, Class, int]]) -> None:
    """The place shown is the place kept while nobody comes or goes."""
    schedule, named = filled(jobs)
    places = {job: schedule.place(job) for job in named}
    taken = [schedule.take() for _ in named]

    assert list(range(1, len(named) + 1)) == [places[job] for job in taken]
    assert 0 == len(schedule)


@given(JOBS)
def test_a_client_s_own_jobs_keep_their_order(jobs: list[tuple[str, Class, int]]) -> None:
    """First come, first served within a client and a class."""
    schedule, named = filled(jobs)
    taken = [schedule.take() for _ in named]
    for client in "abc":
        for kind in Class:
            numbers = [job[3] for job in taken if job[:2] == (client, kind)]
            assert sorted(numbers) == numbers


@given(JOBS)
def test_batch_work_waits_for_a_bounded_number_of_others(jobs: list[tuple[str, Class, int]]) -> None:
    """While batch work waits, no more than BATCH_EVERY interactive jobs go in a row."""
    schedule, named = filled(jobs)
    waiting = sum(job[1] is Class.BATCH for job in named)
    row = 0
    for _ in named:
        job = schedule.take()
        row = row + 1 if job[1] is Class.INTERACTIVE and waiting else 0
        waiting -= job[1] is Class.BATCH
        assert row <= BATCH_EVERY


@given(
    st.lists(st.integers(1, 2000), min_size=20, max_size=60),
    st.lists(st.integers(1, 2000), min_size=20, max_size=60),
)
def test_two_busy_clients_get_equal_tokens(first: list[int], second: list[int]) -> None:
    """While both wait, their shares differ by no more than a quantum and a largest job each."""
    jobs = [("a", Class.INTERACTIVE, cost) for cost in first] + [
        ("b", Class.INTERACTIVE, cost) for cost in second
    ]
    schedule, _ = filled(jobs)
    left = Counter(client for client, _, _ in jobs)
    served: Counter[str] = Counter()
    while True:
        job = schedule.take()
        served[job[0]] += job[2]
        left[job[0]] -= 1
        if not left[job[0]]:
            break
        assert abs(served["a"] - served["b"]) <= 2 * (QUANTUM_TOKENS + 2000)


def test_a_short_chat_passes_a_heavy_client_s_line() -> None:
    """A hundred long chats of one client delay another's by a turn."""
    schedule, named = filled(
        [("heavy", Class.INTERACTIVE, 2000)] * 100 + [("light", Class.INTERACTIVE, 200)]
    )

    assert 1 == schedule.place(named[-1])


@given(JOBS, st.data())
def test_leaving_closes_the_gap(jobs: list[tuple[str, Class, int]], data: st.DataObject) -> None:
    """Places stay one to n, whoever goes."""
    schedule, named = filled(jobs)
    while named:
        job = named.pop(data.draw(st.integers(0, len(named) - 1)))
        schedule.remove(job, job[0], job[1])
        places = sorted(schedule.place(one) for one in named)
        assert all(after - before == 1 for before, after in pairwise([0, *places]))
        assert set(named) == set(schedule)


def test_tokens_given_back_shorten_the_next_turn() -> None:
    """Who asked for more than it used is not charged for it while it still waits."""
    plain, _ = filled([("a", Class.INTERACTIVE, 900), ("b", Class.INTERACTIVE, 900)])
    settled, _ = filled([("a", Class.INTERACTIVE, 900), ("b", Class.INTERACTIVE, 900)])
    settled.settle("b", Class.INTERACTIVE, 400)

    assert ("a", "b") == (plain.take()[0], settled.take()[0])
