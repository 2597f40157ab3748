"""Tokens per second over the last ten seconds, by a clock that the test moves."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.pace import WINDOW_SECONDS, Pace
from tests.unit.gateway.clock import Clock


def test_nothing_generated_is_zero() -> None:
    """A new gateway shows no speed."""
    assert 0.0 == Pace(Clock()).tokens_per_second()


def test_a_young_pace_is_divided_by_its_age() -> None:
    """Two seconds after the start the mean is over two seconds, not over the window."""
    clock = Clock()
    pace = Pace(clock)
    clock.pass_by(2.0)
    pace.add(30)

    assert 15.0 == pace.tokens_per_second()


def test_a_steady_pace_is_shown_as_it_is() -> None:
    """Twenty tokens each second are twenty tokens per second."""
    clock = Clock()
    pace = Pace(clock)
    for _ in range(60):
        pace.add(20)
        clock.pass_by(1.0)
        shown = pace.tokens_per_second()

    assert 18.0 <= shown <= 20.0


def test_tokens_leave_the_window() -> None:
    """Ten seconds after the last answer the figure is zero."""
    clock = Clock()
    pace = Pace(clock)
    clock.pass_by(20.0)
    pace.add(1000)
    clock.pass_by(WINDOW_SECONDS - 1)
    before = pace.tokens_per_second()
    clock.pass_by(1.0)

    assert (100.0, 0.0) == (before, pace.tokens_per_second())


def test_a_jump_over_the_window_clears_it() -> None:
    """After an hour of silence nothing old is counted."""
    clock = Clock()
    pace = Pace(clock)
    pace.add(1000)
    clock.pass_by(3600.0)
    pace.add(10)

    assert 1.0 == pace.tokens_per_second()


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(0, 15)), max_size=30))
def test_it_equals_a_count_over_whole_seconds(events: list[tuple[int, float]]) -> None:
    """The ring gives what a full list of arrivals gives, whatever the pauses."""
    clock = Clock(0.0)
    pace = Pace(clock)
    arrivals: list[tuple[int, int]] = []
    for tokens, pause in events:
        pace.add(tokens)
        arrivals.append((int(clock.now), tokens))
        clock.pass_by(pause)
    lived = min(float(WINDOW_SECONDS), max(1.0, clock.now))
    recent = sum(tokens for second, tokens in arrivals if second > int(clock.now) - WINDOW_SECONDS)

    assert round(recent / lived, 1) == pace.tokens_per_second()
