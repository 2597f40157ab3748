"""The bodies that callers send, and how a wrong one is told.

Fields are accepted and mapped, accepted because they change nothing, or refused by name; none is
ignored. Knows OpenAI's request forms. Knows nothing of engines or tickets.
"""

from typing import Annotated, Any, Literal, TypeVar

import orjson
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictBool, ValidationError

from gateway.chat import Chat, Message, Role, Sampling
from gateway.errors import BodyInvalid, ChatInvalid, PaddockError

_MAX_SEED = 2**64 - 1

Text = Annotated[str, Field(strict=True)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]


class _Part(BaseModel):
    """A text part of a message's content."""

    model_config = ConfigDict(extra="forbid")
    type: Literal["text"]
    text: Text


class _MessageBody(BaseModel):
    """One message; developer is OpenAI's newer word for system."""

    model_config = ConfigDict(extra="forbid")
    role: Literal["system", "developer", "user", "assistant"]
    content: Text | list[_Part]
    name: None = None
    refusal: None = None
    tool_calls: None = None

    def message(self) -> Message:
        role: Role = "system" if self.role == "developer" else self.role
        content = self.content
        return Message(
            role, content if isinstance(content, str) else "".join(part.text for part in content)
        )


def _only(*neutral: Any) -> BeforeValidator:
    """Accept only the values that ask for nothing, so that nothing asked for is dropped."""

    def check(value: Any) -> Any:
        if not any(value == one and type(value) is type(one) for one in (None, *neutral)):
            shown = " or ".join(orjson.dumps(one).decode() for one in neutral)
            raise ValueError(f"is not supported here; leave it out{f' or send {shown}' if neutral else ''}")
        return value

    return BeforeValidator(check)


class _StreamOptions(BaseModel):
    model_config = ConfigDict(extra="forbid")
    include_usage: StrictBool = False
    include_obfuscation: Annotated[Any, _only(False)] = None


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
    n: Annotated[Any, _only(1)] = None
    presence_penalty: Annotated[Any, _only(0, 0.0)] = None
    logit_bias: Annotated[Any, _only({})] = None

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

    messages: Annotated[list[_MessageBody], Field(min_length=1)]
    max_completion_tokens: Annotated[int, Field(strict=True, ge=1)] | None = None
    logprobs: Annotated[Any, _only(False)] = None
    top_logprobs: Annotated[Any, _only(0)] = None
    response_format: Annotated[Any, _only({"type": "text"})] = None
    tools: Annotated[Any, _only([])] = None
    tool_choice: Annotated[Any, _only("none", "auto")] = None
    parallel_tool_calls: Annotated[Any, _only(True, False)] = None
    store: Annotated[Any, _only(False)] = None
    metadata: Annotated[Any, _only({})] = None
    service_tier: Annotated[Any, _only("auto", "default")] = None

    def chat(self) -> Chat:
        """Give the messages as a chat. Raises: ChatInvalid where a message says nothing."""
        messages = tuple(body.message() for body in self.messages)
        for position, message in enumerate(messages):
            if message.role == "user" and not message.content.strip():
                raise ChatInvalid(
                    f"messages[{position}].content is empty", param=f"messages[{position}].content"
                )
        if messages[-1].role == "system":
            raise ChatInvalid(
                "the last message must be the user's, or the assistant's to be continued",
                param=f"messages[{len(messages) - 1}].role",
            )
        return Chat(messages)

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling; max_completion_tokens is the newer name of max_tokens."""
        if self.max_completion_tokens is not None:
            if self.max_tokens is not None and self.max_tokens != self.max_completion_tokens:
                raise ChatInvalid(
                    "max_tokens and max_completion_tokens differ; send one of them",
                    param="max_completion_tokens",
                )
            self.max_tokens = self.max_completion_tokens
        return super().sampling(temperature, top_p)


class CompletionBody(_Body):
    """The body of POST /v1/completions; the prompt goes to the engine as it is."""

    prompt: (
        Annotated[Text, Field(min_length=1)]
        | Annotated[list[Annotated[Text, Field(min_length=1)]], Field(min_length=1, max_length=1)]
    )
    best_of: Annotated[Any, _only(1)] = None
    echo: Annotated[Any, _only(False)] = None
    logprobs: Annotated[Any, _only()] = None
    suffix: Annotated[Any, _only("")] = None

    @property
    def text(self) -> str:
        """Give the one prompt."""
        return self.prompt if isinstance(self.prompt, str) else self.prompt[0]


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
