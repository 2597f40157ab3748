"""The engines behind the gateway: which are ready, and what they serve.

One replica for now; the choice among several has its place here.

    starting ──► ready ──► starting (lost) ──► ready
        └─► failed (answers, but cannot serve chats)

Knows how to find out whether an engine serves. Knows nothing of slots or streams.
"""

import asyncio
import contextlib
import logging
from collections.abc import Callable
from contextlib import aclosing
from enum import StrEnum
from typing import Any

from gateway.chat import Sampling
from gateway.errors import EngineDown, EngineError, EngineTimeout
from gateway.tgi import Limits, Tgi, generate_body

_LOG = logging.getLogger(__name__)

# An engine that is starting is asked often, so that it is used within a second of being ready; one
# that serves proves itself by serving, and its health check costs a forward pass after an error.
_LOOK_SECONDS = 0.5
_CHECK_SECONDS = 5.0

# The model that comes with the embedded engine says so by this name.
DEMO_MODEL = "paddock-demo"


class Phase(StrEnum):
    """What an engine is doing, as shown to users."""

    STOPPED = "stopped"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class Replica:
    """One running engine, and what is known of it.

    Units: since is the clock's seconds; max_total_tokens counts prompt and answer together.
    """

    def __init__(self, name: str, tgi: Tgi, clock: Callable[[], float]) -> None:
        self.name = name
        self.tgi = tgi
        self.phase = Phase.STARTING
        self.reason: str | None = f"waiting for the engine at {tgi.url}"
        self.model: str | None = None
        self.max_total_tokens = 0
        self._clock = clock
        self.since = clock()

    @property
    def is_ready(self) -> bool:
        """Say whether it has generated a token since it started."""
        return self.phase is Phase.READY

    @property
    def phase_seconds(self) -> float:
        """Give how long the phase has lasted."""
        return round(self._clock() - self.since, 1)

    def enter(self, phase: Phase, reason: str | None) -> None:
        """Change the phase, or only the reason."""
        if phase is not self.phase:
            self.since = self._clock()
            _LOG.info("engine %s: %s%s", self.name, phase, f" ({reason})" if reason else "")
        self.phase, self.reason = phase, reason

    async def look(self) -> None:
        """Find out what the engine is doing now. Never raises."""
        try:
            health = await self.tgi.forward("GET", "/health")
            if health.status != 200:
                self.enter(Phase.STARTING, f"the engine says it is unhealthy (HTTP {health.status})")
            elif not self.is_ready:
                await self._prove(await self.tgi.info())
        except EngineTimeout as error:
            # Its health check waits for the forward step under way, which a long prompt makes long:
            # an engine that served before is busy, not gone.
            if not self.is_ready:
                self.enter(Phase.STARTING, error.message)
        except EngineError as error:
            self.enter(Phase.STARTING, error.message)

    async def _prove(self, info: dict[str, Any]) -> None:
        """Let a new engine show that it can serve chats: right control tokens, then one token."""
        problem = await self._prompt_problem()
        if problem is not None:
            self.enter(Phase.FAILED, problem)
            return
        async with aclosing(self.tgi.generate(generate_body("Hi", Sampling(), 1))) as batches:
            async for _ in batches:
                pass
        self.model = str(info["model_id"])
        self.max_total_tokens = int(info["max_total_tokens"])
        self.enter(Phase.READY, None)

    async def _prompt_problem(self) -> str | None:
        """Check that begin-of-text comes once and Llama 3's headers are single tokens."""
        spans = await self.tgi.tokenize("<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>")
        automatic = [span for span in spans if span.start == span.stop]
        if len(automatic) != 1 or spans[0] is not automatic[0]:
            return (
                f"the tokenizer adds {len(automatic)} begin-of-text tokens where Llama 3 prompts need one"
            )
        texts = [span.text for span in spans]
        missing = [
            name for name in ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>") if name not in texts
        ]
        if missing:
            return f"not a Llama 3 chat model: {', '.join(missing)} is no token of its vocabulary"
        return None


class Fleet:
    """All engines, watched by one task."""

    def __init__(self, url: str, limits: Limits, clock: Callable[[], float]) -> None:
        self.replicas = [Replica("0", Tgi(url, limits), clock)]
        self._look_now = asyncio.Event()

    @property
    def shown(self) -> Replica:
        """Give the replica that stands for all in a status line: a ready one if there is any."""
        return next((replica for replica in self.replicas if replica.is_ready), self.replicas[0])

    @property
    def online(self) -> int:
        """Count the engines that are ready."""
        return sum(replica.is_ready for replica in self.replicas)

    def choose(self) -> Replica:
        """Give a replica that can serve a chat now.

        Raises: EngineDown with the reason, when none can.
        """
        replica = self.shown
        if not replica.is_ready:
            raise EngineDown(
                f"no engine is ready: {replica.phase}" + (f", {replica.reason}" if replica.reason else ""),
                retry_after_seconds=5,
            )
        return replica

    def report(self, replica: Replica, error: EngineError) -> None:
        """Take note that a replica could not be reached, so that nobody else is sent there."""
        replica.enter(Phase.STARTING, error.message)
        self._look_now.set()

    async def watch(self) -> None:
        """Keep looking at the engines until cancelled."""
        while True:
            for replica in self.replicas:
                await replica.look()
            self._look_now.clear()
            pause = _CHECK_SECONDS if self.online == len(self.replicas) else _LOOK_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), pause)

    def close(self) -> None:
        """Close the idle connections."""
        for replica in self.replicas:
            replica.tgi.close()
