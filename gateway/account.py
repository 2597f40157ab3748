"""One line of entries, lowest account first: start-time fair queueing by the tokens clients have had.

Every client has an account: the tokens its ended chats used, with those its running chats ask for on top.
Whose account is lowest goes next. An account is charged what was used, once that is known, whatever was
asked for; so in the long run all who wait have had the same.

Accounts are kept near a level that rises as a fair share of all that is served does, so that nobody
saves up by staying away, and nobody is sent to the back for what no one else wanted.

After Goyal, Vin and Cheng (start-time fair queueing, 1996) and Bennett and Zhang (WF2Q+, 1996), whose
virtual time the level is. Knows clients, costs and uses. Knows nothing of slots and time.
"""

from bisect import bisect_left, insort
from collections import deque
from dataclasses import dataclass, field
from typing import Generic, NamedTuple, TypeVar

# How far below the level an account counts: what a client that had less than its share goes ahead of
# others by when it comes. Three to five short chats, so that a person whose next chat follows soon on a
# long answer is served next, too; and a program that was idle gets one long chat ahead of others, not ten.
CREDIT_TOKENS = 2_048

# No chat can use more than the longest context of a Llama 3, whatever it asks for. It is also how far an
# account may be from the level, and how long one is remembered: so whoever waits is served after a bounded
# number of tokens, and no debt is forgotten before it is paid.
MOST_TOKENS = 131_072

# A debt delays its client's next chat by no more than so many times what that chat asks for, counted from
# when the client was served last. So who took much while others were away pays it back out of half its share.
# Else it would not be served at all until the others had had as much: in the trace for twenty minutes.
PATIENCE = 2
# What the last chat used beyond what it asked for comes on top, or asking for little would gain; up to this,
# the whole context of a Llama 3.
MOST_EXCESS = 8_192

# A turn is never free: a client that leaves as soon as it is served would come first for ever.
LEAST_TOKENS = 16

# The level rises by what is served, shared by twice as many as have a chat open. By as many, it would rise
# faster than the accounts of those who always wait, because people who come and go take more while they are
# here, and would end up ahead of nobody. So a flood of newcomers leaves those who wait half a share.
SHARES_PER_CLIENT = 2

# Clients with no chat open whose accounts are kept. Only a flood of names reaches this.
MOST_REMEMBERED = 4_096

# Turns whose rise says how fast the line moves: enough for a steady mean, few enough to follow a change.
_MEMORY = 96

Entry = TypeVar("Entry")


@dataclass(slots=True, eq=False)
class Account(Generic[Entry]):
    """One client's tokens in one line, and its entries there.

    Units: tokens. had is what ended chats used, as far as it counts; held is what running chats ask for;
    excess is what its last chat used beyond that; since is the level when it was last served, or came.
    """

    client: str
    had: int
    held: int = 0
    excess: int = 0
    since: int = 0
    running: int = 0
    waiting: deque["Spot[Entry]"] = field(default_factory=deque)

    @property
    def is_open(self) -> bool:
        """Say whether it has a chat in line or running."""
        return bool(self.running or self.waiting)

    def begins(self, cost: int, since: int) -> int:
        """Give what it will have had, as far as that delays it, at the turn of an entry that is its first."""
        return self.held + min(self.had, since + PATIENCE * _bounded(cost) + self.excess)


@dataclass(slots=True, eq=False)
class Spot(Generic[Entry]):
    """Where an entry stands. Units: tokens; begins is what its client will have had at its turn."""

    entry: Entry
    line: "Line[Entry]"
    account: Account[Entry]
    cost: int
    number: int
    begins: int


class _Mark(NamedTuple, Generic[Entry]):
    """What a line is sorted by: the lowest account first, then who came first."""

    begins: int
    number: int
    spot: Spot[Entry]


class Line(Generic[Entry]):
    """The entries that wait, in the order of their turns, and the accounts behind them.

    An entry is added, then removed or taken; one that was taken is ended.

    Invariants: of one client, who came first is first; the level never falls; an account is within
    MOST_TOKENS of the level when a chat of it ends, and counts from CREDIT_TOKENS below the level at least
    when its client comes with nothing in line.
    """

    def __init__(self) -> None:
        self.level = CREDIT_TOKENS
        self._marks: list[_Mark[Entry]] = []
        self._number = 0
        self._accounts: dict[str, Account[Entry]] = {}
        self._open = 0
        self._unshared = 0
        self._idle: dict[str, int] = {}  # the level when each client left, in that order
        self._front = 0  # the highest account whose turn has come
        self._rises: deque[int] = deque(maxlen=_MEMORY)
        self._risen = 0  # the sum of the rises
        self._last: int | None = None

    def __len__(self) -> int:
        return len(self._marks)

    def entries(self, rank: int = 0) -> list[Entry]:
        """Give the entries in the order of their turns, from a rank on."""
        return [mark.spot.entry for mark in self._marks[rank:]]

    def __getitem__(self, rank: int) -> Spot[Entry]:
        """Give the spot that so many others go before."""
        return self._marks[rank].spot

    @property
    def remembered(self) -> int:
        """Count the clients with no chat open whose account is kept."""
        return len(self._idle)

    def open(self, client: str) -> int:
        """Count a client's entries that wait or run."""
        account = self._accounts.get(client)
        return 0 if account is None else len(account.waiting) + account.running

    def first(self, client: str) -> Spot[Entry] | None:
        """Give the first spot of a client, None if none of its entries waits."""
        account = self._accounts.get(client)
        return account.waiting[0] if account is not None and account.waiting else None

    def begins(self, client: str, cost: int = 0) -> int:
        """Give what a client will have had at the turn of an entry that it brought now."""
        account = self._accounts.get(client)
        if account is None:
            return self.level - CREDIT_TOKENS
        if account.waiting:
            last = account.waiting[-1]
            return last.begins + last.cost
        return max(account.begins(cost, self.level), self.level - CREDIT_TOKENS)

    def add(self, entry: Entry, client: str, cost: int) -> Spot[Entry]:
        """Put an entry in line."""
        begins = self.begins(client, cost)
        account = self._accounts.get(client)
        if account is None:
            account = self._accounts[client] = Account(client, begins)
        if not account.is_open:
            self._open += 1
            self._idle.pop(client, None)
        if not account.waiting:
            account.had = max(account.had, begins - account.held)
            account.since = self.level
        self._number += 1
        spot = Spot(entry, self, account, _bounded(cost), self._number, begins)
        account.waiting.append(spot)
        insort(self._marks, _Mark(begins, spot.number, spot))
        return spot

    def rank(self, spot: Spot[Entry]) -> int:
        """Count the entries that go before one if nobody comes."""
        return bisect_left(self._marks, (spot.begins, spot.number))

    def newcomer_rank(self, client: str, cost: int = 0) -> int:
        """Count the entries that would go before one that a client brought now."""
        return bisect_left(self._marks, (self.begins(client, cost), self._number + 1))

    def turns(self, begins: int) -> float:
        """Give how many turns bring the line to what begins there, if others come as they did lately."""
        far = begins - self._front
        return far * len(self._rises) / self._risen if far > 0 and self._risen else 0.0

    def take(self) -> Spot[Entry]:
        """Take the first entry: it runs now, and what it asks for is held against its client."""
        spot = self._marks.pop(0).spot
        account = spot.account
        account.waiting.popleft()
        # What nobody else wanted is not held against those who took it: the level comes along.
        self.level = max(self.level, spot.begins - account.held)
        account.since = self.level
        account.held += spot.cost
        account.running += 1
        self._settle(account)
        self._front = max(self._front, spot.begins)
        if self._last is not None:
            self._risen += self._front - self._last - (self._rises[0] if len(self._rises) == _MEMORY else 0)
            self._rises.append(self._front - self._last)
        self._last = self._front if self._marks else None
        return spot

    def remove(self, spot: Spot[Entry]) -> None:
        """Take an entry that waits out, wherever it is; its client's later ones move up. It costs nothing."""
        account = spot.account
        del self._marks[self.rank(spot)]
        place = account.waiting.index(spot)
        del account.waiting[place]
        self._shift(account, -spot.cost, place)
        self._settle(account)
        self._leave(account)

    def end(self, spot: Spot[Entry], used: int) -> None:
        """Charge an entry that was taken what it used, instead of what it asked for."""
        account, used = spot.account, _bounded(used)
        rise, self._unshared = divmod(self._unshared + used, SHARES_PER_CLIENT * self._open)
        self.level += rise
        account.running -= 1
        account.excess = min(max(0, used - spot.cost), MOST_EXCESS)
        account.held -= spot.cost
        account.had = min(max(account.had + used, self.level - MOST_TOKENS), self.level + MOST_TOKENS)
        self._settle(account)
        self._leave(account)

    def _settle(self, account: Account[Entry]) -> None:
        """Let a client's entries begin where its account says."""
        if account.waiting:
            first = account.waiting[0]
            self._shift(account, account.begins(first.cost, account.since) - first.begins)

    def _shift(self, account: Account[Entry], tokens: int, first: int = 0) -> None:
        """Let a client's entries, from the first on, begin some tokens later."""
        if not tokens or len(account.waiting) <= first:
            return
        moved = list(account.waiting)[first:]
        numbers = {spot.number for spot in moved}
        self._marks = [mark for mark in self._marks if mark.number not in numbers]
        for spot in moved:
            spot.begins += tokens
        # Two sorted runs, which sorting merges in one pass.
        self._marks += [_Mark(spot.begins, spot.number, spot) for spot in moved]
        self._marks.sort()

    def _leave(self, account: Account[Entry]) -> None:
        """Remember a client that has no chat open any more, and forget who left long ago."""
        if account.is_open:
            return
        self._open -= 1
        self._idle[account.client] = self.level
        while self._idle:
            client, level = next(iter(self._idle.items()))
            if level + MOST_TOKENS > self.level and len(self._idle) <= MOST_REMEMBERED:
                break
            del self._idle[client], self._accounts[client]


def _bounded(tokens: int) -> int:
    return min(max(LEAST_TOKENS, tokens), MOST_TOKENS)
