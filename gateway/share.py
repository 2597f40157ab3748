"""How much of the backlog one client may take: never so much that another one that comes finds no place.

A client may have three times as much in line as it leaves free, in chats and in tokens. So one that is alone
gets three quarters, and of n that want all each gets 3 / (3n + 1). The last eighth is only for clients with
nothing in line.

After Choudhury and Hahne, "Dynamic queue length thresholds for shared-memory packet switches" (1998). Knows
clients, chats and tokens. Knows nothing of slots, turns and time.
"""

from dataclasses import dataclass

# Times what is free. More would leave a newcomer less: of 64 places 16 now. Less would waste places where
# nobody else comes.
SHARE = 3
# The part that is left to newcomers however many are greedy: with less, eight people among five greedy
# clients are refused now and then.
KEPT_PART = 8


@dataclass(slots=True)
class _Part:
    chats: int = 0
    tokens: int = 0


class Shares:
    """What each client has in line.

    A chat counts by a quarter of the token limit at most, so that the longest one finds a place as well.

    Units: tokens is what all that wait count for, of at most token_limit.
    """

    def __init__(self, token_limit: int) -> None:
        self.token_limit = token_limit
        self.tokens = 0
        self._parts: dict[str, _Part] = {}

    def weight(self, cost: int) -> int:
        """Give what a chat counts for. Units: tokens."""
        return min(cost, -(-self.token_limit // (SHARE + 1)))

    def chats(self, client: str) -> int:
        """Count the chats that a client has in line."""
        part = self._parts.get(client)
        return 0 if part is None else part.chats

    def add(self, client: str, cost: int) -> None:
        """Take note that a chat waits."""
        part = self._parts.setdefault(client, _Part())
        part.chats += 1
        part.tokens += self.weight(cost)
        self.tokens += self.weight(cost)

    def remove(self, client: str, cost: int) -> None:
        """Take note that one that waited does so no more."""
        part = self._parts[client]
        part.chats -= 1
        part.tokens -= self.weight(cost)
        self.tokens -= self.weight(cost)
        if not part.chats:
            del self._parts[client]

    def has_room(self, client: str, cost: int, count: int, free_chats: int, chat_limit: int) -> bool:
        """Say whether so many more chats are within a client's share. Its only one always is."""
        part = self._parts.get(client, _Part())
        if part.chats + count == 1:
            return True
        tokens = count * self.weight(cost)
        free_tokens = self.token_limit - self.tokens
        return _is_share(part.chats + count, free_chats - count, chat_limit) and _is_share(
            part.tokens + tokens, free_tokens - tokens, self.token_limit
        )


def _is_share(own: int, free: int, limit: int) -> bool:
    return own <= SHARE * free and free >= limit // KEPT_PART


def most_of(limit: int) -> int:
    """Give how much of a limit a client can have that is alone."""
    return max(1, limit * SHARE // (SHARE + 1)) if limit else 0
