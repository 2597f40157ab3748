"""How long a wait will be, from how fast slots became free.

A chat at place p waits for p releases. The time between two releases while others wait is measured;
the sum of p of them has mean p·m and spread √p·s, so the interval narrows, in proportion, with depth.

Knows releases and a clock that is passed in. Knows nothing of who waits.
"""

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

# The last releases count: enough for a steady mean, few enough to follow a change of load.
_MEMORY = 64
# Ten to ninety per cent: a normal's 1.2816. Published as the interval that four of five waits meet.
_SPREAD = 1.2816
# Releases that are too few say little: the spread is taken as large as the mean (as if they came at
# random) in proportion to what is missing.
_TRUSTED = 8


@dataclass(frozen=True, slots=True)
class Estimate:
    """A wait in seconds: low and high bracket it four times out of five."""

    low: float
    likely: float
    high: float


class Pacer:
    """Measures the time between releases while the backlog is not empty.

    Units: seconds, of the clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._gaps: deque[float] = deque(maxlen=_MEMORY)
        self._services: deque[float] = deque(maxlen=_MEMORY)
        self._last: float | None = None

    def release(self, held_seconds: float, others_wait: bool) -> None:
        """Take note that a slot was given back after being held; a gap counts only under load."""
        now = self._clock()
        self._services.append(held_seconds)
        if self._last is not None:
            self._gaps.append(now - self._last)
        self._last = now if others_wait else None

    def saturate(self) -> None:
        """Take note that the first chat has begun to wait: from now on gaps count."""
        if self._last is None:
            self._last = self._clock()

    def estimate(self, place: int, slots: int) -> Estimate | None:
        """Estimate the wait at a place; None until anything was measured."""
        gaps = list(self._gaps)
        if not gaps and self._services:
            # Before the first gap: slots that are held for a mean time are freed slots times as often.
            gaps = [sum(self._services) / len(self._services) / slots]
        if not gaps:
            return None
        mean = sum(gaps) / len(gaps)
        measured = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
        missing = max(0.0, 1 - len(gaps) / _TRUSTED)
        deviation = measured + missing * mean
        # The mean itself is uncertain: its error counts once for each place.
        spread = _SPREAD * math.sqrt(place * deviation**2 + (place * deviation) ** 2 / len(gaps))
        likely = place * mean
        return Estimate(max(0.0, likely - spread), likely, likely + spread)
