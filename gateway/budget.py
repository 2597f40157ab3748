"""How many chats may be tried a second time, so that retries cannot make an outage worse.

Knows a share and a reserve. Knows nothing of chats.
"""

# One chat in ten: a fleet that fails every chat is asked at most a tenth more often.
SHARE = 0.1
# What a quiet gateway may spend at once: the chats of one engine's slots, when it ends under them.
MOST_SAVED = 10.0


class Budget:
    """Retries that are left: every chat adds a share of one, every retry takes one."""

    def __init__(self) -> None:
        self.left = MOST_SAVED
        self.taken = self.refused = 0

    def earn(self) -> None:
        """Take note of a chat."""
        self.left = min(MOST_SAVED, self.left + SHARE)

    def take(self) -> bool:
        """Spend one retry, if there is one."""
        if self.left < 1.0:
            self.refused += 1
            return False
        self.left -= 1.0
        self.taken += 1
        return True
