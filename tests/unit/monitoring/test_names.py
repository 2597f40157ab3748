"""Every metric has a row and a reader, every row and every query a metric."""

import json
import math
import re
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from gateway.app import Gateway
from gateway.download.progress import State
from gateway.settings import Settings
from tests.monitoring import gpu
from tests.monitoring.files import ROOT, asked, names, rows, rules

TABLES = ("Gateway", "Supervisor", "Engine", "GPU", "Recorded")
# Shown by nobody, because they come along with the process's own.
UNSEEN = {"process_virtual_memory_bytes"}
QUERIES = [query.expression for query in asked()] + [str(rule["expr"]) for rule in rules()]


def family(name: str) -> str:
    """Give the name of a histogram's family from that of one of its series."""
    return re.sub(r"_(bucket|sum|count)$", "", name)


def read_names() -> set[str]:
    """Give the families that panels and rules read."""
    return {family(name) for query in QUERIES for name in names(query)} - {"up"}


def documented(*headings: str) -> set[str]:
    """Give the names in some tables of docs/metrics.md."""
    return {name for heading in headings for name in rows(heading)}


def windowless(name: str) -> str:
    """Give a recorded name without its window: the table shows one of several."""
    return re.sub(r"(rate|increase)(5m|30m|1h|6h)$", r"\1", name) if name.startswith("paddock:") else name


@pytest.fixture
def gateway(tmp_path: Path) -> Gateway:
    """A gateway whose engine's model is being downloaded."""
    told = tmp_path / "progress.json"
    told.write_text(json.dumps(asdict(State("a/b", "downloading", updated=time.time()))))
    return Gateway(Settings.model_validate({"GATEWAY_DOWNLOAD_FILE": told}))


def test_the_gateway_s_table_is_its_registry(gateway: Gateway) -> None:
    """A metric without a row fails, and so does a row without a metric."""
    suffix = {"counter": "_total", "info": "_info"}
    families = gateway.metrics.registry.collect()
    registered = {found.name + suffix.get(found.type, "") for found in families}

    assert rows("Gateway").keys() == registered


def test_every_label_in_the_gateway_s_table_is_one(gateway: Gateway) -> None:
    """The second column is what the samples carry."""
    text = (ROOT / "docs/metrics.md").read_text().split("\nBuckets, ", 1)[0]
    sampled = {
        found.name: {label for sample in found.samples for label in sample.labels} - {"le"}
        for found in gateway.metrics.registry.collect()
    }
    shown = {
        re.sub(r"_(total|info)$", "", name): set(re.findall(r"`(\w+)`", cell))
        for name, cell in re.findall(r"^\| `((?:paddock|process)_\w+)` \|([^|]*)\|", text, re.MULTILINE)
    }
    # An engine that nobody asked yet has neither told its start nor its tokens.
    silent = {"paddock_replica_start_seconds", "paddock_begin_of_text_tokens"}

    wrong = {name: labels for name, labels in sampled.items() if labels != shown[name]}
    assert silent == wrong.keys()


def test_the_table_of_buckets_is_the_buckets(gateway: Gateway) -> None:
    """Every histogram has its bounds and a reason."""
    text = (ROOT / "docs/metrics.md").read_text().split("\nBuckets, ", 1)[1].split("\n## ", 1)[0]
    rows = re.findall(r"^\| (`[^|]+`) \| ([\d. ]+) \| ([^|]{20,}) \|$", text, re.MULTILINE)
    told = {name: [*map(float, bounds.split()), math.inf]
            for cell, bounds, _ in rows for name in re.findall(r"`(\w+)`", cell)}
    real: dict[str, list[float]] = {}
    for found in gateway.metrics.registry.collect():
        if found.type == "histogram":
            bounds = [float(sample.labels["le"]) for sample in found.samples if "le" in sample.labels]
            real[found.name] = sorted(set(bounds))

    assert told == real


def test_every_metric_that_is_read_has_a_row() -> None:
    """No panel and no rule reads what nobody describes."""
    rows_all = {windowless(name) for name in documented(*TABLES)}

    assert set() == {windowless(name) for name in read_names()} - rows_all


def test_every_row_is_read_by_a_panel_or_a_rule() -> None:
    """What nobody looks at is not worth a name."""
    read = {windowless(name) for name in read_names()}

    assert UNSEEN == {windowless(name) for name in documented(*TABLES)} - read


def test_every_figure_has_a_panel() -> None:
    """What is scraped can be seen, itself or in what is recorded of it; that may serve an alert alone."""
    shown = {family(name) for query in asked() for name in names(query.expression)}

    assert UNSEEN == documented(*TABLES) - documented("Recorded") - shown


def test_what_is_recorded_is_in_the_table_and_no_other() -> None:
    """The table of recorded series is the rules."""
    recorded = {windowless(rule["record"]) for rule in rules() if "record" in rule}

    assert recorded == {windowless(name) for name in rows("Recorded")}


def test_the_supervisor_s_table_is_what_it_writes() -> None:
    """Its families, by the program's own text."""
    source = (ROOT / "engine/supervisor.py").read_text()
    written = {f"paddock_engine_{name}" for name in re.findall(r'\("(\w+)", "(?:gauge|counter)", "', source)}

    assert rows("Supervisor").keys() == written


def test_tgi_has_every_name_that_is_read() -> None:
    """The names are TGI's, as the embedded engine writes them too."""
    source = (ROOT / "engine/metrics.py").read_text()

    assert set() == {name for name in rows("Engine") if f'"{name}"' not in source}


def test_the_gpu_exporter_reads_the_fields_that_are_shown_and_no_other() -> None:
    """Its file, the table and the stand-in of the tests are one list."""
    text = (ROOT / "monitoring/gpu-counters.csv").read_text()
    fields = {line.split(",")[0] for line in text.splitlines() if not line.startswith("#")}

    assert rows("GPU").keys() == fields
    assert {*gpu.GAUGES, gpu.ENERGY} == fields


@pytest.mark.parametrize("query", QUERIES)
def test_no_query_repeats_the_mistakes_of_tgi_s_own_board(query: str) -> None:
    """No label of Kubernetes, no counter that counts chats twice, no quantile of a summary."""
    assert "container" not in query
    assert "tgi_request_count" not in query
    assert "tgi_request_skipped_tokens" not in query
    # The sum over the count is the mean length of an answer, which is no rate of tokens.
    assert not re.search(r"generated_tokens_sum.*/.*generated_tokens_count", query)
