"""Server-Timing: where an answer's time went, in its own head."""

import asyncio

import httpx

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat, streaming
from tests.gateway.test_waiting import stalled


def timing(response: httpx.Response) -> dict[str, float]:
    """Read the header. Units: milliseconds."""
    parts = [part.split(";") for part in response.headers["server-timing"].split(", ")]
    return {name: float(duration.removeprefix("dur=")) for name, duration, *_ in parts}


async def test_a_whole_answer_says_where_its_time_went(served: Served, tgi_double: ThreadDouble) -> None:
    """Wait, first token and generation, as the chat's record has them."""
    tgi_double.script(reply="one two three", first_delay_seconds=0.06, delay_seconds=0.03)
    response = await served.client.post(CHAT, json=chat())
    told, (record,) = timing(response), served.records()

    assert ["wait", "first_token", "generation"] == list(told)
    assert 60 <= told["first_token"] < told["generation"]
    assert told["generation"] >= 60 + 2 * 30
    assert abs(told["wait"] - record["wait_seconds"] * 1000) < 0.2
    assert abs(told["first_token"] - record["first_token_seconds"] * 1000) < 0.2


async def test_a_whole_answer_s_wait_is_in_it(serve: Serve, tgi_double: ThreadDouble) -> None:
    """From arrival to the slot."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    behind = asyncio.create_task(served.client.post(CHAT, json=chat("behind")))
    await served.until(lambda: served.gateway.admission.waiting == 1)
    tgi_double.release()
    response = await behind
    await running
    record = next(one for one in served.records() if not one["is_streamed"])

    assert record["wait_seconds"] > 0
    assert abs(timing(response)["wait"] - record["wait_seconds"] * 1000) < 0.2


async def test_an_error_says_how_long_it_took(served: Served, tgi_double: ThreadDouble) -> None:
    """What the chat got to: the wait, and no token."""
    tgi_double.script(fault="generation")
    response = await served.client.post(CHAT, json=chat())

    assert (502, ["wait"]) == (response.status_code, list(timing(response)))


async def test_a_stream_tells_its_wait(serve: Serve, tgi_double: ThreadDouble) -> None:
    """One that has its slot when the head is sent: the wait; one that waits: the wait so far, called so."""
    served = await serve(slots=1)
    async with streaming(served.client, chat()) as stream:
        await stream.rest()
    running = await stalled(served, tgi_double)
    async with streaming(served.client, chat("behind")) as behind:
        await behind.next()
        tgi_double.release()
        await behind.rest()
    await running

    assert ["wait"] == list(timing(stream.response))
    assert "so far" not in stream.response.headers["server-timing"]
    assert behind.response.headers["server-timing"].endswith(';desc="so far"')
