"""The shapes that every skill of the corpus produces: turns and dialogues.

Knows:            what one exchange and one conversation hold.
Knows nothing of: tokens, files, training.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Turn:
    """Hold one user message, its full answer and, where one exists, the answer in one word."""

    user: str
    assistant: str
    word: str | None = None


@dataclass(frozen=True, slots=True)
class Dialogue:
    """Hold one conversation: an optional system prompt and its turns in order."""

    system: str | None
    turns: tuple[Turn, ...]


class Skill(Protocol):
    """Write one short conversation about one subject.

    Ordering: later turns may refer to earlier ones of the same call, never to other calls.
    """

    def __call__(self, rng: Random) -> list[Turn]: ...
