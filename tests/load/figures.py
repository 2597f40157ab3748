"""The arithmetic of the bench: medians, percentiles, ratios, budgets, and how they are printed.

Knows:  numbers and their budgets.
Knows nothing of: where they come from.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median


def percentile(values: Sequence[float], percent: float) -> float:
    """The smallest value that at least so many percent of the values do not exceed.

    Raises:  ValueError if there are no values.
    """
    if not values:
        raise ValueError("no values")
    ordered = sorted(values)
    rank = -(-len(ordered) * percent // 100)  # rounded up
    return ordered[max(0, int(rank) - 1)]


def ratio(value: float, base: float) -> float | None:
    """How many times the base; None where there is no base."""
    return value / base if base > 0 else None


def spread(values: Sequence[float]) -> str:
    """The lowest and highest repeat, to be printed beside a median."""
    return f"{min(values):.3g} to {max(values):.3g}"


@dataclass(frozen=True)
class Figure:
    """One line of the table: the median of the repeats, and the budget it is held against."""

    name: str
    unit: str
    repeats: tuple[float, ...]
    budget: float | None = None
    # The budget is a least, not a most.
    is_floor: bool = False

    @property
    def value(self) -> float:
        """The median."""
        return median(self.repeats)

    @property
    def is_met(self) -> bool | None:
        """Whether the budget is kept; None without one."""
        if self.budget is None:
            return None
        return self.value >= self.budget if self.is_floor else self.value <= self.budget

    def line(self) -> str:
        """The figure as it is printed."""
        bound = ""
        if self.budget is not None:
            word = "kept" if self.is_met else "BROKEN"
            bound = f"   budget {'>=' if self.is_floor else '<='} {self.budget:g}: {word}"
        return f"  {self.name:<58} {self.value:>9.3g} {self.unit:<10} ({spread(self.repeats)}){bound}"

    def document(self) -> dict[str, object]:
        """The JSON form."""
        return {
            "name": self.name,
            "unit": self.unit,
            "value": self.value,
            "repeats": list(self.repeats),
            "budget": self.budget,
            "kept": self.is_met,
        }


def paired(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Ratios repeat by repeat: what slows the machine for a moment slows both."""
    return tuple(value / base for value, base in zip(values, bases, strict=True))


def added(values: Sequence[float], bases: Sequence[float]) -> tuple[float, ...]:
    """Differences repeat by repeat."""
    return tuple(value - base for value, base in zip(values, bases, strict=True))
