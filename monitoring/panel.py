"""One panel in Grafana's JSON, from a few words.

Knows: the form of a panel, schema 39 (Grafana 10 and newer); no data source by name.
Knows nothing of: what is shown, where on a board it stands.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

# The data source is chosen on the board, so that it names none.
SOURCE = {"type": "prometheus", "uid": "${datasource}"}


@dataclass(frozen=True)
class Query:
    """One expression and how its lines are called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True)
class Panel:
    """One picture. Units: width in columns of 24, height in Grafana's rows; unit is Grafana's word.

    needs_rules: it shows what only our rules make; an import has the unruled queries instead, or no panel.
    colours: of lines whose name ends in one of some words; others are red in a state-timeline.
    bounds: where a colour begins. A stat has it, a timeseries draws a line there.
    none: what stands there instead of a number that is none, as a share of no chats, and of no lines at all.
    names: what a stat shows: the value alone, the name alone, or both.
    words: value, text and colour of what is a state in numbers.
    link: title and address behind a value; the address may hold Grafana's variables.
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
    unruled: Sequence[Query] = ()
    colours: Sequence[tuple[str, str]] = ()
    none: str = ""
    names: str = "auto"
    link: tuple[str, str] | None = None
    words: Sequence[tuple[float, str, str]] = ()

    def body(self, number: int, x: int, y: int) -> dict[str, Any]:
        """Write it."""
        fill = 30 if self.is_stacked else 8
        # A value between two that are none, as of one lone chat, is a point.
        drawing: dict[str, Any] = {"lineWidth": 1, "fillOpacity": fill, "showPoints": "auto"}
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
            if self.kind == "timeseries":
                drawing["thresholdsStyle"] = {"mode": "dashed"}
        if self.none:
            defaults["noValue"] = self.none
            said = {"index": 0, "text": self.none, "color": "text"}
            if self.kind == "stat":
                defaults["mappings"] = [{"type": "special", "options": {"match": "null+nan", "result": said}}]
        if self.words:
            told = {
                f"{value:g}": {"index": at, "text": text, "color": colour}
                for at, (value, text, colour) in enumerate(self.words)
            }
            defaults["mappings"] = [{"type": "value", "options": told}]
        if self.link:
            defaults["links"] = [{"title": self.link[0], "url": self.link[1], "targetBlank": True}]
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
            "options": self._options(),
            "targets": [self._target(at, query) for at, query in enumerate(self.queries)],
        }

    def _options(self) -> dict[str, Any]:
        options = dict(_OPTIONS[self.kind])
        if self.kind == "stat":
            options["textMode"] = self.names
        if self.is_stacked:
            # Of a dozen codes those that happened.
            options["tooltip"] = {**options["tooltip"], "hideZeros": True}
        return options

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


def _fixed(colour: str) -> dict[str, str]:
    return {"mode": "fixed", "fixedColor": colour}


_LEGEND = {"showLegend": True, "displayMode": "list", "placement": "bottom", "calcs": []}
_OPTIONS: dict[str, dict[str, Any]] = {
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "stat": {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",
        "graphMode": "none",
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
