"""Readiness: one generated token through a gateway, and words for everything before it."""

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from engine.readiness import State, describe, exchange, generate_token, supervisor_state

Answers = dict[str, tuple[int, bytes]]
USAGE = b'{"usage": {"completion_tokens": 1}}'


@asynccontextmanager
async def gateway(answers: Answers, seen: list[bytes]) -> AsyncIterator[int]:
    """Serve fixed answers by path, as a gateway would; yields the port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
        seen.append(await reader.readexactly(size))
        status, body = answers[head.split()[1].decode()]
        writer.write(b"HTTP/1.1 %d x\r\nconnection: close\r\n\r\n" % status + body)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_a_generated_token_is_readiness() -> None:
    """A ready gateway is asked for exactly one token."""
    seen: list[bytes] = []
    async with gateway({"/ready": (200, b"{}"), "/v1/chat/completions": (200, USAGE)}, seen) as port:
        assert await generate_token("127.0.0.1", port)

    assert json.loads(seen[1])["max_tokens"] == 1


async def test_a_gateway_with_keys_is_believed() -> None:
    """Nobody gives us a key, so there is no token to be had; before it is ready there is no word either."""
    closed = (401, b'{"error": {"code": "key_invalid"}}')
    async with gateway({"/ready": (200, b"{}"), "/v1/chat/completions": closed}, []) as port:
        assert await generate_token("127.0.0.1", port)
    async with gateway({"/ready": (503, b"{}"), "/v1/chat/completions": closed}, []) as port:
        assert not await generate_token("127.0.0.1", port)


@pytest.mark.parametrize("answers", [
    {"/ready": (503, b"{}")},
    {"/ready": (200, b"{}"), "/v1/chat/completions": (503, b'{"error": {}}')},
    {"/ready": (200, b"{}"), "/v1/chat/completions": (200, b'{"usage": {"completion_tokens": 0}}')},
    {"/ready": (200, b"{}"), "/v1/chat/completions": (200, b"<html>")},
    {"/ready": (200, b"{}"), "/v1/chat/completions": (200, b"[]")},
])
async def test_anything_less_is_not(answers: Answers) -> None:
    """An open port, a refusal, an empty answer or another program are not readiness."""
    async with gateway(answers, []) as port:
        assert not await generate_token("127.0.0.1", port)


@pytest.mark.parametrize(("answer", "words"), [
    ((503, b'{"phase": "loading", "reason": "reading weights"}'), "loading, reading weights"),
    ((503, b'{"phase": "starting", "reason": null}'), "starting"),
    ((502, b"bad gateway"), "HTTP 502"),
])
async def test_waiting_is_described(answer: tuple[int, bytes], words: str) -> None:
    """Phase and reason of the gateway, or the bare status."""
    async with gateway({"/ready": answer}, []) as port:
        assert words == await describe("127.0.0.1", port)


@pytest.mark.parametrize(("body", "state"), [
    (b'{"phase": "failed", "reason": "no model", "starts": 2}', State("failed", "no model", 2)),
    (b'{"phase": "ready", "reason": null, "starts": 1}', State("ready", "", 1)),
    (b'{"phase": "ready"}', None),
    (b"<html>", None),
])
async def test_the_supervisor_is_asked(body: bytes, state: State | None) -> None:
    """Phase, reason and starts; anything of another form is no answer."""
    async with gateway({"/state": (200, body)}, []) as port:
        assert state == await supervisor_state("127.0.0.1", port)


async def test_nothing_listening_is_described() -> None:
    """A closed port is neither an error nor readiness."""
    port = unused_port()

    assert not await generate_token("127.0.0.1", port)
    assert await describe("127.0.0.1", port) == "the gateway does not answer yet"


async def test_a_program_that_speaks_no_http_has_no_status() -> None:
    """Bytes that are no answer count as no answer."""

    async def serve(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"SSH-2.0-x\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]

        assert await exchange("127.0.0.1", port, "GET", "/", 5) == (0, b"")


async def test_silence_ends_at_the_limit() -> None:
    """A gateway that accepts and says nothing is given up after the limit."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert await exchange("127.0.0.1", silent.getsockname()[1], "GET", "/ready", 0.05) == (0, b"")


def unused_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_an_ipv6_address_is_named_as_one() -> None:
    """The Host header has it in brackets, without which a gateway turns the request away."""
    seen: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        seen.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "::1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        status, _ = await exchange("::1", port, "GET", "/ready", 10)

    assert status == 200
    assert f"\r\nHost: [::1]:{port}\r\n".encode() in seen[0]
