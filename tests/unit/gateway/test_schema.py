"""Bodies: each wrong one is named, each neutral one is accepted, nothing is dropped in silence."""

import json
from typing import Any

import orjson
import pytest

from gateway.body import read_body
from gateway.chat import Call, Chat, Message, Sampling, Tool
from gateway.errors import BodyInvalid, CallerError, ChatInvalid, ChatUnsupported
from gateway.prompt import ENDS
from gateway.schema import ChatBody, CompletionBody, error_body

USER = {"role": "user", "content": "Hi"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:,"}}


CALLS = [{"id": "c1", "type": "function", "function": {"name": "f", "arguments": '{"a": 1}'}}]
CALL = {"role": "assistant", "content": None, "tool_calls": CALLS}
ANSWER = {"role": "tool", "tool_call_id": "c1", "content": "x"}


def called(arguments: str) -> list[dict[str, Any]]:
    """Make calls with some arguments."""
    return [{**CALLS[0], "function": {"name": "f", "arguments": arguments}}]


def tool(name: str, **more: Any) -> dict[str, Any]:
    """Make a tool's description."""
    return {"type": "function", "function": {"name": name, **more}}


TOOL = tool("f")
OBJECT = {"type": "object", "properties": {"a": {"type": "integer"}}}


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
        body.calls()
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
    ({"messages": [USER, CALL]}, "messages[1].role", "last message"),
    ({"messages": [{"role": "tool", "content": "x"}]}, "messages[0].tool_call_id", "id of the call"),
    ({"messages": [USER, CALL, {**ANSWER, "tool_call_id": "c2"}]}, "messages[2].tool_call_id", "id of the"),
    ({"messages": [USER, CALL, USER]}, "messages[2].role", "the tool's answer"),
    ({"messages": [USER, CALL, {**ANSWER, "name": "g"}]}, "messages[2].name", "that was called"),
    ({"messages": [USER, {**USER, "tool_call_id": "c1"}]}, "messages[1].tool_call_id", "only a tool's"),
    ({"messages": [{**USER, "tool_calls": CALLS}]}, "messages[0].tool_calls", "only the assistant"),
    ({"messages": [USER, {**CALL, "tool_calls": called("[1]")}]},
     "messages[1].tool_calls[0].function.arguments", "must be a JSON object"),
    ({"messages": [USER, {**CALL, "tool_calls": called("{")}]},
     "messages[1].tool_calls[0].function.arguments", "is not JSON"),
    ({"messages": [{"role": "User", "content": "x"}]}, "messages[0].role", "'user'"),
    ({"messages": [{"role": "user", "content": 7}]}, "messages[0].content", "string"),
    ({"messages": [USER, {"role": "user", "content": None}]}, "messages[1].content", "is required"),
    ({"messages": [{"role": "user", "content": " \n"}]}, "messages[0].content", "is empty"),
    ({"messages": [{"role": "user", "content": []}]}, "messages[0].content", "is empty"),
    ({"messages": [{**USER, "colour": "red"}]}, "messages[0].colour", "is no parameter of this route"),
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
    ({"n": 0}, "n", "greater than or equal to 1"),
    ({"n": 129}, "n", "less than or equal to 8"),
    ({"n": True}, "n", "integer"),
    ({"seed": -(2**63) - 1}, "seed", "integer"),
    ({"seed": 2**64}, "seed", "integer"),
    ({"stop": 5}, "stop", "string"),
    ({"stop": [5]}, "stop[0]", "string"),
    ({"stop": ["a", ""]}, "stop[1]", "at least 1"),
    ({"stream": "yes"}, "stream", "boolean"),
    ({"stream": 1}, "stream", "boolean"),
    ({"stream_options": {"include_usage": "yes"}}, "stream_options.include_usage", "boolean"),
    ({"stream_options": {"usage": True}}, "stream_options.usage", "is no parameter"),
    ({"frequency_penalty": 2.5}, "frequency_penalty", "less than or equal to 2"),
    ({"logprobs": 1}, "logprobs", "boolean"),
    ({"top_logprobs": 3}, "top_logprobs", "needs logprobs"),
    ({"tools": [{"type": "function"}]}, "tools[0].function", "is required"),
    ({"tools": [tool("no name")]}, "tools[0].function.name", "match pattern"),
    ({"tools": [TOOL, TOOL]}, "tools", "same name"),
    ({"tools": [tool("f", parameters=7)]}, "tools[0].function.parameters", "dictionary"),
    ({"tool_choice": "required"}, "tool_choice", "there are no tools"),
    ({"tool_choice": "must"}, "tool_choice", "'required'"),
    ({"tools": [TOOL], "tool_choice": {"type": "function", "function": {"name": "g"}}},
     "tool_choice", "there is no tool 'g'"),
    ({"parallel_tool_calls": 1}, "parallel_tool_calls", "boolean"),
    ({"response_format": {"type": "xml"}}, "response_format.type", "json_object"),
    ({"response_format": {"type": "json_schema"}}, "response_format.json_schema", "is required"),
    ({"response_format": {"type": "json"}}, "response_format.value", "is required"),
    ({"response_format": {"type": "text", "value": OBJECT}}, "response_format.value", "does not go with"),
    ({"repetition_penalty": 0}, "repetition_penalty", "greater than 0"),
    ({"top_k": 0}, "top_k", "greater than or equal to 1"),
    ({"response_format": {"type": "json_object", "json_schema": {"name": "a"}}},
     "response_format.json_schema", "does not go with"),
    ({"response_format": {"type": "json_schema", "json_schema": {"name": "a"}}},
     "response_format.json_schema.schema", "object"),
    ({"model": 5}, "model", "string"),
    ({"user": 5}, "user", "string"),
]  # fmt: skip

UNKEPT: list[tuple[dict[str, Any], str, str]] = [
    ({"messages": [USER, {**CALL, "content": "x"}]}, "messages[1].content", "no text beside a call"),
    ({"messages": [USER, {**CALL, "tool_calls": CALLS * 2}]}, "messages[1].tool_calls", "one call a turn"),
    ({"messages": [{"role": "user", "content": [IMAGE]}]}, "messages[0].content[0].type",
     "'image_url' is not supported"),
    ({"messages": [{**USER, "name": "Ann"}]}, "messages[0].name", "no names"),
    ({"response_format": {"type": "regex", "value": "a+"}}, "response_format.type", "'regex'"),
    ({"response_format": {"type": "json", "value": {"type": "array"}}},
     "response_format.value", "properties"),
    ({"presence_penalty": 0.5}, "presence_penalty", "is not supported here; leave it out or send 0"),
    ({"n": 9}, "n", "can be at most 8 here"),
    ({"logprobs": True, "top_logprobs": 6}, "top_logprobs", "at most 5"),
    ({"logprobs": True, "tools": [TOOL]}, "logprobs", "beside tools"),
    ({"logit_bias": {"5": 1}}, "logit_bias", "leave it out"),
    ({"tools": [{"type": "custom", "custom": {}}]}, "tools[0].type", "'custom'"),
    ({"tools": [tool("f", strict=True, parameters={**OBJECT, "not": {}})]},
     "tools[0].function.parameters.not", "not supported"),
    ({"tool_choice": {"type": "allowed_tools", "allowed_tools": {}}}, "tool_choice.type", "'allowed_tools'"),
    ({"messages": [{"role": "function", "content": "x"}]}, "messages[0].role", "'function'"),
    ({"audio": {}}, "audio", "leave it out"),
    ({"modalities": ["audio"]}, "modalities", 'send ["text"]'),
    ({"stream_options": {"include_obfuscation": True}}, "stream_options.include_obfuscation", "send false"),
    ({"tools": [tool("f", parameters={"type": "array"})], "tool_choice": "required"},
     "tools[0].function.parameters", "properties"),
    ({"response_format": {"type": "json_object"}, "tools": [TOOL]}, "response_format", "beside tools"),
    ({"response_format": {"type": "json_object"}, "max_tokens": 1025}, "max_tokens", "at most 1024"),
    ({"response_format": {"type": "json_object"}, "max_completion_tokens": 1025},
     "max_completion_tokens", "at most 1024"),
    ({"response_format": {"type": "json_object"}, "stop": "x"}, "stop", "form"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "param", "words"), UNKEPT)
def test_what_cannot_be_kept_here_has_a_status_of_its_own(
    fields: dict[str, Any], param: str, words: str
) -> None:
    """OpenAI's API has it: the request is right, and 400 says that this service is not the one."""
    error = refused(json.dumps({"messages": [USER], **fields}).encode())

    assert ("chat_unsupported", 400, param) == (error.code, error.status, error.param)
    assert words in error.message


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
    error = refused(orjson.dumps({"messages": [USER], "temperature": 3, "top_p": 0, "seed": "7"}))

    assert error.message.endswith("(and 2 more fields)")


def test_messages_never_show_types_of_the_library() -> None:
    """A caller reads about the body, not about how it is read."""
    for fields, _, _ in BAD + UNKEPT:
        message = refused(json.dumps({"messages": [USER], **fields}).encode()).message
        assert "pydantic" not in message.lower()
        assert "_MessageBody" not in message
        assert "Value error" not in message


NEUTRAL: list[dict[str, Any]] = [
    {"n": 1}, {"n": None}, {"tools": []}, {"tool_choice": "none"}, {"tool_choice": "auto"},
    {"logit_bias": {}}, {"presence_penalty": 0}, {"presence_penalty": 0.0}, {"user": "ann"},
    {"response_format": {"type": "text"}},
    {"logprobs": False}, {"logprobs": None}, {"top_logprobs": 0},
    {"store": False}, {"metadata": {}}, {"service_tier": "auto"},
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
    assert Sampling(temperature=0.6, top_p=0.9, ends=ENDS) == read()[1]
    assert Sampling(temperature=0.0, top_p=1.0, ends=ENDS) == read(temperature=0, top_p=1)[1]


def test_sampling_is_mapped() -> None:
    """Every field that means something arrives."""
    expected = Sampling(
        temperature=1.5, top_p=0.5, max_tokens=7, seed=9, stop=("a", "b"), frequency_penalty=-1.0, ends=ENDS,
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
    fields = ("refusal", "tool_calls", "audio", "function_call", "annotations")
    reply = {"role": "assistant", "content": "x", **dict.fromkeys(fields)}

    assert Message("assistant", "x") == read(messages=[USER, reply])[0].messages[1]


def test_a_call_and_its_answer_are_read() -> None:
    """The arguments are JSON in a text; the answer belongs to the call by its id."""
    chat, _ = read(messages=[USER, CALL, {**ANSWER, "name": "f"}])

    assert (Message("assistant", "", Call("f", {"a": 1})), Message("tool", "x")) == chat.messages[1:]


def test_tools_are_kept_as_written() -> None:
    """The prompt shows a tool's description in its caller's words and order."""
    backwards = {"function": {"description": "d", "name": "f"}, "type": "function"}

    assert (Tool("f", None, backwards),) == read(tools=[backwards])[0].tools
    assert [*backwards["function"]] == [*read(tools=[backwards])[0].tools[0].described["function"]]


def test_no_tools_are_shown_where_none_may_be_called() -> None:
    """A model that reads of tools calls them."""
    assert () == read(tools=[TOOL], tool_choice="none")[0].tools


ASKED = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
CALLED = {
    "type": "object",
    "properties": {"name": {"type": "string", "const": "f"}, "parameters": ASKED},
    "required": ["name", "parameters"],
}
NAMED = {"type": "function", "function": {"name": "f"}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "a", "schema": ASKED, "strict": True}}


@pytest.mark.parametrize(
    ("fields", "schema"),
    [
        ({"response_format": FORMAT}, ASKED),
        ({"tools": [tool("f", parameters=ASKED)], "tool_choice": "required"}, CALLED),
        ({"tools": [TOOL, tool("f", parameters=ASKED, strict=True)][1:], "tool_choice": NAMED}, CALLED),
        ({"tools": [tool("g"), tool("f", parameters=ASKED)], "tool_choice": NAMED}, CALLED),
    ],
)
def test_a_bound_answer_has_a_grammar(fields: dict[str, Any], schema: dict[str, Any]) -> None:
    """A schema goes to the engine, and so does a call that must be made."""
    assert {"type": "json", "value": schema} == read(**fields, max_tokens=1024)[1].grammar


def test_one_of_several_calls_stands_in_an_object() -> None:
    """TGI takes no choice as a whole schema."""
    grammar = read(tools=[tool("g"), tool("f", parameters=ASKED)], tool_choice="required")[1].grammar

    assert grammar is not None
    assert ["g", "f"] == [
        one["properties"]["name"]["const"] for one in grammar["value"]["properties"]["function"]["anyOf"]
    ]


@pytest.mark.parametrize(("fields", "top"), [({}, None), ({"top_logprobs": 0}, 0), ({"top_logprobs": 5}, 5)])
def test_alternatives_are_counted(fields: dict[str, Any], top: int | None) -> None:
    """None at all, none beside the token, or up to TGI's five."""
    assert top == read(**fields, logprobs=bool(fields))[1].top_tokens


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({}, "prompt"), ({"prompt": ""}, "prompt"), ({"prompt": []}, "prompt"), ({"prompt": 5}, "prompt"),
        ({"prompt": ["a"] * 9}, "prompt"), ({"prompt": "a", "suffix": "b"}, "suffix"),
        ({"prompt": "a", "echo": True}, "echo"),
        ({"prompt": "a", "best_of": 2}, "best_of"), ({"prompt": "a", "logprobs": 6}, "logprobs"),
        ({"prompt": "a", "messages": []}, "messages"), ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
    ],
)  # fmt: skip
def test_a_wrong_completion_is_named(fields: dict[str, Any], param: str) -> None:
    """The same rules for raw prompts."""
    with pytest.raises(CallerError) as error:
        read_body(CompletionBody, json.dumps(fields).encode())

    assert param == error.value.param


@pytest.mark.parametrize(
    ("prompt", "texts"), [("a\n", ["a\n"]), (["a\n"], ["a\n"]), (["a", " b"], ["a", " b"])]
)
def test_a_completion_takes_prompts_as_they_are(prompt: str | list[str], texts: list[str]) -> None:
    """Alone or in a list, and untrimmed."""
    assert texts == read_body(CompletionBody, json.dumps({"prompt": prompt}).encode()).texts()


def test_answers_to_all_prompts_are_counted_together() -> None:
    """Eight in all, however they are spread."""
    body = {"prompt": ["a", "b", "c", "d"], "n": 2}
    assert 4 == len(read_body(CompletionBody, json.dumps(body).encode()).texts())
    with pytest.raises(ChatUnsupported, match="12 answers") as error:
        read_body(CompletionBody, json.dumps({**body, "n": 3}).encode()).texts()

    assert "n" == error.value.param


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("<|begin_of_text|>a", "a"), ("<|begin_of_text|><|begin_of_text|>a", "<|begin_of_text|>a"),
        ("a<|begin_of_text|>", "a<|begin_of_text|>"), ("<|begin_of_text|>", "<|begin_of_text|>"),
    ],
)  # fmt: skip
def test_a_raw_prompt_has_its_begin_of_text_once(prompt: str, text: str) -> None:
    """One that is written is the one that the engine adds, as the chat templates' users write it."""
    assert [text] == read_body(CompletionBody, json.dumps({"prompt": prompt}).encode()).texts()


def test_the_envelope_has_every_field() -> None:
    """Clients find the same six fields in every error."""
    told = orjson.loads(error_body(ChatInvalid("no", param="n", retry_after_seconds=2), "id-1"))

    assert {
        "error": {
            "message": "no", "type": "invalid_request_error", "code": "chat_invalid", "param": "n",
            "retry_after_seconds": 2, "request_id": "id-1",
        }
    } == told  # fmt: skip
