"""The queue, the batch and the token loop behind TGI's router.

Knows:  permits, slots, what each generated token looks like, when generation ends, a reader that left.
Knows nothing of: HTTP, JSON.
"""

import asyncio
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.fakes.meters import Meters
from tests.fakes.request import GenerateRequest, Validated
from tests.fakes.script import Cue
from tests.fakes.settings import Settings
from tests.fakes.tokens import ENDS, Token, single, spell
from tests.fakes.wire import first, now

# A stop sequence is looked for in so many last characters of the output (server tokens.py:178).
STOP_BUFFER_CHARACTERS = 300
SHARD_ERROR = "Request failed during generation: Server error: CUDA out of memory."


@dataclass(frozen=True)
class Step:
    """One generated token, with what only the last one has."""

    token: Token
    text: str
    finish_reason: str | None = None
    generated_text: str = ""
    count: int = 1


@dataclass(frozen=True)
class Failure:
    """Why there are no more tokens: an error_type, or `close`, `cut`, `garbage`."""

    kind: str
    text: str = ""


Item = list[Step] | Failure


@dataclass(eq=False)
class Entry:
    """One sequence: queued -> running -> over.

    The reader takes items; when it leaves it sets `is_closed`, and the token loop notices at the next token.
    """

    request: GenerateRequest
    validated: Validated
    cue: Cue
    items: "asyncio.Queue[Item]" = field(default_factory=asyncio.Queue)
    is_closed: bool = False
    left: asyncio.Event = field(default_factory=asyncio.Event)
    broken: asyncio.Event = field(default_factory=asyncio.Event)
    submitted_at: float = field(default_factory=now)
    queued_at: float = 0.0
    started_at: float = 0.0
    noticed_at: float | None = None
    generated: int = 0

    def leave(self) -> None:
        """Say that nobody reads any more."""
        self.is_closed = True
        self.left.set()


def last_user_message(inputs: str) -> str:
    """The text the echo repeats: the last user turn of a Llama 3 prompt, or the whole of any other text."""
    _, found, rest = inputs.rpartition("<|start_header_id|>user<|end_header_id|>\n\n")
    return rest.partition("<|eot_id|>")[0] if found else inputs


def planned(entry: Entry) -> list[Token]:
    """The tokens the model would generate if nothing ended it."""
    if entry.cue.tokens is not None:
        return [single(text) for text in entry.cue.tokens]
    reply = last_user_message(entry.request.inputs) if entry.cue.reply is None else entry.cue.reply
    # An echo holds no control token of its prompt: a model ends its turn once.
    return [token for token in spell(reply) if not token.special] + [single("<|eot_id|>")]


def whole_text(raw: bytes) -> str:
    """Decode as the shard does: nothing at all if the last character is incomplete (tgi.md 2.3)."""
    text = raw.decode("utf-8", "replace")
    return "" if text.endswith("\ufffd") else text


def steps(entry: Entry) -> list[Step]:
    """The events of one generation, ended by length, end of turn or stop text, in that order of tests."""
    done: list[Step] = []
    stops = [re.compile(re.escape(text) + "$") for text in entry.request.stop]
    raw, pending, output = b"", b"", ""
    tokens = planned(entry)
    for number, token in enumerate(tokens, start=1):
        if token.special:
            text, pending = token.text, b""
        else:
            raw, pending = raw + token.raw, pending + token.raw
            text = whole_text(pending)
            pending = b"" if text else pending
        output = (output + text)[-STOP_BUFFER_CHARACTERS:]
        finish = None
        if number >= entry.validated.token_limit:
            finish = "length"
        elif token.id in ENDS:
            finish = "eos_token"
        elif any(stop.search(output) for stop in stops):
            finish = "stop_sequence"
        elif number == len(tokens):
            finish = "length"  # a scripted list that nothing else ended
        done.append(Step(token, text, finish, whole_text(raw) if finish else "", number))
        if finish:
            break
    return done


class Shard:
    """Permits, one first-in first-out queue and a batch of `slots`."""

    def __init__(self, settings: Settings, meters: Meters, die: Callable[[], None]) -> None:
        """Start idle; `die` ends the server."""
        self.permits = settings.max_concurrent_requests
        self.release = asyncio.Event()
        self._meters = meters
        self._slots = settings.slots
        self._die = die
        self._queue: deque[Entry] = deque()
        self._running: set[Entry] = set()
        self._tasks: set[asyncio.Task[None]] = set()

    def __repr__(self) -> str:
        """Show the live counts."""
        return f"<Shard permits={self.permits} waiting={len(self._queue)} running={len(self._running)}>"

    def acquire(self, count: int = 1) -> bool:
        """Take permits, or say at once that there are too few."""
        if self.permits < count:
            return False
        self.permits -= count
        return True

    def submit(self, entry: Entry) -> None:
        """Queue an entry, and start it if a slot is free."""
        entry.queued_at = now()
        self._queue.append(entry)
        self._pump()

    def _pump(self) -> None:
        while self._queue and len(self._running) < self._slots:
            entry = self._queue.popleft()
            if entry.is_closed:  # a queued entry is noticed only when it is popped (queue.rs:281)
                entry.noticed_at = now()
                self._meters.count("tgi_request_failure", err="dropped")
                continue
            self._running.add(entry)
            task = asyncio.get_running_loop().create_task(self._generate(entry))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        self._meters.gauge("tgi_queue_size", len(self._queue))
        self._meters.gauge("tgi_batch_current_size", len(self._running))

    async def _generate(self, entry: Entry) -> None:
        entry.started_at = now()
        self._meters.count("tgi_batch_inference_count", method="prefill")
        self._meters.record("tgi_batch_next_size", 1.0)
        try:
            await self._loop(entry)
        finally:
            self._running.discard(entry)
            self._pump()

    async def _loop(self, entry: Entry) -> None:
        begun = now()
        together: list[Step] = []
        for at, step in enumerate(steps(entry)):
            if entry.cue.fault is not None and at == entry.cue.after:
                if together:
                    entry.items.put_nowait(together)
                    together = []
                if not await self._fail(entry):
                    return
            delay = entry.cue.first_delay_seconds if at == 0 else entry.cue.delay_seconds
            await self._pause(entry, 0.0 if together else delay)
            if entry.broken.is_set():
                return
            if entry.is_closed:
                entry.noticed_at = now()
                self._meters.count("tgi_request_failure", err="dropped")
                return
            self._measure(at, now() - begun)
            entry.generated += 1
            together.append(step)
            if len(together) >= entry.cue.burst or step.finish_reason:
                entry.items.put_nowait(together)
                together = []

    async def _pause(self, entry: Entry, seconds: float) -> None:
        """Take the time of one token; a departure is noticed at its end, a broken batch at once."""
        if seconds <= 0:
            await asyncio.sleep(0)
        else:
            await first(lambda: asyncio.sleep(seconds), entry.broken.wait)

    async def _fail(self, entry: Entry) -> bool:
        """Do the cue's fault; whether generation goes on after it."""
        fault = entry.cue.fault
        if fault == "stall":
            await first(self.release.wait, entry.left.wait, entry.broken.wait)
        elif fault == "generation":
            self._break(entry)
        elif fault == "batch":
            for other in list(self._running):
                self._break(other)
        elif fault == "incomplete":
            self._meters.count("tgi_request_failure", err="incomplete")
            entry.items.put_nowait(Failure("incomplete"))
        elif fault == "exit":
            self._die()
        elif fault is not None:
            entry.items.put_nowait(Failure(fault))
        return fault == "stall"

    def _break(self, entry: Entry) -> None:
        self._meters.count("tgi_request_failure", err="generation")
        entry.items.put_nowait(Failure("generation", SHARD_ERROR))
        entry.broken.set()

    def _measure(self, at: int, seconds: float) -> None:
        method = "prefill" if at == 0 else "decode"
        for name in ("inference", "forward", "decode"):
            self._meters.record(f"tgi_batch_{name}_duration", seconds, method=method)
        self._meters.count("tgi_batch_inference_success", method=method)

    async def close(self) -> None:
        """End every generation."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
