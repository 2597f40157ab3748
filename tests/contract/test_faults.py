"""Generations that fail (tgi.md 1.6, 1.7, 2.6). Only the double fails on command."""

import http.client

import pytest

from tests.contract.target import Target
from tests.contract.wire import events, opened

pytestmark = pytest.mark.needs("script")

SHARD = "Request failed during generation: Server error: "


def test_a_shard_error_is_a_424(target: Target) -> None:
    """The shard's own text follows the router's."""
    target.script.script(fault="generation", after=1)

    reply = target.post("/generate", "hi there")

    assert (424, "generation") == (reply.status, reply.document["error_type"])
    assert reply.document["error"].startswith(SHARD)


def test_a_shard_error_in_a_stream_is_its_last_event(target: Target) -> None:
    """Tokens come before it, nothing after."""
    target.script.script(fault="generation", after=2)

    *tokens, last = events(target.post("/generate_stream", "one two three").body)

    assert ["one", " two"] == [event["token"]["text"] for event in tokens]
    assert "generation" == last["error_type"]
    assert last["error"].startswith(SHARD)


def test_a_shard_error_takes_the_whole_batch(target: Target) -> None:
    """Every running request gets the same error."""
    target.script.script(fault="stall", after=1, match="other").script(fault="batch", after=1, match="cause")

    with opened(target.port, "/generate_stream", {"inputs": "other one"}) as other:
        other.read_until(b'"token"')
        cause = events(target.post("/generate_stream", "cause one").body)
        received = other.read_until(b"\r\n0\r\n\r\n")

    assert cause[-1]["error"].encode() in received


def test_a_lost_answer_is_incomplete(target: Target) -> None:
    """500 without a stream, an event in one, with two names."""
    target.script.script(fault="incomplete", times=2)

    whole = target.post("/generate", "hi")
    streamed = target.post("/generate_stream", "hi")

    assert (500, b'{"error":"Incomplete generation","error_type":"incomplete_generation"}') == (
        whole.status,
        whole.body,
    )
    assert [
        {"error": "Incomplete generation stream", "error_type": "incomplete_generation_stream"}
    ] == events(streamed.body)


def test_a_stream_may_just_close(target: Target) -> None:
    """No last event and no error: a body that looks complete and is not."""
    target.script.script(fault="close", after=1)

    (only,) = events(target.post("/generate_stream", "one two").body)

    assert (None, None) == (only["generated_text"], only["details"])


def test_a_connection_may_break(target: Target) -> None:
    """In the middle of a stream, and before a whole answer."""
    target.script.script(fault="cut", after=1, times=2)

    for path in ("/generate_stream", "/generate"):
        with pytest.raises((ConnectionResetError, http.client.HTTPException)):
            target.post(path, "one two")


def test_scripted_overload_needs_no_crowd(target: Target) -> None:
    """The same refusal as a full engine's."""
    target.script.script(fault="overloaded", times=2)

    expected = {"error": "Model is overloaded", "error_type": "overloaded"}
    whole = target.post("/generate", "hi")
    assert (429, expected) == (whole.status, whole.document)
    assert [expected] == events(target.post("/generate_stream", "hi").body)
