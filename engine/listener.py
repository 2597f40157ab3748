"""The open port: serves an application, watches the inner server, drains when told to stop.

    serving -> draining (first SIGTERM or SIGINT) -> gone

Draining closes the port, finishes what runs for at most the drain time, then ends the rest with an
error of TGI's. A second signal ends the process at once. An inner server that stops answering ends it
with exit code 1: a process that looks healthy and cannot generate helps nobody.

Knows: signals, uvicorn.
Knows nothing of: routes, models.
"""

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator

import uvicorn

from engine.app import App
from engine.llama import InnerServer

# How often the inner server is asked, how long it may take to answer, how often it may fail in a row.
WATCH_SECONDS = 2.0
_ALIVE_SECONDS = 10.0
_MOST_FAILURES = 2
# A reader that has stopped reading must not hold up the end.
_AFTER_DRAIN_SECONDS = 2


class Listener(uvicorn.Server):
    """The HTTP server of one engine process."""

    def __init__(
        self,
        app: App,
        inner: InnerServer,
        drain_seconds: float,
        say: Callable[[str], None],
        watch_seconds: float = WATCH_SECONDS,
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_level="warning",
                access_log=False,
                lifespan="off",
                server_header=False,
                http="httptools",
                ws="none",
                timeout_graceful_shutdown=int(drain_seconds) + _AFTER_DRAIN_SECONDS,
            )
        )
        self._application = app
        self._inner = inner
        self._drain_seconds = drain_seconds
        self._say = say
        self._watch_seconds = watch_seconds
        self._exit_code = 0
        self._what = ""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to stop(): uvicorn's own handlers would end with the signal's status."""
        yield

    async def run_on(self, port: socket.socket, what: str) -> int:
        """Serve on a bound socket until told to stop; give the exit code."""
        loop = asyncio.get_running_loop()
        for name in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(name, self.stop)
        watching = asyncio.create_task(self._watch())
        self._what = what
        try:
            await self.serve(sockets=[port])
        finally:
            watching.cancel()
        self._say("stopped.")
        return self._exit_code

    def stop(self) -> None:
        """Drain; the second time, end at once."""
        if self.should_exit:
            self._say("ended at once.")
            sys.stdout.flush()
            os._exit(self._exit_code)
        self.should_exit = True
        for server in self.servers:
            server.close()
        self._say(f"draining: what runs may finish within {self._drain_seconds:g} s.")
        asyncio.get_running_loop().call_later(self._drain_seconds, self._application.end)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the port and say so."""
        await super().startup(sockets=sockets)
        for port in sockets or []:
            host, number = port.getsockname()[:2]
            shown = f"[{host}]" if ":" in host else host
            sys.stdout.write(f"engine ready: http://{shown}:{number} ({self._what})\n")
            sys.stdout.flush()

    async def _watch(self) -> None:
        failures = 0
        while failures < _MOST_FAILURES:
            await asyncio.sleep(self._watch_seconds)
            failures = 0 if await self._inner.is_alive(_ALIVE_SECONDS) else failures + 1
        self._say("the inference server has stopped answering; this process ends.")
        self._exit_code = 1
        self._application.end()
        self.should_exit = True
