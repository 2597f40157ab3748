"""Prometheus metrics: the only importer of prometheus_client.

Gauges are computed when they are scraped, never set and unset, so they cannot drift. Labels come
from closed sets. Knows counts and seconds. Knows nothing of requests.
"""

import platform
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

# Waits and first tokens of chats: 50 ms is "at once" to a person; 300 s is the default wait limit,
# and a cold prompt on a small machine takes tens of seconds.
_WAIT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300)
# Between tokens: 1 ms is a small model on a big card, 100 ms is slower than reading, 2.5 s is a stall.
_GAP_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64, 1.25, 2.5)
# Whole answers: from a word at once to the default limit of half an hour.
_GENERATION_BUCKETS = (0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 40, 80, 160, 300, 600, 1800)


@dataclass(frozen=True, slots=True)
class Now:
    """What the gauges show at one moment."""

    running: int
    waiting: int
    slots: int
    backlog_limit: int
    ready: dict[str, bool]


class _Gauges(Collector):
    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = self._now()
        tickets = GaugeMetricFamily("paddock_tickets", "Tickets held now, by state.", labels=["state"])
        tickets.add_metric(["running"], now.running)
        tickets.add_metric(["waiting"], now.waiting)
        yield tickets
        yield GaugeMetricFamily("paddock_slots", "Chats that may run at once.", value=now.slots)
        yield GaugeMetricFamily("paddock_backlog_limit", "Chats that may wait.", value=now.backlog_limit)
        ready = GaugeMetricFamily(
            "paddock_replica_ready",
            "1 when the engine has generated a token since it started.",
            labels=["replica"],
        )
        for replica, is_ready in now.ready.items():
            ready.add_metric([replica], float(is_ready))
        yield ready
        yield InfoMetricFamily(
            "paddock_build",
            "What runs.",
            value={"version": paddock_version(), "python": platform.python_version()},
        )


class Metrics:
    """Every metric of the gateway, in a registry of its own."""

    def __init__(self, now: Callable[[], Now], outcomes: tuple[str, ...]) -> None:
        self.registry = CollectorRegistry()
        self.registry.register(_Gauges(now))
        self._chats = Counter(
            "paddock_chats", "Chats that held a ticket, by outcome.", ["outcome"], registry=self.registry
        )
        self._refusals = Counter(
            "paddock_refusals",
            "Chats turned away before a ticket, by code.",
            ["code"],
            registry=self.registry,
        )
        self._engine_errors = Counter(
            "paddock_engine_errors", "Chats the engine failed, by code.", ["code"], registry=self.registry
        )
        self._neutralised = Counter(
            "paddock_neutralised",
            "Special-token texts neutralised in callers' messages.",
            registry=self.registry,
        )
        self._generated = Counter("paddock_generated_tokens", "Tokens generated.", registry=self.registry)
        self._wait = Histogram(
            "paddock_wait_seconds", "Time in the backlog.", buckets=_WAIT_BUCKETS, registry=self.registry
        )
        self._first_token = Histogram(
            "paddock_first_token_seconds",
            "Grant to first token.",
            buckets=_WAIT_BUCKETS,
            registry=self.registry,
        )
        self._gap = Histogram(
            "paddock_gap_seconds",
            "Time between two arrivals of tokens in one answer.",
            buckets=_GAP_BUCKETS,
            registry=self.registry,
        )
        self._generation = Histogram(
            "paddock_generation_seconds",
            "Grant to end, by outcome.",
            ["outcome"],
            buckets=_GENERATION_BUCKETS,
            registry=self.registry,
        )
        # Every label value exists from the start, so that a rate over a first event is not lost.
        for outcome in outcomes:
            self._chats.labels(outcome)

    def refuse(self, code: str) -> None:
        """Count a chat that was turned away."""
        self._refusals.labels(code).inc()

    def fail(self, code: str) -> None:
        """Count a failure of the engine."""
        self._engine_errors.labels(code).inc()

    def neutralise(self, count: int) -> None:
        """Count special-token texts that were neutralised."""
        self._neutralised.inc(count)

    def finish(
        self, outcome: str, wait_seconds: float, generation_seconds: float | None, tokens: int
    ) -> None:
        """Count a chat that gave its ticket back; generation_seconds is None if it was never granted."""
        self._chats.labels(outcome).inc()
        self._wait.observe(wait_seconds)
        self._generated.inc(tokens)
        if generation_seconds is not None:
            self._generation.labels(outcome).observe(generation_seconds)

    def first_token(self, seconds: float) -> None:
        """Observe the time from the grant to the first token."""
        self._first_token.observe(seconds)

    def gap(self, seconds: float) -> None:
        """Observe the time since tokens last arrived."""
        self._gap.observe(seconds)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Write the page in the format that the scraper asks for; give it with its content type."""
        encode, content_type = choose_encoder(accept)
        return encode(self.registry), content_type


def paddock_version() -> str:
    """Give the installed version, or the one of the source tree."""
    try:
        return version("paddock")
    except PackageNotFoundError:
        return "0.1.0"
