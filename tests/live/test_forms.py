"""Bound forms, calls of tools and log-probabilities through the official SDK, on the embedded engine."""

import json
from collections.abc import Iterator
from enum import StrEnum
from typing import Any

import openai
import pytest
from pydantic import BaseModel

from tests.contract.wire import LIMIT_SECONDS
from tests.live.stack import Stack, gateway

QUESTION = "What is the story about the fox and the grapes?"
MESSAGES: list[Any] = [{"role": "user", "content": QUESTION}]


class Animal(StrEnum):
    """Few choices: the model of this repository would fill a free text up to its limit."""

    FOX = "fox"
    OWL = "owl"


class Fable(BaseModel):
    """What the model is made to tell."""

    animal: Animal
    sweet: bool | None


TOOLS: list[Any] = [
    {
        "type": "function",
        "function": {
            "name": name,
            "parameters": {
                "type": "object",
                "properties": {
                    "kind": {"type": "string", "enum": ["fox", "owl"]},
                    "sure": {"type": "boolean"},
                },
                "required": ["kind", "sure"],
            },
        },
    }
    for name in ("get_animal", "get_bird")
]


def client(stack: Stack) -> openai.OpenAI:
    """Give the official SDK, told to try only once."""
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", max_retries=0, timeout=LIMIT_SECONDS)


@pytest.fixture
def sdk(stack: Stack) -> openai.OpenAI:
    """The SDK on the usual stack."""
    return client(stack)


@pytest.fixture
def tool_sdk(stack: Stack) -> Iterator[openai.OpenAI]:
    """The SDK on a gateway that writes Llama 3.1's prompts, which have tools."""
    with gateway(stack.engine_port, MODEL_PROMPT_FAMILY="llama3.1") as other:
        yield client(other)


def test_a_model_class_is_filled(sdk: openai.OpenAI) -> None:
    """The SDK writes the schema, the engine keeps to it, the SDK reads the object."""
    answer = sdk.chat.completions.parse(
        model="tgi", messages=MESSAGES, response_format=Fable, temperature=0, max_tokens=300
    )

    assert isinstance(answer.choices[0].message.parsed, Fable)


def test_any_object_is_json(sdk: openai.OpenAI) -> None:
    """An object, or said to be cut."""
    answer = sdk.chat.completions.create(
        model="tgi", messages=MESSAGES, response_format={"type": "json_object"}, temperature=0, max_tokens=200
    )
    (choice,) = answer.choices

    assert (choice.message.content or "").startswith("{")
    if choice.finish_reason == "stop":
        assert isinstance(json.loads(choice.message.content or ""), dict)
    else:
        assert ("length", 200) == (choice.finish_reason, answer.usage and answer.usage.completion_tokens)


@pytest.mark.parametrize("name", [None, "get_bird"])
def test_a_demanded_call_is_made(tool_sdk: openai.OpenAI, name: str | None) -> None:
    """Whole and streamed, by the SDK's own gathering of the pieces."""
    choice: Any = "required" if name is None else {"type": "function", "function": {"name": name}}
    how: dict[str, Any] = {"model": "tgi", "messages": MESSAGES, "tools": TOOLS, "tool_choice": choice}
    how |= {"temperature": 0, "max_tokens": 200}
    whole = tool_sdk.chat.completions.create(**how)
    with tool_sdk.chat.completions.stream(**how) as stream:
        streamed = stream.get_final_completion()

    for answer in (whole, streamed):
        (call,) = answer.choices[0].message.tool_calls or []
        assert ("function", "tool_calls") == (call.type, answer.choices[0].finish_reason)
        assert call.type == "function"
        assert call.function.name in ([name] if name else ["get_animal", "get_bird"])
        assert {"kind", "sure"} == json.loads(call.function.arguments).keys()


def test_logprobs_are_read(sdk: openai.OpenAI) -> None:
    """Each token with its alternatives, the likeliest first; their bytes are the text."""
    answer = sdk.chat.completions.create(
        model="tgi", messages=MESSAGES, logprobs=True, top_logprobs=2, temperature=0, max_tokens=20
    )
    (choice,) = answer.choices
    assert choice.logprobs is not None
    told = choice.logprobs.content or []

    assert choice.message.content == b"".join(bytes(one.bytes or []) for one in told).decode()
    assert {True} == {one.logprob <= 0 for one in told}
    assert {2} == {len(one.top_logprobs) for one in told if one.top_logprobs}
    assert [one.token for one in told] == [one.top_logprobs[0].token for one in told]


def test_a_raw_prompt_has_logprobs(sdk: openai.OpenAI) -> None:
    """In the older route's form."""
    answer = sdk.completions.create(model="tgi", prompt="The fox", logprobs=1, temperature=0, max_tokens=5)
    told = answer.choices[0].logprobs

    assert told is not None
    assert answer.choices[0].text == "".join(told.tokens or [])
