"""How soon a cancel frees the engine, by the engine's own clock; and a waiting chat's place."""

import contextlib
import re
import socket
import time
from collections.abc import Iterator

import orjson

from tests.fakes.double import SeenRequest, ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat, streaming
from tests.gateway.test_waiting import stalled

LIMIT_SECONDS = 0.25
# Waiting chats never reach the engine, so leaving is a matter of the gateway alone.
PLACE_LIMIT_SECONDS = 0.1


def p95(seconds: list[float]) -> float:
    """Give what 95 of 100 are not above."""
    return sorted(seconds)[int(0.95 * len(seconds))]


@contextlib.contextmanager
def asking(served: Served, name: str, *, streams: bool) -> Iterator[socket.socket]:
    """Send a chat on a connection of its own; closing it is leaving."""
    content = orjson.dumps(chat(name, stream=streams))
    head = f"POST {CHAT} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        connection.sendall(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        yield connection


async def until_stalled(double: ThreadDouble, name: str) -> None:
    """Wait until the engine generates for a chat and goes no further."""
    await double.until_seen(lambda seen: name in seen.body and seen.generated == 1 and seen.ended_at is None)


async def closed_after(double: ThreadDouble, name: str, left: float) -> float:
    """Give how long after a moment the engine's connection for a chat was closed."""

    def is_closed(seen: SeenRequest) -> bool:
        return name in seen.body and seen.disconnected_at is not None

    seen = await double.until_seen(is_closed)
    assert seen.disconnected_at is not None
    return seen.disconnected_at - left


async def test_a_cancel_frees_the_engine_within_a_quarter_second(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Forty running chats: streams left, whole answers left, streams stopped by DELETE."""
    tgi_double.script(reply="one two three", fault="stall", after=1, times=None)
    took: dict[str, list[float]] = {"left stream": [], "left whole": [], "stopped": []}
    for number in range(14):
        for kind, streams in (("left stream", True), ("left whole", False)):
            name = f"{kind} {number}."
            with asking(served, name, streams=streams):
                await until_stalled(tgi_double, name)
                left = time.monotonic()
            took[kind].append(await closed_after(tgi_double, name, left))
    for number in range(12):
        name = f"stopped {number}."
        async with streaming(served.client, chat(name), paddock_resume="1") as stream:
            await stream.until_text()
            left = time.monotonic()
            answer = await served.client.delete(f"/v1/streams/{stream.response.headers['paddock-stream']}")
            took["stopped"].append(await closed_after(tgi_double, name, left))
            assert 204 == answer.status_code
    await served.until_idle()
    print({kind: f"p95 {p95(seconds) * 1000:.1f} ms" for kind, seconds in took.items()})

    assert 40 == sum(map(len, took.values()))
    assert p95([one for seconds in took.values() for one in seconds]) <= LIMIT_SECONDS
    records = served.records()
    assert ["cancelled"] * 40 == [record["outcome"] for record in records]
    # What the gateway exports of it (paddock_cancel_seconds) is what the engine saw, but for the wire's time.
    told = p95([record["cancel_seconds"] for record in records])
    page = (await served.client.get("/metrics")).text
    assert told <= LIMIT_SECONDS
    for by, count in (("left", 28), ("stopped", 12)):
        assert f'paddock_cancel_seconds_count{{by="{by}"}} {float(count)}' in page
        (within,) = re.findall(rf'paddock_cancel_seconds_bucket{{by="{by}",le="0.25"}} (\S+)', page)
        assert 0.95 * count <= float(within)


async def test_a_waiting_chat_is_gone_at_once(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Forty waiting chats, left or stopped: the place is free, and the engine never heard of them."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    asked = len(tgi_double.seen("/generate_stream"))
    admission = served.gateway.admission
    took = []
    for number in range(26):
        with asking(served, "waits", streams=number % 2 == 0):
            await served.until(lambda: admission.waiting == 1)
            left = time.monotonic()
        await served.until(lambda: admission.waiting == 0)
        took.append(time.monotonic() - left)
    for _ in range(14):
        async with streaming(served.client, chat("waits"), paddock_resume="1") as stream:
            await stream.next()
            left = time.monotonic()
            await served.client.delete(f"/v1/streams/{stream.response.headers['paddock-stream']}")
            await served.until(lambda: admission.waiting == 0)
            took.append(time.monotonic() - left)
    print(f"p95 {p95(took) * 1000:.1f} ms")

    assert p95(took) <= PLACE_LIMIT_SECONDS
    assert asked == len(tgi_double.seen("/generate_stream"))
    tgi_double.release()
    await running
    assert ["cancelled"] * 40 + ["finished"] == [record["outcome"] for record in served.records()]
