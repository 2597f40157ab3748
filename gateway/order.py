"""What is asked of a generation, and the form in which its answer is written.

Knows neither engines nor tickets; forms are made in the layer above.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from gateway.chat import Batch, Finish, Timings, Usage
from gateway.errors import PaddockError
from gateway.estimate import Estimate
from gateway.schedule import Class


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks, as the queue sees it.

    Units: deadline_seconds is the longest wait that is of use to the caller, None for any.
    """

    client: str
    kind: Class = Class.INTERACTIVE
    deadline_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Where a waiting chat stands: its place of so many, the engine's phase, the wait that is left."""

    place: int
    backlog: int
    phase: str
    estimate: Estimate | None


class Form(Protocol):
    """How one answer is written for its caller.

    Each method gives frames, or b"" where this form says nothing. Called in the order waiting*,
    running?, deltas*, then finished or failed.
    """

    def waiting(self, news: Waiting) -> bytes:
        """Tell the place in the backlog."""

    def running(self) -> bytes:
        """Tell that a chat that waited has its slot."""

    def deltas(self, batch: Batch) -> bytes:
        """Write the tokens of one read."""

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> bytes:
        """Write the end of a whole answer."""

    def failed(self, error: PaddockError) -> bytes:
        """Write the end of an answer that broke."""


@dataclass(frozen=True, slots=True)
class Order:
    """What a caller asked for, ready to be sent to an engine.

    Units: cost is tokens, prompt and answer together. prompt is what is counted when the engine's
    own count does not arrive because we stopped it at a stop string.
    """

    request_id: str
    route: str
    caller: Caller
    cost: int
    body: bytes
    form: Form
    prompt: str = ""
    stop: tuple[str, ...] = ()
    is_streamed: bool = True
    headers: Mapping[str, str] = field(default_factory=dict)
