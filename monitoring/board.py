"""Grafana's JSON from a few words: panels in rows that fill themselves, variables, no data source by name.

Knows: the form of a dashboard, schema 39 (Grafana 10 and newer).
Knows nothing of: what is shown.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

COLUMNS = 24
# The data source is chosen on the board, so that it names none.
SOURCE = {"type": "prometheus", "uid": "${datasource}"}
# The same in the file for an import: Grafana asks whoever imports it.
INPUT = "DS_PROMETHEUS"
TAG = "paddock"


@dataclass(frozen=True)
class Query:
    """One expression and how its lines are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture. Units: width in columns of 24, height in Grafana's rows; unit is Grafana's word.

    needs_rules: it shows what only our rules make, so an import leaves it out.
    colours: of lines whose name ends in one of some words, of a state-timeline; others are red.
    """

    title: str
    queries: Sequence[Query]
    unit: str = "short"
    kind: str = "timeseries"
    about: str = ""
    width: int = 8
    height: int = 8
    is_stacked: bool = False
    most: float | None = None
    bounds: Sequence[tuple[float, str]] = ()
    needs_rules: bool = False
    colours: Sequence[tuple[str, str]] = ()

    def body(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Write it."""
        fill = 30 if self.is_stacked else 8
        drawing: dict[str, Any] = {"lineWidth": 1, "fillOpacity": fill, "showPoints": "never"}
        if self.is_stacked:
            drawing["stacking"] = {"mode": "normal", "group": "A"}
        defaults: dict[str, Any] = {"unit": self.unit, "min": 0, "custom": drawing}
        if self.most is not None:
            defaults["max"] = self.most
        if self.kind in ("stat", "heatmap", "state-timeline"):
            defaults["custom"] = {}
        if self.kind == "state-timeline":
            # Its own default colours by value, which makes each state that is on look like trouble.
            defaults["color"] = _fixed("red")
        if self.bounds:
            steps: list[dict[str, Any]] = [{"color": self.bounds[0][1], "value": None}]
            steps += [{"color": colour, "value": value} for value, colour in self.bounds[1:]]
            defaults["thresholds"] = {"mode": "absolute", "steps": steps}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.about,
            "datasource": SOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "fieldConfig": {
                "defaults": defaults,
                "overrides": [self._override(*each) for each in self.colours],
            },
            "options": _OPTIONS[self.kind],
            "targets": [self._target(at, query) for at, query in enumerate(self.queries)],
        }

    @staticmethod
    def _override(words: str, colour: str) -> dict[str, Any]:
        return {
            "matcher": {"id": "byRegexp", "options": f"/\\b({words})$/"},
            "properties": [{"id": "color", "value": _fixed(colour)}],
        }

    def _target(self, at: int, query: Query) -> dict[str, Any]:
        is_heatmap, is_stat = self.kind == "heatmap", self.kind == "stat"
        return {
            "refId": chr(ord("A") + at),
            "datasource": SOURCE,
            "expr": query.expression,
            "legendFormat": "{{le}}" if is_heatmap else query.legend or "__auto",
            "format": "heatmap" if is_heatmap else "time_series",
            "instant": is_stat,
            "range": not is_stat,
            # A dot on a line is one chat; its request id finds it in the gateway's log.
            "exemplar": "_bucket" in query.expression and "paddock_" in query.expression and not is_stat,
        }


@dataclass(frozen=True)
class Row:
    """A heading and the panels below it."""

    title: str
    panels: Sequence[Panel]


def board(title: str, about: str, rows: Sequence[Row]) -> dict[str, Any]:
    """Write a dashboard."""
    panels: list[dict[str, Any]] = []
    y = 0
    for row in rows:
        panels.append(_heading(row, len(panels) + 1, y, is_folded=False))
        placed, y = _placed(row, len(panels) + 1, y + 1)
        panels += placed
    return _document(title, about, panels, _variables(str(panels)))


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
            }
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


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
        "textMode": "auto",
    },
    "heatmap": {
        "calculate": False,
        "yAxis": {"unit": "s"},
        "color": {"mode": "scheme", "scheme": "Oranges", "steps": 64},
        "exemplars": {"color": "rgba(255,0,255,0.7)"},
        "tooltip": {"mode": "single", "yHistogram": False},
    },
    "state-timeline": {"showValue": "never", "mergeValues": True, "rowHeight": 0.8, "legend": _LEGEND},
}
