"""The bodies that callers send, and how a wrong one is told.

Fields are accepted and mapped, accepted because they change nothing, or refused by name; none is
ignored. Knows OpenAI's request forms. Knows nothing of engines or tickets.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool, ValidationError

from gateway.chat import Chat, Sampling, Tool
from gateway.errors import BodyInvalid, ChatInvalid, PaddockError
from gateway.grammar import Shape
from gateway.message import ChoiceBody, FormatBody, MessageBody, Number, Text, ToolBody, messages_of, only
from gateway.prompt import ENDS
from gateway.tgi import MAX_NEW_TOKENS
from gateway.tools import CallReader, call_schema

_MAX_SEED = 2**64 - 1
# TGI's limit for alternatives of a token (MAX_TOP_N_TOKENS).
MAX_TOP = 5


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    include_usage: StrictBool = False
    include_obfuscation: Annotated[Any, only(False)] = None


class _Body(BaseModel):
    """What chats and completions share."""

    model_config = ConfigDict(extra="forbid")
    model: Text | None = None
    stream: StrictBool | None = None
    stream_options: _StreamOptions | None = None
    temperature: Annotated[Number, Field(ge=0, le=2)] | None = None
    top_p: Annotated[Number, Field(gt=0, le=1)] | None = None
    max_tokens: Annotated[int, Field(strict=True, ge=1)] | None = None
    seed: Annotated[int, Field(strict=True, ge=0, le=_MAX_SEED)] | None = None
    stop: Text | list[Annotated[Text, Field(min_length=1)]] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    # A label of the caller's own end users: it changes no answer and is not logged.
    user: Text | None = None
    n: Annotated[Any, only(1)] = None
    presence_penalty: Annotated[Any, only(0, 0.0)] = None
    logit_bias: Annotated[Any, only({})] = None

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling, with the defaults of the model for what the caller left open."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            temperature=temperature if self.temperature is None else self.temperature,
            top_p=top_p if self.top_p is None else self.top_p,
            max_tokens=self.max_tokens,
            seed=self.seed,
            stop=tuple(one for one in stop if one),
            frequency_penalty=self.frequency_penalty or 0.0,
        )

    @property
    def includes_usage(self) -> bool:
        """Say whether the stream ends with a usage chunk."""
        return self.stream_options is not None and self.stream_options.include_usage


class ChatBody(_Body):
    """The body of POST /v1/chat/completions."""

    messages: Annotated[list[MessageBody], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(strict=True, ge=1)] | None = None
    logprobs: StrictBool | None = None
    top_logprobs: Annotated[int, Field(strict=True, ge=0, le=MAX_TOP)] | None = None
    response_format: FormatBody | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChoiceBody | None = None
    # One call a turn is all that the prompt's format has, so both values are kept.
    parallel_tool_calls: StrictBool | None = None
    store: Annotated[Any, only(False)] = None
    metadata: Annotated[Any, only({})] = None
    service_tier: Annotated[Any, only("auto", "default")] = None

    @property
    def wants_logprobs(self) -> bool:
        """Say whether log-probabilities are asked for."""
        return self.logprobs is True

    def chat(self) -> Chat:
        """Give the messages and the tools to be described. Raises: ChatInvalid."""
        return Chat(messages_of(self.messages), self._tools())

    def calls(self) -> CallReader | None:
        """Give what reads calls of the tools from the answer, None where there can be none.

        Raises: ChatInvalid naming the field that cannot be kept.
        """
        tools = self._tools()
        forced = self._forced()
        for at, body in enumerate(self.tools or ()):
            if body.function.strict and body.function.name not in (forced or ()) and tools:
                raise ChatInvalid(
                    f"tools[{at}].function.strict: is only kept where tool_choice asks for a call",
                    param=f"tools[{at}].function.strict",
                )
        if not tools:
            return None
        if len({tool.name for tool in tools}) < len(tools):
            raise ChatInvalid("tools: two have the same name", param="tools")
        if self.wants_logprobs:
            raise ChatInvalid("logprobs: are not given beside tools", param="logprobs")
        return CallReader(tools, forced)

    def shape(self) -> Shape | None:
        """Give the form that the answer must have, None for any. Raises: ChatInvalid."""
        forced = self._forced()
        asked = self.response_format.shape() if self.response_format is not None else None
        if asked is not None and self._tools():
            raise ChatInvalid("response_format: cannot be kept beside tools", param="response_format")
        shape = asked if forced is None else Shape(call_schema(forced))
        if shape is not None and any(self.stop or ()):
            raise ChatInvalid("stop: cannot be kept beside a form that the answer must have", param="stop")
        limit = self._limit()
        if shape is not None and limit is not None and limit > MAX_NEW_TOKENS:
            name = "max_tokens" if self.max_completion_tokens is None else "max_completion_tokens"
            raise ChatInvalid(
                f"{name}: an answer whose form is bound has at most {MAX_NEW_TOKENS} tokens", param=name
            )
        return shape

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling; max_completion_tokens is the newer name of max_tokens."""
        self.max_tokens = self._limit()
        if self.top_logprobs and not self.wants_logprobs:
            raise ChatInvalid("top_logprobs: needs logprobs", param="top_logprobs")
        shape = self.shape()
        return replace(
            super().sampling(temperature, top_p),
            grammar=None if shape is None else shape.grammar,
            top_tokens=(self.top_logprobs or 0) if self.wants_logprobs else None,
            ends=ENDS,
        )

    def _limit(self) -> int | None:
        one, other = self.max_tokens, self.max_completion_tokens
        if one is not None and other is not None and one != other:
            raise ChatInvalid(
                "max_tokens and max_completion_tokens differ; send one of them", param="max_completion_tokens"
            )
        return one if other is None else other

    def _tools(self) -> tuple[Tool, ...]:
        # With "none" no call is wanted, and a model that reads of tools calls them.
        return () if self.tool_choice == "none" else tuple(body.tool() for body in self.tools or ())

    def _forced(self) -> dict[str, dict[str, Any]] | None:
        """Give the tools one of which must be called, with their settled schemas. Raises: ChatInvalid."""
        if self.tool_choice in (None, "none", "auto"):
            return None
        named = self.tool_choice.function.name if isinstance(self.tool_choice, ChoiceBody) else None
        found = {
            body.function.name: body.function.arguments(f"tools[{at}].function.parameters")
            for at, body in enumerate(self.tools or ())
            if named in (None, body.function.name)
        }
        if not found:
            raise ChatInvalid(
                f"tool_choice: there is no tool {named!r}" if named else "tool_choice: there are no tools",
                param="tool_choice",
            )
        return found


class CompletionBody(_Body):
    """The body of POST /v1/completions; the prompt goes to the engine as it is."""

    prompt: (
        Annotated[Text, Field(min_length=1)]
        | Annotated[list[Annotated[Text, Field(min_length=1)]], Field(min_length=1, max_length=1)]
    )
    best_of: Annotated[Any, only(1)] = None
    echo: Annotated[Any, only(False)] = None
    logprobs: Annotated[int, Field(strict=True, ge=0, le=MAX_TOP)] | None = None
    suffix: Annotated[Any, only("")] = None

    @property
    def text(self) -> str:
        """Give the one prompt."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]

    @property
    def wants_logprobs(self) -> bool:
        """Say whether log-probabilities are asked for."""
        return self.logprobs is not None

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling; logprobs is the number of alternatives told."""
        return replace(super().sampling(temperature, top_p), top_tokens=self.logprobs)


AnyBody = TypeVar("AnyBody", bound=BaseModel)


def read_body(kind: type[AnyBody], content: bytes) -> AnyBody:
    """Read a body of a kind.

    Raises: BodyInvalid if it is not a JSON object; ChatInvalid naming the first wrong field, with
    the number of further ones.
    """
    try:
        return kind.model_validate(read_json(content))
    except ValidationError as error:
        raise _told(error) from None


def read_json(content: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises: BodyInvalid."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BodyInvalid("the body must be a JSON object")
    return value


def _told(error: ValidationError) -> ChatInvalid:
    issues = error.errors(include_url=False, include_context=False)
    # A union reports each branch it tried; the deepest place is the one the caller wrote.
    issue = max(issues, key=lambda one: len(one["loc"]))
    if all(len(one["loc"]) <= 1 for one in issues):
        issue = issues[0]
    name = _name(issue["loc"])
    message = {
        "extra_forbidden": "is no parameter of this route",
        "missing": "is required",
        "model_type": "should be an object",
    }.get(issue["type"], issue["msg"])
    message = message.removeprefix("Value error, ").removeprefix("Input ").replace(" after validation", "")
    others = len({_name(one["loc"]) for one in issues}) - 1
    more = f" (and {others} more field{'s' if others > 1 else ''})" if others > 0 else ""
    return ChatInvalid(f"{name}: {message}{more}", param=name)


def _name(location: tuple[int | str, ...]) -> str:
    """Write a place in a body as a caller would: messages[0].content."""
    name = ""
    for step in location:
        if isinstance(step, int):
            name += f"[{step}]"
        elif _is_field(step):
            name += f".{step}" if name else step
    return name or "body"


def _is_field(step: str) -> bool:
    """Tell a field from the name of a union's branch, which pydantic puts into the path."""
    return (
        step.isidentifier()
        and not step[0].isupper()
        and step not in ("str", "int", "float", "bool", "list")
    )


def error_body(error: PaddockError, request_id: str) -> bytes:
    """Write the one error envelope, in OpenAI's shape."""
    return orjson.dumps(
        {
            "error": {
                "message": error.message,
                "type": error.type,
                "code": error.code,
                "param": error.param,
                "retry_after_seconds": error.retry_after_seconds,
                "request_id": request_id,
            }
        }
    )
