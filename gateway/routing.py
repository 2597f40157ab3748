"""Which engine a chat goes to. docs/routing.md has what each way was measured to give.

Knows names and how much each engine has to do. Knows nothing of connections or phases.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import count
from typing import Protocol, TypeVar

# So much of a prompt decides which engine has its prefix in cache: a system prompt and a first
# question fit, and turns of one chat share it.
PREFIX_CHARACTERS = 512
# An engine may have this much more to do than the mean before a chat with a cached prefix goes
# elsewhere ("consistent hashing with bounded loads", Mirrokni, Thorup and Zadimoghaddam, 2018).
LOAD_BOUND = 1.25


class Busy(Protocol):
    """An engine as far as it matters here. Units: outstanding is tokens."""

    name: str
    running: int
    outstanding: int


Engine = TypeVar("Engine", bound=Busy)
# Gives one of several engines for a prompt.
Route = Callable[[Sequence[Engine], str], Engine]


def least_outstanding(ready: Sequence[Engine], _: str = "") -> Engine:
    """Give the engine with the fewest tokens still to do."""
    return min(ready, key=lambda engine: (engine.outstanding, engine.running))


def cached_prefix(ready: Sequence[Engine], prompt: str) -> Engine:
    """Give the engine that has the prompt's beginning in its cache, unless that one has too much to do."""
    bound = LOAD_BOUND * sum(engine.outstanding for engine in ready) / len(ready)
    near = max(ready, key=lambda engine: _affinity(prompt[:PREFIX_CHARACTERS], engine.name))
    return near if near.outstanding <= bound else least_outstanding(ready)


def in_turn() -> Route[Engine]:
    """Make a way that gives one engine after the other, to compare with."""
    turn = count()
    return lambda ready, _: ready[next(turn) % len(ready)]


def _affinity(prefix: str, name: str) -> bytes:
    """Weigh an engine for a prefix (rendezvous hashing): the same prefix prefers the same engine."""
    return hashlib.blake2b(prefix.encode() + b"\0" + name.encode(), digest_size=8).digest()
