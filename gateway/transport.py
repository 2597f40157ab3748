"""HTTP/1.1 to one engine: requests out over pooled connections, replies in as they arrive.

Knows which connections are idle and how a request is written. Knows nothing of TGI, JSON or events.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping
from urllib.parse import urlsplit

from gateway.connection import Connection, TransportError

# uvicorn closes an idle connection after 5 s, hyper never: stay below both.
_IDLE_SECONDS = 4.0


class Reply:
    """An answer whose head has arrived and whose body is still to be read."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.status: int = connection.parser.get_status_code()
        self.headers: Mapping[str, str] = connection.headers
        # Moves the deadline of what is being poured to so many seconds from now. Called for every token,
        # so it is one call and not two.
        self.extend: Callable[[float], None] = connection.extend

    async def take(self, limit_seconds: float) -> bytes:
        """Give all bytes that arrived since the last call, b"" at the end.

        Raises: TransportTimeout after limit_seconds without a byte, TransportError when it broke.
        """
        return await self._connection.take(limit_seconds)

    async def pour(self, into: Callable[[bytes], bool], limit_seconds: float) -> None:
        """Hand every read's bytes to a function, right where they arrive, until it says False.

        No task is woken for a read, which is what makes relaying a token cheap. The function must be
        quick, may call extend, and what it raises is raised here.

        Raises: TransportTimeout once the deadline passes, TransportError when it broke.
        """
        await self._connection.pour(into, limit_seconds)

    async def whole(self, limit_seconds: float) -> bytes:
        """Read the body to its end."""
        pieces = []
        while piece := await self.take(limit_seconds):
            pieces.append(piece)
        return b"".join(pieces)


class Pool:
    """Connections to one engine.

    Units:  every limit is in seconds.
    Closes: a connection whose answer was not read to its end, so the engine notices at once.
    """

    def __init__(self, url: str, connect_limit_seconds: float) -> None:
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._port = parts.port or 80
        self._authority = parts.netloc
        self._connect_limit_seconds = connect_limit_seconds
        self._idle: list[Connection] = []

    @contextlib.asynccontextmanager
    async def ask(
        self,
        method: str,
        path: str,
        body: bytes,
        head_limit_seconds: float,
        headers: Mapping[str, str] | None = None,
    ) -> AsyncIterator[Reply]:
        """Send a request and hold its answer open for the length of the block.

        Raises: TransportError, TransportTimeout.
        """
        request = self._request(method, path, body, headers or {})
        connection = self._pooled()
        try:
            if connection is not None:
                try:
                    connection.send(request)
                    await connection.head(head_limit_seconds)
                except TransportError as error:
                    # An idle connection may have been closed by the other side just now: no byte of
                    # an answer came, so the same request goes out once more on a new one.
                    if not error.is_fresh:
                        raise
                    connection.close()
                    connection = None
            if connection is None:
                connection = await self._connect()
                connection.send(request)
                await connection.head(head_limit_seconds)
            yield Reply(connection)
        finally:
            if connection is not None:
                self._put_back(connection)

    def close(self) -> None:
        """Close the idle connections."""
        for connection in self._idle:
            connection.close()
        self._idle.clear()

    def _request(self, method: str, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        lines = [f"{method} {path} HTTP/1.1", f"host: {self._authority}", "accept: */*"]
        if method == "POST":
            lines.append("content-type: application/json")
        lines.append(f"content-length: {len(body)}")
        lines.extend(f"{name}: {value}" for name, value in headers.items())
        return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body

    def _pooled(self) -> Connection | None:
        now = asyncio.get_running_loop().time()
        while self._idle:
            connection = self._idle.pop()
            if connection.is_usable and now - connection.idle_since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    async def _connect(self) -> Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._connect_limit_seconds):
                _, connection = await loop.create_connection(Connection, self._host, self._port)
        except TimeoutError:
            raise TransportError("no connection in time", is_fresh=True) from None
        except OSError as error:
            raise TransportError(error.strerror or str(error), is_fresh=True) from None
        return connection

    def _put_back(self, connection: Connection) -> None:
        if connection.is_usable and connection.can_be_kept and connection.is_read:
            connection.idle_since = asyncio.get_running_loop().time()
            self._idle.append(connection)
        else:
            connection.close()
