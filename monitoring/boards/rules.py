"""The rules, read for the boards: the alerts that are ours, and what a recorded name stands for.

Knows: the form of Prometheus's rule files. Knows nothing of: panels.
"""

import functools
import re
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

FOLDER = Path(__file__).parents[1] / "rules"


@functools.cache
def rules() -> list[dict[str, Any]]:
    """Read all rules, those that record and those that alert."""
    read = [yaml.safe_load(path.read_text()) for path in sorted(FOLDER.glob("*.yml"))]
    return [rule for one in read for group in one["groups"] for rule in group["rules"]]


def firing() -> str:
    """Choose our alerts: a Prometheus that is not ours has others, too."""
    names = sorted({rule["alert"] for rule in rules() if "alert" in rule})
    return f'ALERTS{{alertstate="firing", alertname=~"{"|".join(names)}"}}'


def would_fire() -> dict[str, str]:
    """Give for each alert an expression that has a value while it would fire, without our rules.

    One that has to last holds now, and at each full minute of its time.
    """
    found: dict[str, list[str]] = {}
    for rule in rules():
        if "alert" in rule:
            count = f"count({written_out(rule['expr'])})"
            if lasting := rule.get("for"):
                count = f"{count} and min_over_time(({count} or vector(0))[{lasting}:1m]) > 0"
            found.setdefault(rule["alert"], []).append(f"({count})")
    return {
        name: f'label_replace({" or ".join(parts)}, "alertname", "{name}", "", "")'
        for name, parts in sorted(found.items())
    }


def written_out(expression: str, given: Mapping[str, str] = MappingProxyType({})) -> str:
    """Put the rules' expressions in the place of the names that they record, chosen by their labels."""

    def one(found: re.Match[str]) -> str:
        asked = {**given, **dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))}
        parts = []
        for rule in rules():
            labels = rule.get("labels", {})
            if rule.get("record") != found[1] or any(
                asked.get(name, value) != value for name, value in labels.items()
            ):
                continue
            # What the rule does not set comes from what it is made of.
            rest = {name: value for name, value in asked.items() if name not in labels}
            part = f"({written_out(rule['expr'], rest)})"
            for name, value in labels.items():
                part = f'label_replace({part}, "{name}", "{value}", "", "")'
            parts.append(part)
        return f"({' or '.join(parts)})"

    return re.sub(r"(paddock:[\w:]+)(?:\{([^}]*)\})?", one, expression)
