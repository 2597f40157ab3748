"""The bodies that callers send, and the one form of an error.

Fields are accepted and mapped, accepted because they change nothing, or refused by name; none is
ignored. Knows OpenAI's request forms. Knows nothing of engines or tickets.
"""

from dataclasses import replace
from typing import Annotated, Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StrictBool

from gateway.chat import SEEDS, Chat, Sampling, Tool
from gateway.errors import ChatInvalid, ChatUnsupported, PaddockError
from gateway.grammar import Shape, loosen
from gateway.message import (
    ChoiceBody,
    FormatBody,
    MessageBody,
    Number,
    Text,
    ToolBody,
    few_texts,
    messages_of,
    most,
    only,
)
from gateway.prompt import BEGIN, ENDS
from gateway.tgi import MAX_NEW_TOKENS
from gateway.tools import CallReader, call_schema

# TGI's limit for alternatives of a token (MAX_TOP_N_TOKENS), and OpenAI's.
MAX_TOP, MAX_TOP_ANYWHERE = 5, 20
# So many answers to one chat at most: as many as run at once by default. OpenAI's limit is the other.
MAX_CHOICES, MAX_CHOICES_ANYWHERE = 8, 128


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
    # OpenAI's are signed, the engine's are not.
    seed: Annotated[int, Field(strict=True, ge=-SEEDS // 2, lt=SEEDS)] | None = None
    stop: Text | list[Annotated[Text, Field(min_length=1)]] | None = None
    frequency_penalty: Annotated[Number, Field(ge=-2, le=2)] | None = None
    # TGI's own; the one is in what its clients send.
    repetition_penalty: Annotated[Number, Field(gt=0)] | None = None
    top_k: Annotated[int, Field(strict=True, ge=1, lt=2**31)] | None = None
    # A label of the caller's own end users: it changes no answer and is not logged.
    user: Text | None = None
    n: (
        Annotated[int, Field(strict=True, ge=1, le=MAX_CHOICES), most(MAX_CHOICES, MAX_CHOICES_ANYWHERE)]
        | None
    ) = None
    presence_penalty: Annotated[Any, only(0, 0.0)] = None
    logit_bias: Annotated[Any, only({})] = None

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling, with the defaults of the model for what the caller left open."""
        stop = (self.stop,) if isinstance(self.stop, str) else tuple(self.stop or ())
        return Sampling(
            temperature=temperature if self.temperature is None else self.temperature,
            top_p=top_p if self.top_p is None else self.top_p,
            max_tokens=self.max_tokens,
            seed=None if self.seed is None else self.seed % SEEDS,
            stop=tuple(one for one in stop if one),
            frequency_penalty=self.frequency_penalty or 0.0,
            repetition_penalty=self.repetition_penalty,
            top_k=self.top_k,
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
    top_logprobs: (
        Annotated[int, Field(strict=True, ge=0, le=MAX_TOP), most(MAX_TOP, MAX_TOP_ANYWHERE)] | None
    ) = None
    response_format: FormatBody | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Literal["none", "auto", "required"] | ChoiceBody | None = None
    # One call a turn is all that the prompt's format has, so both values are kept.
    parallel_tool_calls: StrictBool | None = None
    store: Annotated[Any, only(False)] = None
    metadata: Annotated[Any, only({})] = None
    service_tier: Annotated[Any, only("auto", "default")] = None
    # Labels of the caller's own, as user: they change no answer and are not logged.
    safety_identifier: Text | None = None
    prompt_cache_key: Text | None = None
    modalities: Annotated[Any, only(["text"])] = None
    reasoning_effort: Annotated[Any, only("none")] = None
    verbosity: Annotated[Any, only("medium")] = None
    audio: Annotated[Any, only()] = None
    function_call: Annotated[Any, only()] = None
    functions: Annotated[Any, only()] = None
    moderation: Annotated[Any, only()] = None
    prediction: Annotated[Any, only()] = None
    prompt_cache_options: Annotated[Any, only()] = None
    prompt_cache_retention: Annotated[Any, only()] = None
    web_search_options: Annotated[Any, only()] = None

    @property
    def wants_logprobs(self) -> bool:
        """Say whether log-probabilities are asked for."""
        return self.logprobs is True

    @property
    def fields(self) -> tuple[str, str]:
        """Name the fields of the prompt and of the answer's limit."""
        return "messages", "max_tokens" if self.max_completion_tokens is None else "max_completion_tokens"

    def chat(self) -> Chat:
        """Give the messages and the tools to be described. Raises: ChatInvalid."""
        return Chat(messages_of(self.messages), self._tools())

    def calls(self) -> CallReader | None:
        """Give what reads calls of the tools from the answer, None where there can be none.

        Raises: ChatInvalid naming the field that cannot be kept.
        """
        tools = self._tools()
        forced = self._forced()
        if not tools:
            return None
        if len({tool.name for tool in tools}) < len(tools):
            raise ChatInvalid("tools: two have the same name", param="tools")
        if self.wants_logprobs:
            raise ChatUnsupported("logprobs: are not given beside tools", param="logprobs")
        schemas = {
            body.function.name: body.function.arguments(f"tools[{at}].function.parameters")
            # What is strict is kept as it is written, or refused; of others what can be is checked.
            if body.function.strict
            else loosen(body.function.parameters or {})
            for at, body in enumerate(self.tools or ())
        }
        return CallReader(tools, schemas if forced is None else forced, is_forced=forced is not None)

    def shape(self) -> Shape | None:
        """Give the form that the answer must have, None for any. Raises: ChatInvalid."""
        forced = self._forced()
        asked = self.response_format.shape() if self.response_format is not None else None
        if asked is not None and self._tools():
            raise ChatUnsupported("response_format: cannot be kept beside tools", param="response_format")
        shape = asked if forced is None else Shape(call_schema(forced))
        if shape is not None and any(self.stop or ()):
            raise ChatUnsupported(
                "stop: cannot be kept beside a form that the answer must have", param="stop"
            )
        limit = self._limit()
        if shape is not None and limit is not None and limit > MAX_NEW_TOKENS:
            name = self.fields[1]
            raise ChatUnsupported(
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
    """The body of POST /v1/completions; the prompts go to the engine as they are."""

    prompt: Annotated[
        Annotated[Text, Field(min_length=1)]
        | Annotated[list[Annotated[Text, Field(min_length=1)]], Field(min_length=1, max_length=MAX_CHOICES)],
        few_texts(MAX_CHOICES),
    ]
    best_of: Annotated[Any, only(1)] = None
    echo: Annotated[Any, only(False)] = None
    logprobs: Annotated[int, Field(strict=True, ge=0, le=MAX_TOP)] | None = None
    suffix: Annotated[Any, only("")] = None

    def texts(self) -> list[str]:
        """Give the prompts; a begin-of-text that one starts with is the one that the engine adds.

        Raises: ChatUnsupported for more answers in all than are given at once.
        """
        prompts = [self.prompt] if isinstance(self.prompt, str) else self.prompt
        asked = len(prompts) * (self.n or 1)
        if asked > MAX_CHOICES:
            raise ChatUnsupported(f"n: {asked} answers to all prompts, of at most {MAX_CHOICES}", param="n")
        return [prompt.removeprefix(BEGIN) or prompt for prompt in prompts]

    @property
    def fields(self) -> tuple[str, str]:
        """Name the fields of the prompt and of the answer's limit."""
        return "prompt", "max_tokens"

    @property
    def wants_logprobs(self) -> bool:
        """Say whether log-probabilities are asked for."""
        return self.logprobs is not None

    def sampling(self, temperature: float, top_p: float) -> Sampling:
        """Map to sampling; logprobs is the number of alternatives told."""
        return replace(super().sampling(temperature, top_p), top_tokens=self.logprobs)


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
