"""The metrics that are computed when they are scraped, never set and unset, so that they cannot drift.

Knows what is read at a scrape. Knows nothing of what is counted while chats run.
"""

import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from importlib.metadata import PackageNotFoundError, version

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.registry import Collector

from gateway.progress import PHASES, Disk, Download
from gateway.replica import Replica


@dataclass(frozen=True, slots=True)
class ReplicaNow:
    """One engine. Units: begin_of_text is how many the tokenizer adds, None before it was asked.

    cause is why it does not serve; stop_set is how its answers end, None before it was asked; stalls is how
    often it fell silent.
    """

    model: str | None
    phase: str
    begin_of_text: int | None
    start_seconds: Mapping[str, float] = field(default_factory=dict)
    cause: str | None = None
    breaker: str = "closed"
    stop_set: str | None = None
    stalls: int = 0


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
    breakers: tuple[str, ...]
    stop_sets: tuple[str, ...]
    retries: Mapping[str, int]
    overruns: Mapping[str, int]
    replicas: Mapping[str, ReplicaNow]
    download: Download | None = None
    disk: Disk | None = None


class Gauges(Collector):
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
        retries = CounterMetricFamily(
            "paddock_retries", "Chats that never began, tried once more.", labels=["result"]
        )
        for result, count in now.retries.items():
            retries.add_metric([result], count)
        yield retries
        overruns = CounterMetricFamily("paddock_quota_overruns", "Beyond a key's limits.", labels=["limit"])
        for limit, count in now.overruns.items():
            overruns.add_metric([limit], count)
        yield overruns
        yield gauge("streams", "Streams in memory.", "state", now.streams)
        yield gauge("stream_bytes", "What their frames take.", "state", now.stream_bytes)
        yield from self._replicas(now)
        yield from self._cache(now)
        build = {"version": paddock_version(), "python": platform.python_version()}
        yield InfoMetricFamily("paddock_build", "What runs.", value=build)

    @staticmethod
    def _cache(now: Now) -> Iterator[Metric]:
        if now.disk is not None:
            for name, text, value in (
                ("cache_free_bytes", "Free space of the model cache's disk.", now.disk.free),
                ("cache_size_bytes", "Size of the model cache's disk.", now.disk.size),
            ):
                yield GaugeMetricFamily(f"paddock_{name}", text, value=value)
        if (told := now.download) is not None:
            phases = {each: float(each == told.phase) for each in PHASES}
            yield _labelled("download_phase", "1 for the phase that the download is in.", "phase", phases)
            for name, text, number in (
                ("download_done_bytes", "Bytes of the model that are here.", told.bytes_done),
                ("download_total_bytes", "Bytes of the model in all.", told.bytes_total),
                ("download_rate_bytes_per_second", "How fast they come.", told.bytes_per_second),
            ):
                yield GaugeMetricFamily(f"paddock_{name}", text, value=number)

    @staticmethod
    def _replicas(now: Now) -> Iterator[Metric]:
        ready = {name: one.phase == "ready" for name, one in now.replicas.items()}
        yield _labelled("replica_ready", "1 when the engine has generated a token.", "replica", ready)
        phase = _family("replica_phase", "1 for the phase that the engine is in.", "replica", "phase")
        start = _family("replica_start_seconds", "The last start, by phase.", "replica", "phase")
        failed = _family("replica_failed", "1 for why the engine failed.", "replica", "cause")
        proof = _family("begin_of_text_tokens", "What the tokenizer adds; 1 is right.", "replica")
        breaker = _family("replica_breaker", "1 for its breaker's state.", "replica", "state")
        stops = _family("replica_stop_set", "1 for how its answers end.", "replica", "result")
        stalls = CounterMetricFamily(
            "paddock_replica_stalls", "Times it fell silent while chats ran.", labels=["replica"]
        )
        model = InfoMetricFamily("paddock_replica", "What each engine serves.", labels=["replica"])
        for name, one in now.replicas.items():
            for each in now.phases:
                phase.add_metric([name, each], float(each == one.phase))
            for each in now.causes:
                failed.add_metric([name, each], float(one.phase == "failed" and each == one.cause))
            for each, seconds in one.start_seconds.items():
                if each in now.phases:
                    start.add_metric([name, each], seconds)
            for each in now.breakers:
                breaker.add_metric([name, each], float(each == one.breaker))
            for each in now.stop_sets:
                stops.add_metric([name, each], float(each == one.stop_set))
            stalls.add_metric([name], one.stalls)
            if one.begin_of_text is not None:
                proof.add_metric([name], one.begin_of_text)
            model.add_metric([name], {"model": one.model or ""})
        yield from (phase, failed, start, breaker, stalls, proof, stops, model)


def replica_now(replica: Replica) -> ReplicaNow:
    """Read what is shown of an engine."""
    return ReplicaNow(
        replica.model,
        replica.phase,
        replica.begin_of_text,
        replica.start_seconds,
        replica.cause,
        replica.breaker.state,
        None if replica.proof is None else replica.proof.stop_set,
        replica.stalls,
    )


def _family(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"paddock_{name}", text, labels=labels)


def _labelled(name: str, text: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = _family(name, text, label)
    for value, number in values.items():
        family.add_metric([value], float(number))
    return family


def paddock_version() -> str:
    """Give the installed version, or the one of the source tree."""
    try:
        return version("paddock")
    except PackageNotFoundError:
        return "0.1.0"
