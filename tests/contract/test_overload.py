"""Permits, the queue and clients that leave (tgi.md 2.5, 4.1)."""

import time
from collections.abc import Callable

import pytest

from tests.contract.target import Target
from tests.contract.wire import LIMIT_SECONDS, Reply, opened

OVERLOADED = b'{"error":"Model is overloaded","error_type":"overloaded"}'
TOKEN = b'"token"'


def full(narrow: Target, probe: Callable[[], Reply], is_refusal: Callable[[Reply], bool]) -> Reply:
    """What a third request gets while two hold the permits; tries again if those ended too early."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        narrow.wait_idle()
        body = {"inputs": "hi", "parameters": narrow.long()}
        with opened(narrow.port, "/generate_stream", body) as running:
            running.read_until(TOKEN)
            with opened(narrow.port, "/generate_stream", body) as waiting:
                waiting.read_until(b"\r\n\r\n")
                reply = probe()
        if is_refusal(reply) or time.monotonic() > deadline:
            return reply


def test_one_request_too_many_is_a_429(narrow: Target) -> None:
    """Queued and running count alike; nobody waits for a permit, and no Retry-After is given."""
    reply = full(narrow, lambda: narrow.post("/generate", "hi"), lambda reply: reply.status == 429)

    assert (429, OVERLOADED) == (reply.status, reply.body)
    assert "retry-after" not in reply.headers


def test_one_stream_too_many_is_refused_inside_a_200(narrow: Target) -> None:
    """The only event of a refused stream is the error."""
    expected = b"data: " + OVERLOADED + b"\n\n"

    reply = full(narrow, lambda: narrow.post("/generate_stream", "hi"), lambda reply: reply.body == expected)

    assert (200, expected) == (reply.status, reply.body)


def test_permits_are_tested_before_rules(narrow: Target) -> None:
    """A full engine says overloaded even to a request that it would refuse."""
    reply = full(narrow, lambda: narrow.post("/generate", ""), lambda reply: reply.status == 429)

    assert (429, OVERLOADED) == (reply.status, reply.body)


def test_sequences_take_a_permit_each(narrow: Target) -> None:
    """best_of 2 needs two."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while True:
        narrow.wait_idle()
        with opened(
            narrow.port, "/generate_stream", {"inputs": "hi", "parameters": narrow.long()}
        ) as running:
            running.read_until(TOKEN)
            reply = narrow.post("/generate", "hi", best_of=2, do_sample=True, max_new_tokens=1)
        if reply.status == 429 or time.monotonic() > deadline:
            break

    assert (429, OVERLOADED) == (reply.status, reply.body)


def test_other_routes_need_no_permit(narrow: Target) -> None:
    """A full engine still tokenises and tells its health, limits and metrics."""
    paths = ("/health", "/info", "/metrics")
    body = {"inputs": "hi", "parameters": narrow.long()}
    with (
        opened(narrow.port, "/generate_stream", body) as running,
        opened(narrow.port, "/generate_stream", body) as waiting,
    ):
        running.read_until(TOKEN)
        waiting.read_until(b"\r\n\r\n")
        statuses = [narrow.get(path).status for path in paths]
        statuses.append(narrow.post("/tokenize", "hi").status)

    assert [200, 200, 200, 200] == statuses


def test_a_client_that_leaves_gives_its_permit_back_and_is_counted(narrow: Target) -> None:
    """Closing the connection is the cancel: both permits are free, and the token loop counts it."""
    before = narrow.count("tgi_request_failure", err="dropped")
    body = {"inputs": "hi", "parameters": narrow.long()}

    with opened(narrow.port, "/generate_stream", body) as running:
        running.read_until(TOKEN)

    narrow.wait_count(before + 1, "tgi_request_failure", err="dropped")
    assert 200 == narrow.post("/generate", "hi", best_of=2, do_sample=True, max_new_tokens=1).status


def test_a_client_that_leaves_while_it_waits_is_dropped_too(narrow: Target) -> None:
    """A queued request whose client has gone is never run, and the queue is empty in the end."""
    before = narrow.count("tgi_request_failure", err="dropped")
    body = {"inputs": "hi", "parameters": narrow.long()}

    with opened(narrow.port, "/generate_stream", body) as running:
        running.read_until(TOKEN)
        with opened(narrow.port, "/generate_stream", body) as waiting:
            waiting.read_until(b"\r\n\r\n")

    narrow.wait_count(before + 2, "tgi_request_failure", err="dropped")
    assert 0 == narrow.count("tgi_queue_size")


def test_a_client_of_a_whole_answer_that_leaves_is_dropped(narrow: Target) -> None:
    """The same without a stream."""
    before = narrow.count("tgi_request_failure", err="dropped")
    count = narrow.count("tgi_request_count")

    with opened(narrow.port, "/generate", {"inputs": "hi", "parameters": narrow.long()}):
        narrow.wait_count(count + 1, "tgi_request_count")

    narrow.wait_count(before + 1, "tgi_request_failure", err="dropped")


@pytest.mark.needs("script")
def test_a_permit_is_free_before_the_token_loop_notices(narrow: Target) -> None:
    """The router lets go at once; the batch only at its next token."""
    body = {"inputs": "hi"}
    narrow.script.script(reply="one two", delay_seconds=LIMIT_SECONDS)

    with opened(narrow.port, "/generate_stream", body) as running:
        running.read_until(TOKEN)
    gone = narrow.script.wait_seen(lambda seen: seen.disconnected_at is not None)

    assert None is gone.noticed_at
    assert 0 == narrow.count("tgi_request_failure", err="dropped")
    with (
        opened(narrow.port, "/generate_stream", body) as first,
        opened(narrow.port, "/generate_stream", body) as second,
    ):
        for stream in (first, second):
            assert b"200 OK" in stream.read_until(b"\r\n\r\n")
        assert 2 == narrow.count("tgi_queue_size")
        assert 0 == narrow.count("tgi_request_failure", err="overloaded")
