"""Prometheus metrics: the only importer of prometheus_client. docs/metrics.md lists all of them.

Gauges are computed when they are scraped, never set and unset, so they cannot drift. Labels come
from closed sets, and every value of one exists from the start, so that a rate over a first event is
not lost. Knows counts and seconds. Knows nothing of requests.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import CollectorRegistry, Counter, Histogram, ProcessCollector, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.openmetrics import exposition as openmetrics
from prometheus_client.registry import Collector

from gateway.errors import EngineError, PaddockError, Refusal, leaves

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
# OpenMetrics allows 128 characters for an exemplar's names and values together.
_EXEMPLAR_ID = "request_id"
_EXEMPLAR_LIMIT = 128 - len(_EXEMPLAR_ID)

# Who ended a chat before its time.
ENDERS = ("left", "stopped", "drain")


@dataclass(frozen=True, slots=True)
class ReplicaNow:
    """One engine. Units: begin_of_text is how many the tokenizer adds, None before it was asked.

    cause is why it does not serve.
    """

    model: str | None
    phase: str
    begin_of_text: int | None
    start_seconds: Mapping[str, float] = field(default_factory=dict)
    cause: str | None = None


@dataclass(frozen=True, slots=True)
class Now:
    """What is read at a scrape. Shape: streams and stream_bytes by state; units: tokens, bytes."""

    running: int
    waiting: int
    slots: int
    open_slots: int
    backlog_limit: int
    waiting_tokens: int
    waiting_token_limit: int
    generated_tokens: int
    resumes: int
    fairness: float
    streams: Mapping[str, int]
    stream_bytes: Mapping[str, int]
    phases: tuple[str, ...]
    causes: tuple[str, ...]
    replicas: Mapping[str, ReplicaNow]


class _Gauges(Collector):
    def __init__(self, now: Callable[[], Now]) -> None:
        self._now = now

    def describe(self) -> list[Metric]:
        return []

    def collect(self) -> Iterator[Metric]:
        now = self._now()
        gauge = _labelled
        yield gauge("tickets", "Tickets now.", "state", {"running": now.running, "waiting": now.waiting})
        for name, text, value in (
            ("slots", "Chats that may run at once.", now.slots),
            ("open_slots", "Slots of the engines that are ready.", now.open_slots),
            ("backlog_limit", "Chats that may wait.", now.backlog_limit),
            ("waiting_tokens", "Tokens that the waiting chats ask for.", now.waiting_tokens),
            ("waiting_token_limit", "Tokens that waiting chats may ask for.", now.waiting_token_limit),
            ("fairness_ratio", "Jain's index of the tokens each client had lately.", now.fairness),
        ):
            yield GaugeMetricFamily(f"paddock_{name}", text, value=value)
        yield CounterMetricFamily(
            "paddock_generated_tokens", "Tokens generated, as they arrive.", value=now.generated_tokens
        )
        yield CounterMetricFamily("paddock_resumes", "Streams followed again.", value=now.resumes)
        yield gauge("streams", "Streams in memory.", "state", now.streams)
        yield gauge("stream_bytes", "What their frames take.", "state", now.stream_bytes)
        yield from self._replicas(now)
        build = {"version": paddock_version(), "python": platform.python_version()}
        yield InfoMetricFamily("paddock_build", "What runs.", value=build)

    @staticmethod
    def _replicas(now: Now) -> Iterator[Metric]:
        ready = {name: one.phase == "ready" for name, one in now.replicas.items()}
        yield _labelled("replica_ready", "1 when the engine has generated a token.", "replica", ready)
        phase = _family("replica_phase", "1 for the phase that the engine is in.", "replica", "phase")
        start = _family("replica_start_seconds", "The last start, by phase.", "replica", "phase")
        failed = _family("replica_failed", "1 for why the engine failed.", "replica", "cause")
        proof = _family("begin_of_text_tokens", "What the tokenizer adds; 1 is right.", "replica")
        model = InfoMetricFamily("paddock_replica", "What each engine serves.", labels=["replica"])
        for name, one in now.replicas.items():
            for each in now.phases:
                phase.add_metric([name, each], float(each == one.phase))
            for each in now.causes:
                failed.add_metric([name, each], float(one.phase == "failed" and each == one.cause))
            for each, seconds in one.start_seconds.items():
                if each in now.phases:
                    start.add_metric([name, each], seconds)
            if one.begin_of_text is not None:
                proof.add_metric([name], one.begin_of_text)
            model.add_metric([name], {"model": one.model or ""})
        yield from (phase, failed, start, proof, model)


class Metrics:
    """Every metric of the gateway, in a registry of its own."""

    def __init__(self, now: Callable[[], Now], outcomes: tuple[str, ...]) -> None:
        # The time at which each series was created would double their number and is used by no panel.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        self.registry.register(_Gauges(now))
        ProcessCollector(registry=self.registry)
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
        error = Histogram(
            "paddock_estimate_error_seconds",
            "Real wait against the estimate at admission.",
            ["side"],
            buckets=_WAIT_BUCKETS,
            registry=self.registry,
        )
        self._error = {side: error.labels(side) for side in ("shorter", "longer")}
        generation = Histogram(
            "paddock_generation_seconds",
            "Grant to end.",
            ["outcome"],
            buckets=_GENERATION_BUCKETS,
            registry=self.registry,
        )
        self._generation = {outcome: generation.labels(outcome) for outcome in outcomes}
        # What is called for every token is one call, not two.
        self.gap: Callable[[float], None] = self._gap.observe
        self.lag: Callable[[float], None] = self._lag.observe

    def refuse(self, code: str) -> None:
        """Count a chat that was turned away."""
        self._refusals[code].inc()

    def fail(self, code: str) -> None:
        """Count a failure of the engine."""
        self._failures[code].inc()

    def cancel(self, by: str) -> None:
        """Count a chat that was ended before its time, by one of ENDERS."""
        self._cancels[by].inc()

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
        exemplar = _exemplar(request_id)
        self._first.observe(since_grant, exemplar)
        self._answer.observe(since_arrival, exemplar)

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
        exemplar = _exemplar(request_id)
        self._chats[outcome].inc()
        self._wait.observe(wait_seconds, exemplar)
        self._prompt.inc(prompt_tokens)
        if generation_seconds is not None:
            self._generation[outcome].observe(generation_seconds, exemplar)
        if tokens_per_second is not None:
            self._speed.observe(tokens_per_second, exemplar)

    def expose(self, accept: str) -> tuple[bytes, str]:
        """Write the page in the format that the scraper asks for; give it with its content type.

        Exemplars are in the OpenMetrics form alone: the plain one has no place for them.
        """
        encode, content_type = choose_encoder(accept)
        if content_type.startswith("application/openmetrics-text; version=1.0.0"):
            # No escaping scheme changes our names; looking at all their characters is a third of a scrape.
            as_they_are = openmetrics.ALLOWUTF8
            page = openmetrics.generate_latest(self.registry, as_they_are)  # type: ignore[no-untyped-call]
            return page, content_type
        return encode(self.registry), content_type

    def _counter(self, name: str, text: str) -> Counter:
        return Counter(f"paddock_{name}", text, registry=self.registry)

    def _counters(self, name: str, text: str, label: str, values: tuple[str, ...]) -> dict[str, Counter]:
        family = Counter(f"paddock_{name}", text, [label], registry=self.registry)
        return {value: family.labels(value) for value in values}

    def _histogram(self, name: str, text: str, buckets: tuple[float, ...]) -> Histogram:
        return Histogram(f"paddock_{name}", text, buckets=buckets, registry=self.registry)


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"paddock_{name}", text, labels=labels)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = _family(name, text, label)
    for value, number in values.items():
        family.add_metric([value], float(number))
    return family


def _codes(kind: type[PaddockError]) -> tuple[str, ...]:
    """Give the codes of a branch of the error tree."""
    return tuple(sorted(leaf.code for leaf in leaves(kind)))


def _exemplar(request_id: str) -> dict[str, str] | None:
    return {_EXEMPLAR_ID: request_id} if 0 < len(request_id) <= _EXEMPLAR_LIMIT else None


def paddock_version() -> str:
    """Give the installed version, or the one of the source tree."""
    try:
        return version("paddock")
    except PackageNotFoundError:
        return "0.1.0"
