"""Dashboards, alerts, provisioning and the Compose file, held against each other as files."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.breaker import State
from gateway.control import Cause, Phase
from gateway.progress import PHASES
from monitoring import dashboards
from monitoring.board import PAGE_URL, RUNBOOKS
from monitoring.boards.rules import would_fire, written_out
from monitoring.boards.states import STATES
from monitoring.runbooks import PAGE, page
from tests.monitoring.files import BOARDS, IMPORT, MONITORING, ROOT, alerts, asked, board, names, panels

COMPOSE: dict[str, Any] = yaml.safe_load((MONITORING / "compose.yaml").read_text())
SERVICES = sorted(COMPOSE["services"])


@pytest.mark.parametrize("path", sorted(dashboards.texts()), ids=lambda path: path.stem)
def test_a_board_is_what_its_source_writes(path: Path) -> None:
    """The JSON is never edited by hand."""
    assert path.read_text() == dashboards.texts()[path]


def test_no_board_has_lost_its_source() -> None:
    """A file that nothing writes would stay for ever."""
    written = [path for path in dashboards.texts() if path.suffix == ".json"]

    assert sorted(written) == sorted((MONITORING / "grafana").rglob("*.json"))


def sources_of(node: Any) -> set[str]:
    """Give every uid of a data source, wherever it is named."""
    if isinstance(node, dict):
        own = {node["datasource"]["uid"]} if isinstance(node.get("datasource"), dict) else set()
        return own.union(*(sources_of(value) for value in node.values()))
    return set().union(*map(sources_of, node)) if isinstance(node, list) else set()


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_imports_anywhere(path: Path) -> None:
    """Its data source is a variable; it names no uid, and needs no input that provisioning would not fill."""
    read = board(path)

    assert {"${datasource}"} == sources_of(read)
    assert {"uid", "id", "__inputs"} & read.keys() == set()
    assert ["datasource", "model", "replica", "page"] == [one["name"] for one in read["templating"]["list"]]


def test_the_one_file_asks_for_its_data_source() -> None:
    """An import fills in one input, which is all that names a data source; the file names no uid itself."""
    read = board(IMPORT)

    assert [("DS_PROMETHEUS", "datasource", "prometheus")] == [
        (one["name"], one["type"], one["pluginId"]) for one in read["__inputs"]]
    assert {"${DS_PROMETHEUS}"} == sources_of(read)
    assert {"uid", "id"} & read.keys() == set()
    assert ["model", "replica", "page"] == [one["name"] for one in read["templating"]["list"]]


def test_the_one_file_has_every_panel_but_the_count_of_alerts() -> None:
    """What the five boards show it shows, too, in their order."""
    paths = [dashboards.FOLDER / f"{name}.json" for name in dashboards.BOARDS]
    shown = [panel for path in paths for panel in panels(path) if panel["type"] != "row"]

    assert [panel["title"] for panel in shown if "count(ALERTS" not in str(panel["targets"])] == [
        panel["title"] for panel in panels(IMPORT) if panel["type"] != "row"]


def test_the_one_file_shows_each_alert_without_rules() -> None:
    """Its condition, written out, under its name, by which a click leads to what to do."""
    (panel,) = (panel for panel in panels(IMPORT) if panel["title"] == "What fires")
    names = [re.findall(r'"alertname", "(\w+)", "", ""\)$', query["expr"]) for query in panel["targets"][1:]]

    assert [[name] for name in sorted({rule["alert"] for rule in alerts()})] == names
    assert [f"${{page}}/{RUNBOOKS}#${{__field.labels.alertname}}"] == [
        link["url"] for link in panel["fieldConfig"]["defaults"]["links"]]


def test_the_one_file_needs_no_rules() -> None:
    """No query names what only our rules record or raise."""
    needed = [query.expression for query in asked() if query.board == "import"
              and re.search(r"paddock:|ALERTS", query.expression)]

    assert [] == needed


def test_a_recorded_name_is_written_out_with_its_labels() -> None:
    """One rule where the query names it, all of them where it does not."""
    one = written_out('1 - paddock:slo_errors:rate1h{slo="answers"}')
    both = written_out("paddock:slo_target:ratio")

    assert one.startswith('1 - (label_replace((sum(rate(paddock_chats_total{outcome=~"failed|expired"}[1h]))')
    assert one.endswith(', "slo", "answers", "", ""))')
    assert both == ('(label_replace((vector(0.99)), "slo", "answers", "", "") or '
                    'label_replace((vector(0.95)), "slo", "first_token", "", ""))')


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_choice_that_changes_nothing_is_hidden(path: Path) -> None:
    """Whoever sees a choice of replicas may expect that it chooses."""
    read = board(path)
    hidden = {one["name"]: one["hide"] == 2 for one in read["templating"]["list"]}
    chooses = "$replica" in str([panel.get("targets") for panel in read["panels"]])

    assert {"datasource": False, "model": not chooses, "replica": not chooses, "page": False} == hidden


@pytest.mark.parametrize("path", [*BOARDS, IMPORT], ids=lambda path: path.stem)
def test_every_variable_in_a_query_is_defined(path: Path) -> None:
    """A misspelt variable would be an empty panel."""
    used = set(re.findall(r"\$\{?(\w+)", json.dumps(board(path))))

    assert used <= {"DS_PROMETHEUS" if path == IMPORT else "datasource", "model", "replica",
                    "page", "__rate_interval", "__all", "__field"}


@pytest.mark.parametrize("path", [*BOARDS, IMPORT], ids=lambda path: path.stem)
def test_panels_lie_side_by_side(path: Path) -> None:
    """Numbers are single, nothing overlaps, nothing is wider than the board; every panel asks something."""
    shown = panels(path)
    taken: set[tuple[int, int]] = set()
    # What is folded lies where its heading unfolds it, over what is below.
    for panel in board(path)["panels"]:
        place = panel["gridPos"]
        cells = {(x, y) for x in range(place["x"], place["x"] + place["w"])
                 for y in range(place["y"], place["y"] + place["h"])}
        assert cells & taken == set(), panel["title"]
        taken |= cells

    assert 24 > max(x for x, _ in taken)
    assert 24 >= max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in shown)
    assert len(shown) == len({panel["id"] for panel in shown})
    assert [] == [panel["title"] for panel in shown if panel["type"] != "row" and not panel["targets"]]


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_board_has_no_holes(path: Path) -> None:
    """Each line is full from side to side, down to the last."""
    places = [panel["gridPos"] for panel in board(path)["panels"]]
    covered: dict[int, int] = {}
    for place in places:
        for y in range(place["y"], place["y"] + place["h"]):
            covered[y] = covered.get(y, 0) + place["w"]

    assert dict.fromkeys(range(max(covered) + 1), 24) == covered


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_panel_says_what_it_shows(path: Path) -> None:
    """In a sentence behind its title, and no two panels of a board are called alike."""
    shown = [panel for panel in panels(path) if panel["type"] != "row"]

    assert [] == [panel["title"] for panel in shown if len(panel["description"]) < 20]
    assert len(shown) == len({panel["title"] for panel in shown})


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_a_share_of_nothing_is_said_in_words(path: Path) -> None:
    """An idle machine has no share of no chats; a bare NaN, in red, would look like trouble."""
    stats = [panel["fieldConfig"]["defaults"] for panel in panels(path) if panel["type"] == "stat"]
    match = [one["mappings"][0]["options"]["match"] for one in stats if one["unit"] == "percentunit"]

    assert ["null+nan"] * len(match) == match


@pytest.mark.parametrize("path", [*BOARDS, IMPORT], ids=lambda path: path.stem)
def test_bounds_of_colours_rise(path: Path) -> None:
    """The first has no value, each next one is higher."""
    for panel in panels(path):
        steps = panel.get("fieldConfig", {}).get("defaults", {}).get("thresholds", {}).get("steps", [])
        values = [step["value"] for step in steps]

        assert values[:1] in ([], [None])
        assert values[1:] == sorted(set(values[1:]))


def test_a_name_that_records_others_is_chosen_by_their_labels() -> None:
    """A rule without the label takes it from what it is made of, and nothing is written out as nothing."""
    burn = written_out('paddock:slo_burn:rate1h{slo="first_token"} > 6')

    assert "paddock_arrival_first_token_seconds_bucket" in burn
    assert "paddock_chats_total" not in burn
    assert "vector(0.95)" in burn
    assert [] == [name for name, written in would_fire().items() if "()" in written.replace("on ()", "")]


def test_every_alert_has_a_runbook_and_every_runbook_an_alert() -> None:
    """Its paragraph stands under its name, and its link leads there."""
    headings = set(re.findall(r"^## (\w+)$", (ROOT / "docs/runbooks.md").read_text(), re.MULTILINE))
    links = {rule["alert"]: rule["annotations"]["runbook_url"] for rule in alerts()}

    assert {rule["alert"] for rule in alerts()} == headings
    # Grafana and Prometheus make links of this annotation. Its address is that of the page by default.
    assert {name: f"{PAGE_URL}/{RUNBOOKS}#{name}" for name in headings} == links


def test_the_page_of_runbooks_has_an_anchor_for_each_alert() -> None:
    """Where its link leads: on the site that is served with every deployment, without a script."""
    text = PAGE.read_text()

    assert PAGE == ROOT / "frontend/site" / RUNBOOKS
    assert {rule["alert"] for rule in alerts()} == set(re.findall(r'<h2 id="(\w+)">', text))
    assert "<script" not in text
    assert "style=" not in text


def test_a_runbook_cannot_bring_code_of_its_own() -> None:
    """Angle brackets are text."""
    assert "&lt;img src=x&gt;" in page("## A\n\n<img src=x>")


def test_boards_lead_to_the_alert_that_fires() -> None:
    """By its own name, which is its anchor; every board has the page of all of them at its top."""
    users = (MONITORING / "grafana/dashboards/users.json").read_text()

    assert f'"${{page}}/{RUNBOOKS}#${{__field.labels.alertname}}"' in users
    for path in (*BOARDS, IMPORT):
        links = [link["url"] for link in board(path)["links"] if link["type"] == "link"]
        assert [f"${{page}}/{RUNBOOKS}"] == links


def test_every_state_has_its_colour() -> None:
    """Green, yellow or blue; red is left for what is wrong, and for an alert or a cause."""
    coloured = {word for words, _ in STATES for word in words.split("|")}
    states = {*map(str, Phase), *map(str, State), *PHASES}

    assert {"failed", "open"} == states - coloured
    assert set() == coloured & {str(cause) for cause in Cause}


def runbook(alert: str) -> str:
    """Give an alert's paragraph."""
    text = (ROOT / "docs/runbooks.md").read_text()
    return text.split(f"\n## {alert}\n", 1)[1].split("\n## ", 1)[0].strip()


@pytest.mark.parametrize("name", sorted({rule["alert"] for rule in alerts()}))
def test_a_runbook_is_one_paragraph(name: str) -> None:
    """Somebody who was woken reads it at once, and finds a command to run or a panel to look at."""
    paragraph = runbook(name)

    assert "\n\n" not in paragraph
    assert len(paragraph) > 200
    assert re.search(r"`[^`]+`|\*[^*]+\*", paragraph)


def test_every_cause_of_a_failed_engine_has_its_words() -> None:
    """A sentence in the alert, a case that reads it, and what to do in the runbook."""
    (rule,) = (rule for rule in alerts() if rule["alert"] == "EngineFailed")
    cases = (ROOT / "tests/monitoring/rules_test.yml").read_text()
    causes = {str(cause) for cause in Cause}
    # What is left is the last sentence: nobody knows why.
    said = set(re.findall(r'eq \. "(\w+)"', rule["annotations"]["summary"])) | {"unknown"}

    assert causes == said
    assert causes == set(re.findall(r"\*\*(\w+)\*\*", runbook("EngineFailed")))
    assert causes == set(re.findall(r"cause: (\w+)}", cases))


def test_every_alert_is_made_to_fire() -> None:
    """In each of its severities, by a case for promtool."""
    text = (ROOT / "tests/monitoring/rules_test.yml").read_text()
    fired = set(re.findall(r'alertname="(\w+)", severity="(\w+)"', text))

    assert {(rule["alert"], rule["labels"]["severity"]) for rule in alerts()} == fired


def test_every_alert_is_held_still() -> None:
    """By a case of its own that has every series it reads: what looks like trouble and is none."""
    cases = yaml.safe_load((ROOT / "tests/monitoring/rules_test.yml").read_text())["tests"]
    fed: dict[str, set[str]] = {}
    for case in cases:
        if found := re.match(r"quiet: (\w+): ", case["name"]):
            assert [[]] == [each["exp_samples"] for each in case["promql_expr_test"]], case["name"]
            series = {re.split(r"[{ ]", each["series"])[0] for each in case["input_series"]}
            fed[found[1]] = fed.get(found[1], set()) | series
    needed: dict[str, set[str]] = {}
    for rule in alerts():
        read = names(written_out(rule["expr"])) - {"up"}
        needed[rule["alert"]] = needed.get(rule["alert"], set()) | read

    assert needed.keys() == fed.keys()
    assert {} == {name: lacking for name, read in needed.items() if (lacking := read - fed[name])}


def test_the_compose_file_follows_the_schema() -> None:
    """No unknown key and no wrong type."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    check.append(str(MONITORING / "compose.yaml"))
    done = subprocess.run(check, capture_output=True, text=True, check=False)

    assert (0, "ok -- validation done\n") == (done.returncode, done.stdout)


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_runs_only_when_asked_for_and_only_for_this_machine(name: str) -> None:
    """It has the profile; ports are on loopback; files of ours cannot be written."""
    service = COMPOSE["services"][name]
    binds = [volume for volume in service["volumes"] if isinstance(volume, dict)]

    assert ["monitoring"] == service["profiles"]
    assert [] == [port for port in service.get("ports", []) if not port.startswith("127.0.0.1:$")]
    assert [] == [volume["source"] for volume in binds if not volume["read_only"]]
    assert [] == [volume["source"] for volume in binds
                  if volume["type"] == "bind" and not (MONITORING / volume["source"]).exists()]


def test_it_joins_the_stack_s_networks_and_cache() -> None:
    """What both files name is written alike, or Compose refuses them; and compose.yaml takes it in."""
    whole = yaml.safe_load((ROOT / "compose.yaml").read_text())

    assert ["monitoring/compose.yaml"] == whole["include"]
    for part in ("networks", "volumes"):
        common = COMPOSE[part].keys() & whole[part].keys()
        assert {name: whole[part][name] for name in common} == {name: COMPOSE[part][name] for name in common}


def test_grafana_finds_what_is_mounted() -> None:
    """The provider's folder and the first board are where Compose puts them."""
    grafana = COMPOSE["services"]["grafana"]
    binds = [volume for volume in grafana["volumes"] if isinstance(volume, dict)]
    targets = {volume["target"]: volume["source"] for volume in binds}
    provider = yaml.safe_load((MONITORING / "grafana/provisioning/dashboards/paddock.yml").read_text())
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert "./grafana/dashboards" == targets[provider["providers"][0]["options"]["path"]]
    assert (MONITORING / "grafana/dashboards" / home.removeprefix("/etc/grafana/dashboards/")).exists()


# What Grafana's documentation of provisioning names; it passes over anything else without a word.
PROVIDER = {"name", "orgId", "folder", "folderUid", "type", "disableDeletion", "updateIntervalSeconds",
            "allowUiUpdates", "options"}
SOURCE = {"name", "type", "access", "orgId", "uid", "url", "user", "database", "basicAuth", "basicAuthUser",
          "withCredentials", "isDefault", "jsonData", "secureJsonData", "version", "editable"}
PROMETHEUS = {"httpMethod", "timeInterval", "queryTimeout", "manageAlerts", "allowAsRecordingRulesTarget",
              "prometheusType", "prometheusVersion", "cacheLevel", "disableMetricsLookup",
              "customQueryParameters", "incrementalQuerying", "exemplarTraceIdDestinations"}


def test_provisioning_has_the_documented_keys_and_no_other() -> None:
    """A misspelt key would change nothing and say nothing."""
    folder = MONITORING / "grafana/provisioning"
    boards = yaml.safe_load((folder / "dashboards/paddock.yml").read_text())
    sources = yaml.safe_load((folder / "datasources/prometheus.yml").read_text())
    (provider,), (source,) = boards["providers"], sources["datasources"]

    assert ({"apiVersion", "providers"}, {"apiVersion", "datasources"}) == (boards.keys(), sources.keys())
    assert (1, 1) == (boards["apiVersion"], sources["apiVersion"])
    assert set() == provider.keys() - PROVIDER
    assert {"path"} == provider["options"].keys()
    assert set() == source.keys() - SOURCE
    assert set() == source["jsonData"].keys() - PROMETHEUS


def test_rates_are_taken_over_the_slowest_scrape() -> None:
    """Grafana's shortest window is four of the intervals that the data source is told."""
    told = yaml.safe_load((MONITORING / "grafana/provisioning/datasources/prometheus.yml").read_text())
    scraped = yaml.safe_load((MONITORING / "prometheus.yml").read_text())
    jobs = [scraped["global"], *scraped["scrape_configs"]]
    slowest = max(int(job["scrape_interval"].removesuffix("s")) for job in jobs if "scrape_interval" in job)

    assert f"{slowest}s" == told["datasources"][0]["jsonData"]["timeInterval"]


def start_grafana(folder: Path, password: str) -> subprocess.CompletedProcess[str]:
    """Run Grafana's start line with a stand-in for its program; give what it printed."""
    run = folder / "run.sh"
    run.write_text('#!/bin/sh\necho "password $GF_SECURITY_ADMIN_PASSWORD"\n')
    run.chmod(0o755)
    script = COMPOSE["services"]["grafana"]["command"][0].replace("$$", "$")
    script = script.replace("/run.sh", str(run)).replace("/var/lib/grafana", str(folder))
    environment = {"PATH": "/usr/bin:/bin", "GF_SECURITY_ADMIN_PASSWORD": password}
    command = ["/bin/sh", "-euc", script]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def test_grafana_makes_a_password_once(tmp_path: Path) -> None:
    """Without one it is made, 24 characters that only its owner can read, and is the same ever after."""
    first, second = (start_grafana(tmp_path, "").stdout.splitlines() for _ in range(2))
    file = tmp_path / "paddock-password"

    assert first == second
    assert f"password {file.read_text().strip()}" == first[-1]
    assert 24 == len(file.read_text().strip())
    assert "0o600" == oct(file.stat().st_mode & 0o777)
    assert file.read_text().strip() not in first[0]


def test_grafana_takes_a_password_that_is_given(tmp_path: Path) -> None:
    """And makes none then."""
    assert "password correct horse\n" == start_grafana(tmp_path, "correct horse").stdout
    assert not (tmp_path / "paddock-password").exists()


def test_grafana_refuses_a_password_that_everybody_knows(tmp_path: Path) -> None:
    """Its own default is too short."""
    done = start_grafana(tmp_path, "admin")

    assert (1, "") == (done.returncode, done.stdout)
    assert "fewer than 8 characters" in done.stderr
