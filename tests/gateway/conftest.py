"""A gateway in this process on a free port, in front of the double of TGI."""

import asyncio
import contextlib
import io
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
import uvicorn

from gateway.app import Gateway
from gateway.server import Http
from gateway.settings import read_settings
from tests.fakes.double import ThreadDouble
from tests.gateway.peer import LIMIT_SECONDS


class _Server(uvicorn.Server):
    """uvicorn that leaves the signals of the test process alone, and ends when told instead of in ticks."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stopped = asyncio.Event()

    async def main_loop(self) -> None:
        """Serve until stopped."""
        await self.stopped.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@dataclass
class Served:
    """A gateway that answers, its client, and the records it wrote."""

    gateway: Gateway
    port: int
    client: httpx.AsyncClient
    out: io.BytesIO = field(default_factory=io.BytesIO)

    @property
    def url(self) -> str:
        """Give the address."""
        return f"http://127.0.0.1:{self.port}"

    def records(self) -> list[dict[str, Any]]:
        """Give the chats' records so far."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    async def until(self, holds: Callable[[], bool]) -> None:
        """Wait until something holds, up to the limit."""
        async with asyncio.timeout(LIMIT_SECONDS):
            while not holds():
                await asyncio.sleep(0.002)

    async def until_ready(self) -> None:
        """Wait until an engine is ready."""
        await self.until(lambda: self.gateway.fleet.online > 0)

    async def until_idle(self) -> None:
        """Wait until no ticket is held."""
        await self.until(lambda: self.gateway.admission.running + self.gateway.admission.waiting == 0)


@contextlib.asynccontextmanager
async def serving(engine_url: str, **settings: Any) -> AsyncIterator[Served]:
    """Serve for the length of a block; settings are MODEL_, OTEL_ or (without prefix) GATEWAY_ variables."""
    environment = {
        ("" if name.startswith(("model_", "otel_")) else "GATEWAY_") + name.upper(): str(value)
        for name, value in settings.items()
    }
    out = io.BytesIO()
    gateway = Gateway(read_settings({**environment, "GATEWAY_ENGINE_URL": engine_url}), out=out)
    listening = socket.create_server(("127.0.0.1", 0))
    port: int = listening.getsockname()[1]
    config = uvicorn.Config(
        gateway.app, http=Http, log_level="warning", access_log=False, timeout_graceful_shutdown=1
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve([listening]))
    try:
        # Without TLS there are no certificates to load, which takes longer than most tests.
        client = httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=LIMIT_SECONDS, verify=False)
        async with client:
            served = Served(gateway, port, client, out)
            await served.until(lambda: server.started)
            yield served
    finally:
        # uvicorn looks at its connections ten times a second; the clients have closed theirs by now.
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(1.0):
                while server.server_state.connections:
                    await asyncio.sleep(0.001)
        server.stopped.set()
        await task
        listening.close()


Serve = Callable[..., Awaitable[Served]]


@pytest.fixture
async def serve(tgi_double: ThreadDouble) -> AsyncIterator[Serve]:
    """Start gateways in front of the test's double, ready unless said otherwise."""
    async with contextlib.AsyncExitStack() as stack:

        async def start(*, waits: bool = True, url: str | None = None, **settings: Any) -> Served:
            served = await stack.enter_async_context(serving(url or tgi_double.url, **settings))
            if waits:
                await served.until_ready()
            return served

        yield start


@pytest.fixture
async def served(serve: Serve) -> Served:
    """A ready gateway with the usual settings."""
    return await serve()
