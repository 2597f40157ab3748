"""The control surface as clients meet it: one form of answer and of refusal."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from tests.supervisor.conftest import LIMIT_SECONDS, Bench, Start, starting

STATE = {
    "phase", "since", "phase_seconds", "reason", "cause", "detail", "estimate_seconds", "starts",
    "restarts", "last_exit", "durations", "idle_seconds", "idle_limit_seconds", "model", "version", "pid",
    "run", "stop_tokens",
}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A supervisor whose engine is ready; no test here may change that."""
    with starting(tmp_path_factory.mktemp("control")) as start:
        bench = start()
        bench.when("ready")
        yield bench


def test_state_has_every_field(bench: Bench) -> None:
    """GET /state always has the same fields, and POST /start answers with them."""
    status, state = bench.ask("GET", "/state")
    status_of_start, after = bench.ask("POST", "/start")

    assert (200, 200) == (status, status_of_start)
    assert STATE == set(state) == set(after)
    assert "ready" == after["phase"]
    assert state["pid"] == after["pid"]


def test_health_is_the_supervisor(supervise: Start) -> None:
    """GET /health is about the supervisor, so it holds when the engine cannot be."""
    bench = supervise(command=["--", "no-such-engine"])
    bench.when("failed")

    assert (200, {"status": "ok"}) == bench.ask("GET", "/health")


def test_metrics(bench: Bench) -> None:
    """GET /metrics has one phase at 1, counts starts, and has no exit code before an exit."""
    page = bench.ask("GET", "/metrics")[1]

    samples = {name: float(value) for name, _, value in
               (line.rpartition(" ") for line in page.splitlines() if not line.startswith("#"))}
    assert {'paddock_engine_phase{phase="ready"}'} == {
        name for name, value in samples.items() if "_phase{" in name and value == 1}
    assert (1, 0) == (samples["paddock_engine_starts_total"], samples["paddock_engine_restarts_total"])
    assert 'paddock_engine_start_seconds{phase="loading"}' in samples
    assert "paddock_engine_last_exit_code" not in samples


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [("GET", "/", 404, "not_found"), ("GET", "/start", 405, "method_not_allowed"),
     ("PUT", "/state", 405, "method_not_allowed"), ("DELETE", "/stop", 405, "method_not_allowed")],
)
def test_refusals(bench: Bench, method: str, path: str, status: int, code: str) -> None:
    """What is not offered is refused in the one envelope, with the request's own id."""
    got, answer = bench.ask(method, path, {"X-Request-Id": "r-1"})

    error = answer["error"]
    assert {"message", "type", "code", "param", "retry_after_seconds", "request_id"} == set(error)
    assert (status, code) == (got, error["code"])
    assert ("invalid_request_error", "r-1") == (error["type"], error["request_id"])


def test_browsers_are_refused(bench: Bench) -> None:
    """A page of another site, open on the same machine, cannot stop the engine."""
    status, answer = bench.ask("POST", "/stop", {"Origin": "http://elsewhere.example"})

    assert (403, "origin_refused") == (status, answer["error"]["code"])
    assert "ready" == bench.state()["phase"]


def test_what_is_no_http_is_refused(bench: Bench) -> None:
    """Rubbish gets the envelope too, and neither a traceback nor an end of the supervisor."""
    address = urlsplit(bench.control)
    with socket.create_connection((address.hostname, address.port), LIMIT_SECONDS) as client:
        client.sendall(b"rubbish\r\n\r\n")
        answer = client.makefile("rb").read()

    assert b'"code": "bad_request"' in answer
    assert "ready" == bench.state()["phase"]
    assert not [line for line in bench.lines if "Traceback" in line]
