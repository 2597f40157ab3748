"""TGI's JSON and event-stream bytes, field by field in TGI's order.

Knows: names and order of the fields, the event framing.
Knows nothing of: HTTP connections, llama.cpp.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from engine.errors import EngineError
from engine.generation import Finish, Step, Token
from engine.request import MAX_BEST_OF, MAX_STOP_SEQUENCES, Limits

# The engine reports which TGI it follows, and that it is not that program.
VERSION = "3.3.7-embedded"
# What the keep-alive of TGI's event streams looks like.
KEEP_ALIVE = b":\n\n"

STREAM_HEADERS = (
    (b"content-type", b"text/event-stream"),
    (b"cache-control", b"no-cache"),
    (b"x-accel-buffering", b"no"),
)
# TGI names the accelerator here.
COMPUTE_TYPE = b"cpu"


@dataclass(frozen=True, slots=True)
class Answer:
    """One whole generation."""

    steps: list[Step]
    finish: Finish
    seed: int | None
    prompt_tokens: int


@dataclass(frozen=True, slots=True)
class Times:
    """Where one answer's time went. Units: seconds."""

    total: float
    validation: float
    queue: float
    inference: float
    per_token: float


def stream_event(step: Step, prefix: str, details: dict[str, Any] | None) -> bytes:
    """Write one token event. prefix and details matter on the last one only."""
    event: dict[str, Any] = {"index": step.index, "token": token_form(step.token)}
    if step.top:
        event["top_tokens"] = [token_form(token) for token in step.top]
    is_last = step.finish is not None
    event["generated_text"] = prefix + step.finish.text if step.finish is not None else None
    event["details"] = details if is_last else None
    return b"data: " + orjson.dumps(event) + b"\n\n"


def stream_details(finish: Finish, seed: int | None, input_length: int) -> dict[str, Any]:
    """Write the details of a stream's last event."""
    return {
        "finish_reason": finish.reason,
        "generated_tokens": finish.tokens,
        "seed": seed,
        "input_length": input_length,
    }


def error_event(error: EngineError) -> bytes:
    """Write a failure as an event."""
    return b"data: " + error_body(error) + b"\n\n"


def error_body(error: EngineError) -> bytes:
    """Write a failure as a JSON answer."""
    return orjson.dumps({"error": error.message, "error_type": error.kind})


def unhealthy_body() -> bytes:
    """Write the answer of a failed health check."""
    return orjson.dumps({"error": "unhealthy", "error_type": "healthcheck"})


def answer_form(answers: Sequence[Answer], prefix: str, with_details: bool, with_top: bool) -> dict[str, Any]:
    """Write a whole answer; the first of several is the best, the rest are its alternatives."""
    best, *others = answers
    form: dict[str, Any] = {"generated_text": prefix + best.finish.text}
    if with_details:
        details: dict[str, Any] = {
            "finish_reason": best.finish.reason,
            "generated_tokens": best.finish.tokens,
            "seed": best.seed,
            # TGI fills this only when it is started with prefill log-probabilities; llama.cpp has none.
            "prefill": [],
            "tokens": [token_form(step.token) for step in best.steps],
        }
        if others:
            details["best_of_sequences"] = [_sequence(other, prefix, with_top) for other in others]
        if with_top:
            details["top_tokens"] = _tops(best)
        form["details"] = details
    return form


def _sequence(answer: Answer, prefix: str, with_top: bool) -> dict[str, Any]:
    form: dict[str, Any] = {
        "generated_text": prefix + answer.finish.text,
        "finish_reason": answer.finish.reason,
        "generated_tokens": answer.finish.tokens,
        "seed": answer.seed,
        "prefill": [],
        "tokens": [token_form(step.token) for step in answer.steps],
    }
    if with_top:
        form["top_tokens"] = _tops(answer)
    return form


def _tops(answer: Answer) -> list[list[dict[str, Any]]]:
    return [[token_form(token) for token in step.top] for step in answer.steps]


def token_form(token: Token) -> dict[str, Any]:
    """Write one token."""
    return {"id": token.id, "text": token.text, "logprob": token.logprob, "special": token.special}


def answer_headers(times: Times, answer: Answer, characters: int) -> list[tuple[bytes, bytes]]:
    """Write TGI's timing headers: compute time in seconds, all others in whole milliseconds."""
    values: list[tuple[str, object]] = [
        ("x-compute-time", times.total),
        ("x-compute-characters", characters),
        ("x-total-time", _milliseconds(times.total)),
        ("x-validation-time", _milliseconds(times.validation)),
        ("x-queue-time", _milliseconds(times.queue)),
        ("x-inference-time", _milliseconds(times.inference)),
        ("x-time-per-token", _milliseconds(times.per_token)),
        ("x-prompt-tokens", answer.prompt_tokens),
        ("x-generated-tokens", answer.finish.tokens),
    ]
    return [(b"x-compute-type", COMPUTE_TYPE)] + [
        (name.encode(), str(value).encode()) for name, value in values
    ]


def _milliseconds(seconds: float) -> int:
    return int(seconds * 1000.0)


def info_form(
    model_id: str, model_sha: str | None, limits: Limits, max_concurrent_requests: int
) -> dict[str, Any]:
    """Write what /info tells."""
    return {
        "model_id": model_id,
        "model_sha": model_sha,
        "model_pipeline_tag": "text-generation",
        "max_concurrent_requests": max_concurrent_requests,
        "max_best_of": MAX_BEST_OF,
        "max_stop_sequences": MAX_STOP_SEQUENCES,
        "max_input_tokens": limits.max_input_tokens,
        "max_total_tokens": limits.max_total_tokens,
        "validation_workers": 1,
        "max_client_batch_size": 4,
        "router": "text-generation-router",
        "version": VERSION,
        "sha": None,
        "docker_label": None,
    }


def tokenize_form(
    text: str, tokens: Sequence[int], pieces: Sequence[bytes], automatic: int
) -> list[dict[str, Any]]:
    """Write /tokenize's answer: the first `automatic` tokens were added, the others spell the text.

    Units:  start and stop are byte offsets into the UTF-8 text. A token that holds a part of a character
    has the offsets and the text of the whole character, as TGI's tokenizer gives them.
    """
    data = text.encode()
    form: list[dict[str, Any]] = [
        {"id": token, "text": "", "start": 0, "stop": 0} for token in tokens[:automatic]
    ]
    # SentencePiece vocabularies put a space before the text.
    place = -1 if b"".join(pieces[automatic:]) == b" " + data else 0
    for token, piece in zip(tokens[automatic:], pieces[automatic:], strict=True):
        start, stop = max(0, place), min(len(data), max(0, place + len(piece)))
        place += len(piece)
        first, last = _character_start(data, start), _character_stop(data, stop)
        form.append(
            {"id": token, "text": data[first:last].decode("utf-8", "replace"), "start": first, "stop": last}
        )
    return form


def _is_inside(data: bytes, place: int) -> bool:
    return place < len(data) and data[place] & 0xC0 == 0x80


def _character_start(data: bytes, place: int) -> int:
    while place > 0 and _is_inside(data, place):
        place -= 1
    return place


def _character_stop(data: bytes, place: int) -> int:
    while _is_inside(data, place):
        place += 1
    return place
