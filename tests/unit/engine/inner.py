"""An inner server that does what a test tells it: tokens when it says so, errors, silence.

It writes llama.cpp's HTTP and events; the vocabulary has one token for each letter.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from engine.llama import InnerServer
from engine.vocabulary import Vocabulary

LETTERS = "abcdefghijklmnopqrstuvwxyz"
BEGIN, END = 26, 27
VOCABULARY = Vocabulary([*LETTERS, "<|begin_of_text|>", "<|eot_id|>"], [1] * 26 + [3, 3], is_bpe=True)
KEY = "secret"


@dataclass
class Completion:
    """One completion that was asked for; the test writes its answer."""

    options: dict[str, Any]
    writer: asyncio.StreamWriter
    predicted: int = 0
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    def head(self) -> None:
        """Begin a stream."""
        self.writer.write(
            b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
        )

    def event(self, event: dict[str, Any]) -> None:
        """Write one event."""
        data = b"data: " + json.dumps(event).encode() + b"\n\n"
        self.writer.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def say(self, text: str) -> None:
        """Write one token for each letter."""
        for letter in text:
            self.token(LETTERS.index(letter), [ord(letter)])

    def token(self, token: int, data: list[int]) -> None:
        """Write one token."""
        self.predicted += 1
        chances = [{"id": token, "bytes": data, "logprob": -1.0, "top_logprobs": []}]
        self.event(
            {
                "content": bytes(data).decode(),
                "tokens": [token],
                "stop": False,
                "tokens_predicted": self.predicted,
                "completion_probabilities": chances,
            }
        )

    def end(self, kind: str = "eos") -> None:
        """End the text, with an end token if that is how it ends."""
        if kind == "eos":
            self.token(END, [])
        self.event(
            {"content": "", "tokens": [], "stop": True, "stop_type": kind, "tokens_predicted": self.predicted}
        )
        self.writer.write(b"0\r\n\r\n")
        self.writer.close()

    def break_off(self) -> None:
        """Close the connection without an end."""
        self.writer.close()

    def refuse(self, status: int, message: str) -> None:
        """Answer with an error instead of a stream."""
        _json(self.writer, status, {"error": {"code": status, "message": message}})


class Inner:
    """The scripted server. Completions arrive in `asked`; those not streamed are answered with one token."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[Completion] = asyncio.Queue()
        self.probes: list[dict[str, Any]] = []
        self.obeys_grammar = True
        self.is_healthy = True
        self.logprob: float | None = -1.0
        self.drop_next = 0
        self.requests = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one connection."""
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        length = int(
            next(line for line in head.split("\r\n") if line.startswith("Content-Length")).split(":")[1]
        )
        body = json.loads(await reader.readexactly(length) or b"{}")
        path = head.split(" ")[1]
        assert f"Authorization: Bearer {KEY}" in head
        assert "Connection: close" in head
        self.requests += 1
        if path == "/health":
            _json(writer, 200 if self.is_healthy else 503, {})
        elif path == "/tokenize":
            ids = [BEGIN] if body["add_special"] else []
            _json(writer, 200, {"tokens": ids + [LETTERS.find(letter) % 26 for letter in body["content"]]})
        elif not body.get("stream"):
            self.probes.append(body)
            obeyed = self.obeys_grammar and "grammar" in body
            content = body["grammar"].split('"')[1] if obeyed else "x"
            chances = [{"id": 23, "bytes": [120], "logprob": self.logprob, "top_logprobs": []}]
            _json(writer, 200, {"content": content, "tokens": [23], "completion_probabilities": chances})
        elif self.drop_next > 0:
            self.drop_next -= 1
            writer.close()
        else:
            await self._complete(body, reader, writer)

    async def _complete(
        self, body: dict[str, Any], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        completion = Completion(body, writer)
        self.asked.put_nowait(completion)
        await reader.read()
        completion.closed.set()
        writer.close()


def _json(writer: asyncio.StreamWriter, status: int, answer: dict[str, Any]) -> None:
    data = json.dumps(answer).encode()
    writer.write(
        f"HTTP/1.1 {status} X\r\nContent-Length: {len(data)}\r\nConnection: close\r\n\r\n".encode() + data
    )
    writer.close()


@asynccontextmanager
async def running_inner() -> AsyncIterator[tuple[Inner, InnerServer]]:
    """A scripted server on a free port, and what the engine needs to reach it."""
    inner = Inner()
    server = await asyncio.start_server(inner.answer, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield inner, InnerServer("127.0.0.1", port, KEY, None)
    finally:
        server.close()
