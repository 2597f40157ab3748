"""The one record that each chat leaves: a JSON log line, and the counts in the metrics.

Never holds text. Knows outcomes and measures. Knows nothing of frames or engines.
"""

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO

import orjson

from gateway.chat import Outcome
from gateway.metrics import Metrics
from gateway.trace import Mark, Tracing


@dataclass(frozen=True, slots=True)
class Record:
    """What one chat did. Units: seconds, tokens; None where it did not get that far."""

    request_id: str
    route: str
    outcome: Outcome
    code: str | None
    ended_by: str | None
    finish: str | None
    model: str | None
    replica: str | None
    wait_seconds: float
    first_token_seconds: float | None
    generation_seconds: float | None
    # From the caller's leaving, or the order to stop, to the end of the engine's connection.
    cancel_seconds: float | None
    longest_gap_seconds: float | None
    tokens_per_second: float | None
    prompt_tokens: int | None
    completion_tokens: int
    is_streamed: bool
    trace: Mark | None = None


class Ledger:
    """Where records go: one line each on standard output, counted once in the metrics."""

    def __init__(
        self, metrics: Metrics, out: IO[bytes] | None = None, tracing: Tracing | None = None
    ) -> None:
        self.metrics = metrics
        self._tracing = tracing
        self._out = out if out is not None else sys.stdout.buffer

    def write(self, record: Record) -> None:
        """Write a record."""
        self.metrics.finish(
            record.outcome,
            record.wait_seconds,
            record.generation_seconds,
            record.prompt_tokens or 0,
            record.tokens_per_second,
            record.request_id,
        )
        if record.ended_by is not None:
            self.metrics.cancel(record.ended_by, record.cancel_seconds)
        if self._tracing is not None and record.trace is not None:
            self._tracing.tell(record.trace, record)
        line = {"time": datetime.now(UTC).isoformat(timespec="milliseconds"), "event": "chat"}
        # orjson writes dataclasses itself, several times faster than asdict makes a dictionary.
        self._out.write(orjson.dumps(line)[:-1] + b"," + orjson.dumps(record)[1:] + b"\n")
        self._out.flush()
