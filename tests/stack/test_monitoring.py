"""The monitoring profile in real containers: up, scraped, provisioned, and open to nobody else."""

import base64
import http.client
import json
import os
import subprocess
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.fakes.hub import Hub
from tests.fakes.port import free_port
from tests.stack.stack import ROOT, Stack, docker, until

MONITORING = ROOT / "monitoring"
SERVICES = {"dcgm-exporter", "grafana", "prometheus"}
ADDRESS = "127.0.0.1"


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    """Give the ports of Prometheus and Grafana on this machine."""
    return {"PROMETHEUS_PORT": free_port(), "GRAFANA_PORT": free_port()}


@pytest.fixture(scope="module")
def watched(checkout: Path, images: None, hub: Hub, ports: dict[str, int]) -> Iterator[Stack]:
    """Give the project with its profile on, not yet up; the tests run in order."""
    settings = {"HF_ENDPOINT": hub.url, "COMPOSE_PROFILES": "monitoring"}
    settings |= {name: str(port) for name, port in ports.items()}
    stack = Stack(f"paddock-watched-{os.getpid()}", checkout, settings=settings)
    try:
        yield stack
    finally:
        stack.down()


def asked(port: int, path: str, password: str = "") -> tuple[int, Any]:
    """Ask Prometheus, or Grafana as its admin; give the status and the JSON."""
    headers = {}
    if password:
        headers["authorization"] = "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
    connection = http.client.HTTPConnection(ADDRESS, port, timeout=20)
    try:
        connection.request("GET", path, headers=headers)
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def values(port: int, expression: str, path: str = "/api/v1/query", password: str = "") -> dict[str, float]:
    """Ask a query; give its values by the instance they are of."""
    status, told = asked(port, f"{path}?{urllib.parse.urlencode({'query': expression})}", password)
    assert status == 200, told
    found = told["data"]["result"]
    return {one["metric"].get("instance", ""): float(one["value"][1]) for one in found}


def password_of(stack: Stack) -> str:
    """Read the password as docs/metrics.md says."""
    return stack.do("exec", "--no-TTY", "grafana", "cat", "/var/lib/grafana/paddock-password").strip()


def test_up_ends_well_the_first_time_and_again(watched: Stack, figures: dict[str, str]) -> None:
    """--wait returns 0 twice, and whoever has a check is healthy."""
    figures["up --wait with the monitoring profile"] = f"{watched.up():.1f} s"
    figures["up --wait with it again"] = f"{watched.up():.1f} s"
    health = {c["Config"]["Labels"]["com.docker.compose.service"]:
              c["State"].get("Health", {"Status": c["State"]["Status"]})["Status"]
              for c in watched.containers()}

    # NVIDIA's image has no check of its own, and nothing in it that could ask.
    assert health == dict.fromkeys(("download", "engine", "frontend", "gateway", "grafana", "prometheus"),
                                   "healthy") | {"dcgm-exporter": "running"}


def test_prometheus_reads_everything(watched: Stack, ports: dict[str, int]) -> None:
    """Gateway, engine, supervisor and GPU, found by their names, each without an error."""
    watched.wait_ready()
    port = ports["PROMETHEUS_PORT"]
    until(lambda: sum(values(port, "count(up == 1)").values()) == 4, "not every target is read")

    def errors() -> dict[str, str]:
        told = asked(port, "/api/v1/targets")[1]["data"]["activeTargets"]
        return {one["labels"]["job"]: one["lastError"] for one in told}

    # A scrape that a busy machine lets run out of time is followed by one that does not.
    until(lambda: not any(errors().values()), "a target is read with errors")
    assert errors().keys() == {"gateway", "engine", "supervisor", "gpu"}


def test_the_engine_has_one_name_everywhere(watched: Stack, ports: dict[str, int]) -> None:
    """What the gateway calls the replica is the instance of the engine and of its supervisor."""
    port = ports["PROMETHEUS_PORT"]
    watched.chat()
    until(lambda: values(port, "tgi_request_success > 0") != {}, "TGI's figures have not come")
    joined = ('count by (instance) (label_replace(paddock_replica_ready, "instance", "$1", "replica", "(.*)")'
              " * on (instance) group_left () tgi_request_success"
              ' * on (instance) group_left () paddock_engine_phase{phase="ready"})')

    until(lambda: list(values(port, joined).values()) == [1.0], "they have not one name")


def test_prometheus_has_every_rule(watched: Stack, ports: dict[str, int]) -> None:
    """The mounted files are those of the repository, and each rule was evaluated without an error."""
    port = ports["PROMETHEUS_PORT"]
    written = [rule.get("alert") or rule["record"] for path in sorted((MONITORING / "rules").glob("*.yml"))
               for group in yaml.safe_load(path.read_text())["groups"] for rule in group["rules"]]

    def rules() -> list[dict[str, Any]]:
        groups = asked(port, "/api/v1/rules")[1]["data"]["groups"]
        return [rule for group in groups for rule in group["rules"]]

    until(lambda: all(rule["health"] == "ok" for rule in rules()), "a rule is not well")
    assert sorted(rule["name"] for rule in rules()) == sorted(written)


def test_grafana_shows_the_boards(watched: Stack, ports: dict[str, int]) -> None:
    """Its folder of provisioning is ours; admin finds five boards and a data source that answers."""
    port, password = ports["GRAFANA_PORT"], password_of(watched)
    found = asked(port, "/api/search?type=dash-db", password)[1]
    proxied = "/api/datasources/proxy/uid/paddock/api/v1/query"
    mounted = watched.do("exec", "--no-TTY", "grafana", "sh", "-c",
                         'cat "$GF_PATHS_PROVISIONING"/*/*.yml "$GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"')
    ours = [*sorted(MONITORING.glob("grafana/provisioning/*/*.yml")),
            MONITORING / "grafana/dashboards/users.json"]

    assert {one["title"] for one in found} == {
        f"Paddock: {name}" for name in ("Users", "Queue", "Engine", "Machine", "Starts")}
    until(lambda: sum(values(port, "count(up == 1)", proxied, password).values()) == 4, "no data in Grafana")
    assert mounted == "".join(path.read_text() for path in ours)


def test_the_password_was_made_here(watched: Stack) -> None:
    """24 characters that only Grafana's user can read; neither its log nor its settings hold them."""
    password = password_of(watched)
    mode = watched.do("exec", "--no-TTY", "grafana", "stat", "-c", "%a %u",
                      "/var/lib/grafana/paddock-password").split()
    (container,) = watched.containers("grafana")

    assert (len(password), mode) == (24, ["600", "472"])
    assert password not in watched.logs("grafana") + json.dumps(container)
    assert "sign in as admin; the password: docker compose exec grafana cat" in watched.logs("grafana")


def test_the_password_outlives_the_container(watched: Stack) -> None:
    """It is in the volume: a new container has the same."""
    before = password_of(watched)
    watched.do("rm", "--force", "--stop", "grafana")
    watched.up()

    assert password_of(watched) == before


def test_a_given_password_is_taken(watched: Stack) -> None:
    """Grafana gets it as its own setting, and none is made or told."""
    watched.up("--no-deps", "grafana", GRAFANA_PASSWORD="correct horse")
    (container,) = watched.containers("grafana")

    assert "GF_SECURITY_ADMIN_PASSWORD=correct horse" in container["Config"]["Env"]
    assert "sign in as admin" not in watched.logs("grafana")
    watched.up("--no-deps", "grafana")


def test_a_password_that_everybody_knows_is_refused(watched: Stack) -> None:
    """Grafana's own default is too short, and nothing starts with it."""
    done = watched.run("run", "--rm", "--no-deps", "grafana", GRAFANA_PASSWORD="admin")

    assert done.returncode == 1
    assert "GRAFANA_PASSWORD has fewer than 8 characters" in done.stdout + done.stderr


def test_only_this_machine_reaches_it(watched: Stack, ports: dict[str, int]) -> None:
    """Two ports, both on loopback; the exporters publish none."""
    bound = {c["Config"]["Labels"]["com.docker.compose.service"]:
             [(port["HostIp"], port["HostPort"]) for ports in c["HostConfig"]["PortBindings"].values()
              for port in ports] for c in watched.containers()}

    assert {name: bound[name] for name in SERVICES} == {
        "dcgm-exporter": [], "grafana": [(ADDRESS, str(ports["GRAFANA_PORT"]))],
        "prometheus": [(ADDRESS, str(ports["PROMETHEUS_PORT"]))]}


def test_nothing_runs_with_rights_it_does_not_need(watched: Stack) -> None:
    """No capabilities and no new ones, but for NVIDIA's exporter, which alone asks for the cards."""
    facts, cards = {}, {}
    for service in sorted(SERVICES):
        (container,) = watched.containers(service)
        status = docker("exec", container["Id"], "cat", "/proc/1/status")
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        host = container["HostConfig"]
        facts[service] = (int(told["CapEff"], 16) == 0, told["NoNewPrivs"], host["Privileged"],
                          host["LogConfig"]["Config"]["max-size"])
        cards[service] = [card["Count"] for card in host["DeviceRequests"] or []]

    assert facts == {name: (name != "dcgm-exporter", "1", False, "10m") for name in SERVICES}
    assert cards == {name: [-1] if name == "dcgm-exporter" else [] for name in SERVICES}


def test_without_a_gpu_nobody_asks_for_one(checkout: Path) -> None:
    """With the overlay for the CPU the profile has all but NVIDIA's exporter."""
    files = ["--file", "compose.yaml", "--file", "compose.cpu.yaml"]
    done = subprocess.run(["docker", "compose", *files, "--profile", "monitoring", "config", "--services"],
                          cwd=checkout, capture_output=True, text=True, check=True)

    assert set(done.stdout.split()) == {"engine", "frontend", "gateway", "grafana", "prometheus"}
