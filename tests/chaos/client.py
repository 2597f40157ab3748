"""A client on a bare socket, that can read slowly and leave anywhere.

Knows HTTP/1.1 with chunked bodies, and that frames end with an empty line. Knows nothing of chats.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Mapping
from typing import Self

import orjson

# A slow reader's window: small, so that the gateway feels that nobody reads.
SMALL_BYTES = 4096


class Answer:
    """One answer being read.

    Shape: received is every whole frame so far. States: open -> ended, by a whole body or a cut.
    """

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        self.received = b""
        self.is_whole = False
        self._rest = b""
        self._reader = reader

    async def head(self) -> Self:
        """Read the head."""
        lines = (await self._reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        self.status = int(lines[0].split()[1])
        pairs = [line.split(": ", 1) for line in lines[1:] if line]
        self.headers = {name.lower(): value for name, value in pairs}
        return self

    async def body(self) -> bytes:
        """Read a body of known length."""
        return await self._reader.readexactly(int(self.headers.get("content-length", 0)))

    async def more(self) -> bool:
        """Read one chunk; say False at the end of the body. Raises: IncompleteReadError, ConnectionError."""
        if self.is_whole:
            return False
        size = int(await self._reader.readuntil(b"\r\n"), 16)
        chunk = (await self._reader.readexactly(size + 2))[:-2]
        whole, mark, self._rest = (self._rest + chunk).rpartition(b"\n\n")
        self.received += whole + mark
        self.is_whole = size == 0
        return not self.is_whole

    async def rest(self, pause_seconds: float = 0.0) -> None:
        """Read to the end, with a pause behind each chunk."""
        while await self.more():
            if pause_seconds:
                await asyncio.sleep(pause_seconds)

    async def frames(self, count: int) -> None:
        """Read until some frames have come, or the end."""
        while self.received.count(b"\n\n") < count and await self.more():
            pass


@contextlib.asynccontextmanager
async def asking(
    port: int,
    method: str,
    path: str,
    body: object = None,
    *,
    is_slow: bool = False,
    waits: bool = True,
    headers: Mapping[str, str] | None = None,
) -> AsyncIterator[Answer]:
    """Send a request and wait for its head, if at all; leaving the block drops the connection as it is."""
    connection = socket.socket()
    connection.setblocking(False)
    if is_slow:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BYTES)
    try:
        await asyncio.get_running_loop().sock_connect(connection, ("127.0.0.1", port))
    except BaseException:
        connection.close()
        raise
    reader, writer = await asyncio.open_connection(sock=connection, limit=SMALL_BYTES if is_slow else 65536)
    try:
        content = b"" if body is None else orjson.dumps(body)
        lines = [f"{method} {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines.append(f"content-length: {len(content)}\r\n\r\n")
        writer.write("\r\n".join(lines).encode() + content)
        answer = Answer(reader)
        yield await answer.head() if waits else answer
    finally:
        writer.transport.abort()
