"""What is watched, started for real: an engine under its supervisor, two gateways, exporters, Prometheus.

One gateway is in front of the embedded engine, the other in front of the double of TGI, which fails when told
to. Prometheus reads the project's own configuration; only addresses and intervals differ.

Knows:  how each is started, and asking Prometheus.
Knows nothing of: what is asked of the gateways.
"""

import contextlib
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import yaml

from gateway.download.progress import State
from tests.contract.target import model_path
from tests.contract.wire import ask
from tests.fakes.double import ThreadDouble, thread_double
from tests.fakes.port import free_port
from tests.live.stack import gateway
from tests.monitoring.files import MONITORING, ROOT
from tests.monitoring.gpu import exporter

LIMIT_SECONDS = 90.0
_POLL_SECONDS = 0.1


def program(name: str) -> str:
    """Find prometheus or promtool: what scripts/prepare unpacked, else the machine's."""
    own = ROOT / ".cache/prometheus/usr/bin" / name
    found = str(own) if own.exists() else shutil.which(name)
    assert found, f"{name} is missing; run: scripts/prepare prometheus"
    return found


@dataclass(frozen=True)
class Watched:
    """Everything that runs."""

    port: int
    faulty_port: int
    double: ThreadDouble
    control_port: int
    prometheus_port: int
    # When the load had ended, as Unix time: queries are of that moment, however long the tests take.
    at: float | None = None

    def ask(self, path: str, **query: str) -> Any:
        """Ask Prometheus's API."""
        reply = ask(self.prometheus_port, "GET", f"/api/v1/{path}?{urllib.parse.urlencode(query)}")
        assert reply.status == 200, reply.body
        return reply.document["data"]

    def offered(self, series: str, label: str) -> list[str]:
        """Give the values of a label, as Grafana asks for a board's choices."""
        found: list[str] = self.ask(f"label/{label}/values", **{"match[]": series})
        return found

    def values(self, expression: str, at: float | None = None) -> list[float]:
        """Give the values of a query, at the load's end or another moment, that are numbers."""
        moment = at or self.at
        when = {"time": f"{moment:.3f}"} if moment else {}
        found = [float(one["value"][1]) for one in self.ask("query", query=expression, **when)["result"]]
        return [value for value in found if value == value]

    def until_values(self, expression: str) -> list[float]:
        """Wait until a query has a value: at the load's end, or soon after; an empty list after the limit."""
        deadline = time.monotonic() + LIMIT_SECONDS / 4
        found = self.values(expression)
        while not found and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
            found = self.values(expression, time.time())
        return found


@contextlib.contextmanager
def running(command: list[str], log: Path, **variables: str) -> Iterator["subprocess.Popen[bytes]"]:
    """Run a program for the length of a block."""
    foreign = ("GATEWAY_", "ENGINE_")
    environment = {key: value for key, value in os.environ.items() if not key.startswith(foreign)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment | variables, stdout=output, stderr=output
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def until(holds: Any, what: str, log: Path) -> None:
    """Wait until something holds that may also raise OSError. Raises: TimeoutError with the log."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError):
            if holds():
                return
        time.sleep(_POLL_SECONDS)
    raise TimeoutError(f"{what} within {LIMIT_SECONDS} s:\n{log.read_text()}")


def configuration(ports: dict[str, list[int]], engine: int, control: int) -> dict[str, Any]:
    """Give the project's configuration with addresses of this machine, read every second."""
    text = (MONITORING / "prometheus.yml").read_text()
    # The supervisor is shown under its engine's name: the two ports stand in the rule that does it.
    text = text.replace(':8081"', f':{control}"').replace('"$1:80"', f'"$1:{engine}"')
    read: dict[str, Any] = yaml.safe_load(text)
    read["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    read["rule_files"] = [str(MONITORING / "rules/*.yml")]
    for job in read["scrape_configs"]:
        job.pop("dns_sd_configs")
        job.pop("scrape_interval", None)
        job["scrape_timeout"] = "1s"
        job["static_configs"] = [{"targets": [f"127.0.0.1:{port}" for port in ports[job["job_name"]]]}]
    return read


@contextlib.contextmanager
def hopeless(folder: Path) -> Iterator[int]:
    """Start a gateway whose engine refuses its settings; give its port once it knows that."""
    engine, control, port = (free_port() for _ in range(3))
    ends = [sys.executable, "-c", "import sys; print('error: invalid value for --num-shard'); sys.exit(2)"]
    supervisor_log, log = folder / "hopeless.log", folder / "broken.log"
    supervisor = [sys.executable, "engine/supervisor.py", "--", *ends]
    address = {"ENGINE_PORT": str(engine), "ENGINE_CONTROL_PORT": str(control)}
    with running(supervisor, supervisor_log, HF_HOME=str(folder / "none"), IDLE_SECONDS="0", **address):
        until(lambda: ask(control, "POST", "/start").status == 200, "no supervisor", supervisor_log)
        variables = {
            "GATEWAY_PORT": str(port),
            "GATEWAY_ENGINE_URL": f"http://127.0.0.1:{engine}",
            "GATEWAY_ENGINE_CONTROL_PORT": str(control),
        }
        with running([sys.executable, "-m", "gateway"], log, **variables):
            until(lambda: ask(port, "GET", "/stats").document["phase"] == "failed", "not failed", log)
            yield port


@contextlib.contextmanager
def watched(folder: Path) -> Iterator[Watched]:
    """Start everything, and wait until every target is read."""
    with contextlib.ExitStack() as stack:
        engine, control, prometheus = (free_port() for _ in range(3))
        supervisor_log, prometheus_log = folder / "supervisor.log", folder / "prometheus.log"
        stack.enter_context(
            running(
                [sys.executable, "engine/supervisor.py", "--", sys.executable, "-m", "engine"],
                supervisor_log,
                MODEL_PATH=model_path(),
                HF_HOME=str(folder / "cache"),
                ENGINE_PORT=str(engine),
                ENGINE_CONTROL_HOST="127.0.0.1",
                ENGINE_CONTROL_PORT=str(control),
                ENGINE_DRAIN_SECONDS="2",
                ENGINE_SLOTS="2",
                ENGINE_THREADS="1",
                IDLE_SECONDS="0",
            )
        )
        download = folder / "cache/paddock"
        download.mkdir(parents=True)
        state = State("a/b", "complete", 9, 9, 3.0, 0.0, 1, 1, None, time.time())
        (download / "progress.json").write_text(json.dumps(asdict(state)))
        double = stack.enter_context(thread_double(slots=2))
        until(
            lambda: ask(control, "GET", "/state").document["phase"] == "ready",
            "the engine is not ready",
            supervisor_log,
        )
        # A rest and a wake, so that there is an exit to tell of.
        ask(control, "POST", "/stop")
        until(lambda: ask(control, "GET", "/state").document["phase"] == "stopped", "no stop", supervisor_log)
        ask(control, "POST", "/start")
        until(lambda: ask(control, "GET", "/state").document["phase"] == "ready", "no wake", supervisor_log)
        good = stack.enter_context(
            gateway(
                engine,
                GATEWAY_ENGINE_CONTROL_PORT=str(control),
                GATEWAY_SLOTS="2",
                GATEWAY_DOWNLOAD_FILE=str(download / "progress.json"),
                GATEWAY_SITE_DIR=str(ROOT / "frontend/site"),
            )
        )
        faulty = stack.enter_context(
            gateway(
                double.port, GATEWAY_SLOTS="2", GATEWAY_BACKLOG_LIMIT="3", GATEWAY_WAIT_LIMIT_SECONDS="20"
            )
        )
        broken = stack.enter_context(hopeless(folder))
        ports = {
            "gateway": [good.port, faulty.port, broken],
            "engine": [engine, double.port],
            "supervisor": [control],
            "gpu": [stack.enter_context(exporter())],
        }
        file = folder / "prometheus.yml"
        file.write_text(yaml.safe_dump(configuration(ports, engine, control)))
        stack.enter_context(
            running(
                [
                    program("prometheus"),
                    f"--config.file={file}",
                    f"--storage.tsdb.path={folder / 'tsdb'}",
                    f"--web.listen-address=127.0.0.1:{prometheus}",
                    "--enable-feature=exemplar-storage",
                ],
                prometheus_log,
            )
        )
        found = Watched(good.port, faulty.port, double, control, prometheus)
        wanted = sum(map(len, ports.values()))
        until(
            lambda: ask(prometheus, "GET", "/-/ready").status == 200 and sum(found.values("up")) == wanted,
            "not every target is read",
            prometheus_log,
        )
        yield found
