#!/usr/bin/env python3
"""Tell Prometheus of this machine's GPUs what nvidia-smi tells, under the names of NVIDIA's own exporter.

usage: gpu_exporter.py [--host HOST] [--port PORT]        default: 127.0.0.1, port 9400

For machines where dcgm-exporter does not run: without Docker, in WSL, with cards or drivers that DCGM does
not know. Boards and rules take it for the other. What nvidia-smi does not tell of a card is absent, as are
energy (the rules take the power), Xid errors (dmesg has them) and replaced memory rows. Standard library
only.

exit: 0 told to stop, 1 there is no nvidia-smi, 2 wrong usage
"""
# ruff: noqa: S603 - the command is our own list of words and no shell reads it

from __future__ import annotations

import argparse
import shutil
import signal
import subprocess
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

# What nvidia-smi is asked for, the name of it, meaning.
FIELDS = (
    ("memory.used", "DCGM_FI_DEV_FB_USED", "Memory used (MiB)."),
    ("memory.free", "DCGM_FI_DEV_FB_FREE", "Memory free (MiB)."),
    ("utilization.gpu", "DCGM_FI_DEV_GPU_UTIL", "Share of time in which a kernel ran (%)."),
    (
        "utilization.memory",
        "DCGM_FI_DEV_MEM_COPY_UTIL",
        "Share of time in which memory was read or written (%).",
    ),
    ("power.draw", "DCGM_FI_DEV_POWER_USAGE", "Power (W)."),
    ("temperature.gpu", "DCGM_FI_DEV_GPU_TEMP", "Temperature (C)."),
    ("clocks.sm", "DCGM_FI_DEV_SM_CLOCK", "Clock of the processors (MHz)."),
)
QUERY = ",".join(["index", "uuid", "name", *(asked for asked, _, _ in FIELDS)])
# A driver that is not kept loaded takes seconds to answer.
LIMIT_SECONDS = 8.0


class Silent(Exception):
    """nvidia-smi did not tell; the text says why."""


def ask(program: str) -> str:
    """Run nvidia-smi; give a line for each card. Raises: Silent."""
    command = [program, f"--query-gpu={QUERY}", "--format=csv,noheader,nounits"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=LIMIT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as failure:
        raise Silent(f"nvidia-smi: {failure}") from None
    if done.returncode != 0:
        raise Silent(f"nvidia-smi ended with {done.returncode}: {(done.stdout + done.stderr).strip()}")
    return done.stdout


def page(told: str) -> str:
    """Write the metrics of what nvidia-smi told."""
    samples: dict[str, list[str]] = {name: [] for _, name, _ in FIELDS}
    for line in told.splitlines():
        index, uuid, model, *values = (word.strip() for word in line.split(","))
        labels = ",".join(
            f'{key}="{text}"' for key, text in (("gpu", index), ("UUID", uuid), ("modelName", plain(model)))
        )
        for (_, name, _), value in zip(FIELDS, values, strict=False):
            if is_number(value):
                samples[name].append(f"{name}{{{labels}}} {value}")
    lines = []
    for _, name, meaning in FIELDS:
        if samples[name]:
            lines += [f"# HELP {name} {meaning}", f"# TYPE {name} gauge", *samples[name]]
    return "".join(f"{line}\n" for line in lines)


def plain(text: str) -> str:
    """Leave out what a label's value would have to escape."""
    return "".join(c for c in text if c.isprintable() and c not in '"\\')


def is_number(text: str) -> bool:
    """Say whether a card told a value, and not [N/A] or [Not Supported]."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def server(program: str, host: str, port: int) -> ThreadingHTTPServer:
    """Make the server; port 0 takes any free one."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, body = (
                    (200, page(ask(program))) if self.path == "/metrics" else (404, "see /metrics\n")
                )
            except Silent as why:
                status, body = 503, f"{why}\n"
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
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9400)
    given = parser.parse_args(arguments)
    program = shutil.which("nvidia-smi")
    if program is None:
        sys.stderr.write("gpu_exporter.py: there is no nvidia-smi here; it comes with NVIDIA's driver\n")
        return 1
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server(program, given.host, given.port).serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
