"""Reads an engine's answers byte by byte.

Knows:  HTTP bodies and heads, the exact form of TGI's events.
Knows nothing of: which engine answers.
"""

import http.client
import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

# Longer than any answer on a busy machine; reached only by a failure.
LIMIT_SECONDS = 60.0
JSON = {"content-type": "application/json"}


@dataclass(frozen=True)
class Reply:
    """One answer. Header names are lower case."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)

    @property
    def keys(self) -> list[str]:
        """The keys of the JSON object in the order they were written."""
        return list(self.document)


def ask(
    port: int,
    method: str,
    path: str,
    body: bytes | dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> Reply:
    """Send one request and read the whole answer."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)
    payload = json.dumps(body, ensure_ascii=False).encode() if isinstance(body, dict) else body
    named = JSON if headers is None else headers
    try:
        connection.request(method, path, payload, named if payload is not None else {})
        response = connection.getresponse()
        answered = {name.lower(): value for name, value in response.getheaders()}
        return Reply(response.status, answered, response.read())
    finally:
        connection.close()


def frames(body: bytes) -> list[bytes]:
    """The events of a stream's body, refusing anything that is not `data: {…}` and a blank line."""
    if not body.endswith(b"\n\n"):
        raise AssertionError(f"the stream does not end with a blank line: {body[-80:]!r}")
    blocks = [block for block in body.split(b"\n\n")[:-1] if block != b":"]
    for block in blocks:
        if not block.startswith(b"data: {") or b"\n" in block or b"\r" in block:
            raise AssertionError(f"not one line of data with one space: {block!r}")
    return [block.removeprefix(b"data: ") for block in blocks]


def events(body: bytes) -> list[dict[str, Any]]:
    """The events of a stream's body as JSON."""
    return [json.loads(frame) for frame in frames(body)]


class Open:
    """A request whose answer is read piece by piece from the socket."""

    def __init__(self, port: int, path: str, document: dict[str, Any]) -> None:
        """Connect and send."""
        body = json.dumps(document).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_SECONDS)
        self._socket.sendall(head.encode() + b"content-type: application/json\r\n\r\n" + body)
        self.received = b""

    def read_until(self, part: bytes) -> bytes:
        """Read until the bytes so far hold a part.

        Raises:  AssertionError if the answer ends before.
        """
        while part not in self.received:
            more = self._socket.recv(65536)
            if not more:
                raise AssertionError(f"ended before {part!r}: {self.received[-200:]!r}")
            self.received += more
        return self.received

    def close(self) -> None:
        """Leave."""
        self._socket.close()


@contextmanager
def opened(port: int, path: str, document: dict[str, Any]) -> Iterator[Open]:
    """An open request for the length of a block."""
    request = Open(port, path, document)
    try:
        yield request
    finally:
        request.close()
