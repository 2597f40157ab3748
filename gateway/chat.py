"""What a chat is made of: the values every other module passes around.

Knows nothing of HTTP, TGI's wire or the clock.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Literal

import orjson

# The engine's seeds have 64 bits.
SEEDS = 2**64

Role = Literal["system", "user", "assistant", "tool"]


@dataclass(frozen=True, slots=True)
class Call:
    """A tool that the assistant asked for: its name, and the arguments it gave."""

    name: str
    arguments: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """One turn's role and text; an assistant's turn may be a call instead of a text."""

    role: Role
    content: str
    call: Call | None = None


@dataclass(frozen=True, slots=True)
class Tool:
    """What the assistant may ask for.

    Shape: parameters is a JSON schema, None for a tool without arguments; described is the whole
    description as its caller wrote it, for the prompt.
    """

    name: str
    parameters: Mapping[str, Any] | None
    described: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chat:
    """Ordered messages from a caller, and the tools that the prompt describes.

    A last message with text by the assistant is to be continued.
    """

    messages: tuple[Message, ...]
    tools: tuple[Tool, ...] = ()

    @property
    def is_continued(self) -> bool:
        """Say whether the answer continues the last message instead of following it."""
        return bool(self.messages) and self.messages[-1].role == "assistant"


@dataclass(frozen=True, slots=True)
class Sampling:
    """How tokens are chosen and when to stop.

    Units: temperature 0 means greedy; max_tokens None means what the context leaves, up to the
    gateway's own limit; top_p 1 means no cut; top_tokens is how many alternatives of each token are
    told with its log-probability, None for no log-probabilities at all.
    Shape: grammar is TGI's, and binds the answer; ends are control tokens that end it, beside those
    of the model's own configuration.
    """

    temperature: float = 0.0
    top_p: float = 1.0
    top_k: int | None = None
    max_tokens: int | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    frequency_penalty: float = 0.0
    repetition_penalty: float | None = None
    grammar: Mapping[str, Any] | None = None
    top_tokens: int | None = None
    ends: tuple[str, ...] = ()

    def of_choice(self, index: int) -> "Sampling":
        """Give the sampling of one of several answers: each has the seed of the one before, plus one."""
        return self if self.seed is None else replace(self, seed=(self.seed + index) % SEEDS)


class Finish(StrEnum):
    """Why the text ended, in OpenAI's words."""

    STOP = "stop"
    LENGTH = "length"
    TOOL_CALLS = "tool_calls"


class Outcome(StrEnum):
    """How a chat that held a ticket is counted, exactly once."""

    FINISHED = "finished"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Final:
    """What the engine's final event says; finish is None where its details were not asked for."""

    finish: Finish | None
    generated_tokens: int
    prompt_tokens: int | None


@dataclass(frozen=True, slots=True)
class Token:
    """One token of an answer, with its text and how likely it was.

    Units: logprob is a natural logarithm, None where the engine has none. top holds the likeliest
    tokens of that place, best first.
    """

    text: str
    logprob: float | None
    top: "tuple[Token, ...]" = ()


@dataclass(slots=True)
class Batch:
    """All tokens that one read from the engine brought.

    Shape: deltas holds the text that each token adds, special tokens left out, as the JSON string
    literals that the engine wrote, so that they go into frames without being decoded and encoded
    again; raw holds the same events as the bytes the engine sent, whole events only.
    Units: tokens counts all of them, special ones and those without text included.
    details has a token for each delta, only where log-probabilities were asked for.
    """

    deltas: list[bytes] = field(default_factory=list)
    tokens: int = 0
    final: Final | None = None
    raw: bytes = b""
    details: list[Token] | None = None

    @property
    def text(self) -> str:
        """Decode the text."""
        return "".join(map(orjson.loads, self.deltas))


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens read and written, as the engine counted them."""

    prompt_tokens: int
    completion_tokens: int


@dataclass(frozen=True, slots=True)
class Timings:
    """What one finished chat took, measured in the gateway.

    Units: seconds; first_token_seconds runs from the grant to the first delta;
    tokens_per_second counts from the grant to the last delta.
    """

    wait_seconds: float
    first_token_seconds: float
    generation_seconds: float
    tokens_per_second: float
