"""The inner server: llama.cpp, run by the xllamacpp wheel on threads of this process.

Knows: how to start it, its private key and port, its HTTP answers as bytes.
Knows nothing of: TGI, tokens' meaning.

The event loop talks to it over loopback. Each request has its own connection: after a streamed
answer the inner server closes the connection, and reuse loses requests. Closing the connection is
also how a generation is cancelled.
"""

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from engine.errors import EXIT_MACHINE, EXIT_MODEL_UNUSABLE, GenerationFailed, StartRefused
from engine.generation import LOOKAHEAD_TOKENS
from engine.reply import Reply, reason_of

# A connection to loopback that takes longer than this found a server that is stuck.
_CONNECT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class InnerServer:
    """A running llama.cpp server. `keep` holds the C++ object, which stops the server when freed."""

    host: str
    port: int
    key: str
    keep: object

    def frame(self, method: str, path: str, body: bytes) -> bytes:
        """Write an HTTP request."""
        return (
            f"{method} {path} HTTP/1.1\r\nHost: {self.host}:{self.port}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
        ).encode() + body

    async def open(self, path: str, body: dict[str, Any], on_end: Callable[[], None] | None = None) -> Reply:
        """Post a body and give the reply as it comes.

        Waits on: the connection only.
        Raises: GenerationFailed where the inner server cannot be reached, tried twice.
        """
        return await self._connect(self.frame("POST", path, orjson.dumps(body)), on_end)

    async def post(self, path: str, body: dict[str, Any]) -> Any:
        """Post a body and give the whole JSON answer.

        Raises: GenerationFailed for any failure.
        """
        with await self.open(path, body) as reply:
            data = await reply.whole()
        if reply.status != 200:
            raise GenerationFailed(reason_of(data))
        return orjson.loads(data)

    async def is_alive(self, limit_seconds: float) -> bool:
        """Ask the inner server whether it is well."""
        try:
            async with asyncio.timeout(limit_seconds):
                with await self._connect(self.frame("GET", "/health", b""), None) as reply:
                    await reply.whole()
        except (GenerationFailed, TimeoutError):
            return False
        return reply.status == 200

    async def _connect(self, request: bytes, on_end: Callable[[], None] | None) -> Reply:
        loop = asyncio.get_running_loop()
        for attempt in (1, 2):
            try:
                async with asyncio.timeout(_CONNECT_SECONDS):
                    _, reply = await loop.create_connection(
                        lambda: Reply(request, on_end), self.host, self.port
                    )
            except (OSError, TimeoutError) as error:
                if attempt == 2:
                    raise GenerationFailed(f"the inference server cannot be reached ({error})") from None
            else:
                return reply
        raise AssertionError("unreachable")


def start(path: Path, context: int, slots: int, threads: int) -> InnerServer:
    """Load a model and start the inner server. Blocks for seconds.

    Units:  context tokens of one slot.
    Raises: StartRefused where the wheel cannot be loaded or llama.cpp refuses the model.
    """
    try:
        import xllamacpp
    except ImportError as error:
        raise StartRefused(
            EXIT_MACHINE,
            f"The llama.cpp library cannot be loaded here ({error}); it needs glibc on Linux x86-64 or "
            "arm64, or macOS 13.",
        ) from None
    try:
        # The bytes of the path, whatever the locale makes of them: llama.cpp takes them for UTF-8.
        name = os.fsencode(path).decode()
    except UnicodeDecodeError:
        raise StartRefused(
            EXIT_MODEL_UNUSABLE,
            f"llama.cpp cannot open {path}: a folder or file in that path has a name that is not in UTF-8.",
        ) from None
    key = secrets.token_urlsafe(32)
    options = xllamacpp.CommonParams()
    options.model.path = name
    # The tokens asked for beyond an answer's end need room too; llama.cpp caps this at the trained context.
    options.n_ctx = (context + LOOKAHEAD_TOKENS) * slots
    options.n_parallel = slots
    options.cpuparams.n_threads = threads
    options.cpuparams_batch.n_threads = threads
    options.n_gpu_layers = 0
    options.fit_params = False
    options.verbosity = -1
    # Each open stream holds one HTTP thread; tokenising and health need some beside them.
    options.n_threads_http = 2 * slots + 8
    # Without a key any page in a browser on this machine could use the inner server.
    options.api_keys = [key]
    options.endpoint_metrics = False
    options.endpoint_props = False
    options.endpoint_slots = False
    options.ui = False
    # The default keeps up to 8 GiB of old prompts in memory; the slots' own caches are enough here.
    options.cache_ram_mib = 0
    try:
        server = xllamacpp.Server(options)
    except RuntimeError:
        # Its own text names no cause.
        raise StartRefused(
            EXIT_MODEL_UNUSABLE,
            f"llama.cpp cannot load {path}: the file is damaged or of a kind it does not know, "
            "or the model and its context do not fit in memory.",
        ) from None
    address = urlsplit(server.listening_address)
    return InnerServer(address.hostname or "127.0.0.1", address.port or 0, key, server)
