"""What is asked of a generation, and the form in which its answer is written.

Knows neither engines nor tickets; forms are made in the layer above.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.chat import Batch, Finish, Sampling, Timings, Usage
from gateway.errors import PaddockError
from gateway.estimate import Estimate
from gateway.grammar import Shape
from gateway.keyfile import Key
from gateway.schedule import Class
from gateway.tools import CallReader
from gateway.trace import Mark


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the queue sees it.

    Units: deadline_seconds is the longest wait that is of use to the caller, None for any.
    """

    client: str
    kind: Class = Class.INTERACTIVE
    deadline_seconds: float | None = None
    key: Key | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a waiting chat stands.

    Shape: its place of so many; the engine's phase and why; the wait that is left for a slot, and the
    seconds until the engine is ready. None where that is not known or does not apply.
    """

    place: int
    backlog: int
    phase: str
    reason: str | None
    estimate: Estimate | None
    ready_seconds: float | None


class Form(Protocol):
    """How one answer is written for its caller.

    Each method gives frames, one SSE event each, or none where this form says nothing. Called in the
    order waiting*, running?, deltas*, then finished or failed.
    """

    def waiting(self, news: Waiting) -> list[bytes]:
        """Tell the place in the backlog."""

    def running(self) -> list[bytes]:
        """Tell that a chat that waited has its slot."""

    def deltas(self, batch: Batch) -> list[bytes]:
        """Write the tokens of one read."""

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        """Write the end of a whole answer."""

    def failed(self, error: PaddockError) -> list[bytes]:
        """Write the end of an answer that broke."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asked for, ready to be sent to an engine.

    Units: cost is tokens, prompt and answer together; room is what the context is known
    to leave for the answer, prompt_tokens what the engine counted of the prompt; None while no engine
    could say, the latter also where nobody needed to know. A native order
    is a body that is handed on as it is; others are a prompt. shape is what a finished text must be;
    calls reads an answer that may be a call of a tool, for its form. mark is its place in a trace, None
    while nobody collects traces. fields are what the caller's body calls the prompt and the answer's limit.
    """

    request_id: str
    route: str
    caller: Caller
    cost: int
    form: Form
    prompt: str = ""
    sampling: Sampling = field(default_factory=Sampling)
    room: int | None = None
    prompt_tokens: int | None = None
    fields: tuple[str, str] = ("messages", "max_tokens")
    native: bytes | None = None
    shape: Shape | None = None
    calls: CallReader | None = None
    is_streamed: bool = True
    is_resumable: bool = False
    headers: Mapping[str, str] = field(default_factory=dict)
    mark: Mark | None = None

    @property
    def prompt_weight(self) -> int:
        """Give about how many tokens the prompt has, as it is weighed before a count: its bytes by three."""
        return len(self.prompt.encode() if self.native is None else self.native) // 3

    @property
    def may_be_cut(self) -> bool:
        """Say whether we may end the answer before the engine does, which then counts nothing for us."""
        return bool(self.sampling.stop) or self.calls is not None
