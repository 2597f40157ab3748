"""The bytes and events of a stream (tgi.md 1.8, 2.1)."""

import json
import re

import pytest

from tests.contract.target import Target
from tests.contract.wire import ask, events, frames, opened

KEYS = ["index", "token", "generated_text", "details"]


def test_a_stream_has_its_headers_and_no_times(target: Target) -> None:
    """Event stream, uncached, unbuffered; the timing headers belong to whole answers."""
    headers = target.post("/generate_stream", "hi there", max_new_tokens=2).headers

    assert "text/event-stream" == headers["content-type"].partition(";")[0]
    assert ("no-cache", "no") == (headers["cache-control"], headers["x-accel-buffering"])
    assert "8" == headers["x-compute-characters"]
    assert headers["x-compute-type"]
    assert {"x-compute-time", "x-total-time", "x-queue-time"}.isdisjoint(headers)


def test_an_event_is_one_line_of_compact_json(target: Target) -> None:
    """`data: `, one object without blanks between its parts, a blank line, characters as UTF-8."""
    body = target.post("/generate_stream", "hi", max_new_tokens=50, **target.say("a fóx")).body

    for frame in frames(body):
        outside_texts = re.sub(rb'"(?:[^"\\]|\\.)*"', b"", frame)
        assert b" " not in outside_texts
        assert isinstance(json.loads(frame), dict)
    assert "ó".encode() in body


def test_events_count_from_one_and_only_the_last_is_final(target: Target) -> None:
    """index grows by one; generated_text and details are null until the last event."""
    got = events(
        target.post("/generate_stream", "hi", max_new_tokens=50, details=True, **target.say("a fox")).body
    )

    assert [KEYS] * len(got) == [list(event) for event in got]
    assert [*range(1, len(got) + 1)] == [event["index"] for event in got]
    assert {None} == {event["generated_text"] for event in got[:-1]} | {
        event["details"] for event in got[:-1]
    }
    assert "a fox" == got[-1]["generated_text"]
    assert ["finish_reason", "generated_tokens", "seed", "input_length"] == list(got[-1]["details"])
    assert len(got) == got[-1]["details"]["generated_tokens"]


def test_details_are_null_unless_asked_for(target: Target) -> None:
    """The last event then has its text alone."""
    last = events(target.post("/generate_stream", "hi", max_new_tokens=50, **target.say("a fox")).body)[-1]

    assert ("a fox", None) == (last["generated_text"], last["details"])


def test_the_texts_of_the_tokens_make_the_answer(target: Target) -> None:
    """Token texts that are not special add up to generated_text, spaces included."""
    got = events(
        target.post("/generate_stream", "hi", max_new_tokens=60, **target.say("One fox, two  foxes.")).body
    )

    assert "One fox, two  foxes." == got[-1]["generated_text"]
    assert "One fox, two  foxes." == "".join(e["token"]["text"] for e in got if not e["token"]["special"])


def test_top_tokens_sit_between_token_and_text(target: Target) -> None:
    """Asked for, the best of a step are part of its event."""
    first = events(target.post("/generate_stream", "hi", max_new_tokens=2, top_n_tokens=2).body)[0]

    assert ["index", "token", "top_tokens", "generated_text", "details"] == list(first)
    assert 2 == len(first["top_tokens"])


def test_the_prompt_is_counted_with_its_begin_of_text(target: Target) -> None:
    """input_length is the length of what /tokenize shows for the same text."""
    inputs = "How are you?"
    count = len(ask(target.port, "POST", "/tokenize", {"inputs": inputs}).document)

    last = events(target.post("/generate_stream", inputs, max_new_tokens=1, details=True).body)[-1]

    assert count == last["details"]["input_length"]


def test_full_text_is_in_the_last_event_only(target: Target) -> None:
    """The prompt is never streamed."""
    body = target.post(
        "/generate_stream", "See: ", max_new_tokens=50, return_full_text=True, **target.say("a fox")
    ).body
    got = events(body)

    assert "See: a fox" == got[-1]["generated_text"]
    assert "a fox" == "".join(event["token"]["text"] for event in got if not event["token"]["special"])


@pytest.mark.parametrize("stream", [True, False])
def test_the_compatibility_route_streams_on_request(target: Target, stream: bool) -> None:
    """`POST /` with `stream` gives the same events, and echoes the prompt by default."""
    body = {"inputs": "See: ", "stream": stream, "parameters": {"max_new_tokens": 50, **target.say("a fox")}}

    reply = ask(target.port, "POST", "/", body)

    texts = events(reply.body)[-1]["generated_text"] if stream else reply.document[0]["generated_text"]
    assert "See: a fox" == texts


def test_a_stream_just_ends(target: Target) -> None:
    """No [DONE]: the body is complete after the last event, and the connection may serve again."""
    with opened(
        target.port, "/generate_stream", {"inputs": "hi", "parameters": {"max_new_tokens": 2}}
    ) as stream:
        received = stream.read_until(b"\r\n0\r\n\r\n")

    assert b"[DONE]" not in received
    assert b"transfer-encoding: chunked" in received.partition(b"\r\n\r\n")[0].lower()


@pytest.mark.needs("script")
def test_silence_is_broken_by_a_comment(target: Target) -> None:
    """Without an event for a while the bytes are a colon and a blank line, as often as it takes."""
    target.script.settle(keep_alive_seconds=0.02).script(fault="stall", after=1)

    with opened(target.port, "/generate_stream", {"inputs": "one two"}) as stream:
        stream.read_until(b"\r\n:\n\n\r\n3\r\n:\n\n\r\n")
        target.script.release()
        received = stream.read_until(b"\r\n0\r\n\r\n")

    assert 3 == received.count(b'"token"')


@pytest.mark.needs("script")
def test_versions_before_2_1_left_the_space_out(target: Target) -> None:
    """Both forms of an event exist in the field."""
    target.script.settle(has_space=False)

    assert target.post("/generate_stream", "hi", max_new_tokens=1).body.startswith(b'data:{"index":1,')
