"""TGI's event stream and error bodies, read.

Knows the bytes of TGI's wire. Knows nothing of connections or who reads.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson
from text_generation import errors as tgi_errors

from gateway.chat import Batch, Delta, Final, Finish
from gateway.errors import (
    EngineCutOff,
    EngineError,
    EngineFailed,
    EngineOverloaded,
    EngineRejected,
    EngineTimeout,
)

# An event in the form TGI writes it while tokens flow. Whatever does not match in full goes through
# the JSON parser, so this is a short cut and never a second opinion.
_TOKEN_EVENT = re.compile(
    rb'data: ?\{"index":\d+,"token":\{"id":\d+,"text":("(?:[^"\\]|\\.)*"),"logprob":[^,{}]+,'
    rb'"special":(true|false)\},"generated_text":null,"details":null\}\n\n'
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
    """Cut a byte stream into TGI's events."""

    def __init__(self) -> None:
        self.error: EngineError | None = None
        self._rest = b""

    def feed(self, piece: bytes) -> Batch:
        """Take bytes; give the whole events among them.

        Raises: EngineError for an error event, unless whole events precede it: then those are given
        and the error is kept for the end of the stream, so that no text is lost.
        """
        buffer = self._rest + piece if self._rest else piece
        batch = Batch()
        position = start = 0
        while True:
            match = _TOKEN_EVENT.match(buffer, position)
            if match is not None:
                batch.deltas.append(Delta(match[1], match[2] == b"true"))
                position = match.end()
                continue
            end = buffer.find(b"\n\n", position)
            if end < 0:
                break
            if not self._other(buffer[position:end], batch):
                batch.raw += buffer[start:position]
                start = end + 2
            position = end + 2
            if self.error is not None:
                break  # nothing behind an error belongs to the answer
        batch.raw += buffer[start:position]
        self._rest = buffer[position:]
        return batch

    def _other(self, event: bytes, batch: Batch) -> bool:
        """Read an event of another form; say whether it belongs to the raw events."""
        if not event.startswith(b"data:"):
            return False  # a comment that keeps the connection alive
        try:
            told = orjson.loads(event[5:])
            self.error = translate(200, event[5:]) if "error" in told else None
            if self.error is None:
                delta, final = _delta(told["token"]), _final(told)
        except (ValueError, TypeError, KeyError, AttributeError):
            self.error = EngineFailed("the engine sent an event that is not TGI's")
        if self.error is not None:
            if not batch.deltas:
                raise self.error
            return False
        batch.deltas.append(delta)
        batch.final = batch.final or final
        return True


def _delta(token: dict[str, Any]) -> Delta:
    if not isinstance(token["text"], str):
        raise TypeError("a token's text is a string")
    return Delta(orjson.dumps(token["text"]), bool(token["special"]))


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
