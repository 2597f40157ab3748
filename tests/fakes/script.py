"""What a test tells the double to do: answers, paces and faults.

Knows:  cues and which request takes which.
Knows nothing of: how a fault looks on the wire.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

Fault = Literal[
    "overloaded",  # refused before validation, 429 or in band
    "generation",  # this request's generation fails, 424 or in band
    "batch",  # every running request's generation fails with the same error
    "incomplete",  # the router loses the shard's answer: 500 or in band
    "close",  # the body ends as if complete, without a last event
    "cut",  # the connection is reset
    "stall",  # no more tokens until released, or the client leaves; keep-alives go on
    "garbage",  # one event that is no JSON, then the body ends
    "exit",  # the server dies as after running out of memory
]
FAULTS: frozenset[str] = frozenset(get_args(Fault))


@dataclass(frozen=True)
class Cue:
    """How the next matching requests are answered. The default is an echo at full speed.

    Units:   delays are seconds; `after` and `burst` count tokens.
    """

    # The reply, spelt into tokens and followed by the end-of-turn token; None echoes the last user message.
    reply: str | None = None
    # Or the exact tokens, one a string; special texts become control tokens, and nothing is added at the end.
    tokens: tuple[str, ...] | None = None
    fault: Fault | None = None
    # The fault comes once this many tokens were sent.
    after: int = 0
    first_delay_seconds: float = 0.0
    delay_seconds: float = 0.0
    # So many tokens reach the client in one write.
    burst: int = 1
    # An answer that is no TGI answer at all, such as a proxy's error page.
    status: int | None = None
    body: str = ""
    content_type: str = "text/plain"
    # Only requests whose inputs hold this text take the cue.
    match: str = ""
    # How many requests take it; None for all to come.
    times: int | None = 1

    @classmethod
    def read(cls, document: dict[str, Any]) -> "Cue":
        """Build a cue from its JSON form.

        Raises:  ValueError for a field or a fault that does not exist.
        """
        unknown = document.keys() - {field.name for field in fields(cls)}
        if unknown:
            raise ValueError(f"no such field of a cue: {', '.join(sorted(unknown))}")
        given: dict[str, Any] = dict(document)
        if given.get("tokens") is not None:
            given["tokens"] = tuple(given["tokens"])
        cue = cls(**given)
        if cue.fault is not None and cue.fault not in FAULTS:
            raise ValueError(f"no such fault: {cue.fault}")
        return cue


class Script:
    """The cues still to be taken, oldest first."""

    def __init__(self) -> None:
        """Start with nothing but echoes."""
        self._left: list[tuple[Cue, int | None]] = []

    def add(self, cue: Cue) -> None:
        """Put a cue behind those already there."""
        self._left.append((cue, cue.times))

    def clear(self) -> None:
        """Go back to echoes."""
        self._left.clear()

    def take(self, inputs: str) -> Cue:
        """The first cue that matches, used once; the echo if there is none."""
        for at, (cue, left) in enumerate(self._left):
            if cue.match in inputs:
                if left is not None and left <= 1:
                    del self._left[at]
                elif left is not None:
                    self._left[at] = (cue, left - 1)
                return cue
        return Cue()
