"""The router's rules and sentences (tgi.md 1.2, 1.3), whole and in streams (1.6, 1.7)."""

import json
from typing import Any

import pytest

from tests.contract.target import Target
from tests.contract.wire import ask, events

ALMOST_ALL = 1024  # the largest part that is checked at once

BROKEN_RULES: list[tuple[dict[str, Any], str]] = [
    ({"best_of": 2, "do_sample": False}, "you must use sampling when `best_of` is > 1"),
    ({"temperature": 0}, "`temperature` must be strictly positive"),
    ({"temperature": -0.5}, "`temperature` must be strictly positive"),
    ({"repetition_penalty": 0.0}, "`repetition_penalty` must be strictly positive"),
    ({"frequency_penalty": 2.1}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
    ({"frequency_penalty": -2.1}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
    ({"top_k": 0}, "`top_k` must be strictly positive"),
    ({"top_k": -3}, "`top_k` must be strictly positive"),
    ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
    ({"top_p": 0.0}, "`top_p` must be > 0.0 and < 1.0"),
    ({"typical_p": 1.0}, "`typical_p` must be > 0.0 and < 1.0"),
    ({"max_new_tokens": 0}, "`max_new_tokens` must be strictly positive"),
    ({"stop": list("abcde")}, "`stop` supports up to {max_stop_sequences} stop sequences. Given: 5"),
    ({"best_of": 2, "do_sample": True, "seed": 1}, "`seed` must not be set when `best_of` > 1"),
    ({"top_n_tokens": 6}, "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
    ({"truncate": 0}, "`truncate` must be strictly positive and less than {max_input_tokens}. Given: 0"),
    (
        {"grammar": {"type": "json", "value": {"type": "object"}}},
        "grammar is not valid: Grammar must have a 'properties' field",
    ),
]
STREAM_RULES = [case for case in BROKEN_RULES if "best_of" not in case[0]]


def refusal(sentence: str, target: Target) -> bytes:
    """The router's body for a broken rule."""
    text = "Input validation error: " + sentence.format(**target.limits)
    return json.dumps({"error": text, "error_type": "validation"}, separators=(",", ":")).encode()


@pytest.mark.parametrize(("parameters", "sentence"), BROKEN_RULES, ids=lambda value: json.dumps(value)[:40])
def test_a_broken_rule_is_a_422_with_its_sentence(
    target: Target, parameters: dict[str, Any], sentence: str
) -> None:
    """Without a stream the status is honest."""
    reply = target.post("/generate", "hi", **parameters)

    assert (422, refusal(sentence, target)) == (reply.status, reply.body)
    assert "application/json" == reply.headers["content-type"]
    assert "x-compute-time" not in reply.headers


@pytest.mark.parametrize(("parameters", "sentence"), STREAM_RULES, ids=lambda value: json.dumps(value)[:40])
def test_a_broken_rule_is_an_event_in_a_stream(
    target: Target, parameters: dict[str, Any], sentence: str
) -> None:
    """A stream answers 200 first; the refusal is its only event."""
    reply = target.post("/generate_stream", "hi", **parameters)

    assert (200, b"data: " + refusal(sentence, target) + b"\n\n") == (reply.status, reply.body)
    assert "text/event-stream" == reply.headers["content-type"]


@pytest.mark.parametrize(
    ("parameters", "sentence"),
    [
        ({"best_of": 2, "do_sample": True}, "`best_of` != 1 is not supported when streaming tokens"),
        ({"best_of": 0}, "`best_of` != 1 is not supported when streaming tokens"),
        (
            {"decoder_input_details": True},
            "`decoder_input_details` == true is not supported when streaming tokens",
        ),
    ],
    ids=str,
)
def test_streams_refuse_what_they_cannot_show(
    target: Target, parameters: dict[str, Any], sentence: str
) -> None:
    """Several sequences and prompt details exist only without a stream."""
    reply = target.post("/generate_stream", "hi", **parameters)

    assert (200, b"data: " + refusal(sentence, target) + b"\n\n") == (reply.status, reply.body)


def test_more_sequences_than_allowed_are_refused(target: Target) -> None:
    """`best_of` has an upper bound of its own."""
    reply = target.post("/generate", "hi", best_of=3, do_sample=True)

    assert (422, refusal("`best_of` must be > 0 and <= {max_best_of}. Given: 3", target)) == (
        reply.status,
        reply.body,
    )


@pytest.mark.parametrize("path", ["/generate", "/"])
def test_empty_inputs_are_refused(target: Target, path: str) -> None:
    """An empty string is no prompt."""
    reply = ask(target.port, "POST", path, {"inputs": ""})

    assert (422, refusal("`inputs` cannot be empty", target)) == (reply.status, reply.body)


def test_blank_inputs_pass(target: Target) -> None:
    """Whitespace alone is a prompt."""
    assert 200 == target.post("/generate", "   ", max_new_tokens=1).status


def test_the_smallest_values_inside_the_bounds_pass(target: Target) -> None:
    """Bounds are exact on both sides."""
    reply = target.post(
        "/generate",
        "hi",
        max_new_tokens=1,
        temperature=0.01,
        top_p=0.99,
        top_k=1,
        typical_p=0.99,
        frequency_penalty=-2.0,
        repetition_penalty=0.01,
        stop=list("abcd"),
        top_n_tokens=5,
        seed=2**64 - 1,
    )

    assert 200 == reply.status


def test_too_many_tokens_are_counted_in_the_sentence(target: Target) -> None:
    """Prompt plus the first part of the answer must fit; the part, not the wish, is quoted (1.3)."""
    room = target.limits["max_total_tokens"]
    words = "a " * (room - min(room, ALMOST_ALL) + 64)
    count = len(ask(target.port, "POST", "/tokenize", {"inputs": words}).document)
    chunk = min(room, ALMOST_ALL)
    sentence = (
        f"`inputs` tokens + `max_new_tokens` must be <= {room}. "
        f"Given: {count} `inputs` tokens and {chunk} `max_new_tokens`"
    )

    reply = target.post("/generate", words, max_new_tokens=room)

    assert (422, refusal(sentence, target)) == (reply.status, reply.body)


def test_too_long_inputs_are_counted_in_the_sentence(target: Target) -> None:
    """A prompt that fills the context leaves no room for an answer."""
    limit = target.limits["max_input_tokens"]
    words = "a " * (limit + 64)
    count = len(ask(target.port, "POST", "/tokenize", {"inputs": words}).document)
    total = target.limits["max_total_tokens"]
    sentence = (
        f"`inputs` tokens + `max_new_tokens` must be <= {total}. "
        f"Given: {count} `inputs` tokens and 1 `max_new_tokens`"
    )

    reply = target.post("/generate_stream", words, max_new_tokens=1)

    assert count > total
    assert b"data: " + refusal(sentence, target) + b"\n\n" == reply.body


def test_truncate_keeps_the_last_tokens(target: Target) -> None:
    """The prompt is cut to so many tokens before it is counted."""
    reply = target.post("/generate_stream", "a b c d e f g h", max_new_tokens=1, truncate=3, details=True)

    assert 3 == events(reply.body)[-1]["details"]["input_length"]
