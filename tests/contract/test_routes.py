"""Routes, health and /info (tgi.md 1.1, 1.4, 5.4)."""

import socket
import time
from collections.abc import Callable

import pytest

from tests.contract.target import Target
from tests.contract.wire import ask

INFO_FIELDS = [
    "model_id",
    "model_sha",
    "model_pipeline_tag",
    "max_concurrent_requests",
    "max_best_of",
    "max_stop_sequences",
    "max_input_tokens",
    "max_total_tokens",
    "validation_workers",
    "max_client_batch_size",
    "router",
    "version",
    "sha",
    "docker_label",
]


@pytest.mark.parametrize("path", ["/nothing", "/generate/", "/v1"])
def test_an_unknown_path_is_an_empty_404(target: Target, path: str) -> None:
    """axum's default: status and no body."""
    reply = target.get(path)

    assert (404, b"") == (reply.status, reply.body)


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/generate"),
        ("GET", "/generate_stream"),
        ("GET", "/tokenize"),
        ("POST", "/info"),
        ("POST", "/health"),
    ],
)
def test_a_wrong_method_is_an_empty_405(target: Target, method: str, path: str) -> None:
    """axum's default: status and no body."""
    reply = ask(target.port, method, path, b"{}" if method == "POST" else None)

    assert (405, b"") == (reply.status, reply.body)


@pytest.mark.parametrize("path", ["/health", "/ping", "/"])
def test_health_has_three_names_and_no_body(target: Target, path: str) -> None:
    """A healthy engine answers 200 with nothing in it."""
    reply = target.get(path)

    assert (200, b"") == (reply.status, reply.body)


@pytest.mark.needs("script")
def test_an_unhealthy_engine_says_so_in_json(target: Target) -> None:
    """503 with the healthcheck error type."""
    target.script.settle(is_healthy=False)

    reply = target.get("/health")

    assert (503, b'{"error":"unhealthy","error_type":"healthcheck"}') == (reply.status, reply.body)


@pytest.mark.needs("script")
def test_a_busy_engine_answers_health_late(target: Target) -> None:
    """The shard's answer can take its time; nothing is sent before it."""
    target.script.settle(health_delay_seconds=0.2)
    began = time.monotonic()

    reply = target.get("/health")

    assert 200 == reply.status
    assert time.monotonic() - began >= 0.2


def test_info_has_the_fields_of_version_3(target: Target) -> None:
    """/info lists limits under their 3.x names, in the router's order."""
    reply = target.get("/info")

    assert "application/json" == reply.headers["content-type"]
    assert INFO_FIELDS == [key for key in reply.keys if key in INFO_FIELDS]
    assert reply.document["max_input_tokens"] < reply.document["max_total_tokens"]


@pytest.mark.needs("models")
def test_models_name_the_model_of_info(target: Target) -> None:
    """/v1/models is an OpenAI list with the one model."""
    name = target.limits["model_id"]
    entry = {"id": name, "object": "model", "created": 0, "owned_by": name}

    assert {"object": "list", "data": [entry]} == target.get("/v1/models").document


def test_nothing_listens_until_the_model_is_loaded(fresh_port: tuple[int, Callable[[], object]]) -> None:
    """While loading a connection is refused; the first answer of /health is 200."""
    port, wait_ready = fresh_port
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port), timeout=20)

    wait_ready()

    assert 200 == ask(port, "GET", "/health").status


@pytest.mark.needs("script")
def test_a_key_guards_generation_and_nothing_else(target: Target) -> None:
    """Without the key an empty 401; health, metrics and info stay open."""
    target.script.settle(api_key="secret")

    refused = target.post("/generate", "hi", max_new_tokens=1)
    body = {"inputs": "hi", "parameters": {"max_new_tokens": 1}}
    headers = {"content-type": "application/json", "authorization": "Bearer secret"}

    assert (401, b"") == (refused.status, refused.body)
    assert 200 == ask(target.port, "POST", "/generate", body, headers).status
    assert [200, 200, 200] == [target.get(path).status for path in ("/health", "/metrics", "/info")]
