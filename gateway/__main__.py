"""Run the gateway, or check that one runs.

usage: python -m gateway            serve, as the GATEWAY_ variables say
       python -m gateway --check    exit 0 if the gateway on this machine answers, else 1
"""

import asyncio
import gc
import http.client
import logging
import os
import resource
import signal
import sys
from types import FrameType

import uvicorn

from gateway.app import Gateway
from gateway.keyfile import KeysUnreadable
from gateway.server import Http
from gateway.settings import Settings, SettingsInvalid, read_settings, strangers

# A chat holds two: its client's connection and the engine's. The usual soft limit of 1,024 is for programs
# that use select(), which cannot tell more.
_MOST_FILES = 65_536

# New objects after which the garbage collector looks through them. A chat leaves nothing to it
# (tests/gateway/test_circles.py), and open chats are many objects that stay: with the usual 700 a fifteenth
# of a request goes into looking at those. A look at ten thousand takes 2 to 4 ms.
_YOUNG_OBJECTS = 10_000

# Time for the last frames to go out after the generations were ended.
_FAREWELL_SECONDS = 2.0


class _Server(uvicorn.Server):
    """uvicorn, telling the gateway of a stop at once and not only when all connections are gone."""

    def __init__(self, config: uvicorn.Config, gateway: Gateway) -> None:
        super().__init__(config)
        self._gateway = gateway

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._gateway.drain()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list | None = None) -> None:  # type: ignore[type-arg]
        await super().startup(sockets)
        # What is there now lives as long as the process. Looking through it again and again takes the garbage
        # collector 50 ms at a time, in which no token moves.
        gc.collect()
        gc.freeze()
        gc.set_threshold(_YOUNG_OBJECTS, *gc.get_threshold()[1:])
        for server in self.servers:
            for sock in server.sockets:
                host, port = sock.getsockname()[:2]
                name = f"[{host}]" if ":" in host else host
                print(f"gateway: listening on http://{name}:{port}", file=sys.stderr, flush=True)  # noqa: T201


def serve(settings: Settings) -> int:
    """Serve until told to stop; give the exit code."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = _MOST_FILES if hard == resource.RLIM_INFINITY else min(_MOST_FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    try:
        gateway = Gateway(settings)
    except KeysUnreadable as error:
        print(f"gateway: GATEWAY_KEYS_FILE: {error}", file=sys.stderr)  # noqa: T201
        return 2
    config = uvicorn.Config(
        gateway.app,
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http=Http,
        log_level="warning",
        access_log=False,
        server_header=False,
        proxy_headers=True,
        forwarded_allow_ips=settings.trusted_proxies,
        # The generations end themselves within drain_seconds; this is the backstop behind them.
        timeout_graceful_shutdown=int(settings.drain_seconds + _FAREWELL_SECONDS) + 1,
    )
    server = _Server(config, gateway)
    # uvicorn raises the signal again once it has stopped; an orderly end is exit code 0 all the same.
    signal.signal(signal.SIGTERM, lambda *_: None)
    server.run()
    return 0 if server.started else 1


def check(settings: Settings) -> int:
    """Ask the gateway on this machine whether it is up."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared only
    connection = http.client.HTTPConnection(host, settings.port, timeout=5)
    try:
        connection.request("GET", "/health")
        return 0 if connection.getresponse().status == 200 else 1
    except OSError:
        return 1
    finally:
        connection.close()


def main(arguments: list[str]) -> int:
    """Read the command line and the environment, and run."""
    if arguments not in ([], ["--check"]):
        print((__doc__ or "").strip(), file=sys.stderr)  # noqa: T201
        return 0 if arguments in (["-h"], ["--help"]) else 2
    for warning in [] if arguments else strangers(os.environ):  # a check is run every few seconds
        print(f"gateway: warning: {warning}", file=sys.stderr)  # noqa: T201
    try:
        settings = read_settings(os.environ)
    except SettingsInvalid as invalid:
        for problem in invalid.problems:
            print(f"gateway: {problem}", file=sys.stderr)  # noqa: T201
        return 2
    logging.basicConfig(level=logging.INFO, format="gateway: %(message)s", stream=sys.stderr)
    return check(settings) if arguments else serve(settings)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except (KeyboardInterrupt, asyncio.CancelledError):
        sys.exit(130)
