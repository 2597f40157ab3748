"""One generate request from permit to answer, streamed or whole.

Knows:  the order of permit, validation and queue, in-band errors, keep-alives, a client that leaves.
Knows nothing of: routes, JSON forms.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from tests.fakes import answers
from tests.fakes.meters import Meters
from tests.fakes.request import GenerateRequest, InvalidError, validate, validate_best_of
from tests.fakes.script import Cue
from tests.fakes.settings import Seen, Settings
from tests.fakes.shard import Entry, Failure, Shard, Step
from tests.fakes.wire import Exchange, now


@dataclass
class Call:
    """One request on its way: what came, what answers it, what is remembered, what was scripted."""

    exchange: Exchange
    seen: Seen
    request: GenerateRequest
    cue: Cue


class Generate:
    """Answers generate requests from one shard."""

    def __init__(self, settings: Settings, meters: Meters, shard: Shard) -> None:
        """Serve from a shard and write to its meters."""
        self.settings = settings
        self._meters = meters
        self._shard = shard

    async def stream(self, call: Call) -> None:
        """Answer 200, then tell everything, refusals included, as events (tgi.md 1.7)."""
        began = now()
        self._meters.count("tgi_request_count")
        call.exchange.begin(200, answers.stream_headers(call.request))
        refused = answers.refused_in_stream(call.request)
        admitted = self._refuse(refused) if refused else self._admit(call, 1)
        if isinstance(admitted, Failure):
            self._write(call, answers.error(admitted.text, admitted.kind))
            call.exchange.end()
            return
        entry = admitted[0]
        try:
            await self._relay(call, entry, began)
        finally:
            self._shard.permits += 1
            entry.leave()

    async def whole(self, call: Call, *, wraps: bool) -> None:
        """Answer once everything is generated, with an honest status."""
        began = now()
        self._meters.count("tgi_request_count")
        permits = max(call.request.best_of or 1, 1)
        admitted = self._admit(call, permits)
        if isinstance(admitted, Failure):
            call.exchange.respond(*answers.failure(admitted))
            return
        try:
            gathered = [await self._gather(call, entry) for entry in admitted]
        finally:
            self._shard.permits += permits
            for entry in admitted:
                entry.leave()
        if None in gathered:
            call.seen.disconnected_at = now()
            return
        failed = next((part for part in gathered if isinstance(part, Failure)), None)
        if failed is not None and failed.kind in answers.BROKEN:
            call.exchange.cut()
        elif failed is not None:
            call.exchange.respond(*answers.failure(failed))
        else:
            sequences = [part for part in gathered if isinstance(part, list)]
            self._succeed(admitted[0], sequences[0][-1], began)
            headers = answers.timing_headers(admitted[0], sequences[0], began)
            document = answers.generation(admitted[0], sequences)
            call.exchange.respond(200, headers, answers.dump([document] if wraps else document))

    def _refuse(self, text: str) -> Failure:
        self._meters.count("tgi_request_failure", err="validation")
        return Failure("validation", f"Input validation error: {text}")

    def _admit(self, call: Call, permits: int) -> list[Entry] | Failure:
        """Take permits, validate and queue, in that order (infer/mod.rs:112)."""
        request = call.request
        try:
            validate_best_of(permits, self.settings.limits)
        except InvalidError as fault:
            return self._refuse(str(fault))
        if call.cue.fault == "overloaded" or not self._shard.acquire(permits):
            self._meters.count("tgi_request_failure", err="overloaded")
            return Failure("overloaded", "Model is overloaded")
        try:
            validated = validate(request, self.settings.limits)
        except InvalidError as fault:
            self._shard.permits += permits
            return self._refuse(str(fault))
        self._meters.record("tgi_request_input_length", validated.input_length)
        self._meters.record("tgi_request_max_new_tokens", validated.max_new_tokens)
        entries = [Entry(request, validated, call.cue) for _ in range(permits)]
        call.seen.entries = [*entries]
        for entry in entries:
            self._shard.submit(entry)
        return entries

    async def _relay(self, call: Call, entry: Entry, began: float) -> None:
        index = 0
        gone = asyncio.ensure_future(call.exchange.gone.wait())
        try:
            while True:
                item = await self._next(entry, gone, call.exchange)
                if item is None:
                    call.seen.disconnected_at = now()
                    return
                if isinstance(item, Failure):
                    self._break_off(call, item)
                    return
                frames = b""
                for step in item:
                    index += 1
                    frames += self._frame(answers.event(index, step, entry))
                call.seen.events = index
                call.exchange.write(frames)
                if item[-1].finish_reason is not None:
                    self._succeed(entry, item[-1], began)
                    call.exchange.end()
                    return
        finally:
            gone.cancel()

    async def _gather(self, call: Call, entry: Entry) -> list[Step] | Failure | None:
        steps: list[Step] = []
        gone = asyncio.ensure_future(call.exchange.gone.wait())
        try:
            while not steps or steps[-1].finish_reason is None:
                item = await self._next(entry, gone)
                if not isinstance(item, list):
                    return item
                steps.extend(item)
        finally:
            gone.cancel()
        return steps

    async def _next(
        self, entry: Entry, gone: "asyncio.Task[Any]", idle: Exchange | None = None
    ) -> list[Step] | Failure | None:
        """The next tokens, or None once the client has gone; `idle` gets keep-alive comments meanwhile."""
        item: asyncio.Task[Any] = asyncio.ensure_future(entry.items.get())
        try:
            while True:
                limit = self.settings.keep_alive_seconds
                await asyncio.wait({gone, item}, timeout=limit, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():
                    return None
                if item.done():
                    got: list[Step] | Failure = item.result()
                    return got
                if idle is not None:
                    idle.write(b":\n\n")
        finally:
            item.cancel()

    def _frame(self, document: bytes) -> bytes:
        return (b"data: " if self.settings.has_space else b"data:") + document + b"\n\n"

    def _write(self, call: Call, document: bytes) -> None:
        call.seen.events += 1
        call.exchange.write(self._frame(document))

    def _break_off(self, call: Call, failure: Failure) -> None:
        if failure.kind == "cut":
            call.exchange.cut()
            return
        if failure.kind == "generation":
            self._write(call, answers.error(failure.text, "generation"))
        elif failure.kind == "incomplete":
            text = "Incomplete generation stream"
            self._write(call, answers.error(text, "incomplete_generation_stream"))
        elif failure.kind == "garbage":
            self._write(call, b'{"index":1,"token":')
        call.exchange.end()

    def _succeed(self, entry: Entry, last: Step, began: float) -> None:
        ended = now()
        inference = ended - entry.started_at
        self._meters.count("tgi_request_success")
        self._meters.record("tgi_request_duration", ended - began)
        self._meters.record("tgi_request_validation_duration", entry.queued_at - began)
        self._meters.record("tgi_request_queue_duration", entry.started_at - entry.queued_at)
        self._meters.record("tgi_request_inference_duration", inference)
        self._meters.record("tgi_request_mean_time_per_token_duration", inference / last.count)
        self._meters.record("tgi_request_generated_tokens", last.count)
        self._meters.record("tgi_request_skipped_tokens", 0.0)
