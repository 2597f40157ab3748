"""Ask a running gateway whether it can chat: readiness is one generated token, not an open port.

Knows: the gateway's /ready and /v1/chat/completions, the supervisor's /state, just enough HTTP.
Knows nothing of: how the gateway and the engine are started.

Standard library only, because scripts/up asks with the system's Python.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass

# One look at /ready, which never waits for the engine; the first token of a large model may take minutes.
LOOK_LIMIT_SECONDS = 5.0
TOKEN_LIMIT_SECONDS = 300.0


@dataclass(frozen=True)
class State:
    """What the engine's supervisor says: the phase, why, and how often it has started the engine."""

    phase: str = ""
    reason: str = ""
    starts: int = 0


async def supervisor_state(host: str, port: int) -> State | None:
    """Ask the engine's supervisor; None where it does not answer yet."""
    told = facts((await exchange(host, port, "GET", "/state", LOOK_LIMIT_SECONDS))[1])
    phase, reason, starts = told.get("phase"), told.get("reason"), told.get("starts")
    if not isinstance(phase, str) or not isinstance(starts, int):
        return None
    return State(phase, reason if isinstance(reason, str) else "", starts)


async def generate_token(host: str, port: int) -> bool:
    """Ask the gateway for one token if it says that it is ready; say whether one came.

    Where it asks for a key we have none, and its word has to do: a token was generated before it is given.

    Waits on:  the gateway, TOKEN_LIMIT_SECONDS at most.
    """
    if (await exchange(host, port, "GET", "/ready", LOOK_LIMIT_SECONDS))[0] != 200:
        return False
    chat = {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 1}
    status, body = await exchange(host, port, "POST", "/v1/chat/completions", TOKEN_LIMIT_SECONDS, chat)
    if status == 401:
        return True
    usage = facts(body).get("usage")
    return status == 200 and isinstance(usage, dict) and usage.get("completion_tokens") == 1


async def describe(host: str, port: int) -> str:
    """Say in words what the gateway is waiting for."""
    status, body = await exchange(host, port, "GET", "/ready", LOOK_LIMIT_SECONDS)
    if status == 0:
        return "the gateway does not answer yet"
    known = facts(body)
    return ", ".join(str(known[key]) for key in ("phase", "reason") if known.get(key)) or f"HTTP {status}"


def facts(body: bytes) -> dict[str, object]:
    """Read a JSON object; anything else is an empty one."""
    try:
        value = json.loads(body)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


async def exchange(host: str, port: int, method: str, path: str, limit_seconds: float,
                   body: object = None) -> tuple[int, bytes]:
    """Send one request and return the status and the body; status 0 means that no answer came.

    It is HTTP/1.0, so that the answer ends with the connection and needs no further parsing.

    Waits on:  the answer, limit_seconds at most.
    Closes:    the connection.
    """
    sent = b"" if body is None else json.dumps(body).encode()
    name = f"[{host}]" if ":" in host else host
    head = (f"{method} {path} HTTP/1.0\r\nHost: {name}:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(sent)}\r\n\r\n")
    try:
        async with asyncio.timeout(limit_seconds):
            reader, writer = await asyncio.open_connection(host, port)
            try:
                writer.write(head.encode() + sent)
                received = await reader.read()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return 0, b""
    status_line, _, rest = received.partition(b"\r\n")
    words = status_line.split()
    if len(words) < 2 or not words[1].isdigit():
        return 0, b""
    return int(words[1]), rest.partition(b"\r\n\r\n")[2]
