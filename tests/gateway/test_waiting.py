"""The queue as clients see it: places, limits, and a slot the moment one is free."""

import asyncio

import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat, content_of, error_of, streaming


async def stalled(served: Served, double: ThreadDouble) -> "asyncio.Task[str]":
    """Occupy a slot until the double is released; give the text that comes in the end."""
    before = served.gateway.admission.running
    double.script(reply="one two", fault="stall", after=1)

    async def run() -> str:
        async with streaming(served.client, chat()) as stream:
            return content_of(await stream.rest())

    task = asyncio.create_task(run())
    await served.until(lambda: served.gateway.admission.running == before + 1)
    await double.until_seen(lambda seen: seen.events == 1 and seen.ended_at is None)
    return task


async def test_the_place_is_told_in_comments(serve: Serve, tgi_double: ThreadDouble) -> None:
    """A plain client's parser skips them; the text follows once a slot is free."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    async with (
        streaming(served.client, chat("first")) as first,
        streaming(served.client, chat("second")) as second,
    ):
        places = [(await first.next()).comment, (await second.next()).comment]
        tgi_double.release()
        texts = [content_of(await first.rest()), content_of(await second.rest())]

    assert ["place 1 of 1", "place 2 of 2"] == places
    assert ["first", "second", "one two"] == [*texts, await running]


async def test_progress_events_are_for_those_who_ask(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Each new place, then the slot, as named events before the first chunk."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    async with (
        streaming(served.client, chat("first")) as first,
        streaming(served.client, chat("second"), paddock_progress="1") as second,
    ):
        await first.next()
        news = [await second.next()]
        tgi_double.release()
        assert "first" == content_of(await first.rest())
        rest = await second.rest()
        news += [frame for frame in rest if frame.event]

    assert {"progress"} == {frame.event for frame in news}
    told = [frame.json for frame in news]
    assert {"state": "waiting", "place": 2, "backlog": 2, "phase": "ready"} == {
        key: told[0][key] for key in ("state", "place", "backlog", "phase")
    }
    assert [2, 1] == [one["place"] for one in told[:-1]]
    assert {"state": "running"} == told[-1]
    assert "second" == content_of(rest)
    assert "one two" == await running


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_full_queue_says_when_to_come_again(
    serve: Serve, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """429 with Retry-After, exactly when as many wait as may; nothing reaches the engine."""
    served = await serve(slots=1, backlog_limit=1)
    running = await stalled(served, tgi_double)
    async with streaming(served.client, chat("waits")) as waits:
        await waits.next()
        asked = len(tgi_double.seen("/generate_stream"))
        response = await served.client.post(CHAT, json=chat(stream=is_streamed))
        error = response.json()["error"]

        assert (429, "backlog_full", "rate_limit_error") == (
            response.status_code, error["code"], error["type"],
        )  # fmt: skip
        assert int(response.headers["retry-after"]) == error["retry_after_seconds"] >= 1
        assert asked == len(tgi_double.seen("/generate_stream"))
        tgi_double.release()
        assert "waits" == content_of(await waits.rest())
    await running
    assert b'paddock_refusals_total{code="backlog_full"} 1.0' in (await served.client.get("/metrics")).content
    assert 2 == len(served.records())


async def test_a_wait_has_a_limit(serve: Serve, tgi_double: ThreadDouble) -> None:
    """An error frame behind the place; the engine was never called for it."""
    served = await serve(slots=1, wait_limit_seconds=0.1)
    running = await stalled(served, tgi_double)
    asked = len(tgi_double.seen("/generate_stream"))
    async with streaming(served.client, chat("waits")) as waits:
        frames = await waits.rest()
    assert "place 1 of 1" == frames[0].comment
    assert "wait_expired" == error_of(frames)["code"]
    assert asked == len(tgi_double.seen("/generate_stream"))
    assert ["expired"] == [record["outcome"] for record in served.records()]
    tgi_double.release()
    await running


async def test_a_whole_answer_that_waited_too_long_is_a_504(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Without a stream the status still tells it."""
    served = await serve(slots=1, wait_limit_seconds=0.1)
    running = await stalled(served, tgi_double)
    response = await served.client.post(CHAT, json=chat())

    assert (504, "wait_expired", "30") == (
        response.status_code, response.json()["error"]["code"], response.headers["retry-after"],
    )  # fmt: skip
    tgi_double.release()
    await running


async def test_a_whole_answer_waits_its_turn(serve: Serve, tgi_double: ThreadDouble) -> None:
    """And is given once its slot came."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    waits = asyncio.create_task(served.client.post(CHAT, json=chat("patient")))
    await served.until(lambda: served.gateway.admission.waiting == 1)
    tgi_double.release()

    assert "patient" == (await waits).json()["choices"][0]["message"]["content"]
    await running


async def test_never_more_run_than_there_are_slots(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Thirty at once over three slots: all answered, three at a time."""
    served = await serve(slots=3, backlog_limit=40)
    tgi_double.script(delay_seconds=0.005, times=None)
    answers = await asyncio.gather(
        *(served.client.post(CHAT, json=chat(f"chat number {number}")) for number in range(30))
    )
    seen = tgi_double.seen("/generate_stream")[1:]
    edges = sorted([(one.started_at, 1) for one in seen] + [(one.ended_at or 0.0, -1) for one in seen])
    most = now = 0
    for _, step in edges:
        now += step
        most = max(most, now)

    assert [f"chat number {number}" for number in range(30)] == [
        answer.json()["choices"][0]["message"]["content"] for answer in answers
    ]
    # The engine's own end of a request may lag behind the slot's by one answer.
    assert most <= 3 + 1
    assert 30 == len(served.records())


async def test_the_queue_is_shown(serve: Serve, tgi_double: ThreadDouble) -> None:
    """In the numbers and in the gauges."""
    served = await serve(slots=1)
    running = await stalled(served, tgi_double)
    async with streaming(served.client, chat()) as waits:
        await waits.next()
        stats = (await served.client.get("/stats")).json()
        page = (await served.client.get("/metrics")).text
        tgi_double.release()
        await waits.rest()
    await running

    assert (1, 1, 1, 8, 1, "ready") == tuple(
        stats[key] for key in ("backlog", "running", "slots", "backlog_limit", "num_total_runners", "phase")
    )
    assert {"running": 1.0, "waiting": 1.0} == {
        state: float(page.partition(f'paddock_tickets{{state="{state}"}} ')[2].split("\n")[0])
        for state in ("running", "waiting")
    }
