"""The metrics page (tgi.md 4.3)."""

import re

import pytest

from tests.contract.target import Target
from tests.contract.wire import ask

TYPES = {
    "tgi_queue_size": "gauge",
    "tgi_batch_current_size": "gauge",
    "tgi_request_count": "counter",
    "tgi_request_success": "counter",
    "tgi_request_duration": "histogram",
    "tgi_request_validation_duration": "histogram",
    "tgi_request_queue_duration": "histogram",
    "tgi_request_inference_duration": "histogram",
    "tgi_request_mean_time_per_token_duration": "histogram",
    "tgi_request_input_length": "histogram",
    "tgi_request_generated_tokens": "histogram",
    "tgi_request_max_new_tokens": "histogram",
}


def page(target: Target) -> str:
    """The page, which is plain text."""
    reply = target.get("/metrics")
    assert (200, "text/plain; charset=utf-8") == (reply.status, reply.headers["content-type"])
    return reply.body.decode()


def types(text: str) -> dict[str, str]:
    """Declared types by name."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))


def test_a_metric_is_absent_until_it_was_touched(fresh: Target) -> None:
    """Before the first request no request metric exists; afterwards each has its type."""
    before = types(page(fresh))
    assert 200 == fresh.post("/generate", "hi", max_new_tokens=3).status

    after = types(page(fresh))

    assert set() == {name for name in before if name.startswith("tgi_request")}
    assert TYPES == {name: kind for name, kind in after.items() if name in TYPES}
    assert "tgi_request_failure" not in after
    assert "tgi_batch_total_tokens" not in after


def test_durations_have_thirty_five_geometric_buckets(fresh: Target) -> None:
    """From 0.15 ms on, each 1.5 times the last, then infinity."""
    fresh.post("/generate", "hi", max_new_tokens=3)

    edges = re.findall(r'^tgi_request_duration_bucket\{le="([^"]+)"\} \d+$', page(fresh), re.MULTILINE)

    assert (36, "0.00015000000000000001", "145.61096060497135", "+Inf") == (
        len(edges),
        edges[0],
        edges[-2],
        edges[-1],
    )


def test_lengths_have_a_hundred_even_buckets(fresh: Target) -> None:
    """A hundredth of the limit each."""
    fresh.post("/generate", "hi", max_new_tokens=3)

    text = page(fresh)

    for name, limit in (("input_length", "max_input_tokens"), ("generated_tokens", "max_total_tokens")):
        edges = re.findall(rf'^tgi_request_{name}_bucket\{{le="([^"]+)"\}} \d+$', text, re.MULTILINE)
        assert 101 == len(edges)
        assert float(edges[99]) == pytest.approx(fresh.limits[limit])


def test_requests_are_counted_where_the_router_counts_them(target: Target) -> None:
    """Generation counts one a request, streamed or not, refused or not; other routes and bad bodies none."""
    before = target.count("tgi_request_count")

    target.post("/generate", "hi", max_new_tokens=1)
    target.post("/generate_stream", "hi", max_new_tokens=1)
    ask(target.port, "POST", "/", {"inputs": "hi", "parameters": {"max_new_tokens": 1}})
    target.post("/generate", "")
    counted = target.count("tgi_request_count")
    target.post("/tokenize", "hi")
    ask(target.port, "POST", "/generate", b"{")
    target.get("/info")

    assert (before + 4, before + 4) == (counted, target.count("tgi_request_count"))


def test_success_and_tokens_are_counted(target: Target) -> None:
    """A finished answer adds one success and one observation of its tokens."""
    before = target.count("tgi_request_success"), target.count("tgi_request_generated_tokens_sum")

    target.post("/generate", "hi", max_new_tokens=50, **target.say("a fox"))
    details = target.post("/generate", "hi", max_new_tokens=50, details=True, **target.say("a fox")).document[
        "details"
    ]

    assert before[0] + 2 == target.count("tgi_request_success")
    assert before[1] + 2 * details["generated_tokens"] == target.count("tgi_request_generated_tokens_sum")


def test_a_broken_rule_is_counted_as_validation(target: Target) -> None:
    """Failures carry their kind as the only label."""
    before = target.count("tgi_request_failure", err="validation")

    target.post("/generate", "hi", temperature=0)
    target.post("/generate_stream", "hi", temperature=0)

    assert before + 2 == target.count("tgi_request_failure", err="validation")


def test_gauges_are_whole_numbers(target: Target) -> None:
    """An idle engine shows zeros without decimals."""
    target.post("/generate", "hi", max_new_tokens=1)

    text = page(target)

    assert "\ntgi_queue_size 0\n" in text
    assert "\ntgi_batch_current_size 0\n" in text


def test_skipped_tokens_are_a_summary(target: Target) -> None:
    """The one metric without buckets (server.rs:1966)."""
    target.post("/generate", "hi", max_new_tokens=1)

    text = page(target)

    assert "summary" == types(text)["tgi_request_skipped_tokens"]
    assert 'tgi_request_skipped_tokens{quantile="0.5"} 0' in text
