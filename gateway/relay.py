"""How an engine's tokens reach a generation's log, and the generations that are open.

Knows TGI's batches, parts and stop strings. Knows nothing of HTTP.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import orjson

from gateway.admission import Ticket
from gateway.chat import Batch, Finish, Usage
from gateway.choices import Answer, Choices, Gathered, admit_all
from gateway.errors import ChatUnsupported, Draining, EngineDown, EngineRejected, PromptTooLong, Refusal
from gateway.events import translate
from gateway.fairness import Served
from gateway.generation import Generation
from gateway.house import House
from gateway.logprob import Pairing
from gateway.order import Order
from gateway.prompt import resume
from gateway.replica import Replica
from gateway.stops import Stops
from gateway.tgi import MAX_NEW_TOKENS, Native, generate_body


class Streaming(Generation):
    """A generation whose tokens go into its log as they come.

    An answer of more than MAX_NEW_TOKENS is asked for in parts, each continuing the text so far:
    TGI's own way of doing that asks for too many tokens and loses text at the seams.
    """

    async def _serve(self, replica: Replica) -> None:
        order = self.order
        stops = _Cut(order.sampling.stop) if order.sampling.stop else None
        if order.native is not None:
            await self._part(replica, order.native, None)
        else:
            room, self._prompt_tokens = order.room, order.prompt_tokens
            if room is None:
                try:
                    room, self._prompt_tokens = await replica.room(
                        order.prompt, order.sampling.max_tokens, is_counted=order.may_be_cut
                    )
                except PromptTooLong as error:
                    raise error.named(*order.fields) from None
            if self._prompt_tokens is None and order.may_be_cut:
                # Before the first token: a count that fails must not break an answer that is there.
                self._prompt_tokens = await replica.tgi.count(order.prompt)
            try:
                await self._parts(replica, room, stops)
            finally:
                # However the answer ends: what was held back did not become a stop string, so it is text.
                if stops is not None and (rest := stops.rest()) is not None:
                    self.log.append(order.form.deltas(rest))
        usage = Usage(self._prompt_tokens or 0, self._tokens)
        self._finish = self._finish or Finish.STOP
        if order.calls is not None:
            self._finish = order.calls.end(self._finish)
        self.log.append(order.form.finished(self._finish, usage, self._timings()), is_last=True)

    def used(self) -> int | None:
        """Give the tokens it cost, None if it had no slot.

        An engine that was left before its end counted no prompt: then that is taken as it was weighed, so
        that leaving early neither costs what was never written nor hides what was.
        """
        used = super().used()
        if used is None and self.is_granted:
            return self.order.prompt_weight + self._tokens
        return used

    async def _parts(self, replica: Replica, room: int, stops: "_Cut | None") -> None:
        """Generate until the model ends, the caller's limit is reached or the context is full.

        Units: room is the tokens that the context is known to leave.
        """
        order, text = self.order, ""
        while True:
            limit = order.sampling.max_tokens
            left = room if limit is None else min(room, limit - self._tokens)
            sampling = replica.adapted(order.sampling)
            prompt = resume(order.prompt, text) if text else order.prompt
            body = generate_body(prompt, sampling, min(left, MAX_NEW_TOKENS))
            try:
                text += await self._part(replica, body, stops)
            except EngineRejected:
                if not text:
                    raise
                # A text that is tokenised anew can take a token more than it had: no room is left.
                return
            if order.shape is not None:
                # A grammar cannot go on in the middle: an answer that it binds is one part.
                if self._finish is not Finish.LENGTH:
                    order.shape.check(text)
                return
            room = replica.max_total_tokens - (self._prompt_tokens or 0) - self._tokens
            if self._finish is not Finish.LENGTH or room <= 0 or self._tokens == limit:
                return

    async def _part(self, replica: Replica, body: bytes, stops: "_Cut | None") -> str:
        """Stream one request to the engine; give its text."""
        calls, is_native = self.order.calls, self.order.native is not None
        # What is called for every token is looked up once.
        count, append, deltas = self._count, self.log.append, self.order.form.deltas
        pieces: list[bytes] = []

        def give(batch: Batch) -> bool:
            count(batch.tokens)
            if not is_native:
                pieces.extend(batch.deltas)
            if stops is not None:
                stops.cut(batch)
            append(deltas(batch))
            is_hit = (stops is not None and stops.is_hit) or (calls is not None and calls.is_complete)
            if batch.final is not None:
                self._finish = Finish.STOP if is_hit else batch.final.finish
                self._prompt_tokens = self._prompt_tokens or batch.final.prompt_tokens
            elif is_hit:
                self._finish = Finish.STOP
            return not is_hit

        is_detailed = self.order.sampling.top_tokens is not None
        await replica.tgi.generate(body, give, self.order.headers, is_detailed=is_detailed)
        return "".join(orjson.loads(b"[" + b",".join(pieces) + b"]"))


class Forwarding(Generation):
    """A generation that the engine answers in one piece, handed on as it is, errors included."""

    native: Native | None = None

    async def _serve(self, replica: Replica) -> None:
        order = self.order
        limit = self._house.total_limit_seconds
        body = order.native or b""
        self.native = await replica.tgi.forward("POST", order.route, body, limit, order.headers)
        if self.native.status != 200:
            raise translate(self.native.status, self.native.body)
        self._prompt_tokens = int(self.native.headers.get("x-prompt-tokens", 0))
        self._count(int(self.native.headers.get("x-generated-tokens", 0)))


AnyAnswer = TypeVar("AnyAnswer", bound=Answer)


class Generations:
    """All generations that are not over."""

    def __init__(self, house: House) -> None:
        self.served = Served(house.clock)
        self._house = house
        self._open: set[Answer] = set()

    def __len__(self) -> int:
        return len(self._open)

    @property
    def held_bytes(self) -> int:
        """Add up what the logs of the open generations hold now."""
        return sum(generation.log.held_bytes for generation in self._open)

    def stream(self, order: Order) -> Streaming:
        """Admit an order and start to stream it. Raises: Refusal."""
        return self._keep(Streaming(self._house, order, *self._admit(order, (order,))))

    def forward(self, order: Order) -> Forwarding:
        """Admit an order and hand it to the engine whole. Raises: Refusal."""
        return self._keep(Forwarding(self._house, order, *self._admit(order, (order,))))

    def several(self, order: Order, each: Sequence[Order], prompts: int = 1) -> Choices:
        """Admit an order of several answers, to as many prompts as said, all or none; start to stream them.

        Raises: Refusal; ChatUnsupported for more than this queue can ever hold.
        """
        slots = max(1, self._house.admission.slots)
        parts, gathered, whole = [], [], object()
        for index, (one, ticket) in enumerate(zip(each, self._admit(order, each), strict=True)):
            # More answers than slots come in waves: a later one waits for those of its own chat, too.
            limit = self._house.wait_limit_seconds * (1 + index // slots)
            gathered.append(Gathered(self._house.ledger.metrics))
            house = replace(self._house, ledger=gathered[-1], wait_limit_seconds=limit)
            parts.append(Streaming(house, one, ticket, whole))
        return self._keep(Choices(self._house, order, parts, gathered, prompts))

    def end_all(self, error: Draining) -> None:
        """End every open generation with an error that its readers see."""
        for generation in list(self._open):
            generation.end(error)

    def end_waiting(self, error: EngineDown) -> None:
        """End every generation that has no slot yet, because none will come."""
        for generation in list(self._open):
            if not generation.is_granted:
                generation.end(error)

    def _admit(self, order: Order, each: Sequence[Order]) -> list[Ticket]:
        if not self._house.admission.is_draining:
            self._house.fleet.check()
        caller, keyring = order.caller, self._house.keyring
        if keyring is not None and caller.key is not None:
            keyring.reserve(caller.key, order.cost)
        try:
            if len(each) > 1:
                return admit_all(self._house.admission, each)
            return [
                self._house.admission.admit(caller.client, order.cost, caller.kind, caller.deadline_seconds)
            ]
        except (Refusal, ChatUnsupported):
            self._settle(order, 0)
            raise

    def _keep(self, generation: AnyAnswer) -> AnyAnswer:
        self._open.add(generation)
        generation.when_over(lambda: self._over(generation))
        return generation

    def _over(self, generation: Answer) -> None:
        self._open.discard(generation)
        used = generation.used()
        # What an engine never counted is taken as asked for, once it ran; as nothing, if it did not.
        if used is None:
            used = generation.order.cost if generation.is_granted else 0
        if used:
            self.served.add(generation.order.caller.client, used)
        self._settle(generation.order, used)

    def _settle(self, order: Order, used: int) -> None:
        keyring, key = self._house.keyring, order.caller.key
        if keyring is not None and key is not None:
            keyring.settle(key, order.cost, used)


class _Cut:
    """Cuts batches at stop strings, their tokens' details with them."""

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = Stops(stops)
        self._pairing = Pairing()

    @property
    def is_hit(self) -> bool:
        """Say whether a stop string has come."""
        return self._stops.is_hit

    def cut(self, batch: Batch) -> None:
        """Leave of a batch what may be shown now."""
        shown = self._stops.feed(batch.text)
        batch.deltas = [orjson.dumps(shown)] if shown else []
        if batch.details is not None:
            batch.details = self._pairing.feed(batch.details, len(shown))

    def rest(self) -> Batch | None:
        """Give what was held back, None if nothing was."""
        rest = self._stops.rest()
        return Batch([orjson.dumps(rest)], details=self._pairing.feed((), len(rest))) if rest else None
