"""What a client says to the gateway and reads from it."""

import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx

CHAT = "/v1/chat/completions"


def chat(content: str = "Hello there", **more: Any) -> dict[str, Any]:
    """Make a chat's body."""
    return {"messages": [{"role": "user", "content": content}], **more}


@dataclass
class Frame:
    """One SSE message: a comment, or an event with its fields."""

    comment: str = ""
    event: str = ""
    id: str = ""
    data: str = ""

    @property
    def json(self) -> Any:
        """Read the data."""
        return json.loads(self.data)


def frame_of(block: str) -> Frame:
    """Read one message."""
    frame = Frame()
    for line in block.split("\n"):
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "":
            frame.comment += value
        elif name == "data":
            frame.data += value
        else:
            setattr(frame, name, value)
    return frame


def frames_of(text: str) -> list[Frame]:
    """Read a whole stream; the last message must be complete."""
    assert text == "" or text.endswith("\n\n"), text[-200:]
    return [frame_of(block) for block in text.split("\n\n")[:-1]]


def content_of(frames: list[Frame]) -> str:
    """Join the text of a chat's chunks."""
    chunks = [frame.json for frame in frames if frame.data not in ("", "[DONE]") and not frame.event]
    return "".join(
        choice["delta"].get("content", "") for one in chunks for choice in one.get("choices", [])
    )


def error_of(frames: list[Frame]) -> dict[str, Any]:
    """Give the error that ended a stream: the last frame, with no [DONE] anywhere."""
    assert "[DONE]" not in [frame.data for frame in frames]
    error: dict[str, Any] = frames[-1].json["error"]
    return error


class Stream:
    """An open event stream."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self._blocks = self._split()

    async def _split(self) -> AsyncIterator[str]:
        rest = ""
        async for text in self.response.aiter_text():
            *whole, rest = (rest + text).split("\n\n")
            for block in whole:
                yield block

    async def next(self) -> Frame:
        """Wait for the next message. Raises: StopAsyncIteration at the end."""
        return frame_of(await anext(self._blocks))

    async def until_text(self) -> str:
        """Read up to the first text."""
        while True:
            frame = await self.next()
            if frame.data and not frame.event and (text := content_of([frame])):
                return text

    async def rest(self) -> list[Frame]:
        """Read to the end."""
        return [frame_of(block) async for block in self._blocks]


@contextlib.asynccontextmanager
async def streaming(
    client: httpx.AsyncClient, body: dict[str, Any], path: str = CHAT, **headers: str
) -> AsyncIterator[Stream]:
    """Open a stream; leaving the block closes its connection."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("POST", path, json={"stream": True, **body}, headers=given) as response:
        yield Stream(response)
