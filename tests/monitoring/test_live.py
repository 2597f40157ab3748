"""A real Prometheus behind a real load: no panel is empty, no rule is broken, no name is made up."""

import json
import re
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from typing import Any

import pytest

from tests.monitoring.files import BOARDS, ROOT, SERIES, Asked, alerts, asked, board, interpolated, rules
from tests.monitoring.stack import Watched

# In the file for an import each alert's condition: most have no value, because most alerts do not fire.
CONDITIONS = [query for query in asked() if re.search(r'"alertname", "\w+", "", ""\)$', query.expression)]
RECORDED = [rule for rule in rules() if "record" in rule]


def instant(expression: str, **chosen: list[str]) -> str:
    """Fill in what Grafana would, and take away what stands in for a missing series."""
    return re.sub(r" or vector\(0\)$", "", interpolated(expression, **chosen))


@pytest.mark.parametrize("query", [query for query in asked() if query not in CONDITIONS], ids=str)
def test_a_panel_s_query_returns_data(loaded: Watched, query: Asked) -> None:
    """After the load every line of every panel has a number."""
    assert [] != loaded.until_values(instant(query.expression))


def test_without_rules_the_same_alerts_are_shown(loaded: Watched) -> None:
    """Prometheus takes each condition that is written out; what fires is shown, what is shown is pending.

    Of a Prometheus that has run for a minute nobody can say what has lasted for five.
    """
    loaded.until_values('ALERTS{alertname="EngineFailed", alertstate="firing"}')
    at = time.time()

    def named(expression: str) -> set[str]:
        found = loaded.ask("query", query=expression, time=f"{at:.3f}")["result"]
        return {one["metric"]["alertname"] for one in found}

    shown = set().union(*(named(query.expression) for query in CONDITIONS))

    assert len({rule["alert"] for rule in alerts()}) == len(CONDITIONS)
    assert "EngineFailed" in shown
    assert named('ALERTS{alertstate="firing"}') <= shown <= named("ALERTS")


@pytest.mark.parametrize("query", [query for query in asked() if "$replica" in query.expression], ids=str)
def test_a_choice_of_replicas_chooses(loaded: Watched, query: Asked) -> None:
    """With all of them chosen by name there is as much as with All, and with a name that none has nothing."""
    everyone = loaded.offered("paddock_replica_info", "replica")
    found = len(loaded.values(instant(query.expression)))

    assert found == len(loaded.values(instant(query.expression, replica=everyone)))
    # The panels beside a replica's own line have one of all gateways.
    assert 0 == len(loaded.values(instant(query.expression, replica=["nobody:80"])))


def test_the_choices_have_values(loaded: Watched) -> None:
    """What the boards ask for their two choices is answered with a model and with the replicas."""
    models = loaded.offered("paddock_replica_info", "model")
    replicas = loaded.offered(f'paddock_replica_info{{model=~"{models[0]}"}}', "replica")

    choices = [variable for path in BOARDS for variable in board(path)["templating"]["list"]
               if variable["type"] == "query"]

    assert {
        "label_values(paddock_replica_info, model)",
        'label_values(paddock_replica_info{model=~"$model"}, replica)',
    } == {variable["definition"] for variable in choices}
    assert len(models) >= 1
    assert len(replicas) >= 1


@pytest.mark.parametrize("rule", RECORDED, ids=lambda rule: f"{rule['record']} {rule.get('labels', '')}")
def test_a_recording_rule_returns_data(loaded: Watched, rule: dict[str, Any]) -> None:
    """What is recorded is there, as a number."""
    labels = ",".join(f'{name}="{value}"' for name, value in rule.get("labels", {}).items())

    assert [] != loaded.until_values(f"{rule['record']}{{{labels}}}")


@pytest.mark.parametrize("alert", alerts(), ids=lambda rule: f"{rule['alert']} {rule['labels']['severity']}")
def test_every_series_that_an_alert_watches_exists(loaded: Watched, alert: dict[str, str]) -> None:
    """A misspelt name would never fire: each selector finds something now."""
    watched = {"".join(found) for found in SERIES.findall(alert["expr"])}

    assert watched
    assert set() == {series for series in watched if not loaded.until_values(series)}


def test_every_rule_is_healthy(loaded: Watched) -> None:
    """Prometheus evaluates each one without an error or a warning."""
    groups = loaded.ask("rules")["groups"]
    sick = {rule["name"]: rule.get("lastError") for group in groups for rule in group["rules"]
            if rule["health"] != "ok"}

    assert {} == sick


def test_the_load_was_counted_right(loaded: Watched) -> None:
    """What the load did is what the counters say."""
    def counted(series: str) -> float:
        return sum(loaded.values(series))

    assert 2 == counted('paddock_chats_total{outcome="failed"}')
    assert 1 == counted('paddock_engine_errors_total{code="engine_failed"}')
    assert 1 == counted('paddock_engine_errors_total{code="engine_cut_off"}')
    assert 1 == counted('paddock_cancels_total{by="left"}')
    assert 1 == counted('paddock_cancels_total{by="stopped"}')
    assert 1 == counted("paddock_resumes_total")
    assert 3 == counted("paddock_neutralised_total")
    assert counted('paddock_refusals_total{code="backlog_full"}') >= 1
    assert counted("paddock_estimates_total") >= 1


def test_exemplars_lead_to_requests(loaded: Watched) -> None:
    """In OpenMetrics a bucket names a request; its content type is one that Prometheus 3 takes."""
    accept = {"accept": "application/openmetrics-text;version=1.0.0"}
    asked = urllib.request.Request(f"http://127.0.0.1:{loaded.port}/metrics", headers=accept)
    with urllib.request.urlopen(asked) as page:
        kind, body = page.headers["content-type"], page.read()

    assert kind.startswith("application/openmetrics-text; version=1.0.0")
    named = re.findall(rb'^(paddock_\w+)_bucket.*# \{request_id="[0-9a-f]{24}"\}', body, re.MULTILINE)
    assert {
        b"paddock_wait_seconds",
        b"paddock_first_token_seconds",
        b"paddock_arrival_first_token_seconds",
        b"paddock_generation_seconds",
        b"paddock_chat_tokens_per_second",
    } == set(named)


def test_a_failed_engine_raises_its_alert_with_the_reason(loaded: Watched) -> None:
    """From the supervisor's table to the sentence that somebody is woken with."""
    assert [] != loaded.until_values('ALERTS{alertname="EngineFailed", alertstate="firing"}')
    (alert,) = (one for one in loaded.ask("alerts")["alerts"] if one["labels"]["alertname"] == "EngineFailed")

    assert "bad_arguments" == alert["labels"]["cause"]
    assert alert["annotations"]["summary"].endswith("has failed, bad_arguments: it refuses its settings")


def test_an_alert_s_link_leads_to_its_paragraph(loaded: Watched) -> None:
    """What Prometheus hands out with a firing alert is served by whoever serves the page, anchor included."""
    loaded.until_values('ALERTS{alertname="EngineFailed", alertstate="firing"}')
    (alert,) = (one for one in loaded.ask("alerts")["alerts"] if one["labels"]["alertname"] == "EngineFailed")
    link = urllib.parse.urlsplit(alert["annotations"]["runbook_url"])
    with urllib.request.urlopen(f"http://127.0.0.1:{loaded.port}{link.path}") as answer:
        kind, text = answer.headers["content-type"], answer.read().decode()

    assert ("http", "localhost:8080") == (link.scheme, link.netloc)
    assert "text/html; charset=utf-8" == kind
    assert f'<h2 id="{link.fragment}">EngineFailed</h2>' in text


def test_exemplars_are_kept(loaded: Watched) -> None:
    """Prometheus has, for a bucket, the id of a request that the gateway's log has too."""
    end = time.time()
    found = loaded.ask("query_exemplars", query="paddock_arrival_first_token_seconds_bucket",
                       start=str(end - 600), end=str(end))
    ids = {one["labels"]["request_id"] for series in found for one in series["exemplars"]}

    assert ids
    assert all(re.fullmatch(r"[0-9a-f]{24}", each) for each in ids)


def test_the_supervisor_is_shown_under_its_engine_s_name(loaded: Watched) -> None:
    """One choice of replica serves the panels of both."""
    expression = "count(paddock_engine_phase and on (instance) tgi_request_success)"

    assert [6.0] == loaded.values(expression)


def test_top_shows_the_same_facts(loaded: Watched) -> None:
    """With nothing but the gateway's address, as one JSON object."""
    url = f"http://127.0.0.1:{loaded.port}"
    command = [sys.executable, str(ROOT / "scripts/top"), url, "--once", "--json"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert (0, 0, 2, "ready") == (told["running"], told["waiting"], told["slots"], told["phase"])
    assert told["first_token_p95_seconds"] > 0
    assert told["gap_p95_seconds"] > 0
