"""Streams kept for those who come back: found by an unguessable id, by their owner alone.

Knows generations, owners and how much memory logs may take. Knows nothing of HTTP.
"""

import asyncio
import secrets
from dataclasses import dataclass

from gateway.choices import Answer
from gateway.errors import StreamUnknown


@dataclass(slots=True)
class _Kept:
    generation: Answer
    owner: str
    expiry: asyncio.TimerHandle | None = None


class Shelf:
    """The resumable generations, running ones and those that ended not long ago.

    Units: keep_seconds is how long an ended stream can still be read; memory_bytes bounds what the
    logs hold in all: the oldest ended streams make room, running ones never do.
    """

    def __init__(self, keep_seconds: float, memory_bytes: int) -> None:
        self._keep_seconds = keep_seconds
        self._memory_bytes = memory_bytes
        self._kept: dict[str, _Kept] = {}
        self.resumes = 0

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def ended(self) -> tuple[int, int]:
        """Give how many streams are kept that have ended, and the bytes of their logs."""
        logs = [kept.generation.log for kept in self._kept.values() if kept.generation.is_over]
        return len(logs), sum(log.held_bytes for log in logs)

    @property
    def held_bytes(self) -> int:
        """Add up what the logs hold now."""
        return sum(kept.generation.log.held_bytes for kept in self._kept.values())

    def put(self, generation: Answer, owner: str) -> str:
        """Keep a generation; give the id under which its owner finds it."""
        identity = secrets.token_urlsafe(24)
        self._kept[identity] = _Kept(generation, owner)
        generation.when_over(lambda: self._ended(identity))
        return identity

    def find(self, identity: str, owner: str) -> Answer:
        """Find a generation. Raises: StreamUnknown, for one that is somebody else's as for none."""
        kept = self._kept.get(identity)
        if kept is None or not secrets.compare_digest(kept.owner.encode(), owner.encode()):
            raise StreamUnknown("there is no such stream; it may have ended too long ago", param="id")
        return kept.generation

    def _ended(self, identity: str) -> None:
        kept = self._kept.get(identity)
        if kept is None:
            return
        loop = asyncio.get_running_loop()
        kept.expiry = loop.call_later(self._keep_seconds, self._kept.pop, identity, None)
        # Insertion order is age: the first ended ones go first.
        for oldest in [key for key, one in self._kept.items() if one.expiry is not None]:
            if self.held_bytes <= self._memory_bytes:
                return
            expiry = self._kept.pop(oldest).expiry
            if expiry is not None:
                expiry.cancel()
