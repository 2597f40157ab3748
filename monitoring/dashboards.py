#!/usr/bin/env python3
"""Paddock's dashboards and the page of runbooks, each from its one source.

usage: .venv/bin/python monitoring/dashboards.py            write the files
       .venv/bin/python monitoring/dashboards.py --check    exit 1 if one differs from what would be written

The boards of the first folder are provisioned. The file of the second is for a Grafana and a Prometheus that
know nothing of us: everything on one board, the rules' expressions written out, so that scraping suffices.
"""

import dataclasses
import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from monitoring.board import Row, board, folded
from monitoring.boards.engine import ENGINES
from monitoring.boards.machine import MACHINE
from monitoring.boards.queue import QUEUE
from monitoring.boards.rules import written_out
from monitoring.boards.starts import STARTS
from monitoring.boards.users import USERS
from monitoring.panel import Panel
from monitoring.runbooks import PAGE, SOURCE, page

HERE = Path(__file__).parent
FOLDER = HERE / "grafana/dashboards"
IMPORT = HERE / "grafana/import/paddock.json"

# File, then title, what it is about, its rows, and since when it shows them where not for an hour.
BOARDS: dict[str, tuple[str, str, list[Row]] | tuple[str, str, list[Row], str]] = {
    "users": ("Users", "How those who chat are served.", USERS),
    "queue": ("Queue", "Who waits, what they are told, and whether it is fair.", QUEUE),
    "engine": ("Engine", "TGI's own figures, and what they mean.", ENGINES),
    "machine": ("Machine", "GPU, disk and the gateway's process.", MACHINE),
    "starts": ("Starts", "Download, loading, resting and waking.", STARTS, "now-24h"),
}


def without_rules(row: Row, name: str) -> Row:
    """Give a row for a Prometheus that has not our rules; its title says of which board it is."""

    def panel(one: Panel) -> Panel:
        if one.unruled:
            # As wide as what is left out leaves it.
            return dataclasses.replace(one, queries=one.unruled, width=one.width + 4)
        queries = [dataclasses.replace(each, expression=written_out(each.expression)) for each in one.queries]
        return dataclasses.replace(one, queries=queries)

    return Row(
        f"{name}: {row.title}", [panel(one) for one in row.panels if one.unruled or not one.needs_rules]
    )


def texts() -> dict[Path, str]:
    """Write all files."""
    rows = [without_rules(row, title) for title, _, rows, *_ in BOARDS.values() for row in rows]
    boards = {FOLDER / f"{name}.json": board(*parts) for name, parts in BOARDS.items()}
    boards[IMPORT] = folded("all", "All of Paddock's boards on one.", rows)
    written = {path: json.dumps(body, indent=1, ensure_ascii=False) + "\n" for path, body in boards.items()}
    return {**written, PAGE: page(SOURCE.read_text())}


def main(arguments: list[str]) -> int:
    """Write or check the files."""
    if arguments not in ([], ["--check"]):
        sys.stderr.write((__doc__ or "") + "\n")
        return 0 if arguments in (["-h"], ["--help"]) else 2
    files = texts()
    stale = [path for path, text in files.items() if not path.exists() or path.read_text() != text]
    stale += sorted({*FOLDER.glob("*.json"), *IMPORT.parent.glob("*.json")} - files.keys())
    if arguments:
        for path in stale:
            sys.stderr.write(f"{path.name} is not what monitoring/dashboards.py writes; run it\n")
        return 1 if stale else 0
    IMPORT.parent.mkdir(exist_ok=True)
    for path, text in files.items():
        path.write_text(text)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
