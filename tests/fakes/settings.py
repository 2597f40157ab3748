"""How a double is set, and what it remembers of each request.

Knows:  settings with TGI's defaults, the record of one request.
Knows nothing of: how either is used.
"""

from dataclasses import asdict, dataclass, field, replace
from typing import Any, Protocol

from tests.fakes.request import Limits


@dataclass(frozen=True)
class Settings:
    """How the server was started, and switches of its health. Times are seconds."""

    model_id: str = "meta-llama/Meta-Llama-3-8B-Instruct"
    max_concurrent_requests: int = 128
    slots: int = 128
    max_total_tokens: int = 8192
    max_input_tokens: int = 8191
    payload_limit: int = 2_000_000
    api_key: str | None = None
    keep_alive_seconds: float = 15.0
    # False writes `data:{` as TGI up to 2.0 did.
    has_space: bool = True
    is_healthy: bool = True
    health_delay_seconds: float = 0.0

    @property
    def limits(self) -> Limits:
        """The part that requests are validated against."""
        return Limits(max_total_tokens=self.max_total_tokens, max_input_tokens=self.max_input_tokens)


class Progress(Protocol):
    """How far the token loop came with one sequence."""

    generated: int
    noticed_at: float | None


@dataclass
class Seen:
    """One request as the server saw it. Times are seconds of the machine's monotonic clock."""

    number: int
    method: str
    path: str
    headers: dict[str, str]
    body: str
    started_at: float
    status: int | None = None
    # Events written to the client.
    events: int = 0
    # The client closed the connection before the answer was complete.
    disconnected_at: float | None = None
    # The token loop noticed that, at its next token.
    noticed_at: float | None = None
    generated: int = 0
    ended_at: float | None = None
    # Its sequences, read when the record is shown.
    entries: "list[Progress]" = field(default_factory=list, repr=False)

    def document(self) -> dict[str, Any]:
        """The JSON form."""
        if self.entries:
            self.generated = sum(entry.generated for entry in self.entries)
            self.noticed_at = next((e.noticed_at for e in self.entries if e.noticed_at is not None), None)
        document = asdict(replace(self, entries=[]))
        del document["entries"]
        return document
