"""What axum makes of a body before the router sees it (tgi.md 1.2, 1.6)."""

import json
from typing import Any

import pytest

from tests.contract.target import Target
from tests.contract.wire import Reply, ask

TYPES = "Failed to deserialize the JSON body into the target type: "
SYNTAX = "Failed to parse the request body as JSON: "
ROUTES = ["/generate", "/generate_stream", "/", "/tokenize"]


def plain(reply: Reply) -> tuple[int, str]:
    """Status and text of a refusal that is no JSON."""
    assert reply.headers["content-type"] == "text/plain; charset=utf-8"
    return reply.status, reply.body.decode()


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("body", [b"", b"{", b"nonsense", b'{"inputs":"a"', b'{"inputs":"\\ud800"}', b"\xff"])
def test_broken_json_is_a_plain_400(target: Target, path: str, body: bytes) -> None:
    """No JSON error body for what is no JSON."""
    status, text = plain(ask(target.port, "POST", path, body))

    assert 400 == status
    assert text.startswith(SYNTAX)


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize(
    "document",
    [
        {},
        {"inputs": None},
        {"inputs": 5},
        {"inputs": ["a"]},
        {"inputs": "a", "parameters": None},
        {"inputs": "a", "parameters": []},
        {"inputs": "a", "parameters": {"temperature": "hot"}},
        {"inputs": "a", "parameters": {"max_new_tokens": -1}},
        {"inputs": "a", "parameters": {"max_new_tokens": 1.5}},
        {"inputs": "a", "parameters": {"max_new_tokens": 2**32}},
        {"inputs": "a", "parameters": {"top_k": "5"}},
        {"inputs": "a", "parameters": {"seed": -1}},
        {"inputs": "a", "parameters": {"stop": "x"}},
        {"inputs": "a", "parameters": {"stop": [1]}},
        {"inputs": "a", "parameters": {"details": 1}},
        {"inputs": "a", "parameters": {"grammar": {"type": "xml", "value": ""}}},
    ],
    ids=json.dumps,
)
def test_a_wrong_type_is_a_plain_422(target: Target, path: str, document: dict[str, Any]) -> None:
    """Types are checked while reading, so the answer is axum's text, also on the stream route."""
    status, text = plain(ask(target.port, "POST", path, document))

    assert 422 == status
    assert text.startswith(TYPES)


@pytest.mark.parametrize("name", ["do_sample", "watermark", "details", "decoder_input_details", "stop"])
def test_null_is_no_value_for_these(target: Target, name: str) -> None:
    """Parameters with a concrete default refuse null."""
    body = {"inputs": "a", "parameters": {name: None}}
    status, text = plain(ask(target.port, "POST", "/generate", body))

    assert 422 == status
    assert text.startswith(TYPES)


def test_null_stands_for_absent_where_a_default_is_null(target: Target) -> None:
    """What text-generation's client sends is accepted."""
    nullable = ["best_of", "temperature", "repetition_penalty", "frequency_penalty", "top_k", "top_p"]
    nullable += ["typical_p", "return_full_text", "truncate", "seed", "top_n_tokens", "grammar", "adapter_id"]

    reply = target.post("/generate", "hi", max_new_tokens=1, **dict.fromkeys(nullable))

    assert 200 == reply.status


def test_a_null_stream_switch_is_refused(target: Target) -> None:
    """`stream` on the compatibility route is a bool."""
    status, text = plain(ask(target.port, "POST", "/", {"inputs": "a", "stream": None}))

    assert 422 == status
    assert text.startswith(TYPES)


def test_unknown_fields_are_ignored(target: Target) -> None:
    """A misspelt parameter has no effect and is no error."""
    body = {
        "inputs": "hi",
        "model": "x",
        "parameters": {"max_new_tokens": 1, "stop_sequences": ["a"], "add_special_tokens": 0},
    }

    assert 200 == ask(target.port, "POST", "/generate", body).status


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("headers", [{}, {"content-type": "text/plain"}], ids=["none", "text"])
def test_another_media_type_is_a_plain_415(target: Target, path: str, headers: dict[str, str]) -> None:
    """Only JSON is read."""
    status, text = plain(ask(target.port, "POST", path, b'{"inputs":"a"}', headers))

    assert (415, "Expected request with `Content-Type: application/json`") == (status, text)


def test_a_media_type_may_have_a_parameter(target: Target) -> None:
    """`application/json; charset=utf-8` is JSON."""
    headers = {"content-type": "application/json; charset=utf-8"}
    body = {"inputs": "hi", "parameters": {"max_new_tokens": 1}}

    assert 200 == ask(target.port, "POST", "/generate", body, headers).status


@pytest.mark.parametrize("path", ROUTES)
def test_a_body_past_the_limit_is_a_plain_413(target: Target, path: str) -> None:
    """PAYLOAD_LIMIT is 2 000 000 bytes."""
    body = json.dumps({"inputs": "a" * 2_000_000}).encode()

    status, text = plain(ask(target.port, "POST", path, body))

    assert 413 == status
    assert text.startswith("Failed to buffer the request body: ")
