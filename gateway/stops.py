"""Stop strings cut out of a text that arrives in pieces.

TGI ends only at a token that completes the stop text, and leaves the stop text in; callers are
promised a text that ends right before it, wherever in a token it starts.

Knows text. Knows nothing of tokens, frames or the engine.
"""

from collections.abc import Sequence


class Stops:
    """Hold back what may still become a stop string, and cut at the first that does."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(stops)
        self._held = ""
        self.is_hit = False

    def feed(self, text: str) -> str:
        """Take the next piece and give what may be shown now; nothing once a stop was hit."""
        if self.is_hit:
            return ""
        pending = self._held + text
        starts = [start for start in (pending.find(stop) for stop in self._stops) if start >= 0]
        if starts:
            self.is_hit = True
            self._held = ""
            return pending[: min(starts)]
        keep = max((self._overlap(pending, stop) for stop in self._stops), default=0)
        self._held = pending[len(pending) - keep :]
        return pending[: len(pending) - keep]

    def rest(self) -> str:
        """Give what was held back: the text ended and it did not become a stop string."""
        held, self._held = self._held, ""
        return held

    @staticmethod
    def _overlap(text: str, stop: str) -> int:
        """Count the characters at the end of a text with which a stop string could begin."""
        for length in range(min(len(stop) - 1, len(text)), 0, -1):
            if text.endswith(stop[:length]):
                return length
        return 0
