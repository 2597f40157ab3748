"""Several answers to one chat: a generation each, with a ticket and a slot of its own, followed as one.

Their events go into one log as they come. The first that fails ends all, because half of what was asked
for would look like the whole. What each would leave as its record is put together into one.

Knows generations, their logs and records. Knows nothing of HTTP, and of frames only how events end.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import replace

from gateway.admission import Admission, Ticket
from gateway.chat import Batch, Finish, Outcome, Timings, Usage
from gateway.errors import ChatUnsupported, GatewayFault, PaddockError, Refusal
from gateway.followed import Followed
from gateway.generation import Generation
from gateway.house import House
from gateway.metrics import Metrics
from gateway.order import Order
from gateway.record import Ledger, Record

_LOG = logging.getLogger(__name__)

_EVENT_END = b"\n\n"


class Gathered(Ledger):
    """Keeps the record of one answer until all are one."""

    def __init__(self, metrics: Metrics) -> None:
        super().__init__(metrics)
        self.record: Record | None = None

    def write(self, record: Record) -> None:
        """Keep a record."""
        self.record = record


class Choices(Followed):
    """A chat of several answers, or several prompts with theirs, with the outside of a generation.

    States: running -> over. Over comes once, when every answer is: then the stream's end is written, the
    record is, and the log closes. Readers and what their leaving means are as a generation's.
    """

    def __init__(
        self,
        house: House,
        order: Order,
        parts: Sequence[Generation],
        gathered: Sequence[Gathered],
        prompts: int = 1,
    ) -> None:
        log = house.open_log(keeps=order.is_resumable)
        super().__init__(order, log, house.resume_grace_seconds)
        self._house = house
        self._parts = parts
        self._gathered = gathered
        self._prompts = prompts
        # Before any answer has begun, so that none writes its own.
        self._opening = order.form.deltas(Batch())
        for part in parts:
            part.join()
        self._task = asyncio.create_task(self._live(), name=f"choices {order.request_id}")

    @property
    def is_granted(self) -> bool:
        """Say whether every answer has or had its slot."""
        return all(part.is_granted for part in self._parts)

    def spans(self) -> dict[str, float]:
        """Give the seconds up to the first grant and token of any, and the longest generation."""
        told = [part.spans() for part in self._parts]
        spans = {"wait": min(one["wait"] for one in told)}
        for name, which in (("first_token", min), ("generation", max)):
            seconds = [one[name] for one in told if name in one]
            if seconds:
                spans[name] = which(seconds)
        return spans

    def stop(self) -> None:
        """Stop all answers because their caller said so."""
        for part in self._parts:
            part.stop()

    def end(self, error: PaddockError) -> None:
        """End all answers with an error that the readers see."""
        for part in self._parts:
            part.end(error)

    def used(self) -> int:
        """Give the tokens that all answers cost, those asked for where a generation's are not known."""
        total = 0
        for part in self._parts:
            used = part.used()
            total += (part.order.cost if part.is_granted else 0) if used is None else used
        return total

    def _desert(self) -> None:
        # The answers cannot be followed again by themselves, so this is the end of each.
        for part in self._parts:
            part.leave()

    async def _live(self) -> None:
        try:
            await asyncio.gather(*map(self._follow, self._parts))
            record = self._merged([one.record for one in self._gathered if one.record is not None])
            # Order: the readers' last bytes go out behind it, and who has them may ask for the record.
            self._house.ledger.write(record)
            if self.error is not None:
                self._tell(self.error)
            elif record.outcome is Outcome.FINISHED:
                usage = Usage(record.prompt_tokens or 0, record.completion_tokens)
                self.log.append(self.order.form.finished(Finish.STOP, usage, self._timings(record)))
            elif self._deserted is not None:
                self._tell(self._deserted)
        except Exception:  # noqa: BLE001 - the one boundary of a chat: logged, and told in plain words
            _LOG.exception("request %s failed", self.order.request_id)
            self.stop()
            for part in self._parts:
                await part.over()
            self._tell(GatewayFault("an internal error; the server's log has it under this request id"))
        finally:
            self.log.close()

    async def _follow(self, part: Generation) -> None:
        """Carry an answer's events over, and end the others when it fails."""
        async for piece in part.log.read():
            if self.error is not None:
                continue
            if any(one.is_granted for one in self._parts):
                # Behind the news of the queue.
                self.log.append(self._opening)
                self._opening = []
            # A frame is one event, so that a reader who comes back can begin behind any.
            self.log.append([event + _EVENT_END for event in piece.split(_EVENT_END)[:-1]])
        await part.over()
        if part.error is not None and self.error is None:
            self.error = part.error
            self.stop()

    def _tell(self, error: PaddockError) -> None:
        self.error = error
        self.failed_first = self.log.length == 0
        self.log.append(self.order.form.failed(error))

    def _merged(self, records: Sequence[Record]) -> Record:
        """Make one record of all: of the answer that failed, else of one that was cancelled."""
        ranks = [Outcome.EXPIRED, Outcome.FAILED, Outcome.CANCELLED, Outcome.FINISHED]
        worst = min(records, key=lambda one: ranks.index(one.outcome))
        finishes = sorted({one.finish for one in records if one.finish is not None})
        spans = self.spans()
        waits = [one.wait_seconds for one in records if one.generation_seconds is not None]
        generated = sum(one.completion_tokens for one in records)
        # Each prompt's answers stand together, and its tokens are counted once.
        told = [one.prompt_tokens for one in records]
        size = len(told) // self._prompts
        read = [_of(max, told[at : at + size]) for at in range(0, len(told), size)]
        lasted = spans.get("generation", 0.0)
        return replace(
            worst,
            request_id=self.order.request_id,
            finish="+".join(finishes) or None,
            wait_seconds=min(waits, default=worst.wait_seconds),
            first_token_seconds=_of(min, [one.first_token_seconds for one in records]),
            generation_seconds=_of(max, [one.generation_seconds for one in records]),
            longest_gap_seconds=_of(max, [one.longest_gap_seconds for one in records]),
            tokens_per_second=round(generated / lasted, 1) if lasted > 0 else None,
            prompt_tokens=int(sum(one or 0 for one in read)) if any(read) else None,
            completion_tokens=generated,
        )

    def _timings(self, record: Record) -> Timings:
        spans = self.spans()
        return Timings(
            wait_seconds=round(spans["wait"], 4),
            first_token_seconds=round(spans.get("first_token", 0.0), 4),
            generation_seconds=round(spans.get("generation", 0.0), 4),
            tokens_per_second=record.tokens_per_second or 0.0,
        )


Answer = Generation | Choices


def admit_all(admission: Admission, orders: Sequence[Order]) -> list[Ticket]:
    """Give a ticket for each order of one chat, or none at all. Raises: Refusal, ChatUnsupported."""
    first = orders[0]
    caller, count, cost = first.caller, len(orders), max(one.cost for one in orders)
    if not admission.could_hold(count, cost):
        raise ChatUnsupported("n: so many answers of this length never fit the queue here", param="n")
    waits = count - max(0, admission.open_slots - admission.running)
    if waits > 0 and not admission.is_draining:
        # Before any slot is taken: one that is given back at once would count as an answer of no length in
        # the estimates. And so that as many places are promised as are needed.
        admission.check_room(caller.client, cost, waits)
    tickets: list[Ticket] = []
    try:
        for one in orders:
            ticket = admission.admit(caller.client, one.cost, caller.kind, caller.deadline_seconds)
            tickets.append(ticket)
    except Refusal:
        for ticket in reversed(tickets):
            ticket.release(used=0)
        raise
    return tickets


def _of(which: Callable[[list[float]], float], values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return which(known) if known else None
