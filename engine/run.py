"""One admitted request, from its place in line to its last token.

    waiting -> generating -> ended; close() from any state, any number of times

Knows: what a request holds at each moment, how it is given back.
Knows nothing of: HTTP towards the client, TGI's wire form.
"""

from typing import TYPE_CHECKING, Any

import orjson

from engine.body import Grammar
from engine.errors import GenerationFailed
from engine.generation import Decoder, Finish, Step
from engine.options import completion_options
from engine.reply import Reply, reason_of
from engine.request import Budget, Request

if TYPE_CHECKING:
    from engine.inference import Inference


class Run:
    """One admitted request. waiting -> generating -> ended; close() from any state, any number of times.

    Units:  began, queued, started are moments of the clock in seconds.
    """

    def __init__(
        self, inference: "Inference", request: Request, budget: Budget, grammar: Grammar | None, began: float
    ) -> None:
        self._inference = inference
        self.request = request
        self.budget = budget
        self._grammar = grammar
        self.began = began
        self.queued = inference.clock()
        self.started = self.queued
        self._decoder = Decoder(inference.vocabulary, budget.new_tokens, request.stop, request.top_n_tokens)
        self._reply: Reply | None = None
        self._rest = b""
        self._last_read = 0.0
        self._holds_permit = True
        self._holds_slot = False
        self._is_retried = False
        self._has_begun = False
        self._options: dict[str, Any] = {}

    @property
    def seed(self) -> int | None:
        """Give the seed of a sampled answer."""
        return self.request.sampling.seed

    @property
    def finish(self) -> Finish | None:
        """Give the end, once it has been reached."""
        return self._decoder.finish

    async def read(self) -> list[Step]:
        """Give the steps that have come since the last call; empty when there are no more.

        Waits on: a slot at first, then the next token.
        Cancel: call close().
        Raises: GenerationFailed, Invalid (a grammar that cannot be compiled).
        """
        try:
            return await self._read()
        except GenerationFailed:
            self._inference.record_failed_step("decode" if self._has_begun else "prefill")
            raise

    async def _read(self) -> list[Step]:
        if self._reply is None:
            await self._start()
        steps: list[Step] = []
        reply = self._reply
        while reply is not None and not steps and self.finish is None:
            data = await reply.read()
            if reply.status not in (0, 200):
                raise GenerationFailed(reason_of(data + await reply.whole()))
            if not data:
                if reply.status == 0 and not self._is_retried:
                    # Not one byte came: the request was not begun, and may be sent again once.
                    self._is_retried = True
                    reply = self._reply = await self._open()
                    continue
                raise GenerationFailed("the inference server closed the stream")
            *whole, self._rest = (self._rest + data).split(b"\n\n")
            for piece in whole:
                piece = piece.lstrip(b"\n")
                if piece.startswith(b"data: "):
                    steps += self._understand(piece[6:])
                elif piece.startswith(b"error: "):
                    raise GenerationFailed(reason_of(b'{"error":' + piece[7:] + b"}"))
            if self._decoder.needs_replay:
                steps += self._decoder.replay(await self._repeat())
        if steps:
            self._record(steps)
        if self.finish is not None:
            self._end_slot()
        return steps

    async def _start(self) -> None:
        inference = self._inference
        inference.metrics.gauge("tgi_queue_size", lambda: inference.slots.waiting)
        await inference.slots.take()
        self._holds_slot = True
        inference.start(self)
        self.started = self._last_read = inference.clock()
        self._options = completion_options(self.request, self.budget, inference.limits)
        if self._grammar is not None:
            self._options["grammar"] = await inference.accept_grammar(self._grammar)
        self._reply = await self._open()

    async def _open(self) -> Reply:
        return await self._inference.inner.open("/completion", self._options, self._note_inner_end)

    async def _repeat(self) -> Any:
        """Generate the same again with the same seed, in one piece, which shows unfinished characters too."""
        options = {**self._options, "stream": False, "n_predict": self.budget.new_tokens}
        return await self._inference.inner.post("/completion", options)

    def _note_inner_end(self) -> None:
        # A slow reader must not hold a slot that llama.cpp has freed. (Not one byte: it is sent again.)
        if self._reply is not None and (self._reply.status != 0 or self._is_retried):
            self._give_slot()

    def _understand(self, event: bytes) -> list[Step]:
        try:
            return self._decoder.feed(orjson.loads(event))
        except (KeyError, IndexError, TypeError, ValueError):
            raise GenerationFailed("the inference server sent an event that cannot be read") from None

    def _record(self, steps: list[Step]) -> None:
        inference = self._inference
        now = inference.clock()
        elapsed, self._last_read = now - self._last_read, now
        count = len(steps)
        self._has_begun = True
        if steps[0].index == 1:
            inference.record_steps("prefill", elapsed, 1)
        elif inference.is_leader(self):
            inference.record_steps("decode", elapsed / count, count)

    def _give_slot(self) -> None:
        if self._holds_slot:
            self._holds_slot = False
            self._inference.stop(self)

    def _end_slot(self) -> None:
        if self._reply is not None:
            self._reply.close()
        self._give_slot()

    def close(self) -> None:
        """Give everything back; what still runs is cancelled."""
        self._end_slot()
        if self._holds_permit:
            self._holds_permit = False
            self._inference.release_permit()
