"""The synthetic engine answers what the gateway asks of an engine."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator

import pytest

from tests.load import wire
from tests.load.synthetic import Engine, Stream


class Pipe(asyncio.Transport):
    """A transport over one end of a socket pair."""

    def __init__(self, end: socket.socket) -> None:
        """Write to an end."""
        super().__init__({"socket": end})
        self._end = end

    def write(self, data: bytes | bytearray | memoryview) -> None:
        """Send at once."""
        self._end.sendall(data)


@pytest.fixture
def ends() -> Iterator[tuple[socket.socket, socket.socket]]:
    """Two ends of a TCP connection inside this process."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs:
        theirs.setblocking(False)
        yield ours, theirs


def post(path: str, document: object) -> bytes:
    """A request."""
    body = json.dumps(document).encode()
    return f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


def connected(engine: Engine, end: socket.socket) -> Stream:
    """A stream that belongs to an engine."""
    stream = Stream(engine)
    stream.connection_made(Pipe(end))
    return stream


GENERATE = post("/generate_stream", {"inputs": "x", "parameters": {"max_new_tokens": 3}})


def test_a_backlog_engine_sends_one_event_a_turn(ends: tuple[socket.socket, socket.socket]) -> None:
    """Each turn is one system call with one event; after the last one the stream is done."""
    ours, theirs = ends
    stream = connected(Engine(), theirs)
    stream.data_received(GENERATE)

    counts = []
    for _ in range(3):
        stream.send()
        counts.append(os.read(ours.fileno(), 65536).count(b"data: "))

    assert [1, 1, 1] == counts


def test_a_full_socket_keeps_its_turn_for_later(ends: tuple[socket.socket, socket.socket]) -> None:
    """Nothing is lost when the reader is slow."""
    ours, theirs = ends
    theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    stream = connected(Engine(), theirs)
    stream.data_received(post("/generate_stream", {"inputs": "x", "parameters": {"max_new_tokens": 1024}}))
    ours.settimeout(20)

    received = b""
    while not received.endswith(b"\r\n" + wire.END):
        for _ in range(64):
            if stream.has_more:
                stream.send()
        received += ours.recv(65536)

    events = wire.read_events(wire.dechunk(received.partition(b"\r\n\r\n")[2]))
    assert wire.expected_text(1024) == "".join(map(wire.text_of, events))


def test_a_live_stream_gets_a_token_when_its_time_comes(ends: tuple[socket.socket, socket.socket]) -> None:
    """The first token at once, the next ones step by step."""
    ours, theirs = ends
    engine = Engine()
    stream = connected(engine, theirs)
    stream.data_received(post("/_pace", {"is_live": True, "has_nagle": False}))
    os.read(ours.fileno(), 65536)

    stream.data_received(GENERATE)
    first = os.read(ours.fileno(), 65536)
    stream.step()
    stream.step()
    rest = os.read(ours.fileno(), 65536)

    assert (1, 2) == (first.count(b"data: "), rest.count(b"data: "))
    assert rest.endswith(wire.END)


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        (b"GET /health HTTP/1.1\r\nhost: x\r\n\r\n", b"200 OK"),
        (b"GET /info HTTP/1.1\r\nhost: x\r\n\r\n", b'"max_total_tokens": 8192'),
        (post("/tokenize", {"inputs": "<|eot_id|>"}), b'"id": 128009'),
    ],
)
def test_what_a_gateway_looks_at_is_there(
    ends: tuple[socket.socket, socket.socket], request_: bytes, part: bytes
) -> None:
    """Health, limits and tokens."""
    ours, theirs = ends
    connected(Engine(), theirs).data_received(request_)

    assert part in os.read(ours.fileno(), 65536)
