#!/usr/bin/env python3
"""Tell Prometheus how full the model cache's disk is and how far the download came.

usage: cache_exporter.py [FOLDER] [--port PORT]        default: $HF_HOME or ~/.cache/huggingface, port 9401

Reads the folder's file system and paddock/progress.json, which the download writes. A sample that is not
known is absent. Standard library only.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

PHASES = ("checking", "downloading", "verifying", "complete", "failed")
# Name of a sample in the progress file, metric, meaning.
FIGURES = (
    ("bytes_done", "paddock_download_done_bytes", "Bytes of the model that are here."),
    ("bytes_total", "paddock_download_total_bytes", "Bytes of the model in all."),
    ("bytes_per_second", "paddock_download_rate_bytes_per_second", "How fast they come."),
    ("updated", "paddock_download_updated_timestamp_seconds", "When the download last said so."),
)


def page(folder: Path) -> str:
    """Write the metrics of one cache folder."""
    usage = shutil.disk_usage(folder)
    lines = gauge("paddock_cache_free_bytes", "Free space of the model cache's disk.", {"": usage.free})
    lines += gauge("paddock_cache_size_bytes", "Size of the model cache's disk.", {"": usage.total})
    told = progress(folder)
    if told is not None:
        phase = told.get("phase")
        phases = {f'{{phase="{each}"}}': float(each == phase) for each in PHASES}
        lines += gauge("paddock_download_phase", "1 for the phase that the download is in.", phases)
        for key, name, meaning in FIGURES:
            if isinstance(told.get(key), int | float):
                lines += gauge(name, meaning, {"": told[key]})
    return "\n".join(lines) + "\n"


def progress(folder: Path) -> dict[str, Any] | None:
    """Read the download's own word; None where there is none."""
    try:
        told = json.loads((folder / "paddock/progress.json").read_bytes())
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) else None


def gauge(name: str, meaning: str, samples: dict[str, float]) -> list[str]:
    """Write one gauge; the samples' names are their labels."""
    head = [f"# HELP {name} {meaning}", f"# TYPE {name} gauge"]
    return head + [f"{name}{labels} {value!r}" for labels, value in samples.items()]


def server(folder: Path, host: str, port: int) -> ThreadingHTTPServer:
    """Make the server; port 0 takes any free one."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = (200, page(folder)) if self.path == "/metrics" else (404, "see /metrics\n")
            except OSError as error:
                status, body = 503, f"{folder}: {error.strerror}\n"
            content = body.encode()
            self.send_response(status)
            self.send_header("content-type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *words: object) -> None:
            """Keep quiet: a line for every scrape is no news."""

    return ThreadingHTTPServer((host, port), Answer)


def main(arguments: list[str]) -> int:
    """Serve until told to stop."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    home = Path(os.environ.get("HF_HOME") or "~/.cache/huggingface").expanduser()
    parser.add_argument("folder", nargs="?", type=Path, default=home)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9401)
    given = parser.parse_args(arguments)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server(given.folder, given.host, given.port).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
