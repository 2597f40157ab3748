"""What breaks on the engine's side, and what a caller is told."""

import asyncio
from typing import Any

import pytest

from gateway.errors import EngineUnreachable
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat, content_of, error_of, frames_of, streaming

BOTH = pytest.mark.parametrize("is_streamed", [False, True])


@BOTH
@pytest.mark.parametrize(
    ("cue", "status", "code"),
    [
        ({"fault": "overloaded"}, 503, "engine_overloaded"),
        ({"fault": "generation"}, 502, "engine_failed"),
        ({"fault": "incomplete"}, 502, "engine_cut_off"),
        ({"fault": "close"}, 502, "engine_cut_off"),
        ({"fault": "cut"}, 502, "engine_cut_off"),
        ({"fault": "garbage"}, 502, "engine_failed"),
        ({"status": 422, "body": "Failed to deserialize"}, 422, "engine_rejected"),
        ({"status": 500, "body": "<html>"}, 502, "engine_failed"),
        ({"status": 401}, 502, "engine_failed"),
    ],
)
async def test_a_failure_before_the_first_token_has_an_honest_status(
    served: Served, tgi_double: ThreadDouble, cue: dict[str, Any], status: int, code: str, is_streamed: bool
) -> None:
    """TGI says 200 first; the caller gets the status that is true, streamed or not."""
    tgi_double.script(**cue)
    response = await served.client.post(CHAT, json=chat(stream=is_streamed))
    error = response.json()["error"]

    assert (status, code) == (response.status_code, error["code"])
    assert error["request_id"] == response.headers["x-request-id"]
    assert [("failed", code)] == [(one["outcome"], one["code"]) for one in served.records()]
    assert (0, 0) == (served.gateway.admission.running, served.gateway.admission.waiting)


@BOTH
async def test_the_engine_s_validation_is_told_as_such(
    served: Served, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """What only the engine can refuse arrives inside a 200 there, and as 422 here."""
    response = await served.client.post(
        "/v1/completions", json={"prompt": " ", "stream": is_streamed, "max_tokens": 5, "stop": ["x"]}
    )
    assert 200 == response.status_code

    tgi_double.settle(max_input_tokens=5)
    response = await served.client.post(CHAT, json=chat("far too many words", stream=is_streamed))
    error = response.json()["error"]

    assert (422, "engine_rejected") == (response.status_code, error["code"])
    assert "`inputs` must have less than 5 tokens" in error["message"]


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("generation", "engine_failed"), ("incomplete", "engine_cut_off"), ("close", "engine_cut_off"),
        ("cut", "engine_cut_off"), ("garbage", "engine_failed"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("burst", [1, 3])
async def test_a_failure_after_text_is_a_frame_behind_it(
    served: Served, tgi_double: ThreadDouble, fault: str, code: str, burst: int
) -> None:
    """The partial text stays, the error follows, and no [DONE]."""
    tgi_double.script(reply="one two three", fault=fault, after=2, burst=burst)
    frames = frames_of((await served.client.post(CHAT, json=chat(stream=True))).text)

    assert "one two" == content_of(frames[:-1])
    assert code == error_of(frames)["code"]
    (record,) = served.records()
    assert ("failed", code, 2) == (record["outcome"], record["code"], record["completion_tokens"])


async def test_text_held_back_for_a_stop_is_not_lost_to_a_failure(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """What might have become a stop string is text when the answer breaks."""
    tgi_double.script(tokens=["one", " EN", "x"], fault="generation", after=2)
    frames = frames_of((await served.client.post(CHAT, json=chat(stream=True, stop="END"))).text)

    assert "one EN" == content_of(frames[:-1])
    assert "engine_failed" == error_of(frames)["code"]


async def test_a_failure_after_text_fails_a_whole_answer(served: Served, tgi_double: ThreadDouble) -> None:
    """Half an answer is none."""
    tgi_double.script(reply="one two three", fault="close", after=2)
    response = await served.client.post(CHAT, json=chat())

    assert (502, "engine_cut_off") == (response.status_code, response.json()["error"]["code"])


async def test_a_stall_between_tokens_is_a_timeout(serve: Serve, tgi_double: ThreadDouble) -> None:
    """Though the engine's keep-alive comments go on; its connection is closed."""
    tgi_double.settle(keep_alive_seconds=0.01)
    served = await serve(gap_limit_seconds=0.1)
    tgi_double.script(reply="one two three", fault="stall", after=1)
    frames = frames_of((await served.client.post(CHAT, json=chat(stream=True))).text)

    assert "one" == content_of(frames[:-1])
    assert "gap_timeout" == error_of(frames)["code"]
    await tgi_double.until_seen(lambda seen: seen.disconnected_at is not None)


@BOTH
async def test_a_stall_before_the_first_token_is_a_504(
    serve: Serve, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """Nothing was sent yet, so the status tells it."""
    tgi_double.settle(keep_alive_seconds=0.01)
    served = await serve(first_token_limit_seconds=0.1)
    tgi_double.script(fault="stall")
    response = await served.client.post(CHAT, json=chat(stream=is_streamed))

    assert (504, "first_token_timeout") == (response.status_code, response.json()["error"]["code"])
    await tgi_double.until_seen(lambda seen: seen.disconnected_at is not None)


async def test_an_answer_that_takes_too_long_in_all_is_stopped(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """Tokens that keep coming do not hold a slot for ever."""
    # Long enough for the first tokens on a busy machine; the answer would take ten times as long.
    served = await serve(total_limit_seconds=1.0)
    tgi_double.script(reply="word " * 1000, delay_seconds=0.01)
    frames = frames_of((await served.client.post(CHAT, json=chat(stream=True))).text)

    assert content_of(frames[:-1]).startswith("word word")
    assert "total_timeout" == error_of(frames)["code"]


@BOTH
async def test_an_engine_that_is_down_is_told_at_once(serve: Serve, is_streamed: bool) -> None:
    """503 with a time to come again; never a hang, and the process itself is up."""
    served = await serve(url="http://127.0.0.1:1", waits=False)
    async with asyncio.timeout(LIMIT_SECONDS):
        response = await served.client.post(CHAT, json=chat(stream=is_streamed))

    assert (503, "5") == (response.status_code, response.headers["retry-after"])
    error = response.json()["error"]
    assert ("engine_down", 5) == (error["code"], error["retry_after_seconds"])
    assert 200 == (await served.client.get("/health")).status_code
    ready = await served.client.get("/ready")
    assert (503, False) == (ready.status_code, ready.json()["ready"])
    stats = (await served.client.get("/stats")).json()
    assert ("starting", 0) == (stats["phase"], stats["num_total_runners"])


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/", "/tokenize"])
async def test_native_routes_say_it_in_tgi_s_words(serve: Serve, path: str) -> None:
    """A TGI client reads error and error_type."""
    served = await serve(url="http://127.0.0.1:1", waits=False)
    response = await served.client.post(path, json={"inputs": "Hi"})

    assert (503, "overloaded") == (response.status_code, response.json()["error_type"])


async def test_an_engine_that_dies_breaks_only_what_it_ran(served: Served, tgi_double: ThreadDouble) -> None:
    """Error frame, 503 while it is away, and the next chat works when it is back."""
    tgi_double.script(reply="one two three", fault="stall", after=1)
    async with streaming(served.client, chat()) as stream:
        assert "one" == await stream.until_text()
        tgi_double.die()
        assert "engine_cut_off" == error_of(await stream.rest())["code"]
    codes = set()
    while "engine_down" not in codes:
        codes.add((await served.client.post(CHAT, json=chat())).json()["error"]["code"])
    # The first chats may still be sent there: nobody had looked since.
    assert codes <= {"engine_unreachable", "engine_down"}
    tgi_double.listen()
    await served.until_ready()

    response = await served.client.post(CHAT, json=chat("back again"))
    assert "back again" == response.json()["choices"][0]["message"]["content"]


async def test_a_restarted_engine_with_kept_connections_works_at_once(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Connections of the old process are replaced without the caller noticing."""
    assert 200 == (await served.client.post(CHAT, json=chat())).status_code
    tgi_double.die()
    tgi_double.listen()

    assert 200 == (await served.client.post(CHAT, json=chat())).status_code


async def test_a_busy_engine_stays_ready(serve: Serve, tgi_double: ThreadDouble) -> None:
    """An unhealthy answer is believed, recovery too."""
    served = await serve()
    tgi_double.settle(is_healthy=False)
    served.gateway.fleet._look_now.set()
    await served.until(lambda: not served.gateway.fleet.online)
    assert "unhealthy" in (await served.client.get("/ready")).json()["reason"]
    tgi_double.settle(is_healthy=True)
    await served.until_ready()

    assert 200 == (await served.client.get("/ready")).status_code


@BOTH
@pytest.mark.parametrize("body", [chat("word " * 50), chat("Hi", stop="END")], ids=["long", "stop"])
async def test_a_prompt_that_a_dead_engine_would_count_is_refused(
    serve: Serve,
    tgi_double: ThreadDouble,
    monkeypatch: pytest.MonkeyPatch,
    body: dict[str, Any],
    is_streamed: bool,
) -> None:
    """Nothing was started: it is a refusal with a time to come again, not a chat that failed."""
    tgi_double.settle(max_total_tokens=60, max_input_tokens=59)
    served = await serve()

    async def gone(text: str) -> int:
        raise EngineUnreachable("no answer from the engine", retry_after_seconds=5)

    # As in the moment between an engine's end and the fleet's next look.
    monkeypatch.setattr(served.gateway.fleet.shown.tgi, "count", gone)
    response = await served.client.post(CHAT, json={**body, "stream": is_streamed})
    error = response.json()["error"]

    assert (503, "engine_down", []) == (response.status_code, error["code"], served.records())
    assert str(error["retry_after_seconds"]) == response.headers["retry-after"]


@BOTH
async def test_a_finished_answer_needs_no_further_count(
    served: Served, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """The prompt's tokens are known before the first token, where we may end the answer ourselves."""
    tgi_double.script(reply="one two END three four", delay_seconds=0.001)
    body = chat(stop="END", stream=is_streamed, stream_options={"include_usage": True})
    response = await served.client.post(CHAT, json=body)
    answer = frames_of(response.text)[-2].json if is_streamed else response.json()
    asked = [one.path for one in tgi_double.seen()]
    counted = await served.client.post("/chat_tokenize", json=chat())

    assert ["/tokenize", "/generate_stream"] == asked[-2:]
    assert len(counted.json()["tokenize_response"]) == answer["usage"]["prompt_tokens"]
    assert answer["usage"]["prompt_tokens"] == served.records()[-1]["prompt_tokens"]
