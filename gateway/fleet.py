"""All engines: found by name, watched, chosen among, woken.

Knows which engines there are and what each has to do. Knows nothing of slots' order or streams.
"""

import asyncio
import contextlib
import hashlib
import socket
from collections.abc import Callable, Iterator, Sequence
from urllib.parse import urlsplit

from gateway.control import Control, Phase
from gateway.errors import EngineDown, EngineError
from gateway.replica import Replica
from gateway.tgi import Limits, Tgi

# An engine that is starting is asked often, so that it is used within a second of being ready; one
# that serves proves itself by serving, and its health check costs a forward pass after an error.
_LOOK_SECONDS = 0.5
_CHECK_SECONDS = 5.0
# A chat that was sent to an engine which had just ended looks this often for one that serves.
_BACK_SECONDS = 0.05

# The model that comes with the embedded engine says so by this name.
DEMO_MODEL = "paddock-demo"

# So much of a prompt decides which replica has its prefix in cache: a system prompt and a first
# question fit, and turns of one chat share it.
_PREFIX_CHARACTERS = 512
# A replica may have this much more to do than the mean before a chat with a cached prefix goes
# elsewhere ("consistent hashing with bounded loads", Mirrokni, Thorup and Zadimoghaddam, 2018).
_LOAD_BOUND = 1.25


class Fleet:
    """The engines behind the gateway, watched by one task.

    Each host of the URLs stands for all its addresses, so that a scaled Compose service is found
    by its name. on_change is called after every change of a phase or of the number of engines.
    """

    def __init__(
        self, urls: Sequence[str], control_port: int | None, limits: Limits, clock: Callable[[], float]
    ) -> None:
        self._urls = tuple(urls)
        self._control_port = control_port
        self._limits = limits
        self._clock = clock
        self._look_now = asyncio.Event()
        self.on_change: Callable[[], None] | None = None
        self.replicas = [self._replica(url) for url in self._urls]

    @property
    def shown(self) -> Replica:
        """Give the replica that stands for all in a status line: the one nearest to serving."""
        return min(self.replicas, key=lambda one: (not one.is_ready, not one.will_serve))

    @property
    def online(self) -> int:
        """Count the engines that are ready."""
        return sum(replica.is_ready for replica in self.replicas)

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

    def choose(self, prompt: str = "") -> Replica:
        """Give the replica for a chat: where its prefix is cached, unless that has too much to do.

        Raises: EngineDown with the reason, when none is ready.
        """
        ready = [replica for replica in self.replicas if replica.is_ready]
        if not ready:
            raise self._down()
        if len(ready) == 1:
            return ready[0]
        bound = _LOAD_BOUND * sum(replica.outstanding for replica in ready) / len(ready)
        near = max(ready, key=lambda replica: _affinity(prompt[:_PREFIX_CHARACTERS], replica.name))
        if near.outstanding <= bound:
            return near
        return min(ready, key=lambda replica: (replica.outstanding, replica.running))

    @contextlib.contextmanager
    def lease(self, cost: int, prompt: str = "") -> Iterator[Replica]:
        """Choose a replica and count a chat as its work for the length of the block.

        Units: cost is tokens. Raises: EngineDown.
        """
        replica = self.choose(prompt)
        replica.running += 1
        replica.outstanding += cost
        try:
            yield replica
        finally:
            replica.running -= 1
            replica.outstanding -= cost

    def report(self, replica: Replica, error: EngineError) -> None:
        """Take note that a replica could not be reached, so that nobody else is sent there.

        It is used again once it has generated a token for us.
        """
        replica.enter(Phase.STARTING, error.message)
        self._look_now.set()

    async def watch(self) -> None:
        """Keep looking for engines and at them until cancelled."""
        while True:
            await self._find()
            await asyncio.gather(*(replica.look() for replica in self.replicas))
            self._look_now.clear()
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
        return Replica(Tgi(url, self._limits), control, self._clock, self._changed)

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
        return EngineDown(f"no engine is ready: {shown.phase}{reason}", retry_after_seconds=5)


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


def _affinity(prefix: str, name: str) -> bytes:
    """Weigh a replica for a prefix (rendezvous hashing): the same prefix prefers the same replica."""
    return hashlib.blake2b(prefix.encode() + b"\0" + name.encode(), digest_size=8).digest()
