"""TGI's answers as bytes: events, bodies, headers, errors.

Knows:  field order, statuses and header names of tgi.md 1.4, 1.6, 2.1 and 4.4.
Knows nothing of: sockets, time of day.
"""

import json
from collections.abc import Sequence
from typing import Any

from tests.fakes.request import GenerateRequest
from tests.fakes.settings import Settings
from tests.fakes.shard import Entry, Failure, Step
from tests.fakes.tokens import Piece
from tests.fakes.wire import Headers, now

JSON: Headers = [("content-type", "application/json")]
TEXT: Headers = [("content-type", "text/plain; charset=utf-8")]
# Failures that are no answer: the connection ends instead.
BROKEN = frozenset({"cut", "close", "garbage"})
COMPUTE_TYPE = "gpu+optimized"
STATUS = {
    "validation": 422,
    "overloaded": 429,
    "generation": 424,
    "incomplete_generation": 500,
}


def dump(document: Any) -> bytes:
    """Compact JSON, characters as UTF-8."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()


def error(text: str, error_type: str) -> bytes:
    """The router's error body, also the data of an error event."""
    return dump({"error": text, "error_type": error_type})


def failure(failed: Failure) -> tuple[int, Headers, bytes]:
    """Status, headers and body of a failed non-streaming request."""
    if failed.kind == "incomplete":
        return 500, JSON, error("Incomplete generation", "incomplete_generation")
    return STATUS[failed.kind], JSON, error(failed.text, failed.kind)


def refused_in_stream(request: GenerateRequest) -> str | None:
    """What streams alone refuse, before a permit is taken (server.rs:543)."""
    if request.best_of not in (None, 1):
        return "`best_of` != 1 is not supported when streaming tokens"
    if request.decoder_input_details:
        return "`decoder_input_details` == true is not supported when streaming tokens"
    return None


def _logprob(step: Step) -> float:
    """A number that depends on the token alone. Natural logarithm."""
    return -(step.token.id % 64 + 1) / 64


def _token(step: Step) -> dict[str, Any]:
    return {
        "id": step.token.id,
        "text": step.text,
        "logprob": _logprob(step),
        "special": step.token.special,
    }


def _top(step: Step, count: int) -> list[dict[str, Any]]:
    """The chosen token and made-up lesser ones, best first."""
    others = [
        {"id": 65 + rank, "text": chr(65 + rank), "logprob": _logprob(step) - rank, "special": False}
        for rank in range(1, count)
    ]
    return [_token(step), *others]


def _seed(entry: Entry) -> int | None:
    """Null when greedy; a seed not given is drawn, here always the same."""
    if not entry.request.is_sampling:
        return None
    return 0 if entry.request.seed is None else entry.request.seed


def _full(entry: Entry, text: str) -> str:
    return entry.request.inputs + text if entry.request.return_full_text else text


def event(index: int, step: Step, entry: Entry) -> bytes:
    """The data of one token's event."""
    document: dict[str, Any] = {"index": index, "token": _token(step)}
    if entry.request.top_n_tokens:
        document["top_tokens"] = _top(step, entry.request.top_n_tokens)
    is_last = step.finish_reason is not None
    document["generated_text"] = _full(entry, step.generated_text) if is_last else None
    document["details"] = None
    if is_last and entry.request.details:
        document["details"] = {
            "finish_reason": step.finish_reason,
            "generated_tokens": step.count,
            "seed": _seed(entry),
            "input_length": entry.validated.input_length,
        }
    return dump(document)


def _details(entry: Entry, steps: Sequence[Step]) -> dict[str, Any]:
    return {
        "finish_reason": steps[-1].finish_reason,
        "generated_tokens": steps[-1].count,
        "seed": _seed(entry),
        "prefill": [],
        "tokens": [_token(step) for step in steps],
    }


def generation(entry: Entry, sequences: Sequence[Sequence[Step]]) -> dict[str, Any]:
    """The document of a non-streaming answer; further sequences are those of best_of."""
    request, steps = entry.request, sequences[0]
    document: dict[str, Any] = {"generated_text": _full(entry, steps[-1].generated_text)}
    if not (request.details or request.decoder_input_details):
        return document
    details = document["details"] = _details(entry, steps)
    if len(sequences) > 1:
        details["best_of_sequences"] = [
            {"generated_text": _full(entry, other[-1].generated_text), **_details(entry, other)}
            for other in sequences[1:]
        ]
    if request.top_n_tokens:
        details["top_tokens"] = [_top(step, request.top_n_tokens) for step in steps]
    return document


def stream_headers(request: GenerateRequest) -> Headers:
    """Headers of every stream, the refused ones included. No timings (tgi.md 1.8)."""
    return [
        ("content-type", "text/event-stream"),
        ("cache-control", "no-cache"),
        ("x-compute-type", COMPUTE_TYPE),
        ("x-compute-characters", str(len(request.inputs))),
        ("x-accel-buffering", "no"),
    ]


def timing_headers(entry: Entry, steps: Sequence[Step], began: float) -> Headers:
    """Headers of a non-streaming answer: x-compute-time in seconds, the other times in whole milliseconds."""
    ended = now()
    inference = ended - entry.started_at

    def milliseconds(seconds: float) -> str:
        return str(int(seconds * 1000))

    return [
        *JSON,
        ("x-compute-type", COMPUTE_TYPE),
        ("x-compute-time", repr(ended - began)),
        ("x-compute-characters", str(len(entry.request.inputs))),
        ("x-total-time", milliseconds(ended - began)),
        ("x-validation-time", milliseconds(entry.queued_at - began)),
        ("x-queue-time", milliseconds(entry.started_at - entry.queued_at)),
        ("x-inference-time", milliseconds(inference)),
        ("x-time-per-token", milliseconds(inference / steps[-1].count)),
        ("x-prompt-tokens", str(entry.validated.input_length)),
        ("x-generated-tokens", str(steps[-1].count)),
    ]


def tokenized(pieces: Sequence[Piece]) -> bytes:
    """The answer of /tokenize: spans are UTF-8 byte offsets."""
    return dump([{"id": p.token.id, "text": p.text, "start": p.start, "stop": p.stop} for p in pieces])


def info(settings: Settings) -> bytes:
    """The answer of /info. The version is odd on purpose: 3.3.7 says so of itself (tgi.md 1.4)."""
    return dump(
        {
            "model_id": settings.model_id,
            "model_sha": None,
            "model_pipeline_tag": None,
            "max_concurrent_requests": settings.max_concurrent_requests,
            "max_best_of": settings.limits.max_best_of,
            "max_stop_sequences": settings.limits.max_stop_sequences,
            "max_input_tokens": settings.max_input_tokens,
            "max_total_tokens": settings.max_total_tokens,
            "validation_workers": 2,
            "max_client_batch_size": 4,
            "router": "text-generation-router",
            "version": "3.3.6-dev0",
            "sha": None,
            "docker_label": None,
        }
    )


def models(settings: Settings) -> bytes:
    """The answer of /v1/models."""
    name = settings.model_id
    entry = {"id": name, "object": "model", "created": 0, "owned_by": name}
    return dump({"object": "list", "data": [entry]})
