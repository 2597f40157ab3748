"""Calls an ASGI application as a server would, one message at a time."""

import asyncio
from collections.abc import MutableMapping
from typing import Any

import orjson

from engine.app import App


class Call:
    """One request that is being answered."""

    def __init__(
        self, app: App, method: str, path: str, body: Any = None, content_type: str = "application/json"
    ) -> None:
        data = body if isinstance(body, bytes) else b"" if body is None else orjson.dumps(body)
        self._in: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self._in.put_nowait({"type": "http.request", "body": data, "more_body": False})
        self._news = asyncio.Event()
        self.status = 0
        self.headers: dict[str, str] = {}
        self.body = b""
        self.is_done = False
        headers = [(b"content-type", content_type.encode())] if content_type else []
        scope = {"type": "http", "method": method, "path": path, "headers": headers}
        self.task = asyncio.create_task(app(scope, self._in.get, self._send))

    async def _send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            self.is_done = not message.get("more_body", False)
        self._news.set()

    def leave(self) -> None:
        """Close the connection."""
        self._in.put_nowait({"type": "http.disconnect"})

    async def until(self, text: bytes) -> None:
        """Wait until the body holds a text."""
        async with asyncio.timeout(5):
            while text not in self.body:
                self._news.clear()
                await self._news.wait()

    async def done(self) -> "Call":
        """Wait for the whole answer."""
        async with asyncio.timeout(5):
            await self.task
        return self

    @property
    def json(self) -> Any:
        """The body as JSON."""
        return orjson.loads(self.body)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of a stream."""
        return [orjson.loads(part[6:]) for part in self.body.split(b"\n\n") if part.startswith(b"data: ")]
