"""The metrics page, byte for byte where it is short."""

import pytest

from engine.metrics import Metrics, duration_bounds, number


def test_an_untouched_page_is_empty() -> None:
    """A family appears when it is first touched."""
    assert "" == Metrics(99, 100).page()


def test_counters_have_no_suffix() -> None:
    """And one line for each label."""
    metrics = Metrics(99, 100)
    metrics.count("tgi_request_count")
    metrics.count("tgi_request_failure", 'err="dropped"')
    metrics.count("tgi_request_failure", 'err="validation"', 2)

    assert (
        "# HELP tgi_request_count Requests that were understood.\n"
        "# TYPE tgi_request_count counter\n"
        "tgi_request_count 1\n"
        "\n"
        "# HELP tgi_request_failure Requests that failed, by reason.\n"
        "# TYPE tgi_request_failure counter\n"
        'tgi_request_failure{err="dropped"} 1\n'
        'tgi_request_failure{err="validation"} 2\n'
        "\n"
    ) == metrics.page()


def test_gauges_are_read_when_the_page_is_written() -> None:
    """They cannot drift."""
    metrics, waiting = Metrics(99, 100), [3]
    metrics.gauge("tgi_queue_size", lambda: waiting[0])
    waiting[0] = 5

    assert "# TYPE tgi_queue_size gauge\ntgi_queue_size 5\n" in metrics.page()


def test_histograms_count_below_each_bound() -> None:
    """A value on a bound is below it."""
    metrics = Metrics(200, 100)
    for value in (2, 3, 500):
        metrics.observe("tgi_request_input_length", value)
    lines = metrics.page().splitlines()

    assert 'tgi_request_input_length_bucket{le="2"} 1' in lines
    assert 'tgi_request_input_length_bucket{le="4"} 2' in lines
    assert 'tgi_request_input_length_bucket{le="200"} 2' in lines
    assert 'tgi_request_input_length_bucket{le="+Inf"} 3' in lines
    assert ["tgi_request_input_length_sum 505", "tgi_request_input_length_count 3", ""] == lines[-3:]
    assert 101 == sum("_bucket" in line for line in lines)


def test_labelled_histograms_put_their_label_first() -> None:
    """As TGI's exporter does."""
    metrics = Metrics(99, 100)
    metrics.observe("tgi_batch_inference_duration", 0.5, 'method="decode"', times=2)
    lines = metrics.page().splitlines()

    assert 'tgi_batch_inference_duration_bucket{method="decode",le="0.00015000000000000001"} 0' in lines
    assert 'tgi_batch_inference_duration_bucket{method="decode",le="145.61096060497135"} 2' in lines
    assert 'tgi_batch_inference_duration_sum{method="decode"} 1' in lines
    assert 'tgi_batch_inference_duration_count{method="decode"} 2' in lines


def test_bounds_are_tgis() -> None:
    """35 geometric steps for seconds, 1024 sizes for batches."""
    metrics = Metrics(99, 100)
    metrics.observe("tgi_batch_next_size", 1)

    assert (35, 0.00015000000000000001, 145.61096060497135) == (
        len(duration_bounds()),
        duration_bounds()[0],
        duration_bounds()[-1],
    )
    assert 1025 == metrics.page().count("_bucket{")


def test_summaries_have_quantiles() -> None:
    """TGI has no buckets for skipped tokens."""
    metrics = Metrics(99, 100)
    for value in range(10):
        metrics.summarise("tgi_request_skipped_tokens", value)
    lines = metrics.page().splitlines()

    assert "# TYPE tgi_request_skipped_tokens summary" in lines
    assert 'tgi_request_skipped_tokens{quantile="0"} 0' in lines
    assert 'tgi_request_skipped_tokens{quantile="0.5"} 5' in lines
    assert 'tgi_request_skipped_tokens{quantile="1"} 9' in lines
    assert ["tgi_request_skipped_tokens_sum 45", "tgi_request_skipped_tokens_count 10", ""] == lines[-3:]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.0, "0"), (3.0, "3"), (0.5, "0.5"), (1e-7, "0.0000001"), (1e16, "10000000000000000")],
)
def test_numbers_are_written_without_exponent(value: float, text: str) -> None:
    """As Rust writes them."""
    assert text == number(value)
