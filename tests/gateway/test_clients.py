"""What clients ask of the chat route in their own words, and what they send back of an answer."""

import asyncio
import dataclasses
import json
from typing import Any

import openai
import pytest
from huggingface_hub import InferenceClient
from pydantic import BaseModel
from text_generation import Client
from text_generation.types import Message

from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {
    "type": "function",
    "function": {"name": "weather", "description": "Of a city", "parameters": SCHEMA},
}
CALL = '{"name": "weather", "parameters": {"city": "Bergen"}}'
QUESTION = {"role": "user", "content": "Weather in Bergen?"}


class Weather(BaseModel):
    """A tool's arguments."""

    city: str


@pytest.fixture
async def served(serve: Serve, tgi_double: ThreadDouble) -> Served:
    """A gateway in front of a Llama 3.1, whose prompt has tools."""
    tgi_double.settle(model_id="meta-llama/Llama-3.1-8B-Instruct")
    return await serve()


async def hub(served: Served, messages: list[Any], **more: Any) -> Any:
    """Let huggingface_hub's client ask."""
    client = InferenceClient(served.url)

    def ask() -> Any:
        return client.chat_completion(messages, **more)

    return (await asyncio.to_thread(ask)).choices[0]


async def test_text_generation_chats(served: Served, tgi_double: ThreadDouble) -> None:
    """It sends a null for every field that was not given, and its own penalty where it was."""
    client = Client(served.url)
    tgi_double.script(reply="one two", times=2)
    messages = [Message(role="user", content="Hi")]
    plain = await asyncio.to_thread(client.chat, messages)
    bent = await asyncio.to_thread(client.chat, messages, repetition_penalty=1.1, seed=3, temperature=0.5)

    assert ["one two"] * 2 == [one.choices[0].message.content for one in (plain, bent)]
    assert 1.1 == tgi_double.seen("/generate_stream")[-1].parameters["repetition_penalty"]


async def test_the_hub_s_client_binds_an_answer(served: Served, tgi_double: ThreadDouble) -> None:
    """It turns OpenAI's word for a schema into TGI's."""
    tgi_double.script(reply='{"city": "Bergen"}')
    form = {"type": "json_schema", "json_schema": {"name": "city", "schema": SCHEMA}}
    choice = await hub(served, [QUESTION], response_format=form)

    assert {"city": "Bergen"} == json.loads(choice.message.content)
    assert {"type": "json", "value": SCHEMA} == (
        tgi_double.seen("/generate_stream")[-1].parameters["grammar"]
    )


async def test_the_hub_s_client_calls_a_tool_and_sends_its_answer_back(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """The message goes back with all the fields that the client made of it, the result with a name."""
    tgi_double.script(reply=CALL).script(reply="It rains.")
    choice = {"function": {"name": "weather"}}
    called = (await hub(served, [QUESTION], tools=[WEATHER], tool_choice=choice)).message
    (call,) = called.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "name": "weather", "content": "rain"}
    told = await hub(served, [QUESTION, dataclasses.asdict(called), result], tools=[WEATHER])

    assert {"city": "Bergen"} == json.loads(call.function.arguments)
    assert "It rains." == told.message.content


async def test_openai_s_stream_helper_sends_back_what_it_parsed(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """A call's arguments stand in its message as text, and parsed beside it."""
    tgi_double.script(reply=CALL).script(reply="It rains.")
    tools: list[Any] = [openai.pydantic_function_tool(Weather, name="weather")]
    asked: list[Any] = [QUESTION]
    async with openai.AsyncOpenAI(base_url=f"{served.url}/v1", api_key="none", max_retries=0) as sdk:
        async with sdk.chat.completions.stream(model="tgi", messages=asked, tools=tools) as stream:
            message = (await stream.get_final_completion()).choices[0].message
        (call,) = message.tool_calls or []
        result = {"role": "tool", "tool_call_id": call.id, "content": "rain"}
        asked += [message, result]
        told = await sdk.chat.completions.create(model="tgi", messages=asked, tools=tools)

    assert Weather(city="Bergen") == call.function.parsed_arguments
    assert "It rains." == told.choices[0].message.content
