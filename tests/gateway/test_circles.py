"""What a chat used is free when it ends, without the garbage collector.

Its pauses grow with what waits for it, and no token moves in them: 30 to 70 ms were seen when a request and
its answer held each other.
"""

import asyncio
import gc
from collections.abc import Iterator
from typing import Any

import pytest
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from gateway.followed import Followed
from gateway.routes.push import Push
from tests.gateway.conftest import Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat

CHATS = 5


@pytest.fixture
def uncollected() -> Iterator[None]:
    """Let nothing be freed but by its last reference."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def alive(kind: type[Any]) -> int:
    """Count the objects of a kind."""
    return sum(isinstance(one, kind) for one in gc.get_objects())


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(chat(), id="whole"),
        pytest.param(chat(stream=True), id="streamed"),
        pytest.param(chat(n=2), id="several"),
        pytest.param(chat(n=2, stream=True), id="several, streamed"),
        pytest.param(chat(temperature=9), id="refused"),
    ],
)
async def test_what_a_chat_used_is_freed_when_it_ends(served: Served, body: dict[str, Any]) -> None:
    """The way to its client, its generation and the server's own account of the request."""
    # What earlier tests hold is none of this one's; a connection keeps the account of its last request.
    most: dict[type[Any], int] = {kind: alive(kind) for kind in (Push, Followed)}
    most[RequestResponseCycle] = alive(RequestResponseCycle) + 1
    for _ in range(CHATS):
        await served.client.post(CHAT, json=body)
    await served.until_idle()

    async with asyncio.timeout(LIMIT_SECONDS):
        while any(alive(kind) > count for kind, count in most.items()):
            await asyncio.sleep(0.01)
