"""Streams that are followed again: byte for byte, by their owner, and stopped on request."""

import asyncio
from typing import Any

import httpx
import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat, content_of, error_of, frames_of, streaming

RESUME = {"paddock-resume": "1"}


async def whole(served: Served, content: str = "one two three", **more: Any) -> tuple[str, str]:
    """Let a resumable chat end; give its stream's id and its bytes."""
    answer = await served.client.post(CHAT, json=chat(content, stream=True, **more), headers=RESUME)
    return answer.headers["paddock-stream"], answer.text


async def test_every_cursor_gives_exactly_what_lies_behind_it(served: Served) -> None:
    """From nothing to all: the bytes are those of the first reading."""
    identity, text = await whole(served)
    frames = text.split("\n\n")[:-1]

    assert [str(number) for number in range(1, len(frames) + 1)] == [one.id for one in frames_of(text)]
    for after in range(len(frames)):
        again = await served.client.get(f"/v1/streams/{identity}", params={"after": after})
        assert "".join(frame + "\n\n" for frame in frames[after:]) == again.text


async def test_an_event_source_is_told_that_there_is_no_more(served: Served) -> None:
    """It sends the last id it saw; 204 keeps it from asking again."""
    identity, text = await whole(served)
    last = frames_of(text)[-1].id
    again = await served.client.get(f"/v1/streams/{identity}", headers={"last-event-id": last})

    assert (204, "") == (again.status_code, again.text)


async def test_a_reader_that_left_loses_nothing(served: Served, tgi_double: ThreadDouble) -> None:
    """The generation goes on without it, and what came meanwhile is there."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat(), paddock_resume="1") as stream:
        identity = stream.response.headers["paddock-stream"]
        first = await stream.until_text()
    tgi_double.release()
    again = await served.client.get(f"/v1/streams/{identity}")

    assert "one two three" == content_of(frames_of(again.text))
    assert again.text.startswith("id: 1\n")
    assert "one two three".startswith(first)
    await served.until(lambda: len(served.records()) == 1)
    assert "finished" == served.records()[0]["outcome"]


async def test_two_readers_see_the_same(served: Served, tgi_double: ThreadDouble) -> None:
    """One from the start and one from the middle, while it is written."""
    tgi_double.script(reply="one two three", fault="stall", after=2)
    async with streaming(served.client, chat(), paddock_resume="1") as stream:
        await stream.until_text()
        identity = stream.response.headers["paddock-stream"]
        other = asyncio.create_task(served.client.get(f"/v1/streams/{identity}?after=1"))
        tgi_double.release()
        rest = await stream.rest()

    assert [frame.id for frame in rest] == [frame.id for frame in frames_of((await other).text)][
        -len(rest) :
    ]


async def test_a_stopped_stream_frees_the_engine(served: Served, tgi_double: ThreadDouble) -> None:
    """DELETE answers once the slot is free; what was written can still be read, and has no [DONE]."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat(), paddock_resume="1") as stream:
        text = await stream.until_text()
        identity = stream.response.headers["paddock-stream"]
        stopped = await served.client.delete(f"/v1/streams/{identity}")
        assert (204, 0) == (stopped.status_code, served.gateway.admission.running)
        await tgi_double.until_seen(lambda seen: seen.disconnected_at is not None)
        rest = await stream.rest()
    again = await served.client.get(f"/v1/streams/{identity}")

    assert "[DONE]" not in [frame.data for frame in rest]
    assert text == content_of(frames_of(again.text))
    assert "cancelled" == served.records()[0]["outcome"]


@pytest.mark.parametrize("choices", [1, 2])
async def test_nobody_comes_back_for_ever(serve: Serve, tgi_double: ThreadDouble, choices: int) -> None:
    """After the grace without a reader the engine is freed, and who comes after all is told so."""
    served = await serve(resume_grace_seconds=0.05)
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat(n=choices), paddock_resume="1") as stream:
        await stream.until_text()
        identity = stream.response.headers["paddock-stream"]
    await tgi_double.until_seen(lambda seen: seen.disconnected_at is not None)
    await served.until_idle()
    late = frames_of((await served.client.get(f"/v1/streams/{identity}")).text)

    assert content_of(late).startswith("one")
    assert "nobody_followed" == error_of(late)["code"]
    assert "[DONE]" not in [frame.data for frame in late]
    assert "cancelled" == served.records()[0]["outcome"]


async def test_a_plain_client_s_leaving_frees_the_engine_at_once(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """It did not ask to be able to come back, and there is nothing to come back to."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat()) as stream:
        await stream.until_text()
        assert "paddock-stream" not in stream.response.headers
    await served.until_idle()


async def test_an_ended_stream_is_forgotten(serve: Serve) -> None:
    """When its time is over it is unknown, like one that never was."""
    served = await serve(stream_keep_seconds=0.01)
    identity, _ = await whole(served)
    await served.until(lambda: len(served.gateway.shelf) == 0)
    gone = await served.client.get(f"/v1/streams/{identity}")
    never = await served.client.get("/v1/streams/nothing")

    assert ["stream_unknown"] * 2 == [one.json()["error"]["code"] for one in (gone, never)]
    assert [404, 404] == [gone.status_code, never.status_code]


@pytest.mark.parametrize("header", ["paddock-resume", "paddock-progress"])
async def test_a_header_that_asks_says_yes_or_no(served: Served, header: str) -> None:
    """Any other word is refused by its name, instead of being taken for a no."""
    answers = [
        await served.client.post(CHAT, json=chat(stream=is_streamed), headers={header: word})
        for is_streamed in (False, True)
        for word in ("0", "1", "yes", "true", "")
    ]

    assert [200, 200, 422, 422, 422] * 2 == [one.status_code for one in answers]
    assert [header] * 6 == [one.json()["error"]["param"] for one in answers if one.is_error]


async def test_a_wrong_cursor_is_named(served: Served) -> None:
    """No number, or one ahead of the stream."""
    identity, _ = await whole(served)
    answers: list[httpx.Response] = [
        await served.client.get(f"/v1/streams/{identity}?after={after}") for after in ("x", "-1", "999")
    ]

    assert [422] * 3 == [one.status_code for one in answers]
    assert ["after"] * 3 == [one.json()["error"]["param"] for one in answers]


async def test_a_broken_answer_can_be_read_again_as_broken(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """The error is part of the stream."""
    tgi_double.script(reply="one two three", fault="close", after=1)
    identity, text = await whole(served)
    again = await served.client.get(f"/v1/streams/{identity}")

    assert text == again.text
    assert "engine_cut_off" == error_of(frames_of(again.text))["code"]
