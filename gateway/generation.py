"""One chat's life from ticket to finish: wait, choose, stream, finish, record.

Knows tickets, replicas, logs and limits. Knows nothing of HTTP, and of frames only that a form
makes them.
"""

import asyncio
import logging
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import TypeVar

import orjson

from gateway.admission import Admission, State, Ticket
from gateway.chat import Batch, Delta, Finish, Outcome, Timings, Usage
from gateway.errors import (
    Draining,
    EngineError,
    EngineTimeout,
    EngineUnreachable,
    GatewayFault,
    PaddockError,
    Refusal,
    WaitExpired,
)
from gateway.events import translate
from gateway.fleet import Fleet, Replica
from gateway.order import Order, Waiting
from gateway.pace import Pace
from gateway.record import Ledger, Record
from gateway.stops import Stops
from gateway.streams import Log
from gateway.tgi import Native

_LOG = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class House:
    """What every generation works with. Units: seconds."""

    admission: Admission
    fleet: Fleet
    ledger: Ledger
    pace: Pace
    clock: Callable[[], float]
    wait_limit_seconds: float
    total_limit_seconds: float


class Generation(ABC):
    """A chat that holds a ticket. Its task owns the ticket; readers of its log own nothing.

    States: waiting -> running -> over. Over happens once, whatever wins: the final event, the
    caller's leaving, the engine's failure, the wait limit or the drain.
    """

    def __init__(self, house: House, order: Order, ticket: Ticket) -> None:
        self.order = order
        self.log = Log(keeps=False)
        self.error: PaddockError | None = None
        self.failed_first = False
        self._house = house
        self._ticket = ticket
        self._moved = asyncio.Event()
        self._ended_by: PaddockError | None = None
        self._is_started = self._is_interrupted = False
        self._arrived = house.clock()
        self._granted: float | None = None
        self._replica: Replica | None = None
        self._first: float | None = None
        self._last = 0.0
        self._longest_gap: float | None = None
        self._finish: Finish | None = None
        self._prompt_tokens: int | None = None
        self._tokens = 0
        ticket.on_change = self._moved.set
        self._task = asyncio.create_task(self._live(), name=f"generation {order.request_id}")

    @property
    def is_over(self) -> bool:
        """Say whether it has ended, in whatever way."""
        return self._task.done()

    def leave(self) -> None:
        """Take note that the caller is gone: nobody reads, so the engine's connection is closed."""
        self._interrupt()

    def end(self, error: PaddockError) -> None:
        """End it with an error that its readers see."""
        if not self._is_interrupted:
            self._ended_by = error
        self._interrupt()

    async def over(self) -> None:
        """Wait until it is over and its slot is free. Never raises."""
        await asyncio.wait([self._task])

    @abstractmethod
    async def _serve(self, replica: Replica) -> None:
        """Let a replica answer. Raises: EngineError."""

    def _interrupt(self) -> None:
        # A task that is cancelled before its first step never runs its finally: its ticket would
        # be lost. So the first step is taken in any case, and sees the flag.
        self._is_interrupted = True
        if self._is_started and not self._task.done():
            self._task.cancel()

    async def _live(self) -> None:
        self._is_started = True
        outcome = Outcome.FAILED
        try:
            if self._is_interrupted:
                raise asyncio.CancelledError
            await self._wait()
            self._granted = self._house.clock()
            self._replica = self._house.fleet.choose()
            async with asyncio.timeout(self._house.total_limit_seconds):
                await self._serve(self._replica)
            outcome = Outcome.FINISHED
        except WaitExpired as error:
            outcome = Outcome.EXPIRED
            self._fail(error)
        except TimeoutError:
            limit = self._house.total_limit_seconds
            self._fail(EngineTimeout(f"the answer took longer than {limit:g} s and was stopped"))
        except EngineError as error:
            self._house.ledger.metrics.fail(error.code)
            if isinstance(error, EngineUnreachable) and self._replica is not None:
                self._house.fleet.report(self._replica, error)
            self._fail(error)
        except Refusal as error:
            self._fail(error)
        except asyncio.CancelledError:
            if self._ended_by is None:
                outcome = Outcome.CANCELLED
            else:
                self._fail(self._ended_by)
        except Exception:  # noqa: BLE001 - the one boundary of a chat: logged, and told in plain words
            _LOG.exception("request %s failed", self.order.request_id)
            self._fail(GatewayFault("an internal error; the server's log has it under this request id"))
        finally:
            self._ticket.release(used=self._used())
            self.log.close()
            self._house.ledger.write(self._record(outcome))

    async def _wait(self) -> None:
        """Stay in the backlog until granted, telling each new place."""
        told = None
        try:
            async with asyncio.timeout(self._house.wait_limit_seconds):
                while self._ticket.state is State.WAITING:
                    self._moved.clear()
                    news = self._news()
                    if news is not None and news.place != told:
                        told = news.place
                        self.log.append(self.order.form.waiting(news))
                    await self._moved.wait()
        except TimeoutError:
            limit = self._house.wait_limit_seconds
            raise WaitExpired(
                f"no slot became free within {limit:g} s; try again later", retry_after_seconds=30
            ) from None
        if told is not None:
            self.log.append(self.order.form.running())

    def _news(self) -> Waiting | None:
        place = self._ticket.place
        if place is None:
            return None
        house = self._house
        return Waiting(place, house.admission.waiting, house.fleet.shown.phase, self._ticket.estimate)

    def _fail(self, error: PaddockError) -> None:
        self.error = error
        self.failed_first = self.log.length == 0
        self.log.append(self.order.form.failed(error))

    def _count(self, tokens: int) -> None:
        """Take note of tokens that arrived now."""
        now = self._house.clock()
        if self._first is None:
            self._first = now
            self._house.ledger.metrics.first_token(now - (self._granted or now))
        else:
            gap = now - self._last
            self._house.ledger.metrics.gap(gap)
            self._longest_gap = gap if self._longest_gap is None else max(gap, self._longest_gap)
        self._last = now
        self._tokens += tokens
        self._house.pace.add(tokens)

    def _used(self) -> int | None:
        return None if self._prompt_tokens is None else self._prompt_tokens + self._tokens

    def _timings(self) -> Timings:
        granted = self._granted if self._granted is not None else self._arrived
        first = self._first if self._first is not None else granted
        lasted = self._last - granted
        return Timings(
            wait_seconds=round(granted - self._arrived, 4),
            first_token_seconds=round(first - granted, 4),
            generation_seconds=round(lasted, 4),
            tokens_per_second=round(self._tokens / lasted, 1) if lasted > 0 else 0.0,
        )

    def _record(self, outcome: Outcome) -> Record:
        now = self._house.clock()
        granted = self._granted
        return Record(
            request_id=self.order.request_id,
            route=self.order.route,
            outcome=outcome,
            code=self.error.code if self.error else None,
            finish=self._finish,
            model=self._replica.model if self._replica else None,
            replica=self._replica.name if self._replica else None,
            wait_seconds=round((now if granted is None else granted) - self._arrived, 4),
            first_token_seconds=None
            if self._first is None or granted is None
            else round(self._first - granted, 4),
            generation_seconds=None if granted is None else round(now - granted, 4),
            longest_gap_seconds=None if self._longest_gap is None else round(self._longest_gap, 4),
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            is_streamed=self.order.is_streamed,
        )


class Streaming(Generation):
    """A generation whose tokens go into its log as they come."""

    async def _serve(self, replica: Replica) -> None:
        form, stops = self.order.form, Stops(self.order.stop) if self.order.stop else None
        async with aclosing(replica.tgi.generate(self.order.body, self.order.headers)) as batches:
            async for batch in batches:
                self._count(len(batch.deltas))
                if stops is not None:
                    _cut(batch, stops)
                frames = form.deltas(batch)
                if frames:
                    self.log.append(frames)
                if batch.final is not None:
                    self._finish = Finish.STOP if stops and stops.is_hit else batch.final.finish
                    self._prompt_tokens = batch.final.prompt_tokens
                elif stops is not None and stops.is_hit:
                    self._finish = Finish.STOP
                    break
        if self._prompt_tokens is None and self.order.prompt:
            self._prompt_tokens = len(await replica.tgi.tokenize(self.order.prompt))
        usage = Usage(self._prompt_tokens or 0, self._tokens)
        self.log.append(form.finished(self._finish or Finish.STOP, usage, self._timings()))


class Forwarding(Generation):
    """A generation that the engine answers in one piece, handed on as it is, errors included."""

    native: Native | None = None

    async def _serve(self, replica: Replica) -> None:
        order = self.order
        limit = self._house.total_limit_seconds
        self.native = await replica.tgi.forward("POST", order.route, order.body, limit, order.headers)
        if self.native.status != 200:
            raise translate(self.native.status, self.native.body)
        self._prompt_tokens = int(self.native.headers.get("x-prompt-tokens", 0))
        self._count(int(self.native.headers.get("x-generated-tokens", 0)))


AnyGeneration = TypeVar("AnyGeneration", bound=Generation)


class Generations:
    """All generations that are not over."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._open: set[Generation] = set()

    def stream(self, order: Order) -> Streaming:
        """Admit an order and start to stream it. Raises: Refusal."""
        return self._keep(Streaming(self._house, order, self._admit(order)))

    def forward(self, order: Order) -> Forwarding:
        """Admit an order and hand it to the engine whole. Raises: Refusal."""
        return self._keep(Forwarding(self._house, order, self._admit(order)))

    def end_all(self, error: Draining) -> None:
        """End every open generation with an error that its readers see."""
        for generation in list(self._open):
            generation.end(error)

    def _admit(self, order: Order) -> Ticket:
        if not self._house.admission.is_draining:
            self._house.fleet.choose()
        return self._house.admission.admit(
            order.caller.client, order.cost, order.caller.kind, order.caller.deadline_seconds
        )

    def _keep(self, generation: AnyGeneration) -> AnyGeneration:
        self._open.add(generation)
        generation._task.add_done_callback(lambda _: self._open.discard(generation))
        return generation


def _cut(batch: Batch, stops: Stops) -> None:
    """Cut a batch's text at a stop string, keeping the form of a batch."""
    shown = stops.feed("".join(delta.text for delta in batch.deltas if not delta.special))
    if batch.final is not None:
        shown += stops.rest()
    batch.deltas = [Delta(orjson.dumps(shown), False)] if shown else []
