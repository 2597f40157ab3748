"""The control surface of an engine's supervisor: what the engine is doing, and waking it.

Knows GET /state and POST /start of engine/supervisor.py. Knows nothing of TGI's wire.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from gateway.connection import TransportError, TransportTimeout
from gateway.transport import Pool

# The supervisor answers from memory, so a second is a long time.
_LIMIT_SECONDS = 2.0


class Phase(StrEnum):
    """What an engine is doing, as shown to users."""

    STOPPED = "stopped"
    STARTING = "starting"
    LOADING = "loading"
    READY = "ready"
    STOPPING = "stopping"
    FAILED = "failed"


class Cause(StrEnum):
    """Why an engine does not serve: the supervisor's kinds, and what is found out here."""

    GATED = "gated"
    MISSING = "missing"
    OUT_OF_MEMORY = "out_of_memory"
    NO_GPU = "no_gpu"
    BAD_ARGUMENTS = "bad_arguments"
    UNSUPPORTED = "unsupported"
    HANG = "hang"
    CRASH_LOOP = "crash_loop"
    WRONG_MODEL = "wrong_model"
    UNKNOWN = "unknown"


class ControlLost(Exception):
    """The supervisor did not answer, or not in its own form."""


@dataclass(frozen=True, slots=True)
class StopTokens:
    """Where the engine ends an answer by itself, where that is written, and whether its model can chat."""

    texts: frozenset[str]
    source: str
    is_chat: bool


@dataclass(frozen=True, slots=True)
class EngineState:
    """What the supervisor says.

    Units: ready_seconds is the time left until ready, None if unknown; start_seconds is how long each
    phase of the last start took. run is another word for every start; None from a supervisor that has none.
    """

    phase: Phase
    reason: str | None
    model: str | None
    ready_seconds: float | None
    start_seconds: dict[str, float] = field(default_factory=dict)
    cause: Cause | None = None
    run: str | None = None
    stop_tokens: StopTokens | None = None


class Control:
    """One supervisor."""

    def __init__(self, url: str, connect_limit_seconds: float) -> None:
        self.url = url
        self._pool = Pool(url, connect_limit_seconds)

    async def state(self) -> EngineState:
        """Ask what the engine is doing. Raises: ControlLost."""
        told = await self._ask("GET", "/state")
        try:
            detail = told.get("detail")
            reason = told.get("reason") or detail
            left = told.get("estimate_seconds")
            starts = told.get("durations") or [{}]
            return EngineState(
                phase=Phase(told["phase"]),
                reason=None if reason is None else str(reason),
                model=told.get("model"),
                ready_seconds=None if left is None else float(left),
                start_seconds={str(name): float(value) for name, value in starts[-1].items()},
                cause=_cause(told.get("cause")),
                run=told.get("run"),
                stop_tokens=_stop_tokens(told.get("stop_tokens")),
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise ControlLost(f"unexpected state from {self.url}: {error}") from None

    async def start(self) -> None:
        """Wake the engine; harmless when it runs. Raises: ControlLost."""
        await self._ask("POST", "/start")

    def close(self) -> None:
        """Close the idle connections."""
        self._pool.close()

    async def _ask(self, method: str, path: str) -> dict[str, Any]:
        try:
            async with self._pool.ask(method, path, b"", _LIMIT_SECONDS) as reply:
                body = await reply.whole(_LIMIT_SECONDS)
                if not 200 <= reply.status < 300:
                    raise ControlLost(f"HTTP {reply.status} from {self.url}{path}")
        except (TransportError, TransportTimeout) as error:
            raise ControlLost(f"no answer from the supervisor at {self.url}: {error}") from None
        try:
            told = orjson.loads(body or b"{}")
        except orjson.JSONDecodeError:
            told = None
        if not isinstance(told, dict):
            raise ControlLost(f"no JSON object from {self.url}{path}")
        return told


def _cause(told: object) -> Cause | None:
    """Read a cause; a word of a supervisor that knows more than we do is an unknown one."""
    if told is None:
        return None
    return Cause(told) if isinstance(told, str) and told in tuple(Cause) else Cause.UNKNOWN


def _stop_tokens(told: dict[str, Any] | None) -> StopTokens | None:
    """Read where an answer ends. Raises: KeyError, TypeError."""
    if told is None:
        return None
    return StopTokens(frozenset(told["texts"]), str(told["source"]), bool(told["is_chat"]))
