"""What OpenAI's clients can ask for beyond text: log-probabilities, bound forms, calls of tools."""

import json
from typing import Any

import pytest
from openai.types import Completion
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, Frame, chat, content_of, error_of, frames_of

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {
            "type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"],
        },
    },
}  # fmt: skip
CALL = '{"name": "get_weather", "parameters": {"city": "Bergen"}}'
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": SCHEMA, "strict": True}}


@pytest.fixture
async def served(serve: Serve, tgi_double: ThreadDouble) -> Served:
    """A gateway in front of a Llama 3.1, whose prompt has tools."""
    tgi_double.settle(model_id="meta-llama/Llama-3.1-8B-Instruct")
    return await serve()


def parameters(double: ThreadDouble) -> dict[str, Any]:
    """Give what the engine was asked for last."""
    given: dict[str, Any] = double.seen("/generate_stream")[-1].parameters
    return given


def chunks_of(frames: list[Frame]) -> list[ChatCompletionChunk]:
    """Read chunks as the official SDK types them."""
    assert "[DONE]" == frames[-1].data
    return [ChatCompletionChunk.model_validate(frame.json) for frame in frames[:-1] if frame.data]


async def test_logprobs_are_told_for_each_token(served: Served, tgi_double: ThreadDouble) -> None:
    """Whole and streamed alike, with the alternatives asked for; their bytes are the text."""
    tgi_double.script(reply="Hi é漢 you", times=2)
    body = chat(logprobs=True, top_logprobs=3)
    whole = ChatCompletion.model_validate((await served.client.post(CHAT, json=body)).json())
    frames = frames_of((await served.client.post(CHAT, json={**body, "stream": True})).text)

    assert 3 == parameters(tgi_double)["top_n_tokens"]
    assert whole.choices[0].logprobs is not None
    told = whole.choices[0].logprobs.content or []
    assert "Hi é漢 you" == b"".join(bytes(one.bytes or []) for one in told).decode()
    assert {3} == {len(one.top_logprobs) for one in told}
    logprobs = [chunk.choices[0].logprobs for chunk in chunks_of(frames)]
    assert told == [one for part in logprobs if part for one in part.content or []]
    assert "Hi é漢 you" == content_of(frames)


async def test_logprobs_stop_with_the_text(served: Served, tgi_double: ThreadDouble) -> None:
    """A token that a stop string cuts off is not told."""
    tgi_double.script(tokens=["Say", " when", ". A", "nd", " more", "<|eot_id|>"])
    (choice,) = (await served.client.post(CHAT, json=chat(stop=". And", logprobs=True))).json()["choices"]

    assert "Say when" == choice["message"]["content"]
    assert ["Say", " when"] == [one["token"] for one in choice["logprobs"]["content"]]
    assert "top_n_tokens" not in parameters(tgi_double)


@pytest.mark.parametrize("count", [0, 2])
async def test_a_completion_has_its_own_form_of_logprobs(
    served: Served, tgi_double: ThreadDouble, count: int
) -> None:
    """Lists, with offsets that go on from chunk to chunk."""
    tgi_double.script(reply="one two three", times=2)
    body = {"prompt": "Hi", "logprobs": count}
    whole = Completion.model_validate((await served.client.post("/v1/completions", json=body)).json())
    streamed = await served.client.post("/v1/completions", json={**body, "stream": True})

    told = whole.choices[0].logprobs
    assert told is not None
    assert (["one", " two", " three"], [0, 3, 7]) == (told.tokens, told.text_offset)
    assert (told.top_logprobs is None) is (count == 0)
    parts = [frame.json["choices"][0]["logprobs"] for frame in frames_of(streamed.text)[:-1]]
    assert [0, 3, 7] == [offset for part in parts if part for offset in part["text_offset"]]


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(("asked", "kind"), [(FORMAT, "json"), ({"type": "json_object"}, "regex")])
async def test_a_form_reaches_the_engine_as_a_grammar(
    served: Served, tgi_double: ThreadDouble, asked: dict[str, Any], kind: str, is_streamed: bool
) -> None:
    """And the answer that keeps to it is an answer like any other."""
    tgi_double.script(reply='{"a": 7}')
    response = await served.client.post(CHAT, json=chat(response_format=asked, stream=is_streamed))

    assert kind == parameters(tgi_double)["grammar"]["type"]
    assert '{"a": 7}' == (
        content_of(frames_of(response.text))
        if is_streamed else response.json()["choices"][0]["message"]["content"]
    )  # fmt: skip


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_an_answer_of_another_form_is_an_error(
    served: Served, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """It is never handed out as if it had kept to it."""
    tgi_double.script(reply='{"a": "seven"}')
    response = await served.client.post(CHAT, json=chat(response_format=FORMAT, stream=is_streamed))
    error = error_of(frames_of(response.text)) if is_streamed else response.json()["error"]

    assert (is_streamed, "engine_failed") == (response.status_code == 200, error["code"])
    assert "$.a is not of type integer" in error["message"]


async def test_an_answer_cut_in_its_form_says_length(served: Served, tgi_double: ThreadDouble) -> None:
    """It is no whole JSON, and nobody says it is."""
    tgi_double.script(reply='{"a": 7}')
    told = (await served.client.post(CHAT, json=chat(response_format=FORMAT, max_tokens=2))).json()

    assert "length" == told["choices"][0]["finish_reason"]


async def test_a_bound_answer_is_one_part(served: Served, tgi_double: ThreadDouble) -> None:
    """Without a limit of the caller's it has the most that the engine gives at once."""
    tgi_double.script(reply='{"a": ' + "1" * 4000)
    told = (await served.client.post(CHAT, json=chat(response_format=FORMAT))).json()

    assert (1024, 1024) == (parameters(tgi_double)["max_new_tokens"], told["usage"]["completion_tokens"])


@pytest.mark.parametrize("burst", [1, 3, 100])
async def test_a_call_is_told_as_one(served: Served, tgi_double: ThreadDouble, burst: int) -> None:
    """Its name, its arguments in pieces, one id, and why it ended."""
    tgi_double.script(reply=CALL, times=2, burst=burst)
    body = chat("Weather in Bergen?", tools=[WEATHER])
    whole = ChatCompletion.model_validate((await served.client.post(CHAT, json=body)).json())
    frames = frames_of((await served.client.post(CHAT, json={**body, "stream": True})).text)

    (choice,) = whole.choices
    assert ("tool_calls", None) == (choice.finish_reason, choice.message.content)
    (call,) = choice.message.tool_calls or []
    assert call.type == "function"
    assert ("get_weather", {"city": "Bergen"}) == (call.function.name, json.loads(call.function.arguments))
    deltas = [chunk.choices[0].delta for chunk in chunks_of(frames)]
    calls = [one for delta in deltas for one in delta.tool_calls or []]
    assert ("assistant", "") == (deltas[0].role, content_of(frames[1:-1]))
    assert [(calls[0].id, "get_weather")] == [
        (one.id, one.function.name) for one in calls if one.id and one.function
    ]
    assert call.function.arguments == "".join(
        one.function.arguments or "" for one in calls if one.function
    )
    assert {0} == {one.index for one in calls}
    assert ["tool_calls"] == [one.choices[0].finish_reason for one in chunks_of(frames)][-1:]
    assert call.id != calls[0].id
    assert "get_weather" in tgi_double.seen("/generate_stream")[-1].inputs


async def test_text_beside_tools_is_text(served: Served, tgi_double: ThreadDouble) -> None:
    """A model that does not call answers as without tools."""
    tgi_double.script(reply='{"no": "call"}', times=2)
    body = chat("Hi", tools=[WEATHER])
    (choice,) = (await served.client.post(CHAT, json=body)).json()["choices"]
    frames = frames_of((await served.client.post(CHAT, json={**body, "stream": True})).text)

    assert ("stop", '{"no": "call"}') == (choice["finish_reason"], choice["message"]["content"])
    assert "tool_calls" not in choice["message"]
    assert '{"no": "call"}' == content_of(frames)


@pytest.mark.parametrize("is_streamed", [False, True])
@pytest.mark.parametrize(
    "answer", [CALL.replace('"Bergen"', "7"), CALL.replace("city", "town") + "\nOr so.", CALL[:-8]]
)
async def test_a_call_that_the_tool_does_not_take_is_text(
    served: Served, tgi_double: ThreadDouble, answer: str, is_streamed: bool
) -> None:
    """Nothing of it is lost, and nobody is handed a call that he could not make."""
    tgi_double.script(reply=answer)
    response = await served.client.post(CHAT, json=chat("Hi", tools=[WEATHER], stream=is_streamed))
    if is_streamed:
        frames = frames_of(response.text)
        deltas = [chunk.choices[0].delta for chunk in chunks_of(frames)]
        assert (answer, []) == (content_of(frames), [one for one in deltas if one.tool_calls])
        assert "stop" == chunks_of(frames)[-1].choices[0].finish_reason
    else:
        (choice,) = response.json()["choices"]
        assert ("stop", answer) == (choice["finish_reason"], choice["message"]["content"])
        assert "tool_calls" not in choice["message"]


async def test_a_strict_tool_is_given_right_calls_alone(served: Served, tgi_double: ThreadDouble) -> None:
    """Forced or not; a schema that cannot be checked in full is refused."""
    strict = {**WEATHER, "function": {**WEATHER["function"], "strict": True}}  # type: ignore[dict-item]
    tgi_double.script(reply=CALL)
    told = (await served.client.post(CHAT, json=chat("Weather?", tools=[strict]))).json()
    schema = {**WEATHER["function"]["parameters"], "minProperties": 1}  # type: ignore[index]
    harder = {"type": "function", "function": {**strict["function"], "parameters": schema}}  # type: ignore[dict-item]
    error = (await served.client.post(CHAT, json=chat("Weather?", tools=[harder]))).json()["error"]

    assert "tool_calls" == told["choices"][0]["finish_reason"]
    assert ("chat_unsupported", "tools[0].function.parameters.minProperties") == (
        error["code"], error["param"],
    )  # fmt: skip


async def test_an_answer_ends_behind_its_call(served: Served, tgi_double: ThreadDouble) -> None:
    """What the model would go on to write is not waited for, and the engine is free."""
    tgi_double.script(reply=CALL + "; and then some more words to follow", delay_seconds=0.001)
    told = (await served.client.post(CHAT, json=chat("Weather?", tools=[WEATHER]))).json()
    await served.until_idle()

    assert "tool_calls" == told["choices"][0]["finish_reason"]
    assert told["usage"]["prompt_tokens"] > 0
    assert "tool_calls" == served.records()[-1]["finish"]


@pytest.mark.parametrize(
    "choice", ["required", {"type": "function", "function": {"name": "get_weather"}}]
)
async def test_a_call_can_be_demanded(served: Served, tgi_double: ThreadDouble, choice: Any) -> None:
    """By a grammar; a call that breaks the tool's schema is an error all the same."""
    tgi_double.script(reply=CALL).script(reply=CALL.replace('"Bergen"', "7"))
    body = chat("Weather?", tools=[WEATHER], tool_choice=choice)
    good = await served.client.post(CHAT, json=body)
    bad = await served.client.post(CHAT, json=body)

    assert "json" == parameters(tgi_double)["grammar"]["type"]
    assert "tool_calls" == good.json()["choices"][0]["finish_reason"]
    assert (502, "engine_failed") == (bad.status_code, bad.json()["error"]["code"])


@pytest.mark.parametrize("model", ["Llama-3.1-8B-Instruct", "Llama-3.2-3B-Instruct", "Llama-3.3-70B"])
async def test_a_call_and_its_answer_go_back_to_the_model(
    serve: Serve, tgi_double: ThreadDouble, model: str
) -> None:
    """The message that came is sent as it is, the tool's answer behind it, to every family that has tools."""
    tgi_double.settle(model_id=f"meta-llama/{model}")
    served = await serve()
    tgi_double.script(reply=CALL)
    body = chat("Weather?", tools=[WEATHER])
    answer = ChatCompletion.model_validate((await served.client.post(CHAT, json=body)).json())
    message = answer.choices[0].message
    call = (message.tool_calls or [])[0]
    result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
    body["messages"] = [*body["messages"], message.model_dump(), result]
    response = await served.client.post(CHAT, json=body)

    assert 200 == response.status_code, response.text
    end = f'{CALL}<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n"rain"<|eot_id|>'
    assert end in tgi_double.seen("/generate_stream")[-1].inputs


@pytest.mark.parametrize("is_streamed", [False, True])
async def test_a_forced_call_cut_before_its_name_says_length_and_nothing_else(
    served: Served, tgi_double: ThreadDouble, is_streamed: bool
) -> None:
    """The beginning that the grammar made is not handed out as a text."""
    tgi_double.script(reply=CALL)
    body = chat("Weather?", tools=[WEATHER], tool_choice="required", max_tokens=2, stream=is_streamed)
    response = await served.client.post(CHAT, json=body)
    if is_streamed:
        frames = frames_of(response.text)
        finish, text = chunks_of(frames)[-1].choices[0].finish_reason, content_of(frames)
    else:
        (choice,) = response.json()["choices"]
        finish, text = choice["finish_reason"], choice["message"]["content"]

    assert ("length", "") == (finish, text)


async def test_plain_llama_3_refuses_tools(serve: Serve) -> None:
    """Its prompt has no form for them, and the answer says who has."""
    served = await serve()
    response = await served.client.post(CHAT, json=chat(tools=[WEATHER]))
    error = response.json()["error"]

    assert (400, "chat_unsupported", "tools") == (response.status_code, error["code"], error["param"])
    assert "Llama 3.1" in error["message"]


async def test_chats_end_at_the_end_of_a_turn(served: Served, tgi_double: ThreadDouble) -> None:
    """Whatever stop set the model's own configuration has; a raw prompt is its caller's own."""
    await served.client.post(CHAT, json=chat(stop=["a", "b", "c"]))
    stop = parameters(tgi_double)["stop"]
    await served.client.post("/v1/completions", json={"prompt": "Hi", "stop": ["a"]})

    assert ["<|eot_id|>", "<|eom_id|>", "a", "b"] == stop
    assert ["a"] == parameters(tgi_double)["stop"]
