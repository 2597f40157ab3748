"""Prometheus's own checks of its configuration, rules and their cases."""

import subprocess
from pathlib import Path

from tests.monitoring.files import MONITORING, RULES
from tests.monitoring.stack import program


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


def test_the_rules_are_valid_and_lint_free() -> None:
    """No duplicate, no name that Prometheus would not take."""
    promtool("check", "rules", "--lint=all", "--lint-fatal", *map(str, RULES))


def test_every_alert_fires_when_it_should_and_not_otherwise() -> None:
    """The cases of rules_test.yml."""
    assert "SUCCESS" in promtool("test", "rules", "rules_test.yml", folder=Path(__file__).parent)
