"""Panels, rules, alerts and rows of the documents, read from their files.

Knows:  where the files are and which metric names a query holds.
Knows nothing of: what they mean.
"""

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "monitoring"
RULES = sorted((MONITORING / "rules").glob("*.yml"))
BOARDS = sorted((MONITORING / "grafana/dashboards").glob("*.json"))
# The one file for a Grafana of one's own.
IMPORT = MONITORING / "grafana/import/paddock.json"
# The families that our queries may name, by how a name begins.
NAME = re.compile(r"\b(?:paddock[_:]|tgi_|DCGM_|process_)[\w:]+|\bup\b(?=[{ )]|$)")
# A series as PromQL writes it: name, and matchers where there are any.
SERIES = re.compile(rf"({NAME.pattern})(\{{[^}}]*\}})?")


@dataclass(frozen=True)
class Asked:
    """One query of a panel."""

    board: str
    panel: str
    expression: str

    def __str__(self) -> str:
        """Name it in a test's report."""
        return f"{self.board}: {self.panel}: {self.expression[:60]}"


def board(path: Path) -> dict[str, Any]:
    """Read a dashboard."""
    read: dict[str, Any] = json.loads(path.read_text())
    return read


def panels(path: Path) -> list[dict[str, Any]]:
    """Give every panel of a board, headings and what is folded below them included."""
    return [one for panel in board(path)["panels"] for one in (panel, *panel.get("panels", []))]


def asked() -> list[Asked]:
    """Give every query of every panel."""
    return [
        Asked(path.parent.name if path == IMPORT else path.stem, panel["title"], target["expr"])
        for path in (*BOARDS, IMPORT)
        for panel in panels(path)
        for target in panel.get("targets", [])
    ]


def interpolated(expression: str, **chosen: list[str]) -> str:
    """Fill in a board's variables as Grafana's Prometheus data source does; a variable not given is All.

    All is the variable's own allValue, as it stands. Chosen values are escaped for a regular expression in a
    quoted string, and several are alternatives in parentheses. A rate's shortest window is four scrapes.
    """
    text = expression.replace("$__rate_interval", "1m")
    for name in ("model", "replica"):
        values = [re.sub(r"[$^*{}\[\]+?.()|]", r"\\\\\g<0>", value) for value in chosen.get(name, [])]
        filled = "|".join(values) or ".*"
        text = text.replace(f"${name}", f"({filled})" if len(values) > 1 else filled)
    assert "$" not in text, text
    return text


def rules() -> list[dict[str, Any]]:
    """Give every rule, those that record and those that alert."""
    groups = [group for path in RULES for group in yaml.safe_load(path.read_text())["groups"]]
    return [rule for group in groups for rule in group["rules"]]


def alerts() -> list[dict[str, Any]]:
    """Give the rules that alert."""
    return [rule for rule in rules() if "alert" in rule]


def names(expression: str) -> set[str]:
    """Give the metric names that a query holds."""
    return set(NAME.findall(expression))


def rows(heading: str) -> dict[str, str]:
    """Give the first two columns of the table below a heading of docs/metrics.md."""
    text = (ROOT / "docs/metrics.md").read_text()
    part = text.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    return dict(re.findall(r"^\| `([\w:]+)` \|([^|]*)\|", part, re.MULTILINE))
