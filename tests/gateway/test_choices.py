"""Several answers to one chat: a slot for each, one admission, one stream, one record."""

import asyncio
import contextlib
import json
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
from openai.types.chat import ChatCompletion

from gateway.choices import Choices
from gateway.errors import Draining
from gateway.keyfile import Key, hash_key, make_key, write_keys
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, Frame, chat, error_of, frames_of, streaming

BOTH = pytest.mark.parametrize("is_streamed", [False, True])
USAGE = {"include_usage": True}
TOOL = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}


def apart(frames: list[Frame]) -> dict[int, list[dict[str, Any]]]:
    """Give each choice's own chunks, in their order."""
    found: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for frame in frames:
        if frame.data not in ("", "[DONE]"):
            for choice in frame.json.get("choices", ()):
                found[choice["index"]].append(choice)
    return found


def generated(double: ThreadDouble) -> list[Any]:
    """Give the requests for generations, without the proof at the start."""
    return [one for one in double.seen("/generate_stream") if one.inputs != "Hi"]


async def test_several_answers_come_whole(served: Served, tgi_double: ThreadDouble) -> None:
    """Each with its index; the prompt is counted once, what was written added up."""
    for reply in ("one", "one two", "one two three"):
        tgi_double.script(reply=reply)
    told = (await served.client.post(CHAT, json=chat(n=3))).json()
    alone = (await served.client.post(CHAT, json=chat())).json()

    assert [0, 1, 2] == [choice["index"] for choice in told["choices"]]
    texts = [choice["message"]["content"] for choice in told["choices"]]
    assert ["one", "one two", "one two three"] == sorted(texts)
    assert {"stop"} == {choice["finish_reason"] for choice in told["choices"]}
    assert alone["usage"]["prompt_tokens"] == told["usage"]["prompt_tokens"]
    # Each has its end of turn.
    assert 2 + 3 + 4 == told["usage"]["completion_tokens"]
    ChatCompletion.model_validate(told)


async def test_several_answers_come_in_one_stream(served: Served, tgi_double: ThreadDouble) -> None:
    """As they are written; each has one role and one finish, the stream one usage and one end."""
    for reply in ("a b c d e", "one two three four five"):
        tgi_double.script(reply=reply, delay_seconds=0.005)
    response = await served.client.post(CHAT, json=chat(n=2, stream=True, stream_options=USAGE))
    frames = frames_of(response.text)
    found = apart(frames)

    assert {0, 1} == found.keys()
    texts = {"".join(one["delta"].get("content", "") for one in chunks) for chunks in found.values()}
    assert {"a b c d e", "one two three four five"} == texts
    for chunks in found.values():
        assert [{"role": "assistant", "content": ""}] == [
            one["delta"] for one in chunks if "role" in one["delta"]
        ]
        assert "role" in chunks[0]["delta"]
        finishes = [one["finish_reason"] for one in chunks]
        assert ["stop"] == [one for one in finishes if one]
        assert "stop" == finishes[-1]
    order = [frame.json["choices"][0]["index"] for frame in frames[:-2]]
    # As OpenAI's SDK needs it.
    assert [0, 1] == order[:2]
    assert order not in (sorted(order), sorted(order, reverse=True))
    assert ([], 12) == (frames[-2].json["choices"], frames[-2].json["usage"]["completion_tokens"])
    assert ["[DONE]"] == [frame.data for frame in frames if frame.data == "[DONE]"] == [frames[-1].data]
    assert 1 == len({frame.json["id"] for frame in frames[:-1]})


async def test_completions_have_several_answers_too(served: Served, tgi_double: ThreadDouble) -> None:
    """In their own form, whole and streamed."""
    tgi_double.script(reply="Yes", times=4)
    body = {"prompt": "raw", "n": 2}
    whole = (await served.client.post("/v1/completions", json=body)).json()
    frames = frames_of((await served.client.post("/v1/completions", json={**body, "stream": True})).text)

    assert [(0, "Yes"), (1, "Yes")] == [(one["index"], one["text"]) for one in whole["choices"]]
    texts = {index: "".join(one["text"] for one in chunks) for index, chunks in apart(frames).items()}
    assert ({0: "Yes", 1: "Yes"}, "[DONE]") == (texts, frames[-1].data)


async def test_several_prompts_have_their_answers_in_order(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Those to the first come first by index; each prompt is counted once, and they are one chat."""
    body = {"prompt": ["one", "two three"], "n": 2, "seed": 7, "max_tokens": 3}
    tgi_double.script(match="one", reply="to one", times=None).script(match="two", reply="to two", times=None)
    whole = (await served.client.post("/v1/completions", json=body)).json()
    streamed = {**body, "stream": True, "stream_options": USAGE}
    frames = frames_of((await served.client.post("/v1/completions", json=streamed)).text)
    alone = [
        (await served.client.post("/v1/completions", json={"prompt": prompt})).json()["usage"]
        for prompt in ("one", "two three")
    ]

    expected = ["to one", "to one", "to two", "to two"]
    assert list(enumerate(expected)) == [(one["index"], one["text"]) for one in whole["choices"]]
    texts = {index: "".join(one["text"] for one in chunks) for index, chunks in apart(frames).items()}
    assert dict(enumerate(expected)) == texts
    assert whole["usage"] == frames[-2].json["usage"]
    assert sum(usage["prompt_tokens"] for usage in alone) == whole["usage"]["prompt_tokens"]
    asked = [(one.inputs, one.parameters["seed"]) for one in generated(tgi_double)[:4]]
    assert [("one", 7), ("one", 8), ("two three", 7), ("two three", 8)] == sorted(asked)
    assert 4 == len(served.records())


@pytest.mark.parametrize(
    ("seed", "expected"), [(7, {7, 8, 9}), (2**64 - 1, {2**64 - 1, 0, 1}), (None, {None})]
)
async def test_each_answer_has_a_seed_of_its_own(
    served: Served, tgi_double: ThreadDouble, seed: int | None, expected: set[int | None]
) -> None:
    """Counted up from the one that was given, so that each can be had again alone."""
    await served.client.post(CHAT, json=chat(n=3, seed=seed))

    assert expected == {one.parameters.get("seed") for one in generated(tgi_double)}


async def test_it_is_one_chat(served: Served, tgi_double: ThreadDouble) -> None:
    """One record with the sums, one count in the metrics; nobody holds anything behind it."""
    tgi_double.script(reply="one two three", times=3)
    await served.client.post(CHAT, json=chat(n=3, max_tokens=2))
    (record,) = served.records()
    metrics = (await served.client.get("/metrics")).text

    expected = {"outcome": "finished", "finish": "length", "completion_tokens": 6, "code": None}
    assert expected == {key: record[key] for key in expected}
    assert record["prompt_tokens"] > 0
    assert 'paddock_chats_total{outcome="finished"} 1.0' in metrics
    assert (0, 0, 0) == (
        served.gateway.admission.running, served.gateway.admission.waiting, len(served.gateway.generations),
    )  # fmt: skip


@pytest.mark.parametrize(("slots", "together"), [(1, 1), (2, 2), (3, 3), (8, 4)])
async def test_each_running_answer_has_a_slot(
    serve: Serve, tgi_double: ThreadDouble, slots: int, together: int
) -> None:
    """Never more than there are; the others of the same chat wait for theirs, and all come."""
    served = await serve(slots=slots)
    admission, seen = served.gateway.admission, set()
    tgi_double.script(reply="one two three", delay_seconds=0.003, times=None)
    async with streaming(served.client, chat(n=4)) as stream:
        while True:
            try:
                await stream.next()
            except StopAsyncIteration:
                break
            seen.add(admission.running)

    assert together == max(seen)
    assert 4 == len(generated(tgi_double))


@BOTH
async def test_leaving_frees_every_slot(serve: Serve, tgi_double: ThreadDouble, is_streamed: bool) -> None:
    """Those that run and those that wait; the engine's connections are closed."""
    served = await serve(slots=2)
    tgi_double.script(reply="one two three", fault="stall", after=1, times=None)
    asking = asyncio.create_task(served.client.post(CHAT, json=chat(n=3, stream=is_streamed)))
    await served.until(lambda: len(generated(tgi_double)) == 2)
    asking.cancel()
    await served.until_idle()
    await served.until(lambda: all(one.disconnected_at is not None for one in generated(tgi_double)))
    await served.until(lambda: len(served.records()) == 1)

    assert ("cancelled", "left") == tuple(served.records()[0][key] for key in ("outcome", "ended_by"))
    assert 2 == len(generated(tgi_double))


@BOTH
async def test_an_answer_that_fails_fails_all_with_its_status(
    served: Served, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """Before any text the status tells it; no other answer is left running."""
    tgi_double.script(fault="generation", times=None)
    response = await served.client.post(CHAT, json=chat(n=3, stream=is_streamed))
    await served.until_idle()

    assert (502, "engine_failed") == (response.status_code, response.json()["error"]["code"])
    assert [("failed", "engine_failed")] == [(one["outcome"], one["code"]) for one in served.records()]


async def test_an_answer_that_fails_later_ends_the_stream(served: Served, tgi_double: ThreadDouble) -> None:
    """What came stays, the error is last, the others stop, and there is no [DONE]."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    tgi_double.script(reply="a b c", fault="generation", after=2, delay_seconds=0.02)
    async with asyncio.timeout(LIMIT_SECONDS):
        frames = frames_of((await served.client.post(CHAT, json=chat(n=2, stream=True))).text)
    await served.until_idle()

    assert "engine_failed" == error_of(frames)["code"]
    texts = {"".join(one["delta"].get("content", "") for one in chunks) for chunks in apart(frames).values()}
    assert {"one", "a b"} == texts
    assert ["failed"] == [one["outcome"] for one in served.records()]
    await tgi_double.until_seen(lambda seen: seen.events == 1 and seen.disconnected_at is not None)


async def test_the_wait_limit_fails_the_whole_chat(serve: Serve, tgi_double: ThreadDouble) -> None:
    """An answer that never gets its slot is told, though another came."""
    # Long enough for the other's first token on a busy machine.
    served = await serve(slots=1, wait_limit_seconds=1.0)
    tgi_double.script(reply="one two", fault="stall", after=1, times=None)
    frames = frames_of((await served.client.post(CHAT, json=chat(n=2, stream=True))).text)

    assert "wait_expired" == error_of(frames)["code"]
    assert ["expired"] == [one["outcome"] for one in served.records()]


async def test_answers_that_come_after_one_another_may_wait_longer(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """The wait limit is for the line of chats, and counts for each wave of one's own answers."""
    served = await serve(slots=2, wait_limit_seconds=60)
    tgi_double.script(reply="one two", fault="stall", after=1, times=None)
    async with streaming(served.client, chat(n=5)) as stream:
        await stream.until_text()
        (answer,) = served.gateway.generations._open
        assert isinstance(answer, Choices)

        assert [60, 60, 120, 120, 180] == [part._house.wait_limit_seconds for part in answer._parts]


async def test_a_drain_ends_all_answers_with_one_error(served: Served, tgi_double: ThreadDouble) -> None:
    """Past the grace."""
    tgi_double.script(reply="one two", fault="stall", after=1, times=None)
    async with streaming(served.client, chat(n=2)) as stream:
        await stream.until_text()
        served.gateway.generations.end_all(Draining("the server stopped", retry_after_seconds=5))
        rest = await stream.rest()

    assert "draining" == error_of(rest)["code"]
    assert [("failed", "drain")] == [(one["outcome"], one["ended_by"]) for one in served.records()]


async def test_a_stream_of_several_answers_can_be_followed_again(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """From any event on, to the byte."""
    tgi_double.script(reply="one two three four", times=2, burst=3)
    body = chat(n=2, stream=True, stream_options=USAGE)
    response = await served.client.post(CHAT, json=body, headers={"paddock-resume": "1"})
    identity, blocks = response.headers["paddock-stream"], response.text.split("\n\n")[:-1]

    assert [str(at) for at in range(1, len(blocks) + 1)] == [frame.id for frame in frames_of(response.text)]
    for after in range(len(blocks)):
        again = await served.client.get(f"/v1/streams/{identity}", params={"after": after})
        assert "".join(block + "\n\n" for block in blocks[after:]) == again.text


async def test_a_stream_of_several_answers_can_be_stopped(served: Served, tgi_double: ThreadDouble) -> None:
    """Every engine connection closes, and nothing more is written."""
    tgi_double.script(reply="one two", fault="stall", after=1, times=None)
    async with streaming(served.client, chat(n=3), paddock_resume="1") as stream:
        await stream.until_text()
        identity = stream.response.headers["paddock-stream"]
        assert 204 == (await served.client.delete(f"/v1/streams/{identity}")).status_code
        rest = await stream.rest()

    assert "[DONE]" not in [frame.data for frame in rest]
    assert [("cancelled", "stopped")] == [(one["outcome"], one["ended_by"]) for one in served.records()]
    assert 0 == served.gateway.admission.running


async def test_all_answers_are_admitted_or_none(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Full means 429 for the whole chat, and nothing was started for it."""
    served = await serve(slots=2, backlog_limit=2)
    tgi_double.script(reply="one two", fault="stall", after=1, times=None)
    async with streaming(served.client, chat("first", n=2)) as stream:
        await stream.until_text()
        response = await served.client.post(CHAT, json=chat(n=3))
        assert (429, "backlog_full") == (response.status_code, response.json()["error"]["code"])
        assert int(response.headers["retry-after"]) >= 1
        assert (2, 0) == (served.gateway.admission.running, served.gateway.admission.waiting)


async def test_more_answers_than_ever_fit_are_the_caller_s_to_change(serve: Serve) -> None:
    """Trying again would never help, so it is no 429. One client alone has three quarters of the places."""
    served = await serve(slots=1, backlog_limit=3)
    error = (await served.client.post(CHAT, json=chat(n=4))).json()["error"]

    assert ("chat_unsupported", "n") == (error["code"], error["param"])
    assert 200 == (await served.client.post(CHAT, json=chat(n=3))).status_code


async def test_a_key_pays_for_every_answer_of_one_request(
    serve: Serve, tgi_double: ThreadDouble, tmp_path: Path
) -> None:
    """One request of those in a minute, all its tokens, and one chat at once."""
    key, path = make_key(), tmp_path / "keys.json"
    ann = Key("ann", hash_key(key), "2026-01-01T00:00:00+00:00", 10, concurrent=1, tokens_per_day=10_000)
    write_keys(path, [ann])
    served = await serve(keys_file=path)
    tgi_double.script(reply="one two three", times=None)
    headers = {"authorization": f"Bearer {key}"}
    told = await served.client.post(CHAT, json=chat(n=3), headers=headers)
    usage = told.json()["usage"]
    after = await served.client.post(CHAT, json=chat(max_tokens=1), headers=headers)

    # The engine reads the prompt for each of them.
    used = 3 * usage["prompt_tokens"] + usage["completion_tokens"]
    left = int(after.headers["x-ratelimit-remaining-tokens"])
    assert 10_000 - used - left >= usage["prompt_tokens"] + 1
    assert 10_000 - used - left < used
    assert "8" == after.headers["x-ratelimit-remaining-requests"]


async def test_each_answer_has_its_own_call(serve: Serve, tgi_double: ThreadDouble) -> None:
    """With an id that no other has."""
    tgi_double.settle(model_id="meta-llama/Llama-3.1-8B-Instruct")
    tgi_double.script(reply='{"name": "f", "parameters": {}}', times=None)
    served = await serve()
    body = chat(n=3, tools=[TOOL])
    whole = (await served.client.post(CHAT, json=body)).json()
    frames = frames_of((await served.client.post(CHAT, json={**body, "stream": True})).text)

    calls = [choice["message"]["tool_calls"][0] for choice in whole["choices"]]
    assert 3 == len({call["id"] for call in calls})
    assert {"tool_calls"} == {choice["finish_reason"] for choice in whole["choices"]}
    streamed = [one["delta"]["tool_calls"][0] for chunks in apart(frames).values() for one in chunks
                if "tool_calls" in one["delta"]]  # fmt: skip
    assert 3 == len({call["id"] for call in streamed if "id" in call})
    arguments = [call["function"]["arguments"] for call in streamed if call["function"].get("arguments")]
    assert [{}, {}, {}] == [json.loads(one) for one in arguments]


async def test_news_of_the_queue_is_told_once(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Of the answer that is first in line."""
    served = await serve(slots=1)
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with streaming(served.client, chat("first")) as held:
        await held.until_text()
        async with streaming(served.client, chat(n=3), paddock_progress="1") as stream:
            first = await stream.next()
            assert ("progress", 1) == (first.event, first.json["place"])
            tgi_double.release()
            await held.rest()
            rest = await stream.rest()

    assert 1 == len([frame for frame in rest if frame.event and frame.json["state"] == "running"])
    assert {0, 1, 2} == apart(rest).keys()


async def test_slots_that_are_free_do_not_help_answers_that_cannot_wait(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """Not one of them is started."""
    served = await serve(slots=3, backlog_limit=1)
    tgi_double.script(reply="one two", fault="stall", after=1)
    async with streaming(served.client, chat("first")) as stream:
        await stream.until_text()
        response = await served.client.post(CHAT, json=chat(n=4))

        assert (429, "backlog_full") == (response.status_code, response.json()["error"]["code"])
        assert 1 == len(generated(tgi_double))


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_random_crowds_leave_nothing_behind(
    serve: Serve, tgi_double: ThreadDouble, seed: int
) -> None:
    """Chats of one to four answers, finished, left, stopped: one record each, and all slots are free."""
    draw = random.Random(seed)
    served = await serve(slots=3, backlog_limit=200, resume_grace_seconds=0.01)
    admission = served.gateway.admission
    tgi_double.script(match="stalls", reply="one two three", fault="stall", after=1, times=None)
    tgi_double.script(reply="one two three four", delay_seconds=0.001, times=None)
    most = 0

    async def one(number: int) -> None:
        nonlocal most
        kind = draw.choice(["whole", "read", "left", "stalls", "stopped", "resumed"])
        body = chat(kind, n=draw.randint(1, 4))
        await asyncio.sleep(draw.random() * 0.2)
        headers = {"paddock_resume": "1"} if kind in ("stopped", "resumed") else {}
        if kind == "whole":
            assert 200 == (await served.client.post(CHAT, json=body)).status_code
            return
        async with streaming(served.client, body, **headers) as stream:
            with contextlib.suppress(StopAsyncIteration):
                # A stalled answer may hold every slot, so nobody waits for its next token for ever.
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(0.3):
                        for _ in range(draw.randint(1, 6)):
                            await stream.next()
                            most = max(most, admission.running)
                if kind == "stopped":
                    identity = stream.response.headers["paddock-stream"]
                    await served.client.delete(f"/v1/streams/{identity}")
                elif kind == "read":
                    await stream.rest()

    async with asyncio.timeout(2 * LIMIT_SECONDS):
        await asyncio.gather(*(one(number) for number in range(40)))
        await served.until_idle()
        await served.until(lambda: len(served.records()) == 40 and not len(served.gateway.generations))

    assert most <= 3
    assert {"finished", "cancelled"} == {record["outcome"] for record in served.records()}
    replica = served.gateway.fleet.shown
    assert (0, 0) == (replica.running, replica.outstanding)
