"""Bodies: each wrong one is named, each neutral one is accepted, nothing is dropped in silence."""

import json
from typing import Any

import orjson
import pytest

from gateway.chat import Chat, Message, Sampling
from gateway.errors import BodyInvalid, CallerError, ChatInvalid
from gateway.schema import ChatBody, CompletionBody, error_body, read_body

USER = {"role": "user", "content": "Hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


def read(**fields: Any) -> tuple[Chat, Sampling]:
    """Read a chat body with some fields."""
    body = read_body(ChatBody, json.dumps({"messages": [USER], **fields}).encode())
    return body.chat(), body.sampling(0.6, 0.9)


def refused(content: bytes) -> CallerError:
    """Give what a chat body is refused with."""
    with pytest.raises(CallerError) as error:
        body = read_body(ChatBody, content)
        body.chat()
        body.sampling(0.6, 0.9)
    return error.value


@pytest.mark.parametrize("content", [b"", b"{", b"hello", b'{"messages": [}', b"\xff", b'{"messages": NaN}'])
def test_what_is_no_json_is_said_so(content: bytes) -> None:
    """The code differs from that of a wrong field."""
    error = refused(content)

    assert ("body_invalid", 400, None) == (error.code, error.status, error.param)
    assert error.message.startswith("the body is not JSON: ")


@pytest.mark.parametrize("content", [b"[]", b"1", b"null", b'"messages"'])
def test_json_that_is_no_object_is_said_so(content: bytes) -> None:
    """An array, a number or a text is no body."""
    error = refused(content)

    assert (BodyInvalid, "the body must be a JSON object") == (type(error), error.message)


def test_half_a_character_is_no_text() -> None:
    """A lone surrogate, which no UTF-8 can hold, is refused before it reaches the prompt."""
    error = refused(b'{"messages": [{"role": "user", "content": "\\ud800"}]}')

    assert "body_invalid" == error.code


def last(*roles: str) -> list[dict[str, str]]:
    """Make messages of some roles."""
    return [{"role": role, "content": "x"} for role in roles]


BAD: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": None}, "messages", "list"),
    ({"messages": "Hi"}, "messages", "list"),
    ({"messages": []}, "messages", "at least 1"),
    ({"messages": ["Hi"]}, "messages[0]", "object"),
    ({"messages": [{"content": "Hi"}]}, "messages[0].role", "is required"),
    ({"messages": [{"role": "user"}]}, "messages[0].content", "is required"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].role", "'user'"),
    ({"messages": [{"role": "User", "content": "x"}]}, "messages[0].role", "'user'"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "string"),
    ({"messages": [USER, {"role": "user", "content": None}]}, "messages[1].content", "string"),
    ({"messages": [{"role": "user", "content": " \n"}]}, "messages[0].content", "is empty"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content", "is empty"),
    ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0].type", "text"),
    ({"messages": [{**USER, "colour": "red"}]}, "messages[0].colour", "is no parameter of this route"),
    ({"messages": [{**USER, "name": "Ann"}]}, "messages[0].name", "None"),
    ({"messages": last("user", "system")}, "messages[1].role", "last message"),
    ({"temprature": 1}, "temprature", "is no parameter of this route"),
    ({"temperature": 3}, "temperature", "less than or equal to 2"),
    ({"temperature": -0.1}, "temperature", "greater than or equal to 0"),
    ({"temperature": "hot"}, "temperature", "number"),
    ({"temperature": True}, "temperature", "number"),
    ({"top_p": 0}, "top_p", "greater than 0"),
    ({"top_p": 1.01}, "top_p", "less than or equal to 1"),
    ({"max_tokens": 0}, "max_tokens", "greater than or equal to 1"),
    ({"max_tokens": 10.5}, "max_tokens", "integer"),
    ({"max_tokens": "10"}, "max_tokens", "integer"),
    ({"max_completion_tokens": 0}, "max_completion_tokens", "greater than or equal to 1"),
    ({"max_tokens": 5, "max_completion_tokens": 6}, "max_completion_tokens", "differ"),
    ({"seed": -1}, "seed", "greater than or equal to 0"),
    ({"seed": 2**64}, "seed", "integer"),
    ({"stop": 5}, "stop", "string"),
    ({"stop": [5]}, "stop[0]", "string"),
    ({"stop": ["a", ""]}, "stop[1]", "at least 1"),
    ({"stream": "yes"}, "stream", "boolean"),
    ({"stream": 1}, "stream", "boolean"),
    ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage", "boolean"),
    ({"stream_options": {"usage": True}}, "stream_options.usage", "is no parameter"),
    ({"frequency_penalty": 2.5}, "frequency_penalty", "less than or equal to 2"),
    ({"presence_penalty": 0.5}, "presence_penalty", "leave it out or send 0"),
    ({"n": 2}, "n", "leave it out or send 1"),
    ({"logprobs": True}, "logprobs", "leave it out or send false"),
    ({"top_logprobs": 3}, "top_logprobs", "leave it out or send 0"),
    ({"logit_bias": {"5": 1}}, "logit_bias", "leave it out"),
    ({"tools": [{"type": "function"}]}, "tools", "leave it out"),
    ({"tool_choice": "required"}, "tool_choice", "leave it out"),
    ({"response_format": {"type": "json_object"}}, "response_format", "leave it out"),
    ({"model": 5}, "model", "string"),
    ({"user": 5}, "user", "string"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param", "words"), BAD)
def test_a_wrong_field_is_named(fields: dict[str, Any], param: str, words: str) -> None:
    """The code, the place as a caller writes it, and why."""
    error = refused(json.dumps({"messages": [USER], **fields}).encode())

    assert ("chat_invalid", 422, param) == (error.code, error.status, error.param)
    assert words in error.message


def test_missing_messages_are_named() -> None:
    """The one required field."""
    error = refused(b'{"model": "tgi"}')

    assert ("messages", "messages: is required") == (error.param, error.message)


@pytest.mark.parametrize("number", ["NaN", "Infinity", "1e999"])
def test_no_number_is_endless(number: str) -> None:
    """What JSON cannot hold, or only as infinity, is refused with one of the two codes."""
    error = refused(f'{{"messages": [], "temperature": {number}}}'.encode())

    assert error.code in ("body_invalid", "chat_invalid")


def test_further_wrong_fields_are_counted() -> None:
    """One is named, the others are announced."""
    error = refused(orjson.dumps({"messages": [USER], "temperature": 3, "top_p": 0, "n": 2}))

    assert error.message.endswith("(and 2 more fields)")


def test_messages_never_show_types_of_the_library() -> None:
    """A caller reads about the body, not about how it is read."""
    for fields, _, _ in BAD:
        message = refused(json.dumps({"messages": [USER], **fields}).encode()).message
        assert "pydantic" not in message.lower()
        assert "_MessageBody" not in message
        assert "Value error" not in message


NEUTRAL: list[dict[str, Any]] = [
    {"n": 1}, {"n": None}, {"tools": []}, {"tool_choice": "none"}, {"tool_choice": "auto"},
    {"logit_bias": {}}, {"presence_penalty": 0}, {"presence_penalty": 0.0}, {"user": "ann"},
    {"response_format": {"type": "text"}},
    {"logprobs": False}, {"top_logprobs": 0}, {"store": False}, {"metadata": {}}, {"service_tier": "auto"},
    {"parallel_tool_calls": True}, {"parallel_tool_calls": False}, {"stop": None}, {"stop": []}, {"stop": ""},
    {"seed": None}, {"temperature": None}, {"stream": None}, {"stream_options": None}, {"model": None},
    {"stream_options": {"include_obfuscation": False}}, {"frequency_penalty": 0}, {"max_tokens": None},
]  # fmt: skip


@pytest.mark.parametrize("fields", NEUTRAL, ids=[json.dumps(fields) for fields in NEUTRAL])
def test_a_neutral_field_changes_nothing(fields: dict[str, Any]) -> None:
    """Client libraries send defaults; what asks for nothing is accepted."""
    assert read() == read(**fields)


def test_defaults_fill_what_is_left_open() -> None:
    """The model's temperature and top_p apply where the caller names none."""
    assert Sampling(temperature=0.6, top_p=0.9) == read()[1]
    assert Sampling(temperature=0.0, top_p=1.0) == read(temperature=0, top_p=1)[1]


def test_sampling_is_mapped() -> None:
    """Every field that means something arrives."""
    expected = Sampling(
        temperature=1.5, top_p=0.5, max_tokens=7, seed=9, stop=("a", "b"), frequency_penalty=-1.0,
    )  # fmt: skip

    fields = {"temperature": 1.5, "top_p": 0.5, "seed": 9, "stop": ["a", "b"], "frequency_penalty": -1}
    assert expected == read(**fields, max_tokens=7)[1]
    assert expected == read(**fields, max_completion_tokens=7)[1]
    assert expected == read(**fields, max_tokens=7, max_completion_tokens=7)[1]


def test_one_stop_string_may_come_alone() -> None:
    """A text is a list of one."""
    assert ("END",) == read(stop="END")[1].stop


def test_text_parts_are_joined_and_developer_is_system() -> None:
    """The newer words of the same thing."""
    parts = [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]
    chat, _ = read(messages=[{"role": "developer", "content": "Be."}, {"role": "user", "content": parts}])

    assert Chat((Message("system", "Be."), Message("user", "Hello"))) == chat


def test_an_answer_s_own_fields_may_be_sent_back() -> None:
    """A message copied from an answer has null fields."""
    reply = {"role": "assistant", "content": "x", "refusal": None, "tool_calls": None}

    assert Message("assistant", "x") == read(messages=[USER, reply])[0].messages[1]


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": []}, "prompt"), ({"prompt": 5}, "prompt"),
        ({"prompt": ["a", "b"]}, "prompt"), ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": "a", "echo": True}, "echo"),
        ({"prompt": "a", "best_of": 2}, "best_of"), ({"prompt": "a", "logprobs": 1}, "logprobs"),
        ({"prompt": "a", "messages": []}, "messages"), ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
    ],
)  # fmt: skip
def test_a_wrong_completion_is_named(fields: dict[str, Any], param: str) -> None:
    """The same rules for raw prompts."""
    with pytest.raises(ChatInvalid) as error:
        read_body(CompletionBody, json.dumps(fields).encode())

    assert param == error.value.param


@pytest.mark.parametrize("prompt", ["a\n", ["a\n"]])
def test_a_completion_takes_one_prompt_as_it_is(prompt: str | list[str]) -> None:
    """Alone or in a list of one, and untrimmed."""
    assert "a\n" == read_body(CompletionBody, json.dumps({"prompt": prompt}).encode()).text


def test_the_envelope_has_every_field() -> None:
    """Clients find the same six fields in every error."""
    told = orjson.loads(error_body(ChatInvalid("no", param="n", retry_after_seconds=2), "id-1"))

    assert {
        "error": {
            "message": "no", "type": "invalid_request_error", "code": "chat_invalid", "param": "n",
            "retry_after_seconds": 2, "request_id": "id-1",
        }
    } == told  # fmt: skip
