"""TGI's event stream and error bodies, read.

Knows the bytes of TGI's wire. Knows nothing of connections or who reads.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import orjson
from text_generation import errors as tgi_errors

from gateway.chat import Batch, Final, Finish, Token
from gateway.errors import (
    EngineCutOff,
    EngineError,
    EngineFailed,
    EngineOverloaded,
    EngineRejected,
    EngineTimeout,
)

# Whole events in the form TGI writes while tokens flow, each on a line of its own. What is not matched
# in full goes through the JSON parser, so this is a short cut and never a second opinion. No part can
# match in two ways, and ++ and *+ save keeping the others.
_TOKEN_EVENT = re.compile(
    rb'(?<![^\n])data: ?\{"index":[0-9]++,"token":\{"id":[0-9]++,"text":("[^"\\]*+(?:\\.[^"\\]*+)*+"),'
    rb'"logprob":[-+0-9.eEnul]++,"special":false\},"generated_text":null,"details":null\}\n\n'
)

TRANSLATION: Mapping[type[Exception], type[EngineError]] = {
    tgi_errors.ValidationError: EngineRejected,
    tgi_errors.GenerationError: EngineFailed,
    tgi_errors.OverloadedError: EngineOverloaded,
    tgi_errors.IncompleteGenerationError: EngineCutOff,
    tgi_errors.BadRequestError: EngineRejected,
    tgi_errors.ShardNotReadyError: EngineFailed,
    tgi_errors.ShardTimeoutError: EngineTimeout,
    tgi_errors.NotFoundError: EngineFailed,
    tgi_errors.RateLimitExceededError: EngineOverloaded,
    tgi_errors.NotSupportedError: EngineRejected,
    tgi_errors.UnknownError: EngineFailed,
}


class Events:
    """Cut a byte stream into TGI's events; with details, if asked for, on how likely tokens were."""

    def __init__(self, *, is_detailed: bool = False) -> None:
        self._is_detailed = is_detailed
        self.error: EngineError | None = None
        self.is_final = False
        self._rest = b""

    def feed(self, piece: bytes) -> Batch:
        """Take bytes; give the whole events among them.

        Raises: EngineError for an error event, unless whole events precede it: then those are given
        and the error is kept for the end of the stream, so that no text is lost.
        """
        buffer = self._rest + piece if self._rest else piece
        end = buffer.rfind(b"\n\n") + 2
        if end < 2:
            self._rest = buffer
            return Batch()
        whole, self._rest = buffer[:end], buffer[end:]
        if self._is_detailed:
            return self._each(whole)
        deltas = _TOKEN_EVENT.findall(whole)
        others = whole.count(b"\n") - 2 * len(deltas)
        # Every line end is part of a match: then the matches are all there is.
        if not others:
            return Batch(deltas, len(deltas), None, whole)
        # All but those of one event, and that is the last: the answer's final one, mostly.
        if others == 2 and deltas:
            last = whole.rindex(b"\n\n", 0, -2) + 2
            if _TOKEN_EVENT.match(whole, last) is None:
                batch = Batch(deltas, len(deltas), None, whole[:last])
                self._add(whole[last:-2], batch)
                return batch
        return self._each(whole)

    def _each(self, whole: bytes) -> Batch:
        """Read events one by one."""
        batch = Batch(details=[] if self._is_detailed else None)
        for event in whole.split(b"\n\n")[:-1]:
            self._add(event, batch)
            if self.error is not None:
                break  # nothing behind an error belongs to the answer
        return batch

    def _add(self, event: bytes, batch: Batch) -> None:
        if self._other(event, batch):
            batch.raw += event + b"\n\n"

    def _other(self, event: bytes, batch: Batch) -> bool:
        """Read an event of another form; say whether it belongs to the raw events."""
        if not event.startswith(b"data:"):
            return False  # a comment that keeps the connection alive
        try:
            told = orjson.loads(event[5:])
            self.error = translate(200, event[5:]) if "error" in told else None
            if self.error is None:
                text, is_special, final = _text(told["token"]), told["token"]["special"], _final(told)
                if batch.details is not None and not is_special:
                    batch.details.append(_token(told["token"], told.get("top_tokens") or ()))
        except (ValueError, TypeError, KeyError, AttributeError):
            self.error = EngineFailed("the engine sent an event that is not TGI's")
        if self.error is not None:
            if not batch.tokens:
                raise self.error
            return False
        batch.tokens += 1
        if not is_special:
            batch.deltas.append(text)
        batch.final = batch.final or final
        self.is_final = batch.final is not None
        return True


def _text(token: dict[str, Any]) -> bytes:
    if not isinstance(token["text"], str):
        raise TypeError("a token's text is a string")
    return orjson.dumps(token["text"])


def _token(token: dict[str, Any], top: Iterable[dict[str, Any]]) -> Token:
    return Token(token["text"], token["logprob"], tuple(_token(one, ()) for one in top))


def _final(told: dict[str, Any]) -> Final | None:
    """Read what only the last event has; None if this is not the last."""
    if told.get("generated_text") is None and told.get("details") is None:
        return None
    details = told.get("details") or {}
    reason = details.get("finish_reason")
    return Final(
        finish=reason and (Finish.LENGTH if reason == "length" else Finish.STOP),
        generated_tokens=details.get("generated_tokens") or told["index"],
        prompt_tokens=details.get("input_length"),
    )


def translate(status: int, body: bytes) -> EngineError:
    """Turn TGI's error body, JSON or plain text, into an EngineError.

    Source: text_generation.errors.parse_error, extended by what it does not know: bodies that are
    not JSON, and incomplete_generation_stream.
    """
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError:
        told = None
    if not isinstance(told, dict) or not isinstance(told.get("error"), str):
        text = body.decode("utf-8", "replace").strip()[:300] or f"HTTP {status}"
        return EngineRejected(text) if status in (400, 413, 415, 422) else EngineFailed(text)
    if told.get("error_type") == "incomplete_generation_stream":
        return EngineCutOff(told["error"])
    foreign = tgi_errors.parse_error(status, told)
    kind = TRANSLATION[type(foreign)]
    return kind(str(foreign), retry_after_seconds=2 if kind is EngineOverloaded else None)
