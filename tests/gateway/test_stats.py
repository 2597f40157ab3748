"""The numbers: once, pushed, and comments while nothing changes."""

import asyncio

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, Stream, chat, streaming


async def test_the_numbers_of_an_idle_gateway(served: Served) -> None:
    """The three of the original, and ours."""
    stats = (await served.client.get("/stats")).json()

    expected = {
        "backlog": 0, "num_total_runners": 1, "model": "meta-llama/Meta-Llama-3-8B-Instruct", "demo": False,
        "running": 0, "slots": 8, "backlog_limit": 64, "tokens_per_second": 0.0, "phase": "ready",
        "reason": None, "cause": None, "context_window": 8192, "is_draining": False, "begin_of_text": 1,
    }  # fmt: skip
    assert expected == {key: stats[key] for key in expected}
    assert stats["phase_seconds"] >= 0


async def test_tokens_per_second_count_what_was_generated(served: Served) -> None:
    """Right after an answer the speed is above zero."""
    await served.client.post(CHAT, json=chat("one two three four five"))

    assert (await served.client.get("/stats")).json()["tokens_per_second"] > 0


async def test_changes_are_pushed(served: Served, tgi_double: ThreadDouble) -> None:
    """The numbers at once, then when a chat begins to run."""
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with served.client.stream("GET", "/stats/stream") as response, asyncio.timeout(LIMIT_SECONDS):
        stream = Stream(response)
        first = (await stream.next()).json
        async with streaming(served.client, chat()) as running:
            await running.until_text()
            news = first
            while news["running"] == 0:
                news = (await stream.next()).json
    assert (0, 1) == (first["running"], news["running"])


async def test_silence_is_kept_alive(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Comments on the pushed numbers and on a chat that thinks."""
    served = await serve(heartbeat_seconds=0.05)
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with served.client.stream("GET", "/stats/stream") as response, asyncio.timeout(LIMIT_SECONDS):
        numbers = Stream(response)
        await numbers.next()
        while not (comment := (await numbers.next()).comment):
            pass  # numbers that changed: the proof's token leaves the rate
        comments = {comment}
    async with streaming(served.client, chat()) as running, asyncio.timeout(LIMIT_SECONDS):
        await running.until_text()
        comments.add((await running.next()).comment)

    assert {"keep-alive"} == comments


async def test_an_engine_that_goes_is_news(served: Served, tgi_double: ThreadDouble) -> None:
    """The phase and its reason are pushed, the count of engines falls."""
    async with served.client.stream("GET", "/stats/stream") as response, asyncio.timeout(LIMIT_SECONDS):
        stream = Stream(response)
        assert "ready" == (await stream.next()).json["phase"]
        tgi_double.die()
        served.gateway.fleet._look_now.set()
        # That its connection ended may be told before what the next look finds.
        while "no answer from the engine" not in ((news := (await stream.next()).json)["reason"] or ""):
            pass

    assert ("starting", 0) == (news["phase"], news["num_total_runners"])


async def test_a_gateway_that_stops_is_not_ready_and_refuses(served: Served) -> None:
    """With when to come again; the numbers say it too."""
    served.gateway.drain()
    refused = await served.client.post(CHAT, json=chat())
    ready = await served.client.get("/ready")

    assert (503, "draining", "5") == (
        refused.status_code, refused.json()["error"]["code"], refused.headers["retry-after"],
    )  # fmt: skip
    assert (503, False, "the server is stopping") == (
        ready.status_code, ready.json()["ready"], ready.json()["reason"],
    )  # fmt: skip
    assert (await served.client.get("/stats")).json()["is_draining"]
