"""Whose turn it is: classes first, then clients, each by the tokens it asks for.

Within a class clients take turns by deficit round robin (Shreedhar and Varghese, 1995): each turn
brings a client a quantum of tokens, and its first ticket goes when its cost is covered. So a client
with a hundred long chats in line delays one with a single short chat by a turn, not by a hundred
chats. Between classes the interactive one goes first, but never more than BATCH_EVERY times in a row
while a batch ticket waits.

Knows clients, classes and costs. Knows nothing of slots, time or tickets' holders.
"""

from collections import OrderedDict, deque
from collections.abc import Hashable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Generic, TypeVar

# A short chat: a prompt of some hundred tokens and as many to come. Smaller quanta cost more turns
# per grant, larger ones let a client with short chats send several in its turn.
QUANTUM_TOKENS = 512

# No chat can use more than the longest context of a Llama 3, whatever it asks for. Turns come one
# quantum at a time, so a cost without a bound would be turns without end.
MOST_TOKENS = 131_072

# One grant in five goes to batch work under interactive load: it always moves, and people feel it
# as a fifth of the capacity at most.
BATCH_EVERY = 4


class Class(StrEnum):
    """What kind of caller waits: a person, or work that can."""

    INTERACTIVE = "interactive"
    BATCH = "batch"


Entry = TypeVar("Entry", bound=Hashable)


@dataclass(slots=True)
class _Line(Generic[Entry]):
    """One client's entries of one class, first come, first served. Units: tokens."""

    entries: deque[tuple[Entry, int]] = field(default_factory=deque)
    deficit: int = 0
    has_turn: bool = False

    def copy(self) -> "_Line[Entry]":
        return _Line(deque(self.entries), self.deficit, self.has_turn)


class Schedule(Generic[Entry]):
    """The entries that wait, in the order of their turns.

    Units: cost is tokens, from one to MOST_TOKENS; what lies outside counts as the bound.
    """

    def __init__(self) -> None:
        self._lines: dict[Class, OrderedDict[str, _Line[Entry]]] = {kind: OrderedDict() for kind in Class}
        self._interactive_in_a_row = 0
        self._count = 0
        self._places: dict[Entry, int] | None = None

    def __len__(self) -> int:
        return self._count

    def add(self, entry: Entry, client: str, kind: Class, cost: int) -> None:
        """Put an entry at the end of its client's line."""
        self._lines[kind].setdefault(client, _Line()).entries.append((entry, min(max(1, cost), MOST_TOKENS)))
        self._count += 1
        self._places = None

    def remove(self, entry: Entry, client: str, kind: Class) -> None:
        """Take an entry out, wherever it is in its line. Raises: KeyError, ValueError if it is not there."""
        line = self._lines[kind][client]
        line.entries.remove(next(pair for pair in line.entries if pair[0] is entry))
        if not line.entries:
            del self._lines[kind][client]
        self._count -= 1
        self._places = None

    def take(self) -> Entry:
        """Take the entry whose turn it is. Raises: LookupError if none waits."""
        kind = self._class()
        # 1. Only what passes over a waiting batch entry counts against the bound.
        if kind is Class.INTERACTIVE and self._lines[Class.BATCH]:
            self._interactive_in_a_row += 1
        else:
            self._interactive_in_a_row = 0
        entry = self._turn(self._lines[kind])
        self._count -= 1
        self._places = None
        return entry

    def place(self, entry: Entry) -> int:
        """Give an entry's 1-based place: how many takes until it is taken, if nobody comes or goes."""
        if self._places is None:
            self._places = {one: position for position, one in enumerate(self._order(), start=1)}
        return self._places[entry]

    def __iter__(self) -> Iterator[Entry]:
        """Give all entries, in no order that matters."""
        for lines in self._lines.values():
            for line in lines.values():
                for entry, _ in line.entries:
                    yield entry

    def settle(self, client: str, kind: Class, unused: int) -> None:
        """Give tokens back that a client had asked for and did not use, while it still waits for more."""
        line = self._lines[kind].get(client)
        if line is not None:
            # At most one quantum: a client that always asks for too much gains no burst by it.
            line.deficit += min(max(0, unused), QUANTUM_TOKENS)

    def _class(self) -> Class:
        has_interactive, has_batch = bool(self._lines[Class.INTERACTIVE]), bool(self._lines[Class.BATCH])
        if not has_interactive and not has_batch:
            raise LookupError("nobody waits")
        if has_batch and (not has_interactive or self._interactive_in_a_row >= BATCH_EVERY):
            return Class.BATCH
        return Class.INTERACTIVE

    @staticmethod
    def _turn(lines: OrderedDict[str, _Line[Entry]]) -> Entry:
        while True:
            client, line = next(iter(lines.items()))
            # 2. A turn brings the quantum once, however many entries it lets go.
            if not line.has_turn:
                line.has_turn = True
                line.deficit += QUANTUM_TOKENS
            entry, cost = line.entries[0]
            # 3. Covered: it goes, and the turn goes on with the rest of the deficit.
            if cost <= line.deficit:
                line.deficit -= cost
                line.entries.popleft()
                # 4. An empty line keeps nothing: saving up while idle would be a burst later.
                if not line.entries:
                    del lines[client]
                return entry
            # 5. Not covered: the turn ends, the deficit stays, the next client is first.
            line.has_turn = False
            lines.move_to_end(client)

    def _order(self) -> Iterator[Entry]:
        """Play the turns on a copy."""
        played: Schedule[Entry] = Schedule()
        played._count = self._count
        played._interactive_in_a_row = self._interactive_in_a_row
        for kind, lines in self._lines.items():
            played._lines[kind] = OrderedDict((client, line.copy()) for client, line in lines.items())
        while played._count:
            yield played.take()
