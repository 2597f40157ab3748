"""The queue over hours, played on a clock of its own; docs/queue.md publishes what comes out.

Clients come, wait, are served and come back; an engine of eight slots writes tokens at one speed, with
noise. `python -m tests.unit.gateway.test_trace` writes the document again.
"""

import heapq
import itertools
import random
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import pytest

from gateway.admission import Admission, State, Ticket
from gateway.errors import BacklogFull
from gateway.estimate import Estimate
from gateway.schedule import BATCH_EVERY, Class
from tests.unit.gateway.clock import Clock

DOCUMENT = Path(__file__).resolve().parents[3] / "docs/queue.md"
SEED = 4
# An 8B model on one card, roughly: 50 tokens a second for each of eight chats, prompts far faster.
SLOTS, SECONDS_PER_TOKEN, SECONDS_PER_PROMPT_TOKEN, NOISE = 8, 0.02, 0.0003, 0.15
# Before this the queue is still filling and nothing was measured.
WARM_SECONDS = 300.0
HOURS = 2


@dataclass(frozen=True)
class Habit:
    """How one kind of client behaves.

    Units: prompt and answer are the least and the most tokens; limit is the max_tokens it sends, None for
    none (weighed as 512); at_once is how many chats it has open at any time; pause_seconds is the mean
    time from an answer to its next chat.
    """

    prompt: tuple[int, int]
    answer: tuple[int, int]
    limit: int | None
    at_once: int
    pause_seconds: float
    kind: Class = Class.INTERACTIVE


# A person: short chats, one at a time, time to read.
LIGHT = Habit((50, 250), (60, 440), None, 1, 8.0)
# A program: long texts and answers, eight at once, no pause.
HEAVY = Habit((400, 1600), (250, 1024), 1024, 8, 0.0)
# A program that is as busy, with chats as short as a person's.
BRISK = Habit((50, 250), (60, 440), 512, 3, 0.0)
BATCH = Habit((400, 1600), (250, 1024), 1024, 4, 0.0, Class.BATCH)


@dataclass
class Chat:
    """One chat. Units: seconds of the trace; place 0 ran at once."""

    client: str
    asked: float
    place: int
    expected: Estimate | None
    tokens: int
    granted: float | None = None

    @property
    def waited(self) -> float:
        """Give the wait of a chat that was granted."""
        assert self.granted is not None
        return self.granted - self.asked


class Trace:
    """Plays clients against an admission; what happened is in its lists."""

    def __init__(self, seed: int = SEED, backlog_limit: int = 1000, *, is_fair: bool = True) -> None:
        self.chats: list[Chat] = []
        self.grants: list[tuple[Class, bool]] = []  # with whether a batch chat waited
        self.returns: list[bool] = []  # whether who came again as told found a place
        self._clock = Clock(0.0)
        self._admission = Admission(SLOTS, backlog_limit, 10**9, self._clock)
        self._is_fair = is_fair
        self._chance = random.Random(seed)
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._number = itertools.count()
        self._batch_waits = 0

    def add(self, habit: Habit, *names: str) -> None:
        """Let clients begin, their chats spread over the first seconds."""
        for name in names:
            for _ in range(habit.at_once):
                self._later(self._chance.uniform(0, 10), lambda name=name: self._ask(name, habit))  # type: ignore[misc]

    def burst(self, seconds: float, names: Iterable[str]) -> None:
        """Let people come all at once at some time, each for one chat."""
        for name in names:
            self._later(seconds, lambda name=name: self._ask(name, LIGHT, is_once=True))  # type: ignore[misc]

    def play(self, seconds: float) -> "Trace":
        """Let time pass."""
        while self._agenda and self._agenda[0][0] <= seconds:
            self._clock.now, _, call = heapq.heappop(self._agenda)
            call()
        return self

    def of(self, prefix: str = "") -> list[Chat]:
        """Give the granted chats of the clients with some name, those of the first minutes left out."""
        return [
            chat
            for chat in self.chats
            if chat.client.startswith(prefix) and chat.asked >= WARM_SECONDS and chat.granted is not None
        ]

    def _later(self, seconds: float, call: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self._clock.now + seconds, next(self._number), call))

    def _ask(self, name: str, habit: Habit, *, is_once: bool = False, is_return: bool = False) -> None:
        chance, clock = self._chance, self._clock
        prompt, answer = chance.randint(*habit.prompt), chance.randint(*habit.answer)
        # A prompt is weighed by a third of its bytes, which is not quite its tokens.
        cost = round(prompt * chance.uniform(0.9, 1.5)) + (habit.limit or 512)
        try:
            ticket = self._admission.admit(name if self._is_fair else "all", cost, habit.kind)
        except BacklogFull as full:
            if is_return:
                self.returns.append(False)
            told = float(full.retry_after_seconds or 0)
            self._later(told, lambda: self._ask(name, habit, is_once=is_once, is_return=True))
            return
        if is_return:
            self.returns.append(True)
        seconds = prompt * SECONDS_PER_PROMPT_TOKEN + answer * SECONDS_PER_TOKEN
        seconds *= chance.lognormvariate(0, NOISE)
        chat = Chat(name, clock.now, ticket.place or 0, ticket.estimate, prompt + answer)
        self.chats.append(chat)

        def granted() -> None:
            if chat.granted is None and ticket.state is State.RUNNING:
                chat.granted = clock.now
                self._batch_waits -= habit.kind is Class.BATCH
                self.grants.append((habit.kind, self._batch_waits > 0))
                self._later(seconds, lambda: self._end(ticket, chat, habit, is_once=is_once))

        self._batch_waits += habit.kind is Class.BATCH
        ticket.on_change = granted
        granted()

    def _end(self, ticket: Ticket, chat: Chat, habit: Habit, *, is_once: bool) -> None:
        ticket.release(used=chat.tokens)
        if not is_once:
            pause = self._chance.expovariate(1 / habit.pause_seconds) if habit.pause_seconds else 0.0
            self._later(pause, lambda: self._ask(chat.client, habit))


def names(kind: str, count: int) -> list[str]:
    """Name some clients."""
    return [f"{kind} {number}" for number in range(count)]


def quantile(values: Iterable[float], part: float) -> float:
    """Give the value that some part of all lies below."""
    ordered = sorted(values)
    return ordered[int(part * len(ordered))]


@lru_cache
def crowd() -> Trace:
    """Four heavy clients, four brisk ones and eight people on eight slots, for hours."""
    trace = Trace()
    for kind, habit, count in (("heavy", HEAVY, 4), ("brisk", BRISK, 4), ("light", LIGHT, 8)):
        trace.add(habit, *names(kind, count))
    return trace.play(HOURS * 3600)


def jain() -> float:
    """Jain's index of the tokens of the busy clients: the eight that have a chat in line at any time.

    A person who reads for eight seconds asks for less than a fair share, so no queue can make those equal.
    """
    tokens = [sum(chat.tokens for chat in crowd().of(name)) for name in names("heavy", 4) + names("brisk", 4)]
    return float(sum(tokens) ** 2 / (len(tokens) * sum(one**2 for one in tokens)))


@lru_cache
def person(others: str, count: int = 15, *, is_fair: bool = True) -> tuple[float, float, float]:
    """Give median and 95th percentile of one person's waits among others, and of the time to any next slot.

    The last is the least that a newcomer waits who goes before everybody: slots are not taken away.
    """
    habits = {"heavy": HEAVY, "brisk": BRISK, "light": LIGHT}
    trace = Trace(is_fair=is_fair)
    trace.add(LIGHT, "me")
    trace.add(habits[others], *names(others, count))
    own = trace.play(HOURS * 3 * 3600).of("me")
    grants = sorted(chat.granted for chat in trace.chats if chat.granted is not None)
    nexts = [grants[bisect_left(grants, chat.asked)] - chat.asked for chat in own]
    waits = [chat.waited for chat in own]
    return quantile(waits, 0.5), quantile(waits, 0.95), quantile(nexts, 0.95)


def coverage(kind: str) -> tuple[int, float, float]:
    """Give how many waits of a kind there were, and the parts within the estimate and longer than it."""
    shown = [(chat.waited, chat.expected) for chat in crowd().of(kind) if chat.expected is not None]
    within = sum(expected.low <= waited <= expected.high for waited, expected in shown)
    longer = sum(waited > expected.high for waited, expected in shown)
    return len(shown), within / len(shown), longer / len(shown)


@lru_cache
def batch() -> tuple[int, float]:
    """Give the most interactive chats in a row that passed a waiting batch chat, and batch's part of all."""
    trace = Trace()
    trace.add(BRISK, *names("brisk", 6))
    trace.add(BATCH, *names("batch", 2))
    row = most = 0
    grants = trace.play(3600).grants
    for kind, batch_waits in grants:
        row = row + 1 if kind is Class.INTERACTIVE and batch_waits else 0
        most = max(most, row)
    return most, sum(kind is Class.BATCH for kind, _ in grants) / len(grants)


@lru_cache
def returning(load: float, size: int) -> tuple[int, float]:
    """Let people come in bursts; give how many came again as they were told, and the part that found a place.

    Units: load is the part of the slots that the chats would fill if they came evenly.
    """
    trace, chance = Trace(backlog_limit=8 * SLOTS), random.Random(SEED)
    seconds, mean = 0.0, 0.0003 * 150 + SECONDS_PER_TOKEN * 250
    while seconds < 3600:
        seconds += chance.expovariate(load * SLOTS / (mean * size))
        trace.burst(seconds, names("light", size))
    trace.play(seconds + 3600)
    return len(trace.returns), sum(trace.returns) / len(trace.returns)


def document() -> str:
    """Write docs/queue.md."""
    rows = []
    for kind in ("heavy", "brisk", "light", ""):
        waited = [chat.waited for chat in crowd().of(kind)]
        shown, within, longer = coverage(kind)
        rows.append(
            f"| {kind or 'all'} | {quantile(waited, 0.5):.1f} s | {quantile(waited, 0.95):.1f} s | "
            f"{shown:,} | {within:.0%} | {longer:.0%} |"
        )
    among = {
        "nobody": person("light", 0),
        "15 light clients": person("light"),
        "15 brisk clients": person("brisk"),
        "15 heavy clients": person("heavy"),
        "15 heavy clients, first come first served": person("heavy", is_fair=False),
    }
    waits = [f"| {name} | {half:.1f} s | {most:.1f} s | {first:.1f} s |"
             for name, (half, most, first) in among.items()]  # fmt: skip
    bursts = [f"| {load:.0%} | {size} | {returning(load, size)[0]:,} | {returning(load, size)[1]:.0%} |"
              for load, size in BURSTS]  # fmt: skip
    in_row, part = batch()
    ratio = person("heavy")[1] / person("brisk")[1]
    return TEXT.format(
        hours=HOURS, slots=SLOTS, crowd="\n".join(rows), waits="\n".join(waits), bursts="\n".join(bursts),
        jain=jain(), ratio=ratio, in_row=in_row, part=part, count=len(crowd().chats),
        speed=1 / SECONDS_PER_TOKEN, noise=NOISE, bound=8 * SLOTS, estimates=ESTIMATES, returns=RETURNS,
    )  # fmt: skip


BURSTS = ((0.6, 80), (0.8, 80))
TEXT = """# What the queue does to its clients

`python -m tests.unit.gateway.test_trace` wrote this; the test of that name fails when it is not what the code
does. The gateway's own admission runs on a clock of its own, in front of a model of an engine: {slots} slots,
{speed:.0f} tokens a second each, times with {noise:.0%} noise. No engine was measured.

| client | chats | open at once | pause |
|---|---|---|---|
| light, a person | prompt 50 to 250 tokens, answer 60 to 440, no limit named | 1 | 8 s on average |
| brisk | as light, `max_tokens` 512 | 3 | none |
| heavy | prompt 400 to 1,600 tokens, answer 250 to 1,024, `max_tokens` 1,024 | 8 | none |

## Shares

4 heavy, 4 brisk and 8 light clients for {hours} hours, {count:,} chats. Jain's index of the tokens of the
8 clients that always have a chat in line: **{jain:.4f}** (1 is equal shares).

| client | median wait | 95 of 100 wait less than | estimates shown | wait within the estimate | longer |
|---|---|---|---|---|---|
{crowd}

An estimate is the interval shown at admission, meant to hold four times out of five.{estimates}

## A person among others

One light client's waits, by who the others are. The last column is how soon *any* slot came free: the least
that is possible without taking slots away from those who run.

| the others | median wait | 95 of 100 wait less than | next slot, 95 of 100 within |
|---|---|---|---|
{waits}

Heavy neighbours against equally many that are as busy with light chats (brisk): **{ratio:.2f}** times the
wait. Against an empty gateway, or against people who read between their chats, no factor can be kept: there
slots are free and the wait is next to nothing, here all are held when the person comes.

## Batch

6 brisk clients and 2 batch clients: at most **{in_row}** interactive chats in a row passed a waiting batch
chat, and {part:.0%} of all grants were batch.

## Retry-After

People come in bursts to {slots} slots and {bound} places; load is what the bursts would fill if they came
evenly. Whoever is refused comes again after Retry-After, as often as it takes.

| load | people in a burst | times somebody came again | found a place |
|---|---|---|---|
{bursts}
{returns}
"""
ESTIMATES = """ It counts the chats
in front as they stand, so a client with a long line of its own is told far too little: those who come later
with shorter lines are served before it."""
RETURNS = """
The seconds are those until one place comes free, for everybody who is refused meanwhile: one finds it."""


def test_busy_clients_get_equal_shares() -> None:
    """Whether chats are long or short, many or few at once: the tokens come out even."""
    assert jain() >= 0.98


def test_heavy_neighbours_are_no_worse_than_busy_ones() -> None:
    """The 95th percentile of a person's waits among fifteen heavy clients, against fifteen brisk ones.

    "Alone" means: among as many clients, as busy, whose chats are like the person's own. In an empty gateway
    a person waits 0 s, and no multiple of that can hold where all slots are held at arrival: even the next
    slot of all is some seconds away (see the document, which has all the figures).
    """
    assert person("heavy")[1] <= 1.5 * person("brisk")[1]


def test_a_long_line_costs_its_owner_and_not_a_person() -> None:
    """In one line for all, first come first served, the person would wait several times as long."""
    assert 5 * person("heavy")[1] <= person("heavy", is_fair=False)[1]


def test_batch_work_always_moves() -> None:
    """However many interactive chats come: four pass a waiting batch chat, and it has a fifth of grants."""
    in_row, part = batch()

    assert BATCH_EVERY == in_row
    assert part == pytest.approx(1 / (BATCH_EVERY + 1), abs=0.005)


@pytest.mark.parametrize("kind", ["brisk", "light"])
def test_estimates_hold_for_short_lines(kind: str) -> None:
    """Meant for four waits of five; for clients with a long line of their own see the document."""
    assert 0.6 <= coverage(kind)[1] <= 0.95


def test_the_document_is_what_the_code_does() -> None:
    """docs/queue.md has these figures."""
    assert document() == DOCUMENT.read_text()


if __name__ == "__main__":
    DOCUMENT.write_text(document())
