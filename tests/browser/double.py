"""A scripted gateway: serves the page and plays one scene per chat, faults included.

A scene is a function of a Line; it decides when which bytes go out, so a test can hold an answer open.
Knows the gateway's wire. Knows nothing of the gateway's code, of engines, of models.
"""

import json
import mimetypes
import select
import socket
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# A held answer is given up after this, so that a failing test ends.
HOLD_SECONDS = 120.0
# How often a held answer looks whether its reader has gone.
LOOK_SECONDS = 0.02

STATS: dict[str, Any] = {
    "backlog": 0,
    "num_total_runners": 1,
    "model": "paddock-demo",
    "running": 0,
    "slots": 8,
    "backlog_limit": 64,
    "tokens_per_second": 0.0,
    "phase": "ready",
    "phase_seconds": 1.0,
    "reason": None,
    "demo": True,
}
MODEL: dict[str, Any] = {
    "id": "paddock-demo",
    "object": "model",
    "created": 0,
    "owned_by": "paddock",
    "context_window": 2048,
    "max_output_tokens": 1024,
    "ready": True,
    "demo": True,
    "defaults": {"temperature": 0.7, "top_p": 0.9},
}


class ReaderGoneError(Exception):
    """The browser closed the connection."""


class Log:
    """The numbered frames of one stream, for any number of readers."""

    def __init__(self) -> None:
        self.frames: list[bytes] = []
        self.is_closed = False
        self.is_stopped = False
        self._news = threading.Condition()

    def append(self, frame: bytes) -> None:
        """Add a frame under the next id."""
        with self._news:
            self.frames.append(b"id: %d\n%b" % (len(self.frames) + 1, frame))
            self._news.notify_all()

    def close(self, *, is_stopped: bool = False) -> None:
        """End it; a stopped one has no last frame."""
        with self._news:
            self.is_closed, self.is_stopped = True, self.is_stopped or is_stopped
            self._news.notify_all()

    def read(self, handler: BaseHTTPRequestHandler, cursor: int, is_cut: Callable[[], bool]) -> None:
        """Write the frames behind a cursor and those to come, until either side ends or the line is cut."""
        while not is_cut():
            with self._news:
                if cursor == len(self.frames) and not self.is_closed:
                    self._news.wait(LOOK_SECONDS)
                fresh, is_over = self.frames[cursor:], self.is_closed
            if fresh:
                cursor += len(fresh)
                handler.wfile.write(b"".join(fresh))
                handler.wfile.flush()
            elif is_over or has_left(handler.connection):
                return


class Line:
    """One chat's connection, as a scene sees it; what it says can be chained."""

    def __init__(
        self, handler: BaseHTTPRequestHandler, body: dict[str, Any], log: Log | None = None
    ) -> None:
        self.body = body
        self._handler = handler
        self._log = log
        self._is_open = False

    def refuse(self, status: int, code: str, message: str, retry_after_seconds: int | None = None) -> None:
        """Answer with an error status and the envelope."""
        envelope = error(code, message, retry_after_seconds)
        headers = {} if retry_after_seconds is None else {"Retry-After": str(retry_after_seconds)}
        send_json(self._handler, envelope, status, headers)

    def progress(self, **facts: Any) -> "Line":
        """Tell how the wait goes."""
        self.frame(json.dumps(facts), event="progress")
        return self

    def say(self, *texts: str) -> "Line":
        """Send each text as a delta."""
        for text in texts:
            choice = {"index": 0, "delta": {"content": text}, "finish_reason": None}
            self.frame(json.dumps({"choices": [choice]}))
        return self

    def finish(self, reason: str = "stop", tokens: int = 12) -> "Line":
        """End well: finish, usage, done."""
        self.frame(json.dumps({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
        usage = {"prompt_tokens": 20, "completion_tokens": tokens, "total_tokens": 20 + tokens}
        timings = {
            "wait_seconds": 0.0,
            "first_token_seconds": 0.05,
            "generation_seconds": 0.5,
            "tokens_per_second": 24.0,
        }
        self.frame(json.dumps({"choices": [], "usage": usage, "timings": timings}))
        self.frame("[DONE]")
        return self

    def fail(self, code: str, message: str) -> "Line":
        """End with an error frame, as the gateway does when the engine breaks."""
        self.frame(json.dumps(error(code, message)))
        return self

    def hold(self, until: threading.Event) -> "Line":
        """Stay silent until the event. Raises: ReaderGoneError when the browser leaves first."""
        if self._log is None:
            self._open()
        for _ in range(int(HOLD_SECONDS / LOOK_SECONDS)):
            if until.wait(LOOK_SECONDS):
                return self
            if self._log is not None:
                if self._log.is_stopped:
                    raise ReaderGoneError
            elif has_left(self._handler.connection):
                raise ReaderGoneError
        return self

    def frame(self, data: str, event: str | None = None) -> None:
        """Send one event."""
        name = "" if event is None else f"event: {event}\n"
        frame = f"{name}data: {data}\n\n".encode()
        if self._log is not None:
            self._log.append(frame)
            return
        self._open()
        self._handler.wfile.write(frame)
        self._handler.wfile.flush()

    def _open(self) -> None:
        if not self._is_open:
            self._is_open = True
            begin_stream(self._handler)


Scene = Callable[[Line], object]


class Double:
    """The server; `scenes` are played in order, the last one again and again."""

    def __init__(self, site: Path, scenes: list[Scene]) -> None:
        self.site = site
        self.scenes = scenes
        self.asked: list[dict[str, Any]] = []
        self.departures = 0
        self.model: dict[str, Any] | None = dict(MODEL)
        self.is_stats_broken = False
        # With streams that can be followed again, as the gateway has them; and what befalls those.
        self.keeps_streams = False
        self.logs: dict[str, Log] = {}
        self.followed: list[str] = []
        self.cuts = 0
        self.key: str | None = None
        # Cleared, it keeps who wants tokens counted waiting.
        self.counting = threading.Event()
        self.counting.set()
        self.seen: list[dict[str, str]] = []
        self.policy = CONTENT_SECURITY_POLICY
        self._stats = dict(STATS)
        self._news = threading.Condition()
        # Set when the double closes; a scene may hold until then.
        self.closing = threading.Event()
        handler = type("BoundHandler", (Handler,), {"double": self})
        self._server = Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def stats(self) -> dict[str, Any]:
        """The numbers as they are now."""
        return self._stats

    def tell(self, **changes: Any) -> None:
        """Change the stats and push them."""
        with self._news:
            self._stats = {**self._stats, **changes}
            self._news.notify_all()

    def next_scene(self) -> Scene:
        """Take the scene for the chat that just arrived."""
        return self.scenes.pop(0) if len(self.scenes) > 1 else self.scenes[0]

    def cut_lines(self) -> None:
        """Break every connection to a stream; the streams go on."""
        self.cuts += 1

    def forget_streams(self) -> None:
        """Lose all streams, as a gateway that starts anew."""
        self.logs.clear()
        self.cut_lines()

    def push_stats(self, handler: BaseHTTPRequestHandler) -> None:
        """Write the stats whenever they change, until either side closes."""
        begin_stream(handler)
        told: dict[str, Any] | None = None
        while not self.closing.is_set():
            with self._news:
                if told == self._stats:
                    self._news.wait(0.2)
                now = self._stats
            if now is not told:
                told = now
                handler.wfile.write(f"data: {json.dumps(now)}\n\n".encode())
                handler.wfile.flush()
            elif has_left(handler.connection):
                return

    def wait_for_departures(self, count: int) -> None:
        """Wait until so many browsers have hung up. Raises: TimeoutError."""
        with self._news:
            if not self._news.wait_for(lambda: self.departures >= count, HOLD_SECONDS):
                raise TimeoutError(f"{self.departures} of {count} browsers have hung up")

    def depart(self) -> None:
        """Take note that a browser has hung up."""
        with self._news:
            self.departures += 1
            self._news.notify_all()

    def close(self) -> None:
        """Stop serving."""
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class Server(ThreadingHTTPServer):
    """A thread for each connection."""

    daemon_threads = True
    # A page is some thirty requests at once; a full accept queue would cost each of them a second.
    request_queue_size = 128


class Handler(BaseHTTPRequestHandler):
    """One request; bound to its Double by a subclass."""

    double: Double
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        """Serve the page, the stats, the model list."""
        path = urlsplit(self.path).path
        if path == "/stats/stream" and not self.double.is_stats_broken:
            self.double.push_stats(self)
        elif path == "/stats":
            send_json(self, self.double.stats)
        elif path.startswith("/v1/") and not self._is_allowed():
            return
        elif path.startswith("/v1/streams/"):
            self._follow(path.rpartition("/")[2])
        elif path == "/v1/models":
            listed = [] if self.double.model is None else [self.double.model]
            send_json(self, {"object": "list", "data": listed})
        else:
            self._send_file("index.html" if path == "/" else path.lstrip("/"))

    def do_DELETE(self) -> None:
        """Stop a stream."""
        log = self.double.logs.get(urlsplit(self.path).path.rpartition("/")[2])
        if log is None:
            send_json(self, error("stream_unknown", "There is no such stream."), 404)
            return
        log.close(is_stopped=True)
        self.send_response(204)
        self.end_headers()

    def do_POST(self) -> None:
        """Count tokens, or play the next scene."""
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.double.seen.append(dict(self.headers.items()))
        if not self._is_allowed():
            return
        if self.path in ("/tokenize", "/chat_tokenize"):
            self.double.counting.wait(HOLD_SECONDS)
        if self.path == "/tokenize":
            send_json(self, tokens(body["inputs"].split()))
            return
        if self.path == "/chat_tokenize":
            said = [word for one in body["messages"] for word in ["header", *one["content"].split()]]
            send_json(self, {"tokenize_response": tokens(said), "templated_text": " ".join(said)})
            return
        body["_progress"] = self.headers["Paddock-Progress"]
        self.double.asked.append(body)
        if self.double.keeps_streams and self.headers["Paddock-Resume"] == "1":
            self._play_kept(body)
            return
        try:
            self.double.next_scene()(Line(self, body))
        except (ReaderGoneError, BrokenPipeError, ConnectionResetError):
            self.double.depart()

    def _play_kept(self, body: dict[str, Any]) -> None:
        """Play the next scene into a log, and be its first reader."""
        log = Log()
        identity = f"stream-{len(self.double.asked)}"
        self.double.logs[identity] = log
        scene = self.double.next_scene()

        def play() -> None:
            try:
                scene(Line(self, body, log))
            except ReaderGoneError:
                self.double.depart()
            finally:
                log.close()

        threading.Thread(target=play, daemon=True).start()
        self._read(log, identity, 0)

    def _follow(self, identity: str) -> None:
        self.double.followed.append(self.path)
        log = self.double.logs.get(identity)
        if log is None:
            send_json(self, error("stream_unknown", "There is no such stream."), 404)
            return
        cursor = int(parse_qs(urlsplit(self.path).query).get("after", ["0"])[0])
        if log.is_closed and cursor >= len(log.frames):
            self.send_response(204)
            self.end_headers()
            return
        self._read(log, identity, cursor)

    def _read(self, log: Log, identity: str, cursor: int) -> None:
        cuts = self.double.cuts
        begin_stream(self, {"Paddock-Stream": identity})
        log.read(self, cursor, lambda: self.double.cuts > cuts)

    def _is_allowed(self) -> bool:
        if self.double.key is None or self.headers["Authorization"] == f"Bearer {self.double.key}":
            return True
        send_json(self, error("key_invalid", "an API key is needed"), 401)
        return False

    def handle(self) -> None:
        """Serve, and take a browser that hangs up as the ordinary thing it is."""
        try:
            super().handle()
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing: the tests' output is for failures."""

    def _send_file(self, name: str) -> None:
        file = (self.double.site / name).resolve()
        if not file.is_relative_to(self.double.site.resolve()) or not file.is_file():
            send_json(self, error("route_unknown", "There is nothing here."), 404)
            return
        content = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", mimetypes.guess_type(name)[0] or "application/octet-stream")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", self.double.policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Cache-Control", "no-cache")
        self.end_headers()
        self.wfile.write(content)


def tokens(words: list[str]) -> list[dict[str, Any]]:
    """Count one token for each word, which a test can do in its head, and the tokenizer's own first one."""
    start = {"id": 1, "text": "", "start": 0, "stop": 0}
    return [start, *({"id": 2, "text": word, "start": 0, "stop": len(word)} for word in words)]


def error(code: str, message: str, retry_after_seconds: int | None = None) -> dict[str, Any]:
    """Write the gateway's error envelope."""
    return {
        "error": {
            "message": message,
            "type": "server_error",
            "code": code,
            "param": None,
            "retry_after_seconds": retry_after_seconds,
            "request_id": "req-0123",
        }
    }


def begin_stream(handler: BaseHTTPRequestHandler, headers: dict[str, str] | None = None) -> None:
    """Commit to a 200 and an event stream."""
    handler.send_response(200)
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.send_header("Content-Type", "text/event-stream")
    handler.send_header("Cache-Control", "no-store")
    handler.end_headers()
    handler.wfile.flush()


def send_json(
    handler: BaseHTTPRequestHandler, document: Any, status: int = 200, headers: dict[str, str] | None = None
) -> None:
    """Send a whole JSON answer."""
    content = json.dumps(document).encode()
    handler.send_response(status)
    handler.send_header("Content-Type", "application/json")
    handler.send_header("Content-Length", str(len(content)))
    for name, value in (headers or {}).items():
        handler.send_header(name, value)
    handler.end_headers()
    handler.wfile.write(content)


def has_left(connection: socket.socket) -> bool:
    """Tell whether the other side closed the connection."""
    readable, _, _ = select.select([connection], [], [], 0)
    if not readable:
        return False
    try:
        return connection.recv(1, socket.MSG_PEEK) == b""
    except ConnectionResetError:
        return True
