"""Clients that leave: the engine's connection closes, the slot is free, the chat is counted once."""

import contextlib
import json
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from tests.fakes.double import SeenRequest, ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat, content_of, streaming
from tests.gateway.test_waiting import stalled


def disconnected(seen: SeenRequest) -> bool:
    """Say whether the engine saw its client leave."""
    return seen.disconnected_at is not None


async def cancelled(served: Served) -> None:
    """Check that all that is left is one record of a cancelled chat."""
    await served.until_idle()
    assert ["cancelled"] == [record["outcome"] for record in served.records()]


@pytest.mark.parametrize("path", [CHAT, "/generate_stream"])
async def test_leaving_a_stream_closes_the_engine_s_connection(
    served: Served, tgi_double: ThreadDouble, path: str
) -> None:
    """In the middle of the answer."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    body = chat(stream=True) if path == CHAT else {"inputs": "Hi", "parameters": {"max_new_tokens": 9}}
    async with served.client.stream("POST", path, json=body) as response:
        await anext(response.aiter_bytes())
    await tgi_double.until_seen(disconnected)
    await cancelled(served)


async def test_leaving_a_question_closes_the_engine_s_connection(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """A closed EventSource."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with served.client.stream("GET", "/completion/Hi") as response:
        await anext(response.aiter_bytes())
    await tgi_double.until_seen(disconnected)
    await cancelled(served)


@contextlib.contextmanager
def raw_request(served: Served, body: dict[str, Any], path: str = CHAT) -> Iterator[socket.socket]:
    """Send a request on a connection of its own and read nothing; closing it is leaving."""
    with socket.create_connection(("127.0.0.1", served.port)) as connection:
        content = json.dumps(body).encode()
        head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
        connection.sendall(f"{head}content-length: {len(content)}\r\n\r\n".encode() + content)
        yield connection


@pytest.mark.parametrize("path", [CHAT, "/generate"])
async def test_leaving_before_a_whole_answer_closes_the_engine_s_connection(
    served: Served, tgi_double: ThreadDouble, path: str
) -> None:
    """Nothing was streamed, and still nobody generates for a closed connection."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    with raw_request(served, chat() if path == CHAT else {"inputs": "Hi"}, path):
        await tgi_double.until_seen(lambda seen: seen.generated == 1 and seen.ended_at is None)
    await tgi_double.until_seen(disconnected)
    await cancelled(served)


async def test_leaving_before_the_first_token_closes_the_engine_s_connection(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """While the status is still held back."""
    tgi_double.script(fault="stall")
    with raw_request(served, chat(stream=True)):
        await tgi_double.until_seen(lambda seen: seen.path == "/generate_stream" and seen.ended_at is None)
    await tgi_double.until_seen(disconnected)
    await cancelled(served)


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_leaving_the_queue_frees_the_place(
    serve: Serve, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """Who stood behind moves up; the engine never hears of it."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    asked = len(tgi_double.seen("/generate_stream"))
    async with contextlib.AsyncExitStack() as stack:
        with raw_request(served, chat(stream=is_streamed)):
            await served.until(lambda: served.gateway.admission.waiting == 1)
            behind = await stack.enter_async_context(streaming(served.client, chat("behind")))
            assert "place 2 of 2" == (await behind.next()).comment
        assert "place 1 of 1" == (await behind.next()).comment
        assert asked == len(tgi_double.seen("/generate_stream"))
        tgi_double.release()
        assert "behind" == content_of(await behind.rest())
    await running

    assert ["cancelled", "finished", "finished"] == [record["outcome"] for record in served.records()]


async def test_a_slot_is_usable_right_after_its_holder_left(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Ten clients come and go; the eleventh is served."""
    served = await serve(slots=1)
    for _ in range(10):
        tgi_double.script(reply="one two", fault="stall", after=1)
        async with streaming(served.client, chat()) as stream:
            await stream.until_text()
        await served.until_idle()

    assert 200 == (await served.client.post(CHAT, json=chat())).status_code
    assert ["cancelled"] * 10 + ["finished"] == [record["outcome"] for record in served.records()]


async def test_metrics_count_each_end_once(served: Served, tgi_double: ThreadDouble) -> None:
    """One finished, one cancelled, one failed."""
    await served.client.post(CHAT, json=chat())
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with streaming(served.client, chat()) as stream:
        await stream.until_text()
    await served.until_idle()
    tgi_double.script(fault="generation")
    await served.client.post(CHAT, json=chat())
    lines = (await served.client.get("/metrics")).text.split("\n")

    chats = [line for line in lines if line.startswith("paddock_chats_total")]
    ends = {line.split('"')[1]: float(line.split()[-1]) for line in chats}
    assert {"finished": 1.0, "cancelled": 1.0, "failed": 1.0, "expired": 0.0} == ends
    assert 'paddock_engine_errors_total{code="engine_failed"} 1.0' in lines
    assert 'paddock_tickets{state="running"} 0.0' in lines
