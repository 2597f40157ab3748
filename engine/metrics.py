"""TGI's metric families in Prometheus text, each absent until it is first touched.

Written out here because the usual client library adds `_total` to counters and shows families at once.

Knows: TGI's names, types, labels and buckets.
Knows nothing of: where the numbers come from.
"""

from bisect import bisect_left
from collections.abc import Callable, Sequence
from decimal import Decimal

CONTENT_TYPE = "text/plain; charset=utf-8"

_HELP = {
    "tgi_queue_size": "Requests that wait for a slot.",
    "tgi_batch_current_size": "Requests that generate now.",
    "tgi_batch_current_max_tokens": "Tokens that the running requests may reach together.",
    "tgi_request_count": "Requests that were understood.",
    "tgi_request_success": "Requests that were answered in full.",
    "tgi_request_failure": "Requests that failed, by reason.",
    "tgi_request_duration": "Seconds from request to full answer.",
    "tgi_request_validation_duration": "Seconds of validation and tokenisation.",
    "tgi_request_queue_duration": "Seconds of waiting for a slot.",
    "tgi_request_inference_duration": "Seconds of generation.",
    "tgi_request_mean_time_per_token_duration": "Seconds per generated token, one value per request.",
    "tgi_request_input_length": "Prompt tokens per request.",
    "tgi_request_generated_tokens": "Generated tokens per request.",
    "tgi_request_max_new_tokens": "Allowed new tokens per request.",
    "tgi_request_skipped_tokens": "Tokens that speculation saved, per request.",
    "tgi_batch_next_size": "Requests that start together.",
    "tgi_batch_concat": "Requests that join others while these generate.",
    "tgi_batch_inference_count": "Steps begun, by kind.",
    "tgi_batch_inference_success": "Steps done, by kind.",
    "tgi_batch_inference_failure": "Steps that failed, by kind.",
    "tgi_batch_inference_duration": "Seconds of one step, by kind.",
    "tgi_batch_forward_duration": "Seconds of one step of the model, by kind.",
}
# The quantiles that TGI's exporter gives a histogram without buckets.
_QUANTILES = (0.0, 0.5, 0.9, 0.95, 0.99, 0.999, 1.0)
_KEPT_VALUES = 1024


def duration_bounds() -> list[float]:
    """Give TGI's 35 bounds for seconds: from 0.1 ms, each 1.5 times the one before."""
    bounds, value = [], 0.0001
    for _ in range(35):
        value *= 1.5
        bounds.append(value)
    return bounds


def _steps(most: int) -> list[float]:
    return [most / 100.0 * (place + 1) for place in range(100)]


class _Histogram:
    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float, times: int) -> None:
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times


class _Summary:
    def __init__(self) -> None:
        self.values: list[float] = []
        self.sum = 0.0
        self.count = 0

    def add(self, value: float) -> None:
        self.values.append(value)
        del self.values[:-_KEPT_VALUES]
        self.sum += value
        self.count += 1


class Metrics:
    """What the engine counted since it started. Gauges are read when the page is written."""

    def __init__(self, max_input_tokens: int, max_total_tokens: int) -> None:
        self._bounds = {
            "tgi_request_input_length": _steps(max_input_tokens),
            "tgi_request_generated_tokens": _steps(max_total_tokens),
            "tgi_request_max_new_tokens": _steps(max_total_tokens),
            "tgi_batch_next_size": [float(size) for size in range(1, 1025)],
        }
        self._seconds = duration_bounds()
        self._gauges: dict[str, Callable[[], int]] = {}
        self._counters: dict[str, dict[str, int]] = {}
        self._histograms: dict[str, dict[str, _Histogram]] = {}
        self._summaries: dict[str, _Summary] = {}

    def gauge(self, name: str, read: Callable[[], int]) -> None:
        """Show a gauge from now on."""
        self._gauges.setdefault(name, read)

    def count(self, name: str, label: str = "", times: int = 1) -> None:
        """Add to a counter. label is written as in the page, such as `err="dropped"`."""
        family = self._counters.setdefault(name, {})
        family[label] = family.get(label, 0) + times

    def observe(self, name: str, value: float, label: str = "", times: int = 1) -> None:
        """Add a value to a histogram."""
        family = self._histograms.setdefault(name, {})
        if label not in family:
            family[label] = _Histogram(self._bounds.get(name, self._seconds))
        family[label].add(value, times)

    def summarise(self, name: str, value: float) -> None:
        """Add a value to a summary."""
        self._summaries.setdefault(name, _Summary()).add(value)

    def page(self) -> str:
        """Write every touched family."""
        lines: list[str] = []
        for name, counters in self._counters.items():
            _head(lines, name, "counter")
            lines += [f"{_series(name, label)} {value}" for label, value in counters.items()]
            lines.append("")
        for name, read in self._gauges.items():
            _head(lines, name, "gauge")
            lines += [f"{name} {read()}", ""]
        for name, summary in self._summaries.items():
            _head(lines, name, "summary")
            ordered = sorted(summary.values)
            for quantile in _QUANTILES:
                value = ordered[min(len(ordered) - 1, int(quantile * len(ordered)))]
                lines.append(f'{name}{{quantile="{number(quantile)}"}} {number(value)}')
            lines += [f"{name}_sum {number(summary.sum)}", f"{name}_count {summary.count}", ""]
        for name, histograms in self._histograms.items():
            _head(lines, name, "histogram")
            for label, histogram in histograms.items():
                _write_histogram(lines, name, label, histogram)
            lines.append("")
        return "\n".join(lines) + "\n" if lines else ""


def number(value: float) -> str:
    """Write a number as Rust does: shortest digits, no exponent, no `.0`."""
    if value == int(value):
        return str(int(value))
    return format(Decimal(repr(value)), "f")


def _head(lines: list[str], name: str, kind: str) -> None:
    lines += [f"# HELP {name} {_HELP[name]}", f"# TYPE {name} {kind}"]


def _series(name: str, label: str) -> str:
    return f"{name}{{{label}}}" if label else name


def _write_histogram(lines: list[str], name: str, label: str, histogram: _Histogram) -> None:
    prefix = f"{label}," if label else ""
    below = 0
    for bound, count in zip(histogram.bounds, histogram.counts, strict=False):
        below += count
        lines.append(f'{name}_bucket{{{prefix}le="{number(bound)}"}} {below}')
    below += histogram.counts[-1]
    lines.append(f'{name}_bucket{{{prefix}le="+Inf"}} {below}')
    lines.append(f"{_series(name + '_sum', label)} {number(histogram.sum)}")
    lines.append(f"{_series(name + '_count', label)} {below}")
