"""All engines: found by name, watched, chosen among, woken.

Knows which engines there are and what each has to do. Knows nothing of slots' order or streams.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable, Hashable, Iterator, Sequence
from math import ceil
from typing import Protocol
from urllib.parse import urlsplit

from gateway.budget import Budget
from gateway.control import Control
from gateway.errors import EngineDown, EngineError, EngineOverloaded, EngineRejected, EngineUnreachable
from gateway.grammar import AnswerMisfit
from gateway.replica import Replica
from gateway.routing import Route, cached_prefix
from gateway.silence import Served, silent_seconds
from gateway.tgi import Limits, Tgi

# An engine that is starting is asked often, so that it is used within a second of being ready; one
# that serves proves itself by serving, and its health check costs a forward pass after an error.
_LOOK_SECONDS = 0.5
_CHECK_SECONDS = 5.0
# How often it is looked whether an engine fell silent.
_LISTEN_SECONDS = 1.0
# A chat that was sent to an engine which had just ended looks this often for one that serves.
_BACK_SECONDS = 0.05

# The model that comes with the embedded engine says so by this name.
DEMO_MODEL = "paddock-demo"

# Says that a chat's own parameters were wrong, that its model did not keep to a form, or that other clients
# fill the engine: it works.
_NO_FAULTS = (EngineRejected, EngineOverloaded, AnswerMisfit)


class Chat(Served, Protocol):
    """A chat that is to be answered. Shape: whole is one for all answers to the same chat."""

    @property
    def whole(self) -> Hashable:
        """Name the chat that it is an answer to."""

    async def answer(self, replica: Replica, /) -> None:
        """Let a replica answer it. Raises: EngineError."""


class Fleet:
    """The engines behind the gateway, watched by one task.

    Each host of the URLs stands for all its addresses, so that a scaled Compose service is found
    by its name. on_change is called after every change of a phase or of the number of engines.
    """

    def __init__(
        self,
        urls: Sequence[str],
        control_port: int | None,
        limits: Limits,
        clock: Callable[[], float],
        stall_limit_seconds: float = 45.0,
    ) -> None:
        self._urls = tuple(urls)
        self._control_port = control_port
        self._limits = limits
        self._clock = clock
        self._stall_limit_seconds = stall_limit_seconds
        self._look_now = asyncio.Event()
        self.route: Route[Replica] = cached_prefix
        self.retries = Budget()
        self.on_change: Callable[[], None] | None = None
        self.replicas = [self._replica(url) for url in self._urls]

    @property
    def shown(self) -> Replica:
        """Give the replica that stands for all in a status line: the one nearest to serving."""
        if len(self.replicas) == 1:  # which each chat asks for several times
            return self.replicas[0]
        return min(self.replicas, key=lambda one: (not one.is_ready, not one.will_serve))

    @property
    def online(self) -> int:
        """Count the engines that are ready."""
        return sum(replica.is_ready for replica in self.replicas)

    @property
    def opens_seconds(self) -> float:
        """Give the time until an engine is ready, 0 if one is or nobody knows."""
        coming = [one.ready_seconds for one in self.replicas if one.will_serve]
        return 0.0 if self.online else min(filter(None, coming), default=0.0)

    @property
    def model(self) -> str | None:
        """Give the model that is served, None before any engine has said."""
        return self.shown.model

    def check(self) -> None:
        """Make sure that a chat would be served, if need be after a wait; wake what sleeps.

        Raises: EngineDown with the reason, when no engine serves or is on the way.
        """
        if self.online:
            return
        coming = [replica for replica in self.replicas if replica.will_serve]
        if not coming:
            raise self._down()
        for replica in coming:
            replica.wake()

    async def back(self) -> None:
        """Wait until an engine serves, and wake what sleeps.

        Raises: EngineDown as soon as none serves or is on the way.
        """
        while not self.online:
            self.check()
            await asyncio.sleep(_BACK_SECONDS)

    def choose(self, prompt: str = "", but: Replica | None = None) -> Replica:
        """Give the replica for a chat: where its prefix is cached, unless that has too much to do.

        Another than one that just refused it, if there is another. Raises: EngineDown with the reason, when
        none is ready.
        """
        ready = [replica for replica in self.replicas if replica.is_ready]
        ready = [replica for replica in ready if replica is not but] or ready
        if not ready:
            raise self._down()
        return ready[0] if len(ready) == 1 else self.route(ready, prompt)

    @contextlib.contextmanager
    def lease(
        self, cost: int, prompt: str = "", chat: Served | None = None, but: Replica | None = None
    ) -> Iterator[Replica]:
        """Choose a replica and count a chat as its work for the length of the block.

        Units: cost is tokens. Raises: EngineDown.
        """
        replica = self.choose(prompt, but)
        replica.running += 1
        replica.outstanding += cost
        self.retries.earn()
        if chat is not None:
            replica.chats.add(chat)
        try:
            yield replica
        finally:
            replica.running -= 1
            replica.outstanding -= cost
            if chat is not None:
                replica.chats.discard(chat)
                replica.heard_at = max(replica.heard_at, chat.heard_at or 0.0)

    async def serve(self, chat: Chat, cost: int, prompt: str, wait_limit_seconds: float) -> None:
        """Let a replica answer a chat; if it never began, whichever serves next, once.

        The engine may have ended since it was last looked at, to rest or in a crash.

        Units: cost is tokens. Raises: EngineError, EngineDown.
        """
        first: Replica | None = None
        while True:
            with self.lease(cost, prompt, chat, first) as replica:
                try:
                    await chat.answer(replica)
                except EngineError as error:
                    self.report(replica, error, chat.whole)
                    if first is not None or chat.heard_at is not None or not self.may_retry(replica, error):
                        raise
                    failure, first = error, replica
                else:
                    replica.breaker.succeed()
                    return
            try:
                async with asyncio.timeout(wait_limit_seconds):
                    await self.back()
            except (EngineDown, TimeoutError):
                raise failure from None

    def report(self, replica: Replica, error: EngineError, chat: Hashable = None) -> None:
        """Take note that a replica failed a chat, or one answer to it.

        One that could not be reached gets nobody else, nor does one that fails chat after chat; it is used
        again once it has generated a token for us.
        """
        if isinstance(error, _NO_FAULTS):
            return
        is_unreachable = isinstance(error, EngineUnreachable)
        replica.fail(error, is_unreachable=is_unreachable, chat=chat)
        if is_unreachable:
            self._look_now.set()

    def may_retry(self, replica: Replica, error: EngineError) -> bool:
        """Say whether a chat of which no byte came may be tried once more, and spend a retry on it.

        Only one that did not reach the engine, or that a full engine refused while another is ready: what
        broke while the engine worked on it may have broken the engine.
        """
        if isinstance(error, EngineOverloaded):
            if not any(other.is_ready for other in self.replicas if other is not replica):
                return False
        elif not isinstance(error, EngineUnreachable):
            return False
        return self.retries.take()

    async def watch(self) -> None:
        """Keep looking for engines and at them until cancelled."""
        async with asyncio.TaskGroup() as group:
            # Apart, because a look at an engine that hangs hangs with it.
            group.create_task(self._listen(), name="silence")
            group.create_task(self._look(), name="look")

    async def _listen(self) -> None:
        while True:
            await asyncio.sleep(min(_LISTEN_SECONDS, self._stall_limit_seconds / 4))
            for replica in self.replicas:
                silent = silent_seconds(replica.chats, replica.heard_at, self._clock())
                if silent > self._stall_limit_seconds:
                    replica.stall(silent)

    async def _look(self) -> None:
        while True:
            # Order: what is doubted during a look is looked at again.
            self._look_now.clear()
            await self._find()
            await asyncio.gather(*(replica.look() for replica in self.replicas))
            is_calm = self.online == len(self.replicas)
            # A supervisor may put a ready engine to sleep at any time, and answers from memory.
            pause = _CHECK_SECONDS if is_calm and self._control_port is None else _LOOK_SECONDS
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._look_now.wait(), pause)

    def close(self) -> None:
        """Close the idle connections."""
        for replica in self.replicas:
            replica.close()

    def _replica(self, url: str) -> Replica:
        control = None
        if self._control_port is not None:
            control = Control(
                f"http://{urlsplit(url).hostname}:{self._control_port}", self._limits.connect_seconds
            )
        return Replica(Tgi(url, self._limits), control, self._clock, self._changed, self._look_now.set)

    async def _find(self) -> None:
        """Look up the names, take in new addresses, drop those that are gone and have no work."""
        wanted: list[str] = []
        for url in self._urls:
            wanted.extend(await _addresses(url))
        known = {replica.tgi.url: replica for replica in self.replicas}
        if set(wanted) == set(known):
            return
        for url in wanted:
            if url not in known:
                known[url] = self._replica(url)
        for url, replica in list(known.items()):
            if url not in wanted and not replica.running and len(known) > 1:
                replica.close()
                del known[url]
        self.replicas = list(known.values())
        self._changed()

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()

    def _down(self) -> EngineDown:
        shown = self.shown
        reason = f", {shown.reason}" if shown.reason else ""
        # One that fails is tried again after a pause that is known.
        again = ceil(shown.ready_seconds) if shown.ready_seconds else 5
        return EngineDown(f"no engine is ready: {shown.phase}{reason}", retry_after_seconds=again)


async def _addresses(url: str) -> list[str]:
    """Give a URL for each address of a URL's host; the URL itself if the name cannot be looked up."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or 80
    if host == "localhost" or host.replace(".", "").isdigit() or ":" in host:
        return [url]
    try:
        found = await asyncio.get_running_loop().getaddrinfo(
            host, port, family=socket.AF_INET, type=socket.SOCK_STREAM
        )
    except OSError:
        return [url]
    return sorted({f"http://{address[0]}:{port}" for *_, address in found})
