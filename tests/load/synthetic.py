"""A synthetic engine: TGI's wire with prepared bytes, cheap enough to load what relays it.

Knows:  two paces. live: each stream gets a token every 20 ms. backlog: as fast as it is read.
Knows nothing of: who reads. It validates nothing and generates nothing.

Run as a process of its own: python -m tests.load.synthetic
"""

import asyncio
import json
import os
import socket
from typing import cast

import httptools
import uvloop

from tests.fakes.tokens import encode
from tests.load import wire

# One stream gets a token each time the wheel comes round.
LIVE_GAP_SECONDS = 0.020
_SPOKES = 20
_INFO = {
    "model_id": "synthetic",
    "model_sha": None,
    "model_pipeline_tag": None,
    "max_concurrent_requests": 4096,
    "max_best_of": 2,
    "max_stop_sequences": 4,
    "max_input_tokens": 8191,
    "max_total_tokens": 8192,
    "validation_workers": 2,
    "max_client_batch_size": 4,
    "router": "text-generation-router",
    "version": "3.3.6-dev0",
    "sha": None,
    "docker_label": None,
}


class Engine:
    """The pace that is set now, and the wheel that turns for live streams."""

    def __init__(self) -> None:
        """Start as a backlog engine without Nagle's algorithm."""
        self.is_live = False
        self.has_nagle = False
        self._wheel: list[set[Stream]] = [set() for _ in range(_SPOKES)]
        self._at = 0
        self._pouring: dict[Stream, None] = {}
        self._has_work = asyncio.Event()

    def join(self, stream: "Stream") -> None:
        """Give a stream its next token one round from now, or at once if there is no pace."""
        if not self.is_live:
            self._pouring[stream] = None
            self._has_work.set()
            return
        self._wheel[(self._at - 1) % _SPOKES].add(stream)
        stream.spoke = (self._at - 1) % _SPOKES

    def leave(self, stream: "Stream") -> None:
        """Take a stream off the wheel."""
        self._wheel[stream.spoke].discard(stream)
        self._pouring.pop(stream, None)

    async def turn(self) -> None:
        """Turn the wheel by the clock, catching up when late."""
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            due += LIVE_GAP_SECONDS / _SPOKES
            await asyncio.sleep(max(0.0, due - loop.time()))
            self._at = (self._at + 1) % _SPOKES
            for stream in list(self._wheel[self._at]):
                stream.step()

    async def pour(self) -> None:
        """Send one event to each stream whose socket takes it, and go round again.

        One system call for each event, as TGI does: how many a reader finds at once is its own doing.
        """
        while True:
            for stream in list(self._pouring):
                stream.send()
            if self._pouring:
                await asyncio.sleep(0)
            else:
                self._has_work.clear()
                await self._has_work.wait()


class Stream(asyncio.Protocol):
    """One connection. A request at a time."""

    def __init__(self, engine: Engine) -> None:
        """Belong to an engine."""
        self.spoke = 0
        self._engine = engine
        self._parser = httptools.HttpRequestParser(self)
        self._transport: asyncio.Transport | None = None
        self._target = b""
        self._body = b""
        self._left: list[bytes] = []
        self._socket: socket.socket | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember transport and socket."""
        self._transport = cast(asyncio.Transport, transport)
        self._socket = transport.get_extra_info("socket")

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop generating."""
        self._engine.leave(self)
        self._left = []
        self._transport = None

    def data_received(self, data: bytes) -> None:
        """Feed the parser."""
        self._parser.feed_data(data)

    def on_message_begin(self) -> None:
        """Start afresh."""
        self._target, self._body = b"", b""

    def on_url(self, url: bytes) -> None:
        """Collect the target."""
        self._target += url

    def on_body(self, body: bytes) -> None:
        """Collect the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Answer."""
        if self._target == b"/generate_stream":
            self._generate(json.loads(self._body))
        elif self._target == b"/tokenize":
            found = encode(json.loads(self._body)["inputs"])
            self._whole([{"id": p.token.id, "text": p.text, "start": p.start, "stop": p.stop} for p in found])
        elif self._target == b"/_pace":
            pace = json.loads(self._body)
            self._engine.is_live, self._engine.has_nagle = pace["is_live"], pace["has_nagle"]
            self._whole({})
        elif self._target == b"/info":
            self._whole(_INFO)
        else:
            self._write(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    def _whole(self, document: object) -> None:
        body = json.dumps(document).encode()
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        self._write(head.encode() + body)

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    def _generate(self, request: dict[str, dict[str, int]]) -> None:
        assert self._socket is not None
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 0 if self._engine.has_nagle else 1)
        tokens = request["parameters"]["max_new_tokens"]
        first, *rest = wire.answer(tokens).chunks
        if not rest:
            self._write(wire.HEAD + first + wire.END)
            return
        if self._engine.is_live:
            self._write(wire.HEAD + first)
            self._left = rest[::-1]
        else:
            rest[-1] += wire.END
            self._left = [*rest[::-1], wire.HEAD + first]
        self._engine.join(self)

    @property
    def has_more(self) -> bool:
        """Whether tokens are left to send."""
        return bool(self._left)

    def step(self) -> None:
        """Send one token."""
        chunk = self._left.pop()
        if self._left:
            self._write(chunk)
        else:
            self._engine.leave(self)
            self._write(chunk + wire.END)

    def send(self) -> None:
        """Send one token past the transport, whose writes wait for each other; what does not fit stays."""
        assert self._socket is not None
        chunk = self._left.pop()
        try:
            sent = os.write(self._socket.fileno(), chunk)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._engine.leave(self)
            return
        if sent < len(chunk):
            self._left.append(chunk[sent:])
        elif not self._left:
            self._engine.leave(self)


async def serve() -> None:
    """Listen on a free port, print it, and serve until killed."""
    engine = Engine()
    server = await asyncio.get_running_loop().create_server(
        lambda: Stream(engine), "127.0.0.1", 0, backlog=1024
    )
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.gather(engine.turn(), engine.pour())


def main() -> None:
    """Run."""
    # Prepare the answers before anyone waits for them.
    for tokens in (1, 256):
        wire.answer(tokens)
    uvloop.run(serve())


if __name__ == "__main__":
    main()
