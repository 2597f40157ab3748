"""Grafana's JSON of a whole board: panels in rows that fill themselves, variables, links.

Knows: the form of a dashboard, schema 39 (Grafana 10 and newer).
Knows nothing of: what is shown.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from monitoring.panel import SOURCE, Panel

COLUMNS = 24
# The data source in the file for an import: Grafana asks whoever imports it.
INPUT = "DS_PROMETHEUS"
TAG = "paddock"
# Where the page is, and with it what to do about each alert: a field at the top of the board, to be corrected
# where it is elsewhere.
PAGE, PAGE_URL, RUNBOOKS = "${page}", "http://localhost:8080", "runbooks.html"


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: Sequence[Panel]


def board(title: str, about: str, rows: Sequence[Row], since: str = "now-1h") -> dict[str, Any]:
    """Write a dashboard; since is what it shows when it is opened, in Grafana's words."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        panels.append(_heading(row, len(panels) + 1, y, is_folded=False))
        placed, y = _placed(row, len(panels) + 1, y + 1)
        panels += placed
    return _document(title, about, panels, _variables(str(panels))) | {"time": {"from": since, "to": "now"}}


def folded(title: str, about: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Write a dashboard for an import, which asks for the data source; all rows but the first are folded."""
    panels: list[dict[str, Any]] = []
    number, y = 1, 0
    for at, row in enumerate(rows):
        heading = _heading(row, number, y, is_folded=at > 0)
        placed, below = _placed(row, number + 1, y + 1)
        panels.append(heading)
        if at > 0:
            heading["panels"] = placed
        else:
            panels += placed
        number, y = number + 1 + len(placed), y + 1 if at > 0 else below
    variables = _variables(str(panels))[1:]
    told = {"name": INPUT, "label": "Prometheus", "description": "It scrapes Paddock.", "type": "datasource"}
    body = {
        "__inputs": [{**told, "pluginId": "prometheus", "pluginName": "Prometheus"}],
        "__requires": [
            {"type": "grafana", "id": "grafana", "name": "Grafana", "version": "10.0.0"},
            {"type": "datasource", "id": "prometheus", "name": "Prometheus", "version": "1.0.0"},
        ],
        **_document(title, about, panels, variables),
    }
    asked: dict[str, Any] = json.loads(json.dumps(body).replace(SOURCE["uid"], f"${{{INPUT}}}"))
    return asked


def _heading(row: Row, number: int, y: int, *, is_folded: bool) -> dict[str, Any]:
    return {
        "id": number,
        "type": "row",
        "title": row.title,
        "collapsed": is_folded,
        "gridPos": {"h": 1, "w": COLUMNS, "x": 0, "y": y},
        "panels": [],
    }


def _placed(row: Row, number: int, y: int) -> tuple[list[dict[str, Any]], int]:
    """Write a row's panels side by side; give them and where the next row begins."""
    panels: list[dict[str, Any]] = []
    x = tallest = 0
    for panel in row.panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        panels.append(panel.body(number + len(panels), x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return panels, y + tallest


def _document(
    title: str, about: str, panels: list[dict[str, Any]], variables: list[dict[str, Any]]
) -> dict[str, Any]:
    return {
        "title": f"Paddock: {title}",
        "description": about,
        "tags": [TAG],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "10s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "links": [
            {
                "type": "dashboards",
                "title": "Paddock",
                "tags": [TAG],
                "asDropdown": False,
                "includeVars": True,
                "keepTime": True,
            },
            {
                "type": "link",
                "title": "What to do",
                "tooltip": "A paragraph for each alert",
                "icon": "doc",
                "url": f"{PAGE}/{RUNBOOKS}",
                "targetBlank": True,
            },
        ],
        "templating": {"list": variables},
        "annotations": {"list": []},
        "panels": panels,
    }


def _variables(panels: str) -> list[dict[str, Any]]:
    """Write the choices at the top; one that no panel asks for is hidden, and kept for the other boards."""
    chooses = "$replica" in panels
    return [
        {
            "name": "datasource",
            "type": "datasource",
            "label": "Prometheus",
            "query": "prometheus",
            "refresh": 1,
            "hide": 0,
        },
        _choice("model", "label_values(paddock_replica_info, model)", is_shown=chooses),
        _choice("replica", 'label_values(paddock_replica_info{model=~"$model"}, replica)', is_shown=chooses),
        {
            "name": "page",
            "type": "textbox",
            "label": "Paddock's page",
            "query": PAGE_URL,
            "current": {"text": PAGE_URL, "value": PAGE_URL},
            "hide": 0,
        },
    ]


def _choice(name: str, query: str, *, is_shown: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "query",
        "label": name,
        "datasource": SOURCE,
        "query": {"query": query, "refId": name},
        "definition": query,
        "refresh": 2,
        "includeAll": True,
        "multi": True,
        "allValue": ".*",
        "current": {"text": ["All"], "value": ["$__all"]},
        "sort": 1,
        "hide": 0 if is_shown else 2,
    }
