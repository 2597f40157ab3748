"""The bench's arithmetic."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.load.figures import Figure, added, paired, percentile


def test_a_percentile_is_one_of_the_values() -> None:
    """The smallest value that so many percent do not exceed, without interpolation."""
    values = [float(value) for value in range(1, 101)]

    assert (50.0, 99.0, 100.0, 1.0) == tuple(percentile(values, percent) for percent in (50, 99, 100, 0))
    assert 2.0 == percentile([1.0, 2.0, 3.0], 50)
    assert 7.0 == percentile([7.0], 99)


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1), st.floats(0, 100))
def test_enough_values_lie_at_or_below_a_percentile(values: list[float], percent: float) -> None:
    """At least the asked share, and the value itself was seen."""
    found = percentile(values, percent)

    assert found in values
    assert sum(value <= found for value in values) >= len(values) * percent / 100 - 1e-6


def test_nothing_has_no_percentile() -> None:
    """No measurement is an error, not a zero."""
    with pytest.raises(ValueError, match="no values"):
        percentile([], 50)


def test_a_figure_is_the_median_of_its_repeats() -> None:
    """One bad repeat does not move it."""
    assert 2.0 == Figure("x", "µs", (1.0, 900.0, 2.0)).value


@pytest.mark.parametrize(
    ("repeats", "budget", "is_floor", "is_met"),
    [
        ((4.0,), None, False, None),
        ((4.5,), 4.5, False, True),
        ((4.6,), 4.5, False, False),
        ((0.85,), 0.85, True, True),
        ((0.84,), 0.85, True, False),
    ],
)
def test_a_budget_is_a_most_or_a_least(
    repeats: tuple[float, ...], budget: float | None, is_floor: bool, is_met: bool | None
) -> None:
    """The bound itself keeps it."""
    assert is_met is Figure("x", "times", repeats, budget, is_floor).is_met


def test_a_line_tells_value_spread_and_budget() -> None:
    """What is printed names a broken budget."""
    line = Figure("gateway to nginx", "times", (5.0, 4.0, 6.0), 4.5).line()

    assert "gateway to nginx" in line
    assert "5 times" in line
    assert line.endswith("(4 to 6)   budget <= 4.5: BROKEN")


def test_repeats_are_compared_with_their_own_neighbours() -> None:
    """A ratio and a difference belong to one repeat each."""
    assert (2.0, 3.0) == paired([4.0, 9.0], [2.0, 3.0])
    assert (2.0, 6.0) == added([4.0, 9.0], [2.0, 3.0])


def test_unequal_repeats_are_no_pairs() -> None:
    """A lost measurement is noticed."""
    with pytest.raises(ValueError, match="argument 2"):
        paired([1.0], [1.0, 2.0])
