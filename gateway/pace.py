"""Tokens per second over the last few seconds, in constant time and space.

Knows counts and a clock that is passed in. Knows nothing of chats.
"""

from collections.abc import Callable

# Ten seconds: long enough that a chat's pauses do not make the figure flicker, short enough that it
# falls to zero soon after the last answer.
WINDOW_SECONDS = 10


class Pace:
    """A ring of one-second counts.

    Units: clock gives seconds, monotonic; total counts all tokens ever.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self.total = 0
        self._clock = clock
        self._counts = [0] * WINDOW_SECONDS
        self._second = int(clock())
        self._first = clock()

    def add(self, tokens: int) -> None:
        """Count tokens that were generated now."""
        # Called for every token: that the second is still the same is all there is to see, mostly.
        if self._clock() >= self._second + 1:
            self._roll()
        self._counts[self._second % WINDOW_SECONDS] += tokens
        self.total += tokens

    def tokens_per_second(self) -> float:
        """Give the mean rate over the window, or over the time since the start if that is shorter."""
        self._roll()
        lived = min(float(WINDOW_SECONDS), max(1.0, self._clock() - self._first))
        return round(sum(self._counts) / lived, 1)

    def _roll(self) -> None:
        now = int(self._clock())
        for second in range(self._second + 1, min(now, self._second + WINDOW_SECONDS) + 1):
            self._counts[second % WINDOW_SECONDS] = 0
        # A jump over the whole window cleared every count above, whatever the seconds were called.
        self._second = max(now, self._second)
