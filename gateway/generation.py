"""One chat's life from ticket to finish: wait, choose, stream, finish, record.

Knows tickets, replicas, logs and limits. Knows nothing of HTTP, and of frames only that a form
makes them.
"""

import asyncio
import logging
from abc import abstractmethod
from collections.abc import Hashable
from math import ceil

from gateway.admission import State, Ticket
from gateway.chat import Finish, Outcome, Timings
from gateway.errors import (
    CallerError,
    Draining,
    EngineError,
    GatewayFault,
    PaddockError,
    Refusal,
    TotalTimeout,
    WaitExpired,
)
from gateway.estimate import Estimate
from gateway.followed import Followed
from gateway.house import House
from gateway.order import Order, Waiting
from gateway.record import Record
from gateway.replica import Replica

_LOG = logging.getLogger(__name__)


class Generation(Followed):
    """A chat that holds a ticket. Its task owns the ticket; readers of its log own nothing.

    States: waiting -> running -> over. Over happens once, whatever wins: the final event, the
    caller's leaving, the engine's failure, the wait limit or the drain.
    """

    def __init__(self, house: House, order: Order, ticket: Ticket, whole: Hashable = None) -> None:
        log = house.open_log(keeps=order.is_resumable)
        super().__init__(order, log, house.resume_grace_seconds)
        self._house = house
        # The same for all answers to one chat.
        self._whole = whole or object()
        # What is called for every token is looked up once.
        self._clock, self._observe_gap, self._pace = house.clock, house.ledger.metrics.gap, house.pace.add
        self._ticket = ticket
        self._moved = asyncio.Event()
        self._ended_by: PaddockError | None = None
        self._ender: str | None = None
        self._is_started = self._is_interrupted = False
        self._interrupted_at: float | None = None
        self._arrived = house.clock()
        self._granted: float | None = None
        self._place = 0
        self._expected: Estimate | None = None
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
    def is_granted(self) -> bool:
        """Say whether it has or had a slot."""
        return self._granted is not None

    @property
    def whole(self) -> Hashable:
        """Name the chat that it is an answer to."""
        return self._whole

    @property
    def heard_at(self) -> float | None:
        """Give the time of its last token, None before the first."""
        return None if self._first is None else self._last

    async def answer(self, replica: Replica) -> None:
        """Let a replica answer. Raises: EngineError."""
        self._replica = replica
        await self._serve(replica)

    def spans(self) -> dict[str, float]:
        """Give the seconds its parts took: wait, then from the grant first_token and generation."""
        granted = self._house.clock() if self._granted is None else self._granted
        spans = {"wait": granted - self._arrived}
        if self._first is not None:
            spans |= {"first_token": self._first - granted, "generation": self._last - granted}
        return spans

    def stop(self) -> None:
        """Stop it because its caller said so."""
        self._ender = self._ender or "stopped"
        self._interrupt()

    def end(self, error: PaddockError) -> None:
        """End it with an error that its readers see."""
        if not self._is_interrupted:
            self._ended_by = error
            if isinstance(error, EngineError):
                self._house.ledger.metrics.fail(error.code)
            self._ender = "drain" if isinstance(error, Draining) else None
        self._interrupt()

    @abstractmethod
    async def _serve(self, replica: Replica) -> None:
        """Let a replica answer. Raises: EngineError."""

    def _desert(self) -> None:
        self._ender = self._ender or "left"
        self._interrupt()

    def _interrupt(self) -> None:
        # A task that is cancelled before its first step never runs its finally: its ticket would
        # be lost. So the first step is taken in any case, and sees the flag.
        self._is_interrupted = True
        self._interrupted_at = self._interrupted_at or self._house.clock()
        if self._is_started and not self._task.done():
            self._task.cancel()

    async def _live(self) -> None:
        self._is_started = True
        outcome = Outcome.FAILED
        try:
            if self._is_interrupted:
                raise asyncio.CancelledError
            if self._ticket.state is State.WAITING:
                await self._wait()
            self._granted = self._house.clock()
            self._note_grant(self._granted - self._arrived)
            async with asyncio.timeout(self._house.total_limit_seconds):
                await self._house.fleet.serve(
                    self, self.order.cost, self.order.prompt, self._house.wait_limit_seconds
                )
            outcome = Outcome.FINISHED
        except WaitExpired as error:
            outcome = Outcome.EXPIRED
            self._fail(error)
        except TimeoutError:
            limit = self._house.total_limit_seconds
            self._house.ledger.metrics.fail(TotalTimeout.code)
            self._fail(TotalTimeout(f"the answer took longer than {limit:g} s and was stopped"))
        except EngineError as error:
            self._house.ledger.metrics.fail(error.code)
            self._fail(error)
        except (Refusal, CallerError) as error:
            self._fail(error)
        except asyncio.CancelledError:
            if self._ended_by is None:
                outcome = Outcome.CANCELLED
                if self._deserted is not None:
                    self._fail(self._deserted)
            else:
                self._fail(self._ended_by)
        except Exception:  # noqa: BLE001 - the one boundary of a chat: logged, and told in plain words
            _LOG.exception("request %s failed", self.order.request_id)
            self._fail(GatewayFault("an internal error; the server's log has it under this request id"))
        finally:
            self._ticket.release(used=self.used())
            try:
                self._house.ledger.write(self._record(outcome))
            finally:
                # Order: the readers' last bytes go out in here, and who has them may ask for the record.
                self.log.close()

    async def _wait(self) -> None:
        """Stay in the backlog until granted, telling each new place."""
        told: tuple[object, ...] | None = None
        try:
            async with asyncio.timeout(self._house.wait_limit_seconds):
                while self._ticket.state is State.WAITING:
                    self._moved.clear()
                    news = self._news()
                    if news is not None and not self._place:
                        self._place, self._expected = news.place, news.estimate
                    if news is not None and (news.place, news.phase, news.reason) != told:
                        told = (news.place, news.phase, news.reason)
                        self.log.append(self.order.form.waiting(news))
                    await self._moved.wait()
        except TimeoutError:
            limit, caller = self._house.wait_limit_seconds, self.order.caller
            expected = self._house.admission.estimate(caller.client, caller.kind, self.order.cost)
            raise WaitExpired(
                f"no slot became free within {limit:g} s; try again later",
                retry_after_seconds=30 if expected is None else max(1, ceil(expected.likely)),
            ) from None
        if told is not None:
            self.log.append(self.order.form.running())

    def _news(self) -> Waiting | None:
        place = self._ticket.place
        if place is None:
            return None
        shown = self._house.fleet.shown
        return Waiting(
            place=place,
            backlog=self._house.admission.waiting,
            phase=shown.phase,
            reason=shown.reason,
            estimate=self._ticket.estimate,
            ready_seconds=shown.ready_seconds,
        )

    def _note_grant(self, waited: float) -> None:
        first = self._expected
        expected = None if first is None else (first.low, first.likely, first.high)
        self._house.ledger.metrics.grant(waited, self._place, expected)

    def _fail(self, error: PaddockError) -> None:
        self.error = error
        self.failed_first = self.log.length == 0
        self.log.append(self.order.form.failed(error), is_last=True)

    def _count(self, tokens: int) -> None:
        """Take note of tokens that arrived now."""
        now = self._clock()
        if self._first is None:
            self._first = now
            since_grant, since_arrival = now - (self._granted or now), now - self._arrived
            self._house.ledger.metrics.first_token(since_grant, since_arrival, self.order.request_id)
        else:
            gap = now - self._last
            self._observe_gap(gap)
            if self._longest_gap is None or gap > self._longest_gap:
                self._longest_gap = gap
        self._last = now
        self._tokens += tokens
        self._pace(tokens)

    def used(self) -> int | None:
        """Give the tokens it cost, None if that is not known."""
        return None if self._prompt_tokens is None else self._prompt_tokens + self._tokens

    def _timings(self) -> Timings:
        spans = self.spans()
        lasted = spans.get("generation", 0.0)
        return Timings(
            wait_seconds=round(spans["wait"], 4),
            first_token_seconds=round(spans.get("first_token", 0.0), 4),
            generation_seconds=round(lasted, 4),
            tokens_per_second=round(self._tokens / lasted, 1) if lasted > 0 else 0.0,
        )

    def _record(self, outcome: Outcome) -> Record:
        now, granted, spans = self._house.clock(), self._granted, self.spans()
        left = self._interrupted_at if self._replica is not None else None
        first = spans.get("first_token")
        return Record(
            request_id=self.order.request_id,
            route=self.order.route,
            outcome=outcome,
            code=self.error.code if self.error else None,
            ended_by=self._ender if outcome in (Outcome.CANCELLED, Outcome.FAILED) else None,
            finish=self._finish,
            model=self._replica.model if self._replica else None,
            replica=self._replica.name if self._replica else None,
            wait_seconds=round(spans["wait"], 4),
            first_token_seconds=None if first is None else round(first, 4),
            generation_seconds=None if granted is None else round(now - granted, 4),
            cancel_seconds=None if left is None else round(now - left, 4),
            longest_gap_seconds=None if self._longest_gap is None else round(self._longest_gap, 4),
            tokens_per_second=self._timings().tokens_per_second if self._longest_gap else None,
            prompt_tokens=self._prompt_tokens,
            completion_tokens=self._tokens,
            is_streamed=self.order.is_streamed,
            trace=self.order.mark,
        )
