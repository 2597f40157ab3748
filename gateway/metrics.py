"""Prometheus metrics: with gauges the only importer of prometheus_client. docs/metrics.md lists them all.

Labels come from closed sets, and every value of one exists from the start, so that a rate over a
first event is not lost. Knows counts and seconds. Knows nothing of requests.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence

from prometheus_client import CollectorRegistry, Counter, ProcessCollector, disable_created_metrics
from prometheus_client.core import HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector
from prometheus_client.samples import Exemplar
from prometheus_client.utils import floatToGoString

from gateway.errors import EngineError, PaddockError, Refusal, leaves
from gateway.gauges import Gauges, Now
from gateway.tally import Example, Tally

# Waits and first tokens of chats: 50 ms is "at once" to a person; 300 s is the default wait limit,
# and a cold prompt on a small machine takes tens of seconds. 5 s is the bound of an SLO.
_WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300)
# Between tokens: 1 ms is a small model on a big card, 100 ms is slower than reading, 2.5 s is a stall.
_GAP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.25, 2.5)
# Whole answers: from a word at once to the default limit of half an hour.
_GENERATION_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600, 1800)
# One chat's speed: 5 is slower than reading aloud, 10 than reading, a big card gives hundreds.
_SPEED_BUCKETS = (1, 2.5, 5, 10, 20, 40, 80, 160, 320, 640)
# Places at admission: 0 ran at once; eight for each of eight slots may wait by default.
_PLACE_BUCKETS = (0, 1, 2, 4, 8, 16, 32, 64, 128)
# The loop: 1 ms is what a turn costs, 100 ms is a gap that readers see, seconds are a defect.
_LAG_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 2.5)
# Cancels: 250 ms is what is promised; on one machine it takes a few.
_CANCEL_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
# OpenMetrics allows 128 characters for an exemplar's names and values together.
_EXEMPLAR_ID = "request_id"
_EXEMPLAR_LIMIT = 128 - len(_EXEMPLAR_ID)

# What has no digits, in OpenMetrics' words.
_ENDLESS = {"inf": "+Inf", "-inf": "-Inf", "nan": "NaN"}

# Who ended a chat before its time.
ENDERS = ("left", "stopped", "drain")


class Metrics:
    """Every metric of the gateway, in a registry of its own."""

    def __init__(self, now: Callable[[], Now], outcomes: tuple[str, ...]) -> None:
        # The time at which each series was created would double their number and is used by no panel.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        # The histograms, two thirds of a page, write themselves in OpenMetrics; these are the others.
        self._others = CollectorRegistry()
        self._tallied: list[_Tallied] = []
        gauges = Gauges(now)
        for registry in (self.registry, self._others):
            registry.register(gauges)
            ProcessCollector(registry=registry)
        self._chats = self._counters("chats", "Chats that held a ticket.", "outcome", outcomes)
        self._refusals = self._counters("refusals", "Chats turned away.", "code", _codes(Refusal))
        self._failures = self._counters("engine_errors", "Chats failed.", "code", _codes(EngineError))
        self._cancels = self._counters("cancels", "Chats ended before their time.", "by", ENDERS)
        results = ("shorter", "within", "longer")
        self._estimates = self._counters("estimates", "Waits against the estimate.", "result", results)
        self._neutralised = self._counter("neutralised", "Special-token texts neutralised.")
        self._prompt = self._counter("prompt_tokens", "Tokens of prompts, as the engine counted them.")
        self._wait = self._histogram("wait_seconds", "Time in the backlog.", _WAIT_BUCKETS)
        self._place = self._histogram("place", "Place at admission, 0 at once.", _PLACE_BUCKETS)
        self._first = self._histogram("first_token_seconds", "Grant to first token.", _WAIT_BUCKETS)
        self._answer = self._histogram(
            "arrival_first_token_seconds", "Arrival to first token, wait included.", _WAIT_BUCKETS
        )
        self._speed = self._histogram("chat_tokens_per_second", "One chat's speed.", _SPEED_BUCKETS)
        self._gap = self._histogram("gap_seconds", "Time between arrivals of tokens.", _GAP_BUCKETS)
        self._lag = self._histogram("loop_lag_seconds", "Lateness of the event loop.", _LAG_BUCKETS)
        text = "Real wait against the estimate at admission."
        self._error = self._histograms(
            "estimate_error_seconds", text, _WAIT_BUCKETS, "side", ("shorter", "longer")
        )
        text = "From leaving or stopping to the end of the engine's connection."
        self._cancel = self._histograms("cancel_seconds", text, _CANCEL_BUCKETS, "by", ENDERS)
        self._generation = self._histograms(
            "generation_seconds", "Grant to end.", _GENERATION_BUCKETS, "outcome", outcomes
        )
        # What is called for every token is one call, not two.
        self.gap: Callable[[float], None] = self._gap.observe
        self.lag: Callable[[float], None] = self._lag.observe

    def refuse(self, code: str) -> None:
        """Count a chat that was turned away."""
        self._refusals[code].inc()

    def fail(self, code: str) -> None:
        """Count a failure of the engine."""
        self._failures[code].inc()

    def cancel(self, by: str, seconds: float | None) -> None:
        """Count a chat that was ended before its time, by one of ENDERS.

        Units: seconds is how long its engine's connection stayed open, None if it had none.
        """
        self._cancels[by].inc()
        if seconds is not None:
            self._cancel[by].observe(seconds)

    def neutralise(self, count: int) -> None:
        """Count special-token texts that were neutralised."""
        self._neutralised.inc(count)

    def grant(self, wait_seconds: float, place: int, expected: tuple[float, float, float] | None) -> None:
        """Observe a wait that led to a slot, and hold the first estimate (low, likely, high) against it."""
        self._place.observe(place)
        if expected is None:
            return
        low, likely, high = expected
        result = "shorter" if wait_seconds < low else "longer" if wait_seconds > high else "within"
        self._estimates[result].inc()
        side = "longer" if wait_seconds > likely else "shorter"
        self._error[side].observe(abs(wait_seconds - likely))

    def first_token(self, since_grant: float, since_arrival: float, request_id: str) -> None:
        """Observe the seconds to a chat's first token."""
        name, now = _example(request_id), time.time()
        self._first.observe(since_grant, name, now)
        self._answer.observe(since_arrival, name, now)

    def finish(
        self,
        outcome: str,
        wait_seconds: float,
        generation_seconds: float | None,
        prompt_tokens: int,
        tokens_per_second: float | None,
        request_id: str,
    ) -> None:
        """Count a chat that gave its ticket back; None for what it did not get to."""
        name, now = _example(request_id), time.time()
        self._chats[outcome].inc()
        self._wait.observe(wait_seconds, name, now)
        self._prompt.inc(prompt_tokens)
        if generation_seconds is not None:
            self._generation[outcome].observe(generation_seconds, name, now)
        if tokens_per_second is not None:
            self._speed.observe(tokens_per_second, name, now)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Write the page in the format that the scraper asks for; give it with its content type.

        Exemplars are in the OpenMetrics form alone: the plain one has no place for them.
        """
        encode, content_type = choose_encoder(accept)
        if content_type.startswith("application/openmetrics-text; version=1.0.0"):
            parts = [*map(_Tallied.written, self._tallied), *map(_written, self._others.collect()), "# EOF\n"]
            return "".join(parts).encode(), content_type
        return encode(self.registry), content_type

    def _counter(self, name: str, text: str) -> Counter:
        counter = Counter(f"paddock_{name}", text, registry=self.registry)
        self._others.register(counter)
        return counter

    def _counters(self, name: str, text: str, label: str, values: tuple[str, ...]) -> dict[str, Counter]:
        family = Counter(f"paddock_{name}", text, [label], registry=self.registry)
        self._others.register(family)
        return {value: family.labels(value) for value in values}

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Tally:
        tally = Tally(buckets)
        self._register(_Tallied(f"paddock_{name}", text, (), {(): tally}))
        return tally

    def _histograms(
        self, name: str, text: str, buckets: tuple[float, ...], label: str, values: tuple[str, ...]
    ) -> dict[str, Tally]:
        tallies = {value: Tally(buckets) for value in values}
        told: dict[tuple[str, ...], Tally] = {(value,): tally for value, tally in tallies.items()}
        self._register(_Tallied(f"paddock_{name}", text, (label,), told))
        return tallies

    def _register(self, tallied: "_Tallied") -> None:
        self.registry.register(tallied)
        self._tallied.append(tallied)


class _Tallied(Collector):
    """A histogram whose counts are kept by tallies, one for each value of its label.

    Deliberate divergence: written() is what prometheus_client writes of collect(), but all of a line save its
    number is known beforehand. A test reads both with its parser. Delete when it costs as little.
    """

    def __init__(
        self, name: str, text: str, labels: Sequence[str], tallies: Mapping[tuple[str, ...], Tally]
    ) -> None:
        self._name, self._text, self._labels, self._tallies = name, text, labels, tallies
        self._head = f"# HELP {name} {text}\n# TYPE {name} histogram\n"
        # For each tally: its buckets' lines up to the number, and those of its count and its sum.
        self._lines: list[tuple[Tally, list[str], str, str]] = []
        for values, tally in tallies.items():
            given = [f'{label}="{value}"' for label, value in zip(labels, values, strict=True)]
            bounds = [*map(floatToGoString, tally.bounds), "+Inf"]
            before = "".join(f"{one}," for one in given)
            buckets = [f'{name}_bucket{{{before}le="{bound}"}} ' for bound in bounds]
            suffix = f"{{{','.join(given)}}} " if given else " "
            self._lines.append((tally, buckets, f"{name}_count{suffix}", f"{name}_sum{suffix}"))

    def written(self) -> str:
        """Write it in OpenMetrics."""
        parts = [self._head]
        for tally, buckets, count, total in self._lines:
            counts = tally.cumulated()
            for start, number, example in zip(buckets, counts, tally.examples, strict=True):
                parts.append(f"{start}{number}{_written_example(example) if example else ''}\n")
            parts.append(f"{count}{counts[-1]}\n{total}{tally.total}\n")
        return "".join(parts)

    def describe(self) -> list[HistogramMetricFamily]:
        return [HistogramMetricFamily(self._name, self._text, labels=self._labels)]

    def collect(self) -> Iterator[HistogramMetricFamily]:
        family = HistogramMetricFamily(self._name, self._text, labels=self._labels)
        for values, tally in self._tallies.items():
            bounds = [*map(floatToGoString, tally.bounds), "+Inf"]
            buckets = [
                (bound, float(count), Exemplar({_EXEMPLAR_ID: example[0]}, *example[1:]))
                if example
                else (bound, float(count))
                for bound, count, example in zip(bounds, tally.cumulated(), tally.examples, strict=True)
            ]
            family.add_metric(values, buckets, tally.total)
        yield family


def _codes(kind: type[PaddockError]) -> tuple[str, ...]:
    """Give the codes of a branch of the error tree."""
    return tuple(sorted(leaf.code for leaf in leaves(kind)))


def _written(family: Metric) -> str:
    """Write what is no histogram in OpenMetrics.

    Deliberate divergence: as prometheus_client does, whose writer looks at each name's characters, at what
    samples may hold beside a number, and sorts labels. The test and the end are the histograms'.
    """
    parts = [f"# HELP {family.name} {_escaped(family.documentation)}\n# TYPE {family.name} {family.type}\n"]
    for sample in family.samples:
        value = float(sample.value)
        number = repr(value) if math.isfinite(value) else _ENDLESS[str(value)]
        labels = ",".join([f'{name}="{_escaped(text)}"' for name, text in sample.labels.items()])
        parts.append(f"{sample.name}{{{labels}}} {number}\n" if labels else f"{sample.name} {number}\n")
    return "".join(parts)


def _written_example(example: Example) -> str:
    name, value, at = example
    return f' # {{{_EXEMPLAR_ID}="{_escaped(name)}"}} {value} {at}'


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _example(request_id: str) -> str:
    return request_id if len(request_id) <= _EXEMPLAR_LIMIT else ""
