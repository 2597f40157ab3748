"""The bodies of messages, tools and answers' forms, inside the bodies that callers send.

Knows OpenAI's request forms, and what Llama 3's prompt can hold of them. Knows nothing of routes.
"""

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import orjson
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    PrivateAttr,
    StrictBool,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from gateway.chat import Call, Message, Role, Tool
from gateway.errors import ChatInvalid, ChatUnsupported
from gateway.grammar import Shape, settle

Text = Annotated[str, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
# OpenAI's rule for names of functions and schemas.
Name = Annotated[str, Field(strict=True, pattern=r"^[a-zA-Z0-9_-]{1,64}$")]


# The type of a pydantic error that is told as ChatUnsupported.
UNSUPPORTED = "unsupported"


def unsupported(what: str) -> PydanticCustomError:
    """Make the error of a validator for what cannot be kept here."""
    return PydanticCustomError(UNSUPPORTED, "{what}", {"what": what})


def no(*others: str) -> BeforeValidator:
    """Tell OpenAI's other words for a field, which are not served here, from wrong ones."""

    def check(value: Any) -> Any:
        if isinstance(value, str) and value in others:
            raise unsupported(f"{value!r} is not supported here")
        return value

    return BeforeValidator(check)


def most(served: int, known: int) -> BeforeValidator:
    """Tell numbers above what is served here, which OpenAI's API has, from wrong ones."""

    def check(value: Any) -> Any:
        if isinstance(value, int) and not isinstance(value, bool) and served < value <= known:
            raise unsupported(f"can be at most {served} here")
        return value

    return BeforeValidator(check)


def few_texts(served: int) -> BeforeValidator:
    """Tell too many prompts and prompts of token ids, which are not served here, from wrong ones."""

    def check(value: Any) -> Any:
        if isinstance(value, list) and value:
            if all(isinstance(one, int | list) and not isinstance(one, bool) for one in value):
                raise unsupported("token ids are not supported here; send a text")
            if len(value) > served and all(isinstance(one, str) for one in value):
                raise unsupported(f"can hold at most {served} prompts here")
        return value

    return BeforeValidator(check)


def only(*neutral: Any) -> BeforeValidator:
    """Accept only the values that ask for nothing, so that nothing asked for is dropped."""
    named = [one for at, one in enumerate(neutral) if one not in neutral[:at]]
    shown = " or ".join(orjson.dumps(one).decode() for one in named)
    what = f"is not supported here; leave it out{f' or send {shown}' if named else ''}"

    def check(value: Any) -> Any:
        if not any(value == one and type(value) is type(one) for one in (None, *neutral)):
            raise unsupported(what)
        return value

    # Without it, the OpenAPI document would say that anything is taken.
    told = Annotated[Any, WithJsonSchema({"enum": [None, *named], "description": what})]
    return BeforeValidator(check, json_schema_input_type=told)


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Part(_Strict):
    """A text part of a message's content."""

    type: Annotated[Literal["text"], no("image_url", "input_audio", "file", "refusal")]
    text: Text


class _CalledBody(_Strict):
    name: Name
    arguments: Text
    # Null in the answers that huggingface_hub's client reads.
    description: Annotated[Any, only()] = None
    # OpenAI's SDK writes what it parsed of the arguments beside them.
    parsed_arguments: Any = None


class _CallBody(_Strict):
    """A call in an assistant's message, as it came in an answer."""

    id: Annotated[Text, Field(min_length=1)]
    type: Annotated[Literal["function"], no("custom")]
    function: _CalledBody
    # In a streamed call.
    index: Annotated[int, Field(strict=True, ge=0)] | None = None


class MessageBody(_Strict):
    """One message; developer is OpenAI's newer word for system."""

    role: Annotated[Literal["system", "developer", "user", "assistant", "tool"], no("function")]
    content: Text | list[_Part] | None = None
    tool_calls: list[_CallBody] | None = None
    tool_call_id: Text | None = None
    # A tool's, as OpenAI's own examples send it: the name of the function that was called.
    name: Text | None = None
    # Null in answers, which callers send back as they are.
    refusal: Annotated[Any, only()] = None
    reasoning: Annotated[Any, only()] = None
    audio: Annotated[Any, only()] = None
    function_call: Annotated[Any, only()] = None
    annotations: Annotated[Any, only([])] = None
    # What OpenAI's SDK parsed of the content, which is here, too.
    parsed: Any = None

    @property
    def text(self) -> str:
        """Give the content as one text."""
        if self.content is None or isinstance(self.content, str):
            return self.content or ""
        return "".join(part.text for part in self.content)


def messages_of(bodies: Sequence[MessageBody]) -> tuple[Message, ...]:
    """Give messages, each checked in its place. Raises: ChatInvalid naming the place."""
    messages = tuple(_message(body, at, bodies[at - 1] if at else None) for at, body in enumerate(bodies))
    last = messages[-1]
    if last.role == "system" or last.call is not None:
        raise _refused(
            f"messages[{len(bodies) - 1}].role",
            "the last message must be the user's, a tool's, or the assistant's text to be continued",
        )
    return messages


def _message(body: MessageBody, at: int, before: MessageBody | None) -> Message:
    where = f"messages[{at}]"
    role: Role = "system" if body.role == "developer" else body.role
    if role == "user" and body.content is not None and not body.text.strip():
        raise _refused(f"{where}.content", "is empty")
    if body.tool_calls and role == "assistant":
        return Message(role, "", _call(body, where))
    if body.tool_calls:
        raise _refused(f"{where}.tool_calls", "only the assistant calls tools")
    if body.content is None:
        raise _refused(f"{where}.content", "is required, as a text or a list of text parts")
    asked = [call.id for call in (before.tool_calls or ())] if before is not None else []
    if role == "tool" and body.tool_call_id not in asked:
        raise _refused(f"{where}.tool_call_id", "must be the id of the call in the message before")
    if body.name is not None and role != "tool":
        raise _unkept(f"{where}.name", "Llama 3's prompt format has no names of participants; leave it out")
    if body.name is not None and before is not None and body.name not in _called(before):
        raise _refused(f"{where}.name", "must be the name of the function that was called")
    if role != "tool" and body.tool_call_id is not None:
        raise _refused(f"{where}.tool_call_id", "only a tool's message has it")
    if role != "tool" and asked:
        raise _refused(f"{where}.role", "behind a call comes the tool's answer")
    return Message(role, body.text)


def _called(body: MessageBody) -> list[str]:
    return [call.function.name for call in body.tool_calls or ()]


def _call(body: MessageBody, where: str) -> Call:
    calls = body.tool_calls or []
    if len(calls) != 1:
        raise _unkept(f"{where}.tool_calls", "Llama 3's prompt format has one call a turn")
    if body.text:
        raise _unkept(f"{where}.content", "Llama 3's prompt format has no text beside a call; send null")
    where = f"{where}.tool_calls[0].function.arguments"
    try:
        # Some clients write no arguments as no text.
        arguments = orjson.loads(calls[0].function.arguments or "{}")
    except orjson.JSONDecodeError as error:
        raise _refused(where, f"is not JSON: {error}") from None
    if not isinstance(arguments, dict):
        raise _refused(where, "must be a JSON object")
    return Call(calls[0].function.name, arguments)


class _FunctionBody(_Strict):
    name: Name
    description: Text | None = None
    parameters: dict[str, Any] | None = None
    strict: StrictBool | None = None

    def arguments(self, where: str) -> dict[str, Any]:
        """Give the settled schema of a call's arguments. Raises: ChatInvalid."""
        none: dict[str, Any] = {"type": "object", "properties": {}}
        if not self.parameters or {**none, **self.parameters} == none:
            return none
        return settle(self.parameters, where)


class ToolBody(_Strict):
    """A tool; the prompt describes it as its caller wrote it."""

    type: Annotated[Literal["function"], no("custom")]
    function: _FunctionBody
    _written: dict[str, Any] = PrivateAttr()

    @model_validator(mode="wrap")
    @classmethod
    def _keep(cls, value: Any, handler: ModelWrapValidatorHandler["ToolBody"]) -> "ToolBody":
        body = handler(value)
        body._written = value
        return body

    def tool(self) -> Tool:
        """Give the tool."""
        return Tool(self.function.name, self.function.parameters, self._written)


class _NamedBody(_Strict):
    name: Name


class ChoiceBody(_Strict):
    """The one tool that must be called."""

    # TGI's clients leave the type out.
    type: Annotated[Literal["function"], no("custom", "allowed_tools")] = "function"
    function: _NamedBody


class _SchemaBody(_Strict):
    name: Name
    description: Text | None = None
    schema_: Annotated[Any, Field(alias="schema")] = None
    # The answer follows the schema either way.
    strict: StrictBool | None = None


class FormatBody(_Strict):
    """The form of the answer: in OpenAI's words, or in TGI's, whose clients send a schema as the value."""

    type: Annotated[Literal["text", "json_object", "json_schema", "json"], no("regex")]
    json_schema: _SchemaBody | None = None
    value: dict[str, Any] | None = None

    def shape(self) -> Shape | None:
        """Give the form, None for any text. Raises: ChatInvalid."""
        where = "response_format.value"
        if self.value is not None and (self.type == "text" or self.json_schema is not None):
            raise _refused(where, "does not go with another form")
        if self.value is not None:
            return Shape(settle(self.value, where))
        if self.type == "json":
            raise _refused(where, "is required")
        where = "response_format.json_schema"
        if (self.json_schema is not None) is not (self.type == "json_schema"):
            is_missing = self.json_schema is None
            raise _refused(where, "is required" if is_missing else f"does not go with {self.type}")
        if self.type == "text":
            return None
        if self.json_schema is None:
            return Shape()
        return Shape(settle(self.json_schema.schema_, f"{where}.schema"))


def _refused(where: str, what: str) -> ChatInvalid:
    return ChatInvalid(f"{where}: {what}", param=where)


def _unkept(where: str, what: str) -> ChatUnsupported:
    return ChatUnsupported(f"{where}: {what}", param=where)
