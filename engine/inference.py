"""One generation's life: permit, validation, slot, tokens, release.

    Inference.begin -> Run: waiting -> generating -> finished, failed or closed

Knows: what is held when, and that it is given back on every way out.
Knows nothing of: HTTP, TGI's wire form.

A permit counts a request from before its validation until its answer has been sent. A slot counts it
while llama.cpp works for it, and is free as soon as that ends, even where the reader is slow.
"""

import random
import time
from collections.abc import Callable
from typing import Any

from engine.body import Body, Grammar
from engine.errors import (
    EXIT_MODEL_UNUSABLE,
    EngineError,
    GenerationFailed,
    Invalid,
    Overloaded,
    StartRefused,
)
from engine.grammar import PROBES, write_grammar
from engine.llama import InnerServer
from engine.metrics import Metrics
from engine.request import Limits, check, check_grammar, fit
from engine.run import Run
from engine.slots import Slots
from engine.vocabulary import Vocabulary

# Grammars that llama.cpp is known to obey; remembered so that only the first use costs a trial.
_KNOWN_GRAMMARS = 256


class Inference:
    """Runs generations on one inner server."""

    def __init__(
        self,
        inner: InnerServer,
        vocabulary: Vocabulary,
        limits: Limits,
        slots: Slots,
        max_concurrent_requests: int,
        metrics: Metrics,
        clock: Callable[[], float] = time.perf_counter,
        randomness: random.Random | None = None,
    ) -> None:
        self.inner = inner
        self.vocabulary = vocabulary
        self.limits = limits
        self.slots = slots
        self.max_concurrent_requests = max_concurrent_requests
        self.metrics = metrics
        self.clock = clock
        self._randomness = randomness or random.Random()
        self._runs: list[Run] = []
        self.permits = 0
        self._probe = PROBES[0]
        self._known_grammars: dict[str, None] = {}
        self._has_failed = False

    async def tokenize(self, text: str, add_special: bool = True) -> list[int]:
        """Give a text's token ids; names of control tokens in it become those tokens, as in TGI."""
        pieces = self.vocabulary.seams.cut(text)
        content = pieces if len(pieces) > 1 else text
        answer = await self.inner.post(
            "/tokenize", {"content": content, "add_special": add_special, "parse_special": True}
        )
        return [int(token) for token in answer["tokens"]]

    async def encode(self, text: str) -> tuple[list[int], int]:
        """Give a text's token ids, and how many of the first were added by the tokenizer."""
        tokens = await self.tokenize(text)
        own = await self.tokenize(text, add_special=False)
        return tokens, len(tokens) - len(own)

    async def begin(self, body: Body) -> Run:
        """Admit a request.

        Waits on: tokenisation.
        Cancel: the permit is given back.
        Raises: Overloaded, Invalid, GenerationFailed.
        """
        began = self.clock()
        if self.permits >= self.max_concurrent_requests:
            raise Overloaded
        self.permits += 1
        try:
            request = check(body, self.limits, self._randomness)
            budget = fit(await self.tokenize(request.inputs), request, self.limits)
            self.metrics.observe("tgi_request_input_length", len(budget.prompt))
            grammar = check_grammar(request.grammar)
            self.metrics.observe("tgi_request_max_new_tokens", budget.chunk)
        except BaseException:
            self.permits -= 1
            raise
        return Run(self, request, budget, grammar, began)

    def release_permit(self) -> None:
        """Give back one permit."""
        self.permits -= 1

    def fail(self, error: EngineError) -> None:
        """Count a failure."""
        self._has_failed = self._has_failed or isinstance(error, GenerationFailed)
        self.metrics.count("tgi_request_failure", f'err="{error.label}"')

    def drop(self) -> None:
        """Count a reader that left."""
        self.metrics.count("tgi_request_failure", 'err="dropped"')

    async def warm_up(self) -> None:
        """Generate a first token, and choose a probe character that the model does not say by itself.

        A file whose weights are damaged loads as any other, and all its tokens have no probability.

        Raises: GenerationFailed where no token comes; StartRefused where it has no probability.
        """
        event = await self._first_event({"n_probs": 1})
        if event["completion_probabilities"][0]["logprob"] is None:
            sentence = "The model's weights add up to no number: its file is damaged; fetch it again."
            raise StartRefused(EXIT_MODEL_UNUSABLE, sentence)
        self._probe = next(probe for probe in PROBES if not str(event["content"]).startswith(probe))

    async def is_healthy(self, limit_seconds: float) -> bool:
        """Ask the inner server; after a failed generation, generate a token."""
        if not self._has_failed:
            return await self.inner.is_alive(limit_seconds)
        try:
            await self._first_event({})
        except GenerationFailed:
            return False
        self._has_failed = False
        return True

    async def accept_grammar(self, grammar: Grammar) -> str:
        """Write a grammar for llama.cpp after seeing that it obeys it.

        Raises: Invalid where it does not.
        """
        text = write_grammar(grammar)
        if text not in self._known_grammars:
            event = await self._first_event({"grammar": write_grammar(grammar, self._probe)})
            if not str(event["content"]).startswith(self._probe):
                what = "regular expression" if grammar.kind == "regex" else "JSON schema"
                raise Invalid(f"grammar is not valid: the {what} cannot be compiled")
            self._known_grammars[text] = None
            if len(self._known_grammars) > _KNOWN_GRAMMARS:
                del self._known_grammars[next(iter(self._known_grammars))]
        return text

    async def _first_event(self, options: dict[str, Any]) -> dict[str, Any]:
        prompt = await self.tokenize("\n")
        body = {"prompt": prompt, "n_predict": 1, "temperature": 0.0, "samplers": ["temperature"], **options}
        answer = await self.inner.post("/completion", {**body, "return_tokens": True, "cache_prompt": False})
        if not isinstance(answer, dict) or not answer.get("tokens"):
            raise GenerationFailed("the inference server generated nothing")
        return answer

    def start(self, run: Run) -> None:
        """Note that a run has its slot."""
        metrics = self.metrics
        if self._runs:
            metrics.count("tgi_batch_concat", 'reason="chunking"')
        self._runs.append(run)
        metrics.gauge("tgi_batch_current_size", lambda: len(self._runs))
        metrics.gauge(
            "tgi_batch_current_max_tokens",
            lambda: sum(len(held.budget.prompt) + held.budget.new_tokens for held in self._runs),
        )
        metrics.observe("tgi_batch_next_size", 1)
        metrics.count("tgi_batch_inference_count", 'method="prefill"')

    def stop(self, run: Run) -> None:
        """Note that a run has given its slot back."""
        if run in self._runs:
            self._runs.remove(run)
        self.slots.give_back()

    def is_leader(self, run: Run) -> bool:
        """Say whether a run speaks for the batch: all running ones see the same steps, one may count them."""
        return bool(self._runs) and self._runs[0] is run

    def record_failed_step(self, method: str) -> None:
        """Record a step of the model that failed."""
        self.metrics.count("tgi_batch_inference_failure", f'method="{method}"')

    def record_steps(self, method: str, seconds: float, times: int) -> None:
        """Record steps of the model: one prompt read, or `times` tokens decoded, `seconds` each."""
        label = f'method="{method}"'
        if method == "decode":
            self.metrics.count("tgi_batch_inference_count", label, times)
        self.metrics.count("tgi_batch_inference_success", label, times)
        self.metrics.observe("tgi_batch_inference_duration", seconds, label, times)
        self.metrics.observe("tgi_batch_forward_duration", seconds, label, times)
