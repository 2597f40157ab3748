"""Show what several programs write: whole lines on one terminal, and a log file for each.

Knows: lines, a terminal that may be slow or gone, log files.
Knows nothing of: where the lines come from.

Standard library only. The terminal is written from a thread of its own, so a paused one pauses nobody.
"""

from __future__ import annotations

import contextlib
import json
import queue
import threading
import time
from pathlib import Path
from typing import TextIO

# Lines waiting for a slow terminal; more are left out there (log files keep every line).
TERMINAL_BACKLOG_LINES = 2000
# Log files kept for each program, the running one included.
LOGS_KEPT = 5


class Console:
    """Write whole lines to the terminal and to one log file for each program.

    The caller never waits for the terminal: lines queue for a writer thread, and when the terminal is
    slower than the programs, lines are left out there and counted.
    """

    def __init__(self, terminal: TextIO, log_folder: Path, width: int = 7) -> None:
        """Open nothing yet but the writer thread; log files open with their first line."""
        self._terminal = terminal
        self._log_folder = log_folder
        self._width = width
        self._logs: dict[str, TextIO] = {}
        self._lines: queue.Queue[str | None] = queue.Queue(TERMINAL_BACKLOG_LINES)
        self._left_out = 0
        self._writer = threading.Thread(target=self._write_lines, name="console", daemon=True)
        self._writer.start()

    def write(self, name: str, text: str) -> None:
        """Show one line of a program under its name, and keep it in the program's log."""
        text = text.removeprefix(f"{name}: ")  # some programs name themselves, too
        self._keep(name, text)
        self._show(f"{name:{self._width}} | {unfold(text)}")

    def say(self, text: str) -> None:
        """Show one line of our own, and keep it in up.log."""
        self._keep("up", text)
        self._show(text)

    def close(self) -> None:
        """Write what is queued (a second at most) and close the logs."""
        with contextlib.suppress(queue.Full):
            self._lines.put(None, timeout=1)
        self._writer.join(timeout=1)
        for log in self._logs.values():
            with contextlib.suppress(OSError):  # a full disk once more
                log.close()
        self._logs.clear()

    def _keep(self, name: str, text: str) -> None:
        # A full disk costs the log lines, not the service.
        with contextlib.suppress(OSError):
            if name not in self._logs:
                self._logs[name] = open_log(self._log_folder, name)
            self._logs[name].write(f"{time.strftime('%Y-%m-%dT%H:%M:%S')} {text}\n")
            self._logs[name].flush()

    def _show(self, line: str) -> None:
        note = f"({self._left_out} lines left out here; {self._log_folder} has them all)"
        if self._left_out and self._enqueue(note):
            self._left_out = 0
        if not self._enqueue(line):
            self._left_out += 1

    def _enqueue(self, line: str) -> bool:
        try:
            self._lines.put_nowait(line)
        except queue.Full:
            return False
        return True

    def _write_lines(self) -> None:
        while (line := self._lines.get()) is not None:
            # A terminal that went away (a closed pipe) ends the showing, not the programs.
            with contextlib.suppress(OSError, ValueError):
                self._terminal.write(line + "\n")
                self._terminal.flush()


def open_log(folder: Path, name: str) -> TextIO:
    """Open NAME.log new, after moving earlier ones to NAME.1.log, NAME.2.log ..."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = [folder / f"{name}.log", *(folder / f"{name}.{age}.log" for age in range(1, LOGS_KEPT))]
    for older, newer in zip(reversed(paths), reversed(paths[:-1]), strict=False):
        if newer.exists():
            newer.replace(older)
    return paths[0].open("w", encoding="utf-8")


def unfold(text: str) -> str:
    """Write a JSON log line for people: its event, then what is neither empty nor about the line itself."""
    if not text.startswith("{"):
        return text
    try:
        event = json.loads(text)
    except ValueError:
        return text
    rest = {key: value for key, value in event.items() if key not in ("event", "time") and value is not None}
    return " ".join([str(event.get("event", "")), *(f"{key}={value}" for key, value in rest.items())]).strip()


def readable(line: bytes) -> str:
    """Decode one line; keep the last state of a redrawn line, show control characters as such."""
    text = line.decode("utf-8", "replace").rstrip("\r").rpartition("\r")[2]
    return "".join(c if c.isprintable() or c == "\t" else f"\\x{ord(c):02x}" for c in text)
