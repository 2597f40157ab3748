"""Starts the double of TGI for tests and drives it through its control surface.

Knows:  a double in a thread or in a process, cues, what it saw, waiting with a deadline.
Knows nothing of: TGI's wire.
"""

import asyncio
import contextlib
import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Self

from tests.fakes.settings import Settings
from tests.fakes.tgi import Tgi
from tests.fakes.wire import Server

# Longer than any step of a test on a busy machine; reached only by a failure.
LIMIT_SECONDS = 60.0
_POLL_SECONDS = 0.005


@dataclass(frozen=True)
class SeenRequest:
    """One request as the double saw it. Times are `time.monotonic()` seconds, None if it did not happen."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: str
    started_at: float
    status: int | None
    events: int
    disconnected_at: float | None
    noticed_at: float | None
    generated: int
    ended_at: float | None

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def inputs(self) -> str:
        """The prompt it carried."""
        return str(self.document["inputs"])

    @property
    def parameters(self) -> dict[str, Any]:
        """The parameters it carried."""
        return dict(self.document.get("parameters", {}))


class TgiDouble:
    """A running double: `url` for the software under test, the rest for the test."""

    def __init__(self, port: int) -> None:
        """Drive the double that listens, or will, on a loopback port."""
        self.port = port
        self.url = f"http://127.0.0.1:{port}"

    def _call(self, method: str, path: str, document: dict[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        try:
            connection.request(method, f"/_double/{path}", json.dumps(document or {}))
            response = connection.getresponse()
            body = response.read().decode()
        finally:
            connection.close()
        if response.status != 200:
            raise ValueError(body)
        return json.loads(body)

    def script(self, **cue: Any) -> Self:
        """Add a cue for coming requests; fields as in `tests.fakes.script.Cue`."""
        self._call("POST", "script", cue)
        return self

    def settle(self, **settings: Any) -> Self:
        """Restart with some settings changed; fields as in `tests.fakes.tgi.Settings`."""
        self._call("POST", "settings", settings)
        return self

    def release(self) -> None:
        """Let every stalled request go on."""
        self._call("POST", "release")

    def reset(self) -> None:
        """Forget script, requests, metrics and changed settings."""
        self._call("POST", "reset")

    def seen(self, path: str | None = None) -> list[SeenRequest]:
        """Requests so far, oldest first, all or those of one path."""
        requests = [SeenRequest(**document) for document in self._call("GET", "seen")]
        return [request for request in requests if path in (None, request.path)]

    def wait_seen(
        self, holds: Callable[[SeenRequest], bool], limit_seconds: float = LIMIT_SECONDS
    ) -> SeenRequest:
        """The first request for which something holds, once it does. Blocks the thread.

        Raises:  TimeoutError with what was seen instead.
        """
        deadline = time.monotonic() + limit_seconds
        while True:
            requests = self.seen()
            for request in requests:
                if holds(request):
                    return request
            if time.monotonic() > deadline:
                raise TimeoutError(f"not seen within {limit_seconds} s; seen: {requests}")
            time.sleep(_POLL_SECONDS)

    async def until_seen(
        self, holds: Callable[[SeenRequest], bool], limit_seconds: float = LIMIT_SECONDS
    ) -> SeenRequest:
        """As `wait_seen`, leaving the event loop free."""
        return await asyncio.to_thread(self.wait_seen, holds, limit_seconds)


class ThreadDouble(TgiDouble):
    """A double in a thread of this process: starts in milliseconds, can die and come back."""

    def __init__(self, settings: Settings, *, port: int = 0, nagle: bool = False) -> None:
        """Reserve the port; nothing listens until `listen`."""
        self._loop = asyncio.new_event_loop()
        self._tgi = Tgi(settings, die=lambda: self._server.die())
        self._server = Server(self._tgi, port=port, nagle=nagle)
        self._thread = threading.Thread(target=self._loop.run_forever, name="tgi-double", daemon=True)
        self._thread.start()
        super().__init__(self._server.port)

    def listen(self) -> Self:
        """Accept connections: the model is loaded, or the process was started again."""
        asyncio.run_coroutine_threadsafe(self._server.listen(), self._loop).result(LIMIT_SECONDS)
        return self

    def die(self) -> None:
        """Reset every connection and refuse new ones, as kill -9 does; `listen` brings it back."""

        async def end() -> None:
            self._server.die()
            await self._server.dead()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(LIMIT_SECONDS)

    def close(self) -> None:
        """End the thread.

        Raises:  the first error of the double itself, so that no test passes over one.
        """

        async def end() -> None:
            await self._server.close()
            await self._tgi.close()

        asyncio.run_coroutine_threadsafe(end(), self._loop).result(LIMIT_SECONDS)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(LIMIT_SECONDS)
        self._loop.close()
        if self._server.faults:
            raise self._server.faults[0]


class ProcessDouble(TgiDouble):
    """A double in a process of its own: its `exit` fault really ends it with status 1."""

    def __init__(self, settings: dict[str, Any], *, load_seconds: float = 0.0) -> None:
        """Start the process; connections are refused until it is ready."""
        command = [sys.executable, "-m", "tests.fakes.tgi", "--load-seconds", str(load_seconds)]
        self.process = subprocess.Popen(
            [*command, "--settings", json.dumps(settings)], stdout=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        super().__init__(int(self.process.stdout.readline().removeprefix("port ")))

    def wait_ready(self) -> Self:
        """Block until it listens."""
        assert self.process.stdout is not None
        if self.process.stdout.readline() != "ready\n":
            raise RuntimeError(f"the double ended with {self.process.wait()} before it was ready")
        return self

    def close(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.wait(LIMIT_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextlib.contextmanager
def thread_double(**settings: Any) -> Iterator[ThreadDouble]:
    """Run a listening double in a thread for the length of a block."""
    double = ThreadDouble(Settings(**settings))
    try:
        yield double.listen()
    finally:
        double.close()


@contextlib.contextmanager
def process_double(*, load_seconds: float = 0.0, **settings: Any) -> Iterator[ProcessDouble]:
    """Run a double in a process for the length of a block; call `wait_ready` before use."""
    double = ProcessDouble(settings, load_seconds=load_seconds)
    try:
        yield double
    finally:
        double.close()
