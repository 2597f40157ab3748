"""How long a wait will be, from how fast slots became free and how long others waited.

A chat whose turn is p takes away waits for p releases. The time between two releases while others wait is
measured; the sum of p of them has mean p·m and spread √p·s, so the interval narrows, in proportion, with
depth. But those who come later may be served first, and how many do is only known from how it was. So what
chats really waited, as a multiple of p·m, is measured too, separately for near and for far turns and for each
group that a chat is of, and once enough of them are known their middle four fifths are the estimate.

Knows releases, grants and a clock that is passed in. Knows nothing of what the groups are.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

# The last releases count: enough for a steady mean, few enough to follow a change of load.
_MEMORY = 96
# Ten to ninety per cent: a normal's 1.2816. Published as the interval that four of five waits meet.
_SPREAD = 1.2816
# Releases that are too few say little: the spread is taken as large as the mean (as if they came at
# random) in proportion to what is missing.
_TRUSTED = 8
# The last waits of a group and a range of turns. More than of releases: what began together ended alike.
_WAITS_KEPT = 256
# Groups and ranges that are kept, 8 KiB each; the one goes whose last wait ended longest ago.
KINDS_KEPT = 256
# What is left out on each side.
_TAIL = 0.1
# Waits that make the tails mean something: two on each side.
_ENOUGH_WAITS = 24


# A group that a chat is of, and the power of two that its turns are in.
_Kind = tuple[Hashable, int]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A wait in seconds: low and high bracket it four times out of five."""

    low: float
    likely: float
    high: float


@dataclass(frozen=True, slots=True)
class Wait:
    """A moment of a wait. Units: seconds of the clock; plain_seconds is what was left by the turns alone."""

    kinds: tuple[_Kind, ...]
    began: float
    plain_seconds: float


class Pacer:
    """Measures the time between releases while the backlog is not empty, and the waits.

    Units: seconds, of the clock.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._gaps: deque[float] = deque(maxlen=_MEMORY)
        self._services: deque[float] = deque(maxlen=_MEMORY)
        self._last: float | None = None
        # Multiples of the plain expectation that waits came to.
        self._stretches: OrderedDict[_Kind, deque[float]] = OrderedDict()
        self._kept_mean: float | None = None
        self._kept_deviation: float | None = None
        self._middles: dict[_Kind, tuple[float, float, float]] = {}

    def release(self, held_seconds: float, others_wait: bool) -> None:
        """Take note that a slot was given back after being held; a gap counts only under load."""
        now = self._clock()
        self._services.append(held_seconds)
        if self._last is not None:
            self._gaps.append(now - self._last)
            self._kept_mean = self._kept_deviation = None
        self._last = now if others_wait else None

    def saturate(self) -> None:
        """Take note that the first chat has begun to wait: from now on gaps count."""
        if self._last is None:
            self._last = self._clock()

    def pause(self) -> None:
        """Take note that the time to the next release says nothing of the ones after it."""
        self._last = None

    def begin(self, turns: float, slots: int, groups: Sequence[Hashable] = ("",)) -> Wait | None:
        """Take note of where a wait stands now; None until anything was measured."""
        mean = self._mean(slots)
        return None if mean is None else Wait(_kinds(turns, groups), self._clock(), turns * mean)

    def grant(self, wait: Wait) -> None:
        """Take note that a wait has ended in a slot."""
        if wait.plain_seconds <= 0:
            return
        for kind in wait.kinds:
            stretches = self._stretches.setdefault(kind, deque(maxlen=_WAITS_KEPT))
            stretches.append((self._clock() - wait.began) / wait.plain_seconds)
            self._stretches.move_to_end(kind)
            self._middles.pop(kind, None)
        while len(self._stretches) > KINDS_KEPT:
            oldest, _ = self._stretches.popitem(last=False)
            self._middles.pop(oldest, None)

    def plain(self, turns: float, slots: int) -> Estimate | None:
        """Estimate the time that a number of releases takes; None until anything was measured."""
        mean = self._mean(slots)
        if mean is None:
            return None
        deviation, gaps = self._deviation(mean), max(1, len(self._gaps))
        # The mean itself is uncertain: its error counts once for each turn.
        spread = _SPREAD * math.sqrt(turns * deviation**2 + (turns * deviation) ** 2 / gaps)
        likely = turns * mean
        return Estimate(max(0.0, likely - spread), likely, likely + spread)

    def estimate(self, turns: float, slots: int, groups: Sequence[Hashable] = ("",)) -> Estimate | None:
        """Estimate the wait for a turn, by the first group of which enough is known.

        None until anything was measured.
        """
        mean = self._mean(slots)
        if mean is None:
            return None
        for kind in _kinds(turns, groups):
            middle = self._middle(kind)
            if middle is not None:
                low, likely, high = middle
                return Estimate(turns * mean * low, turns * mean * likely, turns * mean * high)
        return self.plain(turns, slots)

    def _mean(self, slots: int) -> float | None:
        """Give the mean gap. Kept, as the deviation is, because each who waits asks at each change."""
        if self._kept_mean is None:
            if self._gaps:
                self._kept_mean = sum(self._gaps) / len(self._gaps)
            elif self._services:
                # Before the first gap: slots that are held for a mean time are freed slots times as often.
                return sum(self._services) / len(self._services) / slots
        return self._kept_mean

    def _deviation(self, mean: float) -> float:
        if self._kept_deviation is None:
            gaps = self._gaps
            if not gaps:
                return mean
            measured = math.sqrt(sum((gap - mean) ** 2 for gap in gaps) / len(gaps))
            self._kept_deviation = measured + max(0.0, 1 - len(gaps) / _TRUSTED) * mean
        return self._kept_deviation

    def _middle(self, kind: _Kind) -> tuple[float, float, float] | None:
        """Give the tails and the middle of the stretches of a kind, None if too few are known."""
        if kind not in self._middles:
            known = sorted(self._stretches.get(kind, ()))
            if len(known) < _ENOUGH_WAITS:
                return None
            cut = int(len(known) * _TAIL)
            self._middles[kind] = known[cut], known[len(known) // 2], known[-1 - cut]
        return self._middles[kind]


def _kinds(turns: float, groups: Sequence[Hashable]) -> tuple[_Kind, ...]:
    span = int(turns).bit_length()
    return tuple((group, span) for group in groups)
