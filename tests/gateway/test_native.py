"""TGI's own routes: a TGI client works unchanged, under our admission."""

from typing import Any

import httpx
import pytest

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Served
from tests.gateway.talk import chat, frames_of

GENERATE: dict[str, Any] = {"inputs": "one two three", "parameters": {"max_new_tokens": 9, "details": True}}


async def direct(double: ThreadDouble, path: str, body: dict[str, Any]) -> httpx.Response:
    """Ask the engine itself."""
    async with httpx.AsyncClient(verify=False) as client:
        return await client.post(double.url + path, json=body)


async def test_an_answer_is_the_engine_s_own(served: Served, tgi_double: ThreadDouble) -> None:
    """Body and timing headers are handed on."""
    answer = await served.client.post("/generate", json=GENERATE)
    own = await direct(tgi_double, "/generate", GENERATE)

    assert (200, own.content) == (answer.status_code, answer.content)
    assert "application/json" == answer.headers["content-type"]
    assert (own.headers["x-prompt-tokens"], "4") == (
        answer.headers["x-prompt-tokens"], answer.headers["x-generated-tokens"],
    )  # fmt: skip


async def test_a_stream_is_the_engine_s_own(served: Served, tgi_double: ThreadDouble) -> None:
    """Byte for byte; no [DONE] is added."""
    answer = await served.client.post("/generate_stream", json=GENERATE)
    own = await direct(tgi_double, "/generate_stream", GENERATE)

    assert (200, own.content) == (answer.status_code, answer.content)


async def test_keep_alives_of_the_engine_are_not_handed_on_twice(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """We send our own comments; the events stay whole."""
    tgi_double.settle(keep_alive_seconds=0.01)
    tgi_double.script(reply="one two", delay_seconds=0.05)
    answer = await served.client.post("/generate_stream", json=GENERATE)

    assert [1, 2, 3] == [frame.json["index"] for frame in frames_of(answer.text)]


async def test_the_root_answers_in_both_ways(served: Served) -> None:
    """An array, or a stream, as its body says."""
    whole = await served.client.post("/", json={**GENERATE, "parameters": {"return_full_text": False}})
    streamed = await served.client.post("/", json={**GENERATE, "stream": True})

    assert [{"generated_text": "one two three"}] == whole.json()
    assert "one two three" == frames_of(streamed.text)[-1].json["generated_text"]


async def test_a_chat_is_counted_as_it_would_be_sent(served: Served) -> None:
    """Headers, system prompt and begin-of-text count, as the answer's usage says; it takes no ticket."""
    told = {"model": "tgi", "messages": [{"role": "system", "content": "Be brief."}, *chat()["messages"]]}
    counted = (await served.client.post("/chat_tokenize", json=told)).json()
    records = served.records()
    answer = (await served.client.post("/v1/chat/completions", json=told)).json()

    assert answer["usage"]["prompt_tokens"] == len(counted["tokenize_response"])
    assert counted["templated_text"].startswith("<|start_header_id|>system<|end_header_id|>\n\nBe brief.")
    assert [] == records


async def test_a_wrong_chat_is_not_counted(served: Served) -> None:
    """It is refused as the chat itself would be, in the chat's own form of errors."""
    refused = await served.client.post("/chat_tokenize", json={"messages": []})

    assert (422, "messages") == (refused.status_code, refused.json()["error"]["param"])


async def test_tokens_and_info_are_handed_on(served: Served, tgi_double: ThreadDouble) -> None:
    """They take no ticket."""
    tokens = await served.client.post("/tokenize", json={"inputs": "Hi"})
    info = await served.client.get("/info")

    assert (await direct(tgi_double, "/tokenize", {"inputs": "Hi"})).content == tokens.content
    assert "meta-llama/Meta-Llama-3-8B-Instruct" == info.json()["model_id"]
    assert [] == served.records()


@pytest.mark.parametrize("path", ["/generate", "/", "/generate_stream"])
@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"inputs": "Hi", "parameters": {"temperature": 0.0}}, 422),
        ({"inputs": "Hi", "parameters": {"max_new_tokens": "many"}}, 422),
        ({"input": "Hi"}, 422),
    ],
)
async def test_the_engine_s_refusals_are_handed_on(
    served: Served, path: str, body: dict[str, Any], status: int
) -> None:
    """With a true status also where TGI says 200 first."""
    answer = await served.client.post(path, json=body)

    assert status == answer.status_code
    assert ["failed"] == [record["outcome"] for record in served.records()]


@pytest.mark.parametrize("path", ["/generate", "/generate_stream"])
async def test_an_overloaded_engine_is_told_in_tgi_s_words(
    served: Served, tgi_double: ThreadDouble, path: str
) -> None:
    """On both routes before any text."""
    tgi_double.script(fault="overloaded")
    answer = await served.client.post(path, json=GENERATE)

    assert {"error": "Model is overloaded", "error_type": "overloaded"} == answer.json()
    assert (429 if path == "/generate" else 503) == answer.status_code


async def test_a_stream_that_breaks_ends_in_tgi_s_error(served: Served, tgi_double: ThreadDouble) -> None:
    """Behind the text, in TGI's shape."""
    tgi_double.script(reply="one two", fault="close", after=1)
    frames = frames_of((await served.client.post("/generate_stream", json=GENERATE)).text)

    assert "one" == frames[0].json["token"]["text"]
    assert "incomplete_generation_stream" == frames[-1].json["error_type"]


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        ("4294967295", 200), ("null", 200), ("1000000000000000", 422), ("-5", 422), ('"x"', 422),
        ("1e300", 422), ("1e999", 422), ("[1]", 422),
    ],
)  # fmt: skip
async def test_what_is_asked_for_cannot_stop_the_queue(served: Served, asked: str, status: int) -> None:
    """However much a body asks for, the engine judges it, at once, and the gateway lives."""
    answer = await served.client.post(
        "/generate",
        content=f'{{"inputs":"Hi","parameters":{{"max_new_tokens":{asked}}}}}',
        headers={"content-type": "application/json"},
    )

    assert status == answer.status_code
    assert 200 == (await served.client.get("/health")).status_code


@pytest.mark.parametrize(("content", "status"), [(b"[]", 422), (b"7", 422), (b"{", 400), (b"", 400)])
async def test_a_body_that_only_the_engine_can_judge_is_handed_on(
    served: Served, content: bytes, status: int
) -> None:
    """In its own words and with its own status."""
    answer = await served.client.post(
        "/generate", content=content, headers={"content-type": "application/json"}
    )

    assert status == answer.status_code
