"""Whose turn it is: classes first, then clients, each by the tokens it has had.

Within a class the client that has had least goes next (gateway.account). So a client with a hundred long
chats in line delays one with a single short chat by no more than the slot that has to come free. Between
classes the interactive one goes first, but never more than BATCH_EVERY times in a row while a batch entry
waits.

Knows classes, clients, costs and uses. Knows nothing of slots, time or tickets' holders.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import chain
from typing import Generic

from gateway.account import MOST_TOKENS, Entry, Line, Spot

__all__ = ["BATCH_EVERY", "MOST_TOKENS", "Class", "Schedule", "Spot"]

# One grant in five goes to batch work under interactive load: it always moves, and people feel it
# as a fifth of the capacity at most.
BATCH_EVERY = 4


class Class(StrEnum):
    """What kind of caller waits: a person, or work that can."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


class Schedule(Generic[Entry]):
    """The entries that wait, in the order of their turns, and what their clients have had.

    An entry is added, then removed or taken; one that was taken is ended.

    Units: cost and used are tokens, from LEAST_TOKENS to MOST_TOKENS; what lies outside counts as the bound.
    """

    def __init__(self) -> None:
        self._people: Line[Entry] = Line()
        self._batch: Line[Entry] = Line()
        self._people_in_a_row = 0
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> Spot[Entry]:
        """Give one of the spots, counted from 0: each class in the order of its turns."""
        people = len(self._people)
        return self._people[number] if number < people else self._batch[number - people]

    def __iter__(self) -> Iterator[tuple[int, Entry]]:
        """Give all entries that wait, with how many of their class go before."""
        return chain(enumerate(self._people.entries()), enumerate(self._batch.entries()))

    def behind(self, spot: Spot[Entry]) -> Iterator[tuple[int, Entry]]:
        """Give the entries, as above, whose place is another with a waiting one than without it."""
        first = spot.line.rank(spot) + 1
        other = self._people if spot.line is self._batch else self._batch
        return chain(enumerate(spot.line.entries(first), first), enumerate(other.entries()))

    def add(self, entry: Entry, client: str, kind: Class, cost: int) -> Spot[Entry]:
        """Put an entry in line; give its spot, by which the other methods know it."""
        self._count += 1
        return self._line(kind).add(entry, client, cost)

    def remove(self, spot: Spot[Entry]) -> None:
        """Take an entry that waits out, wherever it is; it costs nothing."""
        self._count -= 1
        spot.line.remove(spot)

    def take(self) -> Spot[Entry]:
        """Take the entry whose turn it is. Raises: LookupError if none waits."""
        if not self._count:
            raise LookupError("nobody waits")
        self._count -= 1
        if self._batch and (not self._people or self._people_in_a_row >= BATCH_EVERY):
            self._people_in_a_row = 0
            return self._batch.take()
        # Only what passes over a waiting batch entry counts against the bound.
        self._people_in_a_row = self._people_in_a_row + 1 if self._batch else 0
        return self._people.take()

    def end(self, spot: Spot[Entry], used: int) -> None:
        """Charge the client of an entry that was taken what it used, whatever it had asked for."""
        spot.line.end(spot, used)

    def open(self, client: str) -> int:
        """Count the entries of a client that wait or were taken and not ended."""
        return self._people.open(client) + self._batch.open(client)

    def first(self, client: str) -> Spot[Entry] | None:
        """Give the spot of a client whose turn is next, None if none of its entries waits."""
        spots = [spot for line in (self._people, self._batch) if (spot := line.first(client)) is not None]
        return min(spots, key=self.turns, default=None)

    def place(self, spot: Spot[Entry]) -> int:
        """Give an entry's 1-based place: how many takes until it is taken, if nobody comes or goes."""
        return int(self._takes(spot.line, spot.line.rank(spot)))

    def turns(self, spot: Spot[Entry]) -> float:
        """Give how many takes it will be, not less than its place, if others come as they did lately."""
        line = spot.line
        return self._takes(line, max(line.rank(spot), line.turns(spot.begins)))

    def newcomer_turns(self, client: str, kind: Class, cost: int = 0) -> float:
        """Give how many takes it will be for an entry that a client brought now."""
        line = self._line(kind)
        begins = line.begins(client, cost)
        return self._takes(line, max(line.newcomer_rank(client, cost), line.turns(begins)))

    def _line(self, kind: Class) -> Line[Entry]:
        return self._batch if kind is Class.BATCH else self._people

    def _takes(self, line: Line[Entry], ahead: float) -> float:
        """Add those of the other class, and itself, to those that go before: a batch entry every so often."""
        until_batch = BATCH_EVERY - self._people_in_a_row
        if line is self._batch:
            others = min(len(self._people), until_batch + BATCH_EVERY * int(ahead))
        elif ahead < until_batch:
            others = 0
        else:
            others = min(len(self._batch), 1 + int(ahead - until_batch) // BATCH_EVERY)
        return ahead + others + 1
