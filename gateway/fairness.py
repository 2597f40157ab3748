"""How evenly the clients were served lately, as one number.

Jain's index (Jain, Chiu and Hawe, 1984) of the tokens that each client had: 1 when all had the same,
1/n when one of n had everything. Clients that ask for little also lower it, so it says something of the
queue only while chats wait.

Knows clients, tokens and a clock that is passed in. Knows nothing of chats.
"""

from collections import deque
from collections.abc import Callable

# As long as a long chat: shorter, and whoever is served just now looks favoured.
WINDOW_SECONDS = 300.0


class Served:
    """The tokens that chats cost, by client, over the last minutes. Units: seconds of the clock."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._chats: deque[tuple[float, str, int]] = deque()

    def add(self, client: str, tokens: int) -> None:
        """Take note that a client's chat ended and what it cost."""
        self._forget()
        self._chats.append((self._clock(), client, tokens))

    def index(self) -> float:
        """Give Jain's index; 1 where fewer than two clients were served."""
        self._forget()
        totals: dict[str, int] = {}
        for _, client, tokens in self._chats:
            totals[client] = totals.get(client, 0) + tokens
        squares = sum(total**2 for total in totals.values())
        return sum(totals.values()) ** 2 / (len(totals) * squares) if squares else 1.0

    def _forget(self) -> None:
        oldest = self._clock() - WINDOW_SECONDS
        while self._chats and self._chats[0][0] < oldest:
            self._chats.popleft()
