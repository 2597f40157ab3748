"""Prometheus's own checks of its configuration, rules and their cases."""

import re
import subprocess
from pathlib import Path

import yaml

from tests.monitoring.files import MONITORING, ROOT, RULES
from tests.monitoring.stack import program
from tests.unit.script import load


def promtool(*words: str, folder: Path = MONITORING) -> str:
    """Run promtool; give what it printed. Fails with that if promtool finds something."""
    command = [program("promtool"), *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    """As it is, but for the place of the rules."""
    text = (MONITORING / "prometheus.yml").read_text()
    file = tmp_path / "prometheus.yml"
    file.write_text(text.replace("/etc/prometheus/rules", str(MONITORING / "rules")))

    assert f"{len(RULES)} rule files found" in promtool("check", "config", str(file))


def documented() -> str:
    """Give the lines of docs/metrics.md for a Prometheus of one's own."""
    (written,) = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs/metrics.md").read_text(), re.DOTALL)
    return str(written)


def test_what_is_documented_is_a_whole_configuration(tmp_path: Path) -> None:
    """With this checkout for the place, without a word more, also for the Prometheus of Debian."""
    file = tmp_path / "prometheus.yml"
    file.write_text(documented().replace("/where/paddock/is", str(ROOT)))

    assert f"{len(RULES)} rule files found" in promtool("check", "config", str(file))


def test_its_ports_are_those_of_scripts_up() -> None:
    """Gateway, engine and supervisor are where scripts/up puts them; the jobs have Compose's names."""
    up = load("up")
    jobs = yaml.safe_load(documented())["scrape_configs"]
    compose = yaml.safe_load((MONITORING / "prometheus.yml").read_text())["scrape_configs"]
    targets = {job["job_name"]: job["static_configs"][0]["targets"] for job in jobs}

    assert {
        "gateway": [f"127.0.0.1:{up.DEFAULT_PORT}"],
        "engine": [f"127.0.0.1:{up.ENGINE_PORT}"],
        "supervisor": [f"127.0.0.1:{up.CONTROL_PORT}"],
    } == targets
    assert targets.keys() <= {job["job_name"] for job in compose}
    assert [f"127.0.0.1:{up.ENGINE_PORT}"] == [rule["replacement"] for rule in jobs[2]["relabel_configs"]]


def test_the_rules_are_valid_and_lint_free() -> None:
    """No duplicate, no name that Prometheus would not take."""
    promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))


def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    """The cases of rules_test.yml."""
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml", folder=Path(__file__).parent)
