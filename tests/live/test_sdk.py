"""OpenAI's Python SDK where chats do not end well, and its newer ways to ask."""

import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from tests.contract.wire import LIMIT_SECONDS
from tests.live.front import Front, guarded
from tests.live.stack import Stack

HELLO: list[Any] = [{"role": "user", "content": "Hello there"}]
STORY: list[Any] = [{"role": "user", "content": "What is the story about the fox and the grapes?"}]


@pytest.fixture(scope="module")
def running() -> Iterator[Front]:
    """One gateway for all tests here."""
    with guarded() as front:
        yield front


@pytest.fixture
def front(running: Front) -> Front:
    """The gateway, the double behind it as new."""
    running.double.reset()
    return running


def client(front: Front, key: str | None = None, **more: Any) -> openai.OpenAI:
    """The SDK with a key, trying once unless told otherwise."""
    how: dict[str, Any] = {"max_retries": 0, "timeout": LIMIT_SECONDS, **more}
    return openai.OpenAI(base_url=f"{front.url}/v1", api_key=front.key if key is None else key, **how)


def chat(sdk: openai.OpenAI, **more: Any) -> Any:
    """Ask the usual."""
    return sdk.chat.completions.create(model="tgi", messages=HELLO, **more)


@pytest.mark.parametrize("stream", [False, True])
def test_a_wrong_key_is_an_authentication_error(front: Front, stream: bool) -> None:
    """401, before anything is read."""
    with pytest.raises(openai.AuthenticationError) as caught:
        chat(client(front, "pk-wrong"), stream=stream)

    assert ("key_invalid", "authentication_error") == (caught.value.code, caught.value.type)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("change", "error", "code", "param"),
    [
        ({"model": "gpt-unknown"}, openai.NotFoundError, "model_unknown", "model"),
        ({"top_p": 7}, openai.UnprocessableEntityError, "chat_invalid", "top_p"),
        ({"logit_bias": {"5": 1}}, openai.BadRequestError, "chat_unsupported", "logit_bias"),
        ({"n": 9}, openai.BadRequestError, "chat_unsupported", "n"),
        ({"n": 0}, openai.UnprocessableEntityError, "chat_invalid", "n"),
        ({"max_tokens": 9999}, openai.BadRequestError, "prompt_too_long", "max_tokens"),
    ],
)
def test_a_refused_request_is_an_error_with_code_and_param(
    front: Front,
    change: dict[str, Any],
    error: type[openai.APIStatusError],
    code: str,
    param: str,
    stream: bool,
) -> None:
    """The SDK's class for the status, and on it what was wrong, and where."""
    sdk = client(front)

    with pytest.raises(error) as caught:
        sdk.chat.completions.create(**{"model": "tgi", "messages": HELLO, "stream": stream, **change})

    assert (code, param) == (caught.value.code, caught.value.param)
    assert caught.value.request_id == caught.value.body["request_id"]  # type: ignore[index]


@pytest.mark.parametrize("stream", [False, True])
def test_an_overloaded_engine_is_an_internal_server_error(front: Front, stream: bool) -> None:
    """503, with the seconds after which to try again."""
    front.double.script(fault="overloaded", times=None)

    with pytest.raises(openai.InternalServerError) as caught:
        chat(client(front), stream=stream)

    assert (503, "engine_overloaded") == (caught.value.status_code, caught.value.code)
    assert int(caught.value.response.headers["retry-after"]) >= 1


def test_a_spent_quota_is_a_rate_limit_error(front: Front) -> None:
    """429 for a second chat of a key that may have one."""
    front.double.script(fault="stall", after=1)
    sdk = client(front)

    with chat(sdk, stream=True) as held:
        next(iter(held))
        with pytest.raises(openai.RateLimitError) as caught:
            chat(sdk)

    assert ("quota_spent", "1") == (caught.value.code, caught.value.response.headers["retry-after"])


def test_the_sdk_waits_as_long_as_it_is_told(front: Front) -> None:
    """Its own first pause is half a second at most; Retry-After says one, and then it is served."""
    front.double.script(fault="stall", after=1)
    held = chat(client(front), stream=True)
    next(iter(held))
    statuses: list[int] = []
    times: list[float] = []

    def seen(response: Any) -> None:
        statuses.append(response.status_code)
        times.append(time.monotonic())
        held.close()

    http = openai.DefaultHttpxClient(event_hooks={"response": [seen]})
    with client(front, max_retries=1, http_client=http) as sdk:
        answer = chat(sdk)

    assert [429, 200] == statuses
    assert times[1] - times[0] >= 1.0
    assert "Hello there" == answer.choices[0].message.content


@pytest.mark.parametrize("fault", ["cut", "close", "generation"])
def test_a_stream_that_breaks_raises(front: Front, fault: str) -> None:
    """What was written before it is read, then an APIError; never a clean end."""
    front.double.script(reply="one two three four", fault=fault, after=3)
    pieces: list[str] = []

    with pytest.raises(openai.APIError) as caught:
        for chunk in chat(client(front), stream=True):
            pieces += [choice.delta.content or "" for choice in chunk.choices]

    assert "".join(pieces).startswith("one")
    assert not isinstance(caught.value, openai.APIConnectionError)
    assert caught.value.code in ("engine_failed", "engine_cut_off")


def test_a_raw_response_has_its_headers(stack: Stack) -> None:
    """The request's own id comes back, and the answer can still be parsed."""
    sdk = openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", max_retries=0, timeout=LIMIT_SECONDS)

    raw = sdk.chat.completions.with_raw_response.create(
        model="tgi", messages=STORY, max_tokens=3, extra_headers={"x-request-id": "mine-1"}
    )

    assert ("mine-1", "mine-1") == (raw.headers["x-request-id"], raw.parse()._request_id)
    assert "length" == raw.parse().choices[0].finish_reason


def test_several_answers_are_read_whole_and_streamed(stack: Stack) -> None:
    """The same choices both ways, as seeds say; the first is what it is alone."""
    sdk = openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", max_retries=0, timeout=LIMIT_SECONDS)
    how: dict[str, Any] = {"model": "tgi", "messages": STORY, "seed": 5, "temperature": 2, "max_tokens": 60}

    whole = sdk.chat.completions.create(**how, n=3)
    alone = sdk.chat.completions.create(**{**how, "seed": 6})
    texts: dict[int, str] = {}
    finishes: dict[int, str] = {}
    usage = None
    for chunk in sdk.chat.completions.create(**how, n=3, stream=True, stream_options={"include_usage": True}):
        usage = chunk.usage
        for choice in chunk.choices:
            texts[choice.index] = texts.get(choice.index, "") + (choice.delta.content or "")
            if choice.finish_reason:
                finishes[choice.index] = choice.finish_reason

    assert {one.index: one.message.content for one in whole.choices} == texts
    assert {one.index: one.finish_reason for one in whole.choices} == finishes
    assert alone.choices[0].message.content == whole.choices[1].message.content
    assert len(set(texts.values())) > 1
    assert whole.usage == usage
    assert whole.usage is not None and alone.usage is not None
    assert alone.usage.prompt_tokens == whole.usage.prompt_tokens


def test_the_stream_helper_collects_several_answers(stack: Stack) -> None:
    """Each choice by its index."""
    sdk = openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", timeout=LIMIT_SECONDS)

    with sdk.chat.completions.stream(model="tgi", messages=STORY, temperature=0, n=2) as stream:
        told = stream.get_final_completion()

    assert [0, 1] == sorted(choice.index for choice in told.choices)
    assert all(choice.message.content for choice in told.choices)


async def test_the_asynchronous_client_reads_whole_and_streamed(stack: Stack) -> None:
    """AsyncOpenAI: the same text both ways."""
    how: dict[str, Any] = {"model": "tgi", "messages": STORY, "temperature": 0, "max_tokens": 200}
    address = f"{stack.url}/v1"

    async with openai.AsyncOpenAI(base_url=address, api_key="none", timeout=LIMIT_SECONDS) as sdk:
        whole = await sdk.chat.completions.create(**how)
        stream = await sdk.chat.completions.create(**how, stream=True)
        pieces = [chunk.choices[0].delta.content or "" async for chunk in stream if chunk.choices]

    assert whole.choices[0].message.content == "".join(pieces)
    assert len(pieces) > 10


def test_the_stream_helper_collects_the_answer(stack: Stack) -> None:
    """chat.completions.stream: its events, and the completion that it puts together."""
    sdk = openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", timeout=LIMIT_SECONDS)
    deltas: list[str] = []

    with sdk.chat.completions.stream(
        model="tgi", messages=STORY, temperature=0, max_tokens=200, stream_options={"include_usage": True}
    ) as stream:
        for event in stream:
            if event.type == "content.delta":
                deltas.append(event.delta)
        whole = stream.get_final_completion()

    assert "".join(deltas) == whole.choices[0].message.content
    assert "stop" == whole.choices[0].finish_reason
    assert whole.usage is not None
    assert whole.usage.completion_tokens > 10
