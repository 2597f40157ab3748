"""A tiny server that does exactly what a test says with each connection.

Knows:  connections, requests as bytes, chunked bodies.
Knows nothing of: TGI.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

Talk = Callable[["Visit"], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
# Longer than any step of a test on a busy machine; reached only by a failure.
LIMIT_SECONDS = 60.0


def chunk(data: bytes) -> bytes:
    """Write one chunk of a body; of an empty one, the end."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@dataclass
class Visit:
    """One connection: read requests, write what the test wants."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    # The talk is over: a talk that waits for the client to leave ends when it did.
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def request(self) -> bytes:
        """Read one request with its body; b"" once the client closed."""
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return b""
        length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
        return head + await self.reader.readexactly(int(length or 0))

    def send(self, data: bytes) -> None:
        """Write."""
        self.writer.write(data)

    async def gone(self) -> None:
        """Wait until the client closes."""
        with contextlib.suppress(ConnectionError):
            while await asyncio.wait_for(self.reader.read(65536), LIMIT_SECONDS):
                pass


@dataclass
class Peer:
    """The running server, and the connections it had."""

    url: str = ""
    visits: list[Visit] = field(default_factory=list)


@contextlib.asynccontextmanager
async def peer(talk: Talk) -> AsyncIterator[Peer]:
    """Serve on a free loopback port; each connection is one call of talk, then it closes."""
    served = Peer()
    faults: list[BaseException] = []
    tasks: set[asyncio.Task[None]] = set()

    async def visit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        here = Visit(reader, writer)
        served.visits.append(here)
        try:
            await talk(here)
        except ConnectionError:
            pass  # the client left while it was written to
        except asyncio.CancelledError:
            pass  # the test is over
        except BaseException as fault:  # noqa: BLE001 - raised again below, in the test
            faults.append(fault)
        finally:
            tasks.discard(task)
            here.over.set()
            writer.close()

    server = await asyncio.start_server(visit, "127.0.0.1", 0)
    served.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield served
    finally:
        server.close()
        for task in list(tasks):
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    if faults:
        raise faults[0]
