"""The rules, read for the boards: the alerts that are ours, and what a recorded name stands for.

Knows: the form of Prometheus's rule files. Knows nothing of: panels.
"""

import functools
import re
from pathlib import Path
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


def written_out(expression: str) -> str:
    """Put the rules' expressions in the place of the names that they record."""

    def one(found: re.Match[str]) -> str:
        asked = dict(re.findall(r'(\w+)="([^"]*)"', found[2] or ""))
        parts = []
        for rule in rules():
            labels = rule.get("labels", {})
            if rule.get("record") == found[1] and asked.items() <= labels.items():
                part = f"({written_out(rule['expr'])})"
                for name, value in labels.items():
                    part = f'label_replace({part}, "{name}", "{value}", "", "")'
                parts.append(part)
        return f"({' or '.join(parts)})"

    return re.sub(r"(paddock:[\w:]+)(?:\{([^}]*)\})?", one, expression)
