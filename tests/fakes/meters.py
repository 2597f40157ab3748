"""TGI's metrics page.

Knows:  names, types, labels and buckets of tgi.md 4.3; a metric exists only once touched.
Knows nothing of: when a metric is touched.
"""

from bisect import bisect_left
from collections import defaultdict
from itertools import accumulate
from operator import mul

# For every name ending in `duration`, in seconds: 35 edges, each the last one times 1.5 (tgi.md 4.3).
DURATION_BUCKETS = list(accumulate([1.5] * 35, mul, initial=0.0001))[1:]

Labels = tuple[tuple[str, str], ...]


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _braces(labels: Labels) -> str:
    return "{" + ",".join(f'{name}="{value}"' for name, value in labels) + "}" if labels else ""


class Meters:
    """Counters, gauges, histograms and one summary, in the exporter's text form."""

    def __init__(self, *, max_input_tokens: int, max_total_tokens: int) -> None:
        """Start with an empty page."""
        self._edges = {
            "tgi_request_input_length": [max_input_tokens / 100 * step for step in range(1, 101)],
            "tgi_request_generated_tokens": [max_total_tokens / 100 * step for step in range(1, 101)],
            "tgi_request_max_new_tokens": [max_total_tokens / 100 * step for step in range(1, 101)],
            "tgi_batch_next_size": [float(step) for step in range(1, 1025)],
        }
        self._counters: dict[str, dict[Labels, int]] = defaultdict(lambda: defaultdict(int))
        self._gauges: dict[str, float] = {}
        self._seen: dict[str, dict[Labels, list[float]]] = defaultdict(lambda: defaultdict(list))

    def count(self, name: str, **labels: str) -> None:
        """Add one to a counter."""
        self._counters[name][tuple(labels.items())] += 1

    def gauge(self, name: str, value: float) -> None:
        """Set a gauge."""
        self._gauges[name] = value

    def record(self, name: str, value: float, **labels: str) -> None:
        """Add an observation to a histogram or summary."""
        self._seen[name][tuple(labels.items())].append(value)

    def page(self) -> str:
        """What GET /metrics answers."""
        lines: list[str] = []
        for name, counts in self._counters.items():
            lines.append(f"# TYPE {name} counter")
            lines += [f"{name}{_braces(labels)} {value}" for labels, value in counts.items()]
            lines.append("")
        for name, value in self._gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {_number(value)}", ""]
        for name, families in self._seen.items():
            edges = DURATION_BUCKETS if name.endswith("duration") else self._edges.get(name)
            lines.append(f"# TYPE {name} {'summary' if edges is None else 'histogram'}")
            for labels, values in families.items():
                lines += self._quantiles(name, labels, values) if edges is None else []
                lines += self._buckets(name, labels, values, edges) if edges is not None else []
                lines.append(f"{name}_sum{_braces(labels)} {_number(sum(values))}")
                lines.append(f"{name}_count{_braces(labels)} {len(values)}")
            lines.append("")
        return "\n".join(lines) + "\n" if lines else ""

    @staticmethod
    def _buckets(name: str, labels: Labels, values: list[float], edges: list[float]) -> list[str]:
        ordered = sorted(values)
        counts = [sum(1 for value in ordered if value <= edge) for edge in edges]
        bounds = [*zip(map(_number, edges), counts, strict=True), ("+Inf", len(values))]
        return [f"{name}_bucket{_braces((*labels, ('le', edge)))} {count}" for edge, count in bounds]

    @staticmethod
    def _quantiles(name: str, labels: Labels, values: list[float]) -> list[str]:
        ordered = sorted(values)
        lines = []
        for quantile in ("0", "0.5", "0.9", "0.95", "0.99", "0.999", "1"):
            at = min(len(ordered) - 1, bisect_left(range(len(ordered)), float(quantile) * len(ordered)))
            lines.append(f"{name}{_braces((*labels, ('quantile', quantile)))} {_number(ordered[at])}")
        return lines
