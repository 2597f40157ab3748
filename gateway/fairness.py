"""How evenly the clients were served lately, as one number.

Jain's index (Jain, Chiu and Hawe, 1984) of the tokens that each client had: 1 when all had the same,
1/n when one of n had everything. Clients that ask for little also lower it, so it says something of the
queue only while chats wait.

Knows clients, tokens and a clock that is passed in. Knows nothing of chats.
"""

from collections import Counter, deque
from collections.abc import Callable

# As long as a long chat: shorter, and whoever is served just now looks favoured.
WINDOW_SECONDS = 300.0
# Chats are added up by client for this long, so that memory grows with clients and not with chats.
SPAN_SECONDS = 15.0
# Clients that are told apart in a span. Beyond as many an index says nothing; a flood of names ends here.
MOST_CLIENTS = 1_024


class Served:
    """The tokens that chats cost, by client, over the last minutes. Units: seconds of the clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._spans: deque[tuple[float, Counter[str]]] = deque()

    def add(self, client: str, tokens: int) -> None:
        """Take note that a client's chat ended and what it cost."""
        now = self._clock()
        self._forget(now)
        if not self._spans or self._spans[-1][0] + SPAN_SECONDS <= now:
            self._spans.append((now, Counter()))
        served = self._spans[-1][1]
        if client in served or len(served) < MOST_CLIENTS:
            served[client] += tokens

    def index(self) -> float:
        """Give Jain's index; 1 where fewer than two clients were served."""
        self._forget(self._clock())
        totals: Counter[str] = Counter()
        for _, served in self._spans:
            totals.update(served)
        squares = sum(total**2 for total in totals.values())
        return sum(totals.values()) ** 2 / (len(totals) * squares) if squares else 1.0

    def __len__(self) -> int:
        """Count what is kept: clients, once for each span in which they were served."""
        return sum(len(served) for _, served in self._spans)

    def _forget(self, now: float) -> None:
        while self._spans and self._spans[0][0] < now - WINDOW_SECONDS:
            self._spans.popleft()
