"""Metrics: gauges computed at the scrape, counts once, the scraper's format."""

import math
from dataclasses import replace

import pytest
from prometheus_client import Metric
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from gateway.chat import Outcome
from gateway.errors import EngineError, Refusal, leaves
from gateway.gauges import Now, ReplicaNow
from gateway.metrics import ENDERS, Metrics
from gateway.progress import PHASES, Disk, Download

IDLE = Now(
    running=0,
    waiting=0,
    slots=8,
    open_slots=8,
    backlog_limit=64,
    waiting_tokens=0,
    waiting_token_limit=131072,
    generated_tokens=0,
    resumes=0,
    fairness=1.0,
    streams={"open": 0, "kept": 0},
    stream_bytes={"open": 0, "kept": 0},
    phases=("loading", "ready"),
    causes=("gated", "unknown"),
    breakers=("closed", "open"),
    stop_sets=("own", "unknown"),
    retries={"retried": 0, "over_budget": 0},
    overruns={"requests": 0},
    replicas={"engine:80": ReplicaNow("llama", "ready", 1)},
)


class House:
    """What the gauges show, changed by hand."""

    def __init__(self) -> None:
        self.now = IDLE
        self.metrics = Metrics(lambda: self.now, tuple(Outcome))

    def lines(self, name: str, accept: str = "") -> list[str]:
        """Give a metric's samples."""
        page = self.metrics.expose(accept)[0].decode()
        return [line for line in page.splitlines() if line.startswith(name)]


def test_gauges_are_computed_at_the_scrape() -> None:
    """They show what is now, without being set."""
    house = House()
    before = house.lines("paddock_tickets")
    down = {"engine:80": ReplicaNow("llama", "loading", None, {"loading": 4.5})}
    house.now = replace(IDLE, running=3, waiting=5, generated_tokens=7, replicas=down)

    assert ['paddock_tickets{state="running"} 0.0', 'paddock_tickets{state="waiting"} 0.0'] == before
    assert ['paddock_tickets{state="running"} 3.0', 'paddock_tickets{state="waiting"} 5.0'] == house.lines(
        "paddock_tickets"
    )
    assert ['paddock_replica_ready{replica="engine:80"} 0.0'] == house.lines("paddock_replica_ready")
    assert ["paddock_generated_tokens_total 7.0"] == house.lines("paddock_generated_tokens_total")
    assert [
        'paddock_replica_phase{phase="loading",replica="engine:80"} 1.0',
        'paddock_replica_phase{phase="ready",replica="engine:80"} 0.0',
    ] == house.lines("paddock_replica_phase")
    assert ['paddock_replica_start_seconds{phase="loading",replica="engine:80"} 4.5'] == house.lines(
        "paddock_replica_start_seconds"
    )
    assert [] == house.lines("paddock_begin_of_text_tokens")
    assert ["paddock_slots 8.0", "paddock_backlog_limit 64.0"] == house.lines("paddock_slots") + house.lines(
        "paddock_backlog_limit"
    )


def test_a_failed_engine_says_why_in_one_word() -> None:
    """One of a closed set, and none while it does not serve for another reason."""
    house = House()
    loading = ReplicaNow("llama", "loading", None, cause="gated")
    house.now = replace(
        IDLE, replicas={"a:80": ReplicaNow("llama", "failed", None, cause="gated"), "b:80": loading}
    )

    assert [
        'paddock_replica_failed{cause="gated",replica="a:80"} 1.0',
        'paddock_replica_failed{cause="unknown",replica="a:80"} 0.0',
        'paddock_replica_failed{cause="gated",replica="b:80"} 0.0',
        'paddock_replica_failed{cause="unknown",replica="b:80"} 0.0',
    ] == house.lines("paddock_replica_failed")


def test_a_download_and_its_disk_are_told() -> None:
    """One phase of all is 1; without a download there is no word of it."""
    house = House()
    silent = house.lines("paddock_download") + house.lines("paddock_cache")
    house.now = replace(IDLE, download=Download("stopped", 4, 16, 0.0, None, None), disk=Disk(5, 100))

    assert [] == silent
    assert [f'paddock_download_phase{{phase="{phase}"}} {float(phase == "stopped")}' for phase in PHASES] == (
        house.lines("paddock_download_phase"))
    assert ["paddock_cache_free_bytes 5.0", "paddock_cache_size_bytes 100.0"] == house.lines("paddock_cache")
    assert ["paddock_download_done_bytes 4.0", "paddock_download_total_bytes 16.0"] == (
        house.lines("paddock_download_done") + house.lines("paddock_download_total"))


def test_every_outcome_exists_before_it_happens() -> None:
    """A rate over a first event is not lost."""
    assert [f'paddock_chats_total{{outcome="{outcome}"}} 0.0' for outcome in Outcome] == House().lines(
        "paddock_chats_total"
    )


@pytest.mark.parametrize(
    ("name", "label", "values"),
    [
        ("refusals", "code", [leaf.code for leaf in leaves(Refusal)]),
        ("engine_errors", "code", [leaf.code for leaf in leaves(EngineError)]),
        ("cancels", "by", ENDERS),
    ],
)
def test_every_value_of_a_closed_label_exists_before_it_happens(
    name: str, label: str, values: list[str]
) -> None:
    """The error tree and the metrics cannot part."""
    assert sorted(f'paddock_{name}_total{{{label}="{value}"}} 0.0' for value in values) == sorted(
        House().lines(f"paddock_{name}_total")
    )


@pytest.mark.parametrize(
    ("waited", "result", "side"),
    [(1.0, "shorter", "shorter"), (3.5, "within", "longer"), (9.0, "longer", "longer")],
)
def test_an_estimate_is_held_against_the_wait(waited: float, result: str, side: str) -> None:
    """Inside its interval or not, and how far from the likely wait."""
    house = House()
    house.metrics.grant(waited, 2, (2.0, 3.0, 4.0))
    house.metrics.grant(waited, 1, None)

    assert f'paddock_estimates_total{{result="{result}"}} 1.0' in house.lines("paddock_estimates_total")
    assert f'paddock_estimate_error_seconds_sum{{side="{side}"}} {abs(waited - 3.0)}' in house.lines(
        "paddock_estimate_error_seconds_sum"
    )
    assert ["paddock_place_count 2.0"] == house.lines("paddock_place_count")


def test_exemplars_name_the_request_in_openmetrics_alone() -> None:
    """A slow chat is found in the log from its dot; the plain format has no place for it."""
    house = House()
    house.metrics.first_token(0.3, 0.7, "chat-7")
    house.metrics.first_token(0.3, 0.7, "i" * 128)

    modern = house.lines("paddock_first_token_seconds_bucket", "application/openmetrics-text; version=1.0.0")
    assert ['# {request_id="chat-7"} 0.3'] == [line[line.index("#") :][:27] for line in modern if "#" in line]
    assert [] == [line for line in house.lines("paddock_first_token_seconds_bucket") if "#" in line]


def test_a_finished_chat_is_counted() -> None:
    """In its outcome, its wait, its length and its tokens."""
    house = House()
    house.metrics.finish("finished", 0.2, 3.0, 40, 13.3, "a")
    house.metrics.finish("expired", 300.0, None, 0, None, "b")

    assert 'paddock_chats_total{outcome="finished"} 1.0' in house.lines("paddock_chats_total")
    assert ["paddock_prompt_tokens_total 40.0"] == house.lines("paddock_prompt_tokens_total")
    assert ["paddock_chat_tokens_per_second_sum 13.3"] == house.lines("paddock_chat_tokens_per_second_sum")
    assert ["paddock_wait_seconds_count 2.0"] == house.lines("paddock_wait_seconds_count")
    assert ['paddock_generation_seconds_count{outcome="finished"} 1.0'] == house.lines(
        'paddock_generation_seconds_count{outcome="finished"}'
    )


@pytest.mark.parametrize("name", ["first_token", "gap", "wait", "generation"])
def test_buckets_rise(name: str) -> None:
    """A histogram's bounds grow, and reach what chats really take."""
    house = House()
    house.metrics.finish("finished", 0.2, 3.0, 40, None, "a")
    # All label values share one set of bounds.
    lines = house.lines(f"paddock_{name}_seconds_bucket")
    page = [line for line in lines if "outcome" not in line or "finished" in line]
    bounds = [float(line.split('le="')[1].split('"')[0]) for line in page]

    assert sorted(set(bounds)) == bounds
    assert len(bounds) > 10


def test_the_format_is_the_scraper_s() -> None:
    """Text by default, OpenMetrics on request."""
    metrics = House().metrics

    assert "text/plain; version=0.0.4; charset=utf-8" == metrics.expose("")[1]
    page, kind = metrics.expose("application/openmetrics-text; version=1.0.0")
    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    assert page.endswith(b"# EOF\n")


def families(page: bytes) -> dict[str, Metric]:
    """Read a page as a scraper does, without the process's own figures, which never stand still."""
    read = text_string_to_metric_families(page.decode())  # type: ignore[no-untyped-call]
    return {family.name: family for family in read if not family.name.startswith("process_")}


@pytest.mark.parametrize("request_id", ["chat-7", 'odd "id" \\ of\nmine'])
def test_the_page_is_what_the_library_would_write(request_id: str) -> None:
    """Every family, sample and exemplar; without the escaping of names, of which none needs it."""
    house = House()
    house.now = replace(IDLE, fairness=math.inf, waiting_tokens=123_456_789)
    for number in range(50):
        house.metrics.finish("finished", number / 3, 10.0 * number, 40, 13.3, request_id)
        house.metrics.first_token(number / 7, float(number), request_id)
        house.metrics.gap(number / 1000)
    house.metrics.cancel("left", 1e-07)
    page, _ = house.metrics.expose("application/openmetrics-text; version=1.0.0; escaping=underscores")
    library = generate_latest(house.metrics.registry, "underscores")  # type: ignore[no-untyped-call]

    assert families(library) == families(page)
    assert 10 < page.count(b"request_id=")
    assert 1 == page.count(b"# EOF")


def test_an_engine_s_own_words_stay_in_their_label() -> None:
    """A model's name is the engine's, whatever is in it; phases and states that we do not know are none."""
    odd = 'x"} 1\nmine{a="é\\'
    house = House()
    strange = ReplicaNow(odd, "dreaming", None, {"dreaming": 1.0}, "boredom", "ajar", "never")
    house.now = replace(IDLE, replicas={"a:80": strange})
    told = families(house.metrics.expose("application/openmetrics-text; version=1.0.0")[0])

    (info,) = told["paddock_replica"].samples

    assert {"replica": "a:80", "model": odd} == info.labels
    for name in ("phase", "failed", "breaker", "stop_set"):
        assert {0.0} == {sample.value for sample in told[f"paddock_replica_{name}"].samples}
    assert [] == told["paddock_replica_start_seconds"].samples


def test_every_name_has_our_prefix_and_a_unit() -> None:
    """One way of naming; gauges are never called totals."""
    house = House()
    for family in house.metrics.registry.collect():
        assert family.name.startswith(("paddock_", "process_"))
        assert family.documentation
        if family.type == "gauge":
            assert not family.name.endswith("_total")
        if family.type == "histogram":
            assert family.name.endswith(("_seconds", "_per_second", "_place"))
