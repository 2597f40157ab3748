"""An engine of a few lines that does what a plan says, so that the supervisor meets every kind of engine.

    child.py PORT PLAN    PLAN: a JSON list with one object for each start; the last one repeats

    say          lines to print first
    delay        seconds until it listens; before that a connection is refused, as with TGI
    until        a file; it listens once that exists
    exit, signal end so instead of serving
    mute         accept requests and never answer them
    ignore_term  SIGTERM does nothing
    leave        start a sleeping program in a process group of its own, as TGI's launcher does with a shard

It speaks TGI's /generate, /health, /info and /metrics, and POST /child with a JSON object: `say`, then
`exit`, or `hang` (no answer to anything from now on). n tokens take n - 1 tenths of a second.
SIGTERM closes the port, lets what runs finish, exits 0.

Knows nothing of: the supervisor.
"""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Engine(ThreadingHTTPServer):
    """The listener and what it counts."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, port: int, is_mute: bool) -> None:
        self.changed = threading.Condition()
        self.count = self.running = 0
        self.is_mute = is_mute
        super().__init__(("127.0.0.1", port), Answer)

    def drain(self) -> None:
        """Finish what runs, then exit."""
        self.socket.close()
        with self.changed:
            self.changed.wait_for(lambda: self.running == 0)
        os._exit(0)


class Answer(BaseHTTPRequestHandler):
    """One request."""

    server: Engine

    def do_GET(self) -> None:
        """Answer what TGI answers."""
        self._hang_if_mute()
        engine = self.server
        if self.path == "/info":
            self._send(json.dumps({"model_id": "child", "version": "1.0-child"}))
        elif self.path == "/metrics":
            self._send(f"# TYPE tgi_request_count counter\ntgi_request_count {engine.count}\n"
                       f"tgi_batch_current_size {engine.running}\ntgi_queue_size 0\n")
        else:
            self._send("")

    def do_POST(self) -> None:
        """Generate, or do what the test wants."""
        self._hang_if_mute()
        body: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/child":
            say(body.get("say", []))
            if "exit" in body:
                os._exit(body["exit"])
            self.server.is_mute = body.get("hang", False)
            return self._send("{}")
        engine, tokens = self.server, int(body["parameters"]["max_new_tokens"])
        with engine.changed:
            engine.count += 1
            engine.running += 1
        time.sleep((tokens - 1) / 10)
        self._send(json.dumps({"generated_text": "a" * tokens, "details": {"generated_tokens": tokens}}))
        with engine.changed:
            engine.running -= 1
            engine.changed.notify_all()
        return None

    def _hang_if_mute(self) -> None:
        if self.server.is_mute:
            threading.Event().wait()

    def _send(self, text: str) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
        """Log nothing."""


def say(lines: list[str]) -> None:
    """Print lines at once."""
    for line in lines:
        print(line, flush=True)


def behaviour(plan: Path) -> dict[str, Any]:
    """Give what this start is to do, and count it."""
    starts = plan.with_suffix(".starts")
    done = len(starts.read_text()) if starts.exists() else 0
    with starts.open("a") as file:
        file.write("x")
    steps: list[dict[str, Any]] = json.loads(plan.read_text())
    return steps[min(done, len(steps) - 1)]


def main() -> None:
    """Do what the plan says."""
    port, plan = int(sys.argv[1]), Path(sys.argv[2])
    todo = behaviour(plan)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if todo.get("ignore_term") else lambda *_: os._exit(0))
    if todo.get("leave"):
        program = [sys.executable, "-c", "import time; time.sleep(600)"]
        left = subprocess.Popen(program, process_group=0)
        say([f"left {left.pid}"])
    say(todo.get("say", []))
    time.sleep(todo.get("delay", 0))
    while "until" in todo and not Path(todo["until"]).exists():
        time.sleep(0.02)
    if "exit" in todo:
        os._exit(todo["exit"])
    if "signal" in todo:
        os.kill(os.getpid(), todo["signal"])
    engine = Engine(port, todo.get("mute", False))
    if not todo.get("ignore_term"):
        signal.signal(signal.SIGTERM, lambda *_: threading.Thread(target=engine.drain).start())
    engine.serve_forever()


if __name__ == "__main__":
    main()
