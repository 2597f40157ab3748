"""Places that are promised to those who were refused: who comes again as told finds one.

Knows clients, times and a clock that is passed in. Knows nothing of tickets and of how times are estimated.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Callable
from typing import NamedTuple

# A place is kept for this long for who comes late: timers are coarse, networks slow. It costs nothing:
# what stays empty is a place at the end of the line, not a slot.
KEPT_SECONDS = 10.0
# The longest line outside that is kept: at two places a second, the last is told half an hour.
MOST_PROMISES = 4_096

# How much more slowly places are promised than they come free. Without it one that comes late makes all
# behind it late: in the trace half of all came in vain.
_SLACK = 1.08


class _Promise(NamedTuple):
    due: float
    client: str
    cost: int


class Promises:
    """When those who were refused may come again, in the order of their times.

    Units: seconds of the clock; cost is tokens.
    """

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._line: list[_Promise] = []
        self._of: dict[str, list[_Promise]] = {}

    def __len__(self) -> int:
        return len(self._line)

    def is_due(self, client: str) -> bool:
        """Say whether a client was told to come by now, and its place is still kept."""
        self._forget()
        own = self._of.get(client)
        return own is not None and own[0].due <= self._clock()

    def tell(
        self, client: str, cost: int, most: int, first_seconds: float, gap_seconds: float, count: int = 1
    ) -> int:
        """Promise a client a place, or several for one time; say in how many seconds.

        A place surely comes free within the first seconds, and then one after each gap. most is how many
        promises the client may have: who has them all and asks again is told the same time. cost is that of
        each.
        """
        self._forget()
        first_seconds += (count - 1) * gap_seconds
        now = self._clock()
        own = self._of.get(client)
        # 1. It came as told, and places came free more slowly than thought: the next one that nobody else
        #    comes for.
        if own and own[0].due <= now:
            for _ in range(count):
                self.redeem(client)
            rivals = bisect_left(self._line, now + first_seconds, key=lambda promise: promise.due)
            return self._keep(client, cost, first_seconds + rivals * gap_seconds, count)
        # 2. It has as many promises as it may: it keeps them.
        if own and len(own) >= most:
            return _whole(own[-1].due - now)
        # 3. Each who was told to come takes one place, so this one is told a later time.
        wait = first_seconds
        if self._line:
            wait = max(wait, self._line[-1].due - now + _SLACK * count * gap_seconds)
        if len(self._line) + count > MOST_PROMISES:
            return _whole(wait)
        return self._keep(client, cost, wait, count)

    def redeem(self, client: str) -> None:
        """Take note that a client has a place: the first that was promised to it."""
        own = self._of.get(client)
        if own:
            del self._line[bisect_left(self._line, own[0])]
            self._drop(client)

    def kept(self, client: str, most: int, most_of_early: int) -> tuple[int, int]:
        """Count the places, and their tokens, that are kept for others from a client that comes now.

        Not above most, or another bound where the client was told to come later: who asks all the time shall
        not be served before those who do as told. None where it was told to come now.
        """
        self._forget()
        own = self._of.get(client)
        if own and own[0].due <= self._clock():
            return 0, 0
        if own:
            most = most_of_early
        others = [promise.cost for promise in self._line[: most + len(own or ())] if promise.client != client]
        return len(others[:most]), sum(others[:most])

    def _keep(self, client: str, cost: int, wait: float, count: int) -> int:
        promise = _Promise(self._clock() + wait, client, cost)
        for _ in range(count):
            insort(self._of.setdefault(client, []), promise)
            insort(self._line, promise)
        return _whole(wait)

    def _drop(self, client: str) -> None:
        own = self._of[client]
        del own[0]
        if not own:
            del self._of[client]

    def _forget(self) -> None:
        oldest = self._clock() - KEPT_SECONDS
        late = bisect_left(self._line, oldest, key=lambda promise: promise.due)
        for promise in self._line[:late]:
            self._drop(promise.client)
        del self._line[:late]


def _whole(seconds: float) -> int:
    return max(1, math.ceil(seconds))
