"""TGI's wire: requests out, events in, every foreign failure as one EngineError.

text_generation gives the request types here and the error classes in events; its transport is not
used, because it opens a connection per call and ends a cut stream as if it had succeeded.

Knows one engine. Knows nothing of slots, chats' owners or frames.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import pydantic
from text_generation import errors as tgi_errors
from text_generation.types import Parameters, Request

from gateway.chat import Batch, Sampling
from gateway.connection import TransportError, TransportTimeout
from gateway.errors import (
    EngineCutOff,
    EngineError,
    EngineFailed,
    EngineRejected,
    EngineTimeout,
    EngineUnreachable,
    FirstTokenTimeout,
    GapTimeout,
)
from gateway.events import Events, translate
from gateway.transport import Pool, Reply

# TGI generates longer answers by queueing them again in chunks of this many tokens, each time with
# the text tokenised anew: the count overshoots and text can be lost. One request asks for no more.
MAX_NEW_TOKENS = 1024
MAX_STOPS = 4

# Answers that need no generation come at once; a shard may be busy with one forward step of a long
# prompt, which takes seconds.
_SHORT_LIMIT_SECONDS = 10.0
# The end of a chunked body comes with its last event or right behind it.
_TERMINATOR_LIMIT_SECONDS = 1.0

# How TGI's answer to /tokenize begins, and from its second byte on each of its entries.
_ENTRY = b'[{"id":'


@dataclass(frozen=True, slots=True)
class Limits:
    """How long the engine may be silent. Units: seconds."""

    connect_seconds: float
    first_token_seconds: float
    gap_seconds: float


@dataclass(frozen=True, slots=True)
class TokenSpan:
    """One entry of /tokenize. Units: start and stop count UTF-8 bytes of the text."""

    id: int
    text: str
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Info:
    """What of /info matters here. Units: max_total_tokens counts prompt and answer together."""

    model: str
    max_total_tokens: int


@dataclass(frozen=True, slots=True)
class Native:
    """An answer of the engine handed on as it is: status, the headers that matter, body."""

    status: int
    headers: dict[str, str]
    body: bytes


class Tgi:
    """One engine behind TGI's wire.

    Closes: every stream's connection as soon as its reader stops, which is what frees the GPU.
    """

    def __init__(self, url: str, limits: Limits) -> None:
        self.url = url
        self._limits = limits
        self._pool = Pool(url, limits.connect_seconds)

    async def generate(
        self,
        body: bytes,
        give: Callable[[Batch], bool],
        headers: Mapping[str, str] | None = None,
        *,
        is_detailed: bool = False,
    ) -> None:
        """Generate, giving each batch as it arrives; a batch holds all tokens that one read brought.

        The function says whether it wants more: False ends the generation, which closes the connection.

        Waits on: connect, first token and gap, each with its limit.
        Cancel:   the connection closes at once.
        Raises:   EngineError; EngineCutOff when the stream ends without its final event.
        """
        events, is_over, is_begun = Events(is_detailed=is_detailed), False, False

        def take(piece: bytes) -> bool:
            nonlocal is_over, is_begun
            batch = events.feed(piece)
            if not batch.raw:
                return True  # a comment, or half an event: nothing to tell
            # Until tokens, not bytes: TGI's keep-alive comments go on while its shard stalls.
            reply.extend(self._limits.gap_seconds)
            is_begun = True
            is_over = not give(batch) or batch.final is not None
            if events.error is not None:
                raise events.error
            return not is_over

        try:
            async with self._pool.ask(
                "POST", "/generate_stream", body, self._limits.first_token_seconds, headers
            ) as reply:
                if reply.status != 200:
                    raise translate(reply.status, await reply.whole(_SHORT_LIMIT_SECONDS))
                await reply.pour(take, self._limits.first_token_seconds)
                if not is_over:
                    raise EngineCutOff(
                        "the engine closed the stream before its final event; the text may be incomplete"
                    )
                if events.is_final:
                    # What is left is the answer's terminator: once read, the connection is kept.
                    with suppress(TransportError, TransportTimeout):
                        await reply.take(_TERMINATOR_LIMIT_SECONDS)
        except TransportTimeout:
            if is_begun:
                limit = self._limits.gap_seconds
                raise GapTimeout(f"no token came for {limit:g} s, so the generation was stopped") from None
            limit = self._limits.first_token_seconds
            raise FirstTokenTimeout(
                f"no first token came within {limit:g} s, so the generation was stopped"
            ) from None
        except TransportError as error:
            raise self._lost(error) from error

    async def forward(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        seconds: float | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Native:
        """Ask a native route and hand its answer on, whatever its status.

        Raises: EngineUnreachable, EngineTimeout, EngineCutOff.
        """
        limit = seconds or _SHORT_LIMIT_SECONDS
        try:
            async with self._pool.ask(method, path, body, limit, headers) as reply:
                return Native(reply.status, _passed(reply), await reply.whole(limit))
        except TransportTimeout:
            raise EngineTimeout(f"the engine did not answer {path} within {limit:g} s") from None
        except TransportError as error:
            raise self._lost(error) from error

    async def tokenized(self, text: str) -> bytes:
        """Tokenise a text as /generate would, the automatic begin-of-text included; give TGI's JSON.

        Raises: EngineError.
        """
        return await self._read("POST", "/tokenize", orjson.dumps({"inputs": text}))

    async def tokenize(self, text: str) -> list[TokenSpan]:
        """Give a text's tokens. Raises: EngineError."""
        return self._spans(await self.tokenized(text))

    async def count(self, text: str) -> int:
        """Count a text's tokens. Raises: EngineError."""
        told = await self.tokenized(text)
        # In a token's text a quote is escaped, so this stands once for each. Reading the entries of a text
        # that fills a long context would hold all streams up for a second.
        return told.count(_ENTRY[1:]) if told.startswith(_ENTRY) else len(self._spans(told))

    async def info(self) -> Info:
        """Read /info. Raises: EngineError."""
        body = await self._read("GET", "/info")
        try:
            told = orjson.loads(body)
            return Info(str(told["model_id"]), int(told["max_total_tokens"]))
        except (ValueError, TypeError, KeyError):
            raise EngineFailed(f"what answers at {self.url} is not TGI: /info names no model") from None

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    async def _read(self, method: str, path: str, body: bytes = b"") -> bytes:
        """Ask a route whose answer is used here; another status than 200 is an error."""
        answer = await self.forward(method, path, body)
        if answer.status != 200:
            raise translate(answer.status, answer.body)
        return answer.body

    def _spans(self, told: bytes) -> list[TokenSpan]:
        try:
            return [TokenSpan(**entry) for entry in orjson.loads(told)]
        except (ValueError, TypeError):
            raise EngineFailed(f"what answers at {self.url} is not TGI: /tokenize gave no tokens") from None

    def _lost(self, error: TransportError) -> EngineError:
        if error.is_fresh:
            return EngineUnreachable(
                f"no answer from the engine at {self.url}: {error}", retry_after_seconds=5
            )
        return EngineCutOff(f"the connection to the engine broke ({error}); the text may be incomplete")


def generate_body(prompt: str, sampling: Sampling, max_new_tokens: int) -> bytes:
    """Write a /generate_stream body.

    The client's types check and write it, which takes them 15 µs. All but the prompt is the same for most
    chats, so what stands around a prompt is kept for those samplings that come again.

    Raises: EngineRejected when TGI's own rules refuse a parameter.
    """
    if not prompt or sampling.grammar is not None:
        return orjson.dumps(_checked(prompt, sampling, max_new_tokens))
    before, after = _around(sampling, max_new_tokens)
    return before + orjson.dumps(prompt) + after


@lru_cache(maxsize=256)
def _around(sampling: Sampling, max_new_tokens: int) -> tuple[bytes, bytes]:
    """Give a body's bytes before and behind its prompt."""
    mark = "\ufffe"
    before, after = orjson.dumps(_checked(mark, sampling, max_new_tokens)).split(orjson.dumps(mark), 1)
    return before, after


def _checked(prompt: str, sampling: Sampling, max_new_tokens: int) -> dict[str, Any]:
    """Make a body by the client's types.

    Deliberate divergence: text_generation refuses a frequency_penalty of zero or less, TGI takes -2
    to 2, so that field is set after the client's validation. Delete when the client is fixed.
    """
    is_sampled = sampling.temperature > 0
    try:
        request = Request(
            inputs=prompt,
            parameters=Parameters(
                do_sample=is_sampled,
                max_new_tokens=max_new_tokens,
                temperature=sampling.temperature if is_sampled else None,
                top_p=sampling.top_p if is_sampled and sampling.top_p < 1 else None,
                top_k=sampling.top_k if is_sampled else None,
                seed=sampling.seed if is_sampled else None,
                repetition_penalty=sampling.repetition_penalty,
                stop=[*sampling.ends, *sampling.stop][:MAX_STOPS],
                details=True,
            ),
        )
    except (tgi_errors.ValidationError, pydantic.ValidationError) as error:
        raise EngineRejected(str(error)) from error
    told: dict[str, Any] = request.model_dump(mode="json", exclude_none=True)
    if sampling.frequency_penalty:
        told["parameters"]["frequency_penalty"] = sampling.frequency_penalty
    if sampling.top_tokens:
        told["parameters"]["top_n_tokens"] = sampling.top_tokens
    if sampling.grammar is not None:
        told["parameters"]["grammar"] = sampling.grammar
    return told


def _passed(reply: Reply) -> dict[str, str]:
    """Pick the headers that are TGI's own: what kind of body, and its timings."""
    return {
        name: value
        for name, value in reply.headers.items()
        if name == "content-type" or name.startswith("x-")
    }
