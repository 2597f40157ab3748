"""The load: streams that are asked for, read and checked, cheaply enough to share a core with the engine.

Knows:  raw HTTP, when each read came, what text each answer had.
Knows nothing of: what it measures, beyond the process whose CPU time it is told to read.

Run as a process of its own: python -m tests.load.generator '{"port": …}' prints one JSON line.
"""

import asyncio
import json
import random
import socket
import sys
import time
from bisect import bisect_left
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, cast

import uvloop

from tests.load import cpu, wire

_QUICKACK = getattr(socket, "TCP_QUICKACK", None)
_ANSWER_LIMIT_SECONDS = 120.0


@dataclass(frozen=True)
class Plan:
    """What to ask, how often, and what to watch."""

    port: int
    path: str
    # The body; `tokens` of the answer are set in it under this key, or left alone if there is none.
    body: dict[str, Any]
    tokens: int
    streams: int
    # A window of seconds over a steady state, or a fixed number of answers for each stream.
    seconds: float = 0.0
    answers: int = 0
    # The process whose CPU time and memory count.
    watched: int = 0
    # The text each answer must have: the synthetic engine's; False for a real model's.
    is_known: bool = True
    # Other prompts for a real model, taken in turn.
    bodies: list[dict[str, Any]] = field(default_factory=list)
    # False opens a connection for each answer: llama.cpp closes it after a stream.
    is_kept: bool = True


@dataclass
class Outcome:
    """What was measured. Times are seconds; percentiles are taken later."""

    tokens: int
    answers: int
    wall_seconds: float
    cpu_seconds: float
    resident_before: int
    resident_during: int
    reads: int
    first_tokens: list[float]
    gaps: list[float]
    wrong: int
    # Of the texts of whole answers, and what kind of texts they were if wrong.
    characters: int = 0
    sample: str = ""


class Reader(asyncio.Protocol):
    """One connection that remembers what came when."""

    def __init__(self) -> None:
        """Read nothing yet."""
        self.transport: asyncio.Transport | None = None
        self._socket: socket.socket | None = None
        self._reset()

    def _reset(self) -> None:
        self.pieces: list[bytes] = []
        self.times: list[float] = []
        self.asked_at = 0.0
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the transport."""
        self.transport = cast(asyncio.Transport, transport)
        self._socket = transport.get_extra_info("socket")

    def data_received(self, data: bytes) -> None:
        """Note time and bytes."""
        # An engine with Nagle's algorithm waits for our acknowledgement; the kernel clears this flag itself.
        if _QUICKACK is not None and self._socket is not None:
            self._socket.setsockopt(socket.IPPROTO_TCP, _QUICKACK, 1)
        self.pieces.append(data)
        self.times.append(time.monotonic())
        if data.endswith(wire.END) and is_ended(self.pieces) and not self.ended.done():
            self.ended.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        """An answer that is not complete now never will be."""
        self.transport = None
        if not self.ended.done():
            self.ended.set_result(None)

    def ask(self, request: bytes) -> None:
        """Send a request."""
        assert self.transport is not None
        self._reset()
        self.asked_at = time.monotonic()
        self.transport.write(request)


@dataclass
class Read:
    """One answer, raw, to be looked at after the measurement."""

    asked_at: float
    pieces: list[bytes]
    times: list[float]
    tokens: int


def is_ended(pieces: list[bytes]) -> bool:
    """Whether the last chunk came: behind a line end, for a head may end in `100` and a blank line."""
    tail = b"".join(pieces[-3:])[-len(wire.END) - 2 :]
    return tail == b"\r\n" + wire.END


def request_bytes(path: str, body: dict[str, Any]) -> bytes:
    """A POST of JSON."""
    data = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return head.encode() + b"content-length: %d\r\n\r\n" % len(data) + data


def with_tokens(body: dict[str, Any], tokens: int) -> dict[str, Any]:
    """The body asking for so many tokens, in the words of its own route."""
    if "inputs" in body:
        return {**body, "parameters": {**body.get("parameters", {}), "max_new_tokens": tokens}}
    return {**body, ("n_predict" if "n_predict" in body else "max_tokens"): tokens}


async def _connect(port: int) -> Reader:
    _, reader = await asyncio.get_running_loop().create_connection(Reader, "127.0.0.1", port)
    return reader


class Load:
    """All streams of one plan."""

    def __init__(self, plan: Plan) -> None:
        """Prepare requests; nothing is sent."""
        self._plan = plan
        self._read: list[Read] = []
        self._is_over = False
        self._bodies = plan.bodies or [plan.body]
        self._draw = random.Random(11)

    async def run(self) -> Outcome:
        """Do the plan and look at what came."""
        plan = self._plan
        before = cpu.resident_bytes(plan.watched) if plan.watched else 0
        if plan.seconds:
            window = await self._steady()
        else:
            window = await self._counted()
        return self._look(before, *window)

    async def _stream(self, number: int, delay: float, first_tokens: int, answers: int) -> None:
        await asyncio.sleep(delay)
        reader = await _connect(self._plan.port)
        done = 0
        while not self._is_over and (answers == 0 or done < answers):
            tokens = first_tokens if done == 0 else self._plan.tokens
            body = self._bodies[(number + done) % len(self._bodies)]
            if done and not self._plan.is_kept and reader.transport is not None:
                reader.transport.close()
            if reader.transport is None or reader.transport.is_closing():
                reader = await _connect(self._plan.port)
            reader.ask(request_bytes(self._plan.path, with_tokens(body, tokens)))
            read = Read(reader.asked_at, reader.pieces, reader.times, tokens)
            self._read.append(read)
            async with asyncio.timeout(_ANSWER_LIMIT_SECONDS):
                await reader.ended
            done += 1
        if reader.transport is not None:
            reader.transport.close()

    async def _steady(self) -> tuple[float, float, float, int]:
        """Spread the streams over an answer's length, then watch a window."""
        plan = self._plan
        loop = asyncio.get_running_loop()
        # The first answers have every length, so that later requests come evenly spread.
        tasks = []
        for number in range(plan.streams):
            first = 1 + number * (plan.tokens - 1) // max(1, plan.streams - 1)
            delay = 1.0 * number / plan.streams
            tasks.append(loop.create_task(self._stream(number, delay, first, 0)))
        await asyncio.sleep(1.5)
        began, used = time.monotonic(), cpu.cpu_seconds(plan.watched) if plan.watched else 0.0
        await asyncio.sleep(plan.seconds)
        used = cpu.cpu_seconds(plan.watched) - used if plan.watched else 0.0
        ended = time.monotonic()
        resident = cpu.resident_bytes(plan.watched) if plan.watched else 0
        self._is_over = True
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return began, ended, used, resident

    async def _counted(self) -> tuple[float, float, float, int]:
        """Let every stream read its number of answers."""
        plan = self._plan
        began, used = time.monotonic(), cpu.cpu_seconds(plan.watched) if plan.watched else 0.0
        async with asyncio.TaskGroup() as group:
            for number in range(plan.streams):
                group.create_task(self._stream(number, 0.0, plan.tokens, plan.answers))
        used = cpu.cpu_seconds(plan.watched) - used if plan.watched else 0.0
        resident = cpu.resident_bytes(plan.watched) if plan.watched else 0
        return began, time.monotonic(), used, resident

    def _look(self, before: int, began: float, ended: float, used: float, resident: int) -> Outcome:
        outcome = Outcome(0, 0, ended - began, used, before, resident, 0, [], [], 0)
        for read in self._read:
            self._look_at(read, began, ended, outcome)
        return outcome

    def _look_at(self, read: Read, began: float, ended: float, outcome: Outcome) -> None:
        raw = b"".join(read.pieces)
        head, _, body = raw.partition(b"\r\n\r\n")
        is_whole = is_ended(read.pieces)
        if is_whole:
            text = self._text(head, body)
            is_right = text == wire.expected_text(read.tokens) if self._plan.is_known else bool(text)
            if not is_right:
                outcome.wrong += 1
                outcome.sample = outcome.sample or raw[:2000].decode("utf-8", "replace")
            outcome.characters += len(text)
            outcome.answers += began <= read.times[-1] <= ended
        elif self._plan.answers:
            outcome.wrong += 1
            outcome.sample = outcome.sample or f"cut off: {raw[-500:].decode('utf-8', 'replace')}"
        times = token_times(read.pieces, read.times)
        inside = [time for time in times if began <= time <= ended]
        outcome.tokens += len(inside)
        outcome.reads += sum(1 for time in read.times if began <= time <= ended)
        if times and began <= read.asked_at and times[0] <= ended:
            outcome.first_tokens.append(times[0] - read.asked_at)
        outcome.gaps += [b - a for a, b in pairwise(times) if began <= a and b <= ended]

    def _text(self, head: bytes, body: bytes) -> str:
        if b" 200 " not in head.partition(b"\r\n")[0]:
            return ""
        try:
            return "".join(map(wire.text_of, wire.read_events(wire.dechunk(body))))
        except (ValueError, KeyError):
            return ""


def token_times(pieces: list[bytes], times: list[float]) -> list[float]:
    """When each token's text came: the time of the read that ended its event.

    Every wire's event has its text under `"text":"` or `"content":"`; empty ones are roles and ends.
    """
    ends, total = [], 0
    for piece in pieces:
        total += len(piece)
        ends.append(total)
    raw = b"".join(pieces)
    found = []
    for mark in (b'"text":"', b'"content":"'):
        at = raw.find(mark)
        while at >= 0:
            at += len(mark)
            if raw[at : at + 1] != b'"':
                found.append(times[min(bisect_left(ends, at + 1), len(times) - 1)])
            at = raw.find(mark, at)
        if found:
            break
    return found


async def _main(plan: Plan) -> None:
    print(json.dumps(asdict(await Load(plan).run())), flush=True)


if __name__ == "__main__":
    uvloop.run(_main(Plan(**json.loads(sys.argv[1]))))
