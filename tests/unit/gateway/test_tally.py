"""A tally counts as prometheus_client's histogram does."""

from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Histogram

from gateway.tally import Tally

BOUNDS = (0.5, 1.0, 2.5)


@given(st.lists(st.sampled_from([0.0, 0.4, 0.5, 0.6, 1.0, 2.5, 2.6, 99.0])))
def test_its_counts_are_a_histogram_s(values: list[float]) -> None:
    """Bucket by bucket, with values on the bounds, below the first and above the last."""
    registry = CollectorRegistry()
    histogram = Histogram("seconds", "Some.", buckets=BOUNDS, registry=registry)
    tally = Tally(BOUNDS)
    for value in values:
        histogram.observe(value)
        tally.observe(value)

    bounds = ["0.5", "1.0", "2.5", "+Inf"]
    counts = [registry.get_sample_value("seconds_bucket", {"le": bound}) for bound in bounds]
    assert counts == tally.cumulated()
    assert registry.get_sample_value("seconds_sum") == tally.total


def test_a_bucket_s_example_is_its_last_named_value() -> None:
    """Values without a name leave it as it is."""
    tally = Tally(BOUNDS)
    tally.observe(0.6, "one", 1.0)
    tally.observe(0.7, "two", 2.0)
    tally.observe(0.8)
    tally.observe(99.0, "last", 3.0)

    assert [None, ("two", 0.7, 2.0), None, ("last", 99.0, 3.0)] == tally.examples
