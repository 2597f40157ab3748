"""What every chat goes through before it may ask for a ticket.

Knows requests, the model that is served and its context. Knows nothing of streams or answers.
"""

import re
from dataclasses import dataclass

from fastapi import Request

from gateway.chat import Sampling
from gateway.errors import BodyTooLarge, ChatInvalid, MediaUnknown, ModelUnknown, PromptTooLong
from gateway.fleet import DEMO_MODEL, Fleet, Replica
from gateway.order import Caller
from gateway.schedule import Class
from gateway.tgi import MAX_NEW_TOKENS

# TGI's documentation calls every model this, and its clients send it.
ANY_MODEL = "tgi"

# Llama 3's generation_config.json (temperature 0.6, top_p 0.9). The bundled demo model is right
# where it is sure and unsure elsewhere, so it is greedy.
LLAMA_TEMPERATURE, LLAMA_TOP_P = 0.6, 0.9
DEMO_TEMPERATURE, DEMO_TOP_P = 0.0, 1.0

REQUEST_ID = "paddock.request_id"

SESSION_HEADER = "paddock-session"
CLASS_HEADER = "paddock-class"
DEADLINE_HEADER = "x-deadline-ms"
_SESSION = re.compile(r"[\w-]{8,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Fit:
    """How many tokens an answer may have, and what the chat costs in all. Units: tokens."""

    max_new_tokens: int
    cost: int


class Intake:
    """Reads bodies and checks them against what is served now."""

    def __init__(
        self, fleet: Fleet, *, body_limit_bytes: int, temperature: float | None, top_p: float | None
    ) -> None:
        self.fleet = fleet
        self._body_limit_bytes = body_limit_bytes
        self._temperature = temperature
        self._top_p = top_p

    async def content(self, request: Request) -> bytes:
        """Read a JSON body's bytes. Raises: MediaUnknown, BodyTooLarge."""
        media = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if media != "application/json":
            raise MediaUnknown(f"send the body as application/json{f', not {media}' if media else ''}")
        limit = self._body_limit_bytes
        pieces, size = [], 0
        if int(request.headers.get("content-length", "0") or 0) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        async for piece in request.stream():
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(f"the body is larger than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def replica(self, model: str | None = None) -> Replica:
        """Give the replica that would serve now. Raises: EngineDown; ModelUnknown naming what is served."""
        replica = self.fleet.choose()
        if model not in (None, "", ANY_MODEL, replica.model):
            raise ModelUnknown(
                f"the model {model!r} is not served here; {replica.model!r} is", param="model"
            )
        return replica

    def defaults(self, model: str | None) -> tuple[float, float]:
        """Give the temperature and top_p that apply when a caller names none."""
        is_demo = model == DEMO_MODEL
        temperature = DEMO_TEMPERATURE if is_demo else LLAMA_TEMPERATURE
        top_p = DEMO_TOP_P if is_demo else LLAMA_TOP_P
        return (
            temperature if self._temperature is None else self._temperature,
            top_p if self._top_p is None else self._top_p,
        )

    async def fit(self, replica: Replica, prompt: str, sampling: Sampling) -> Fit:
        """Find how long the answer may be.

        Raises: PromptTooLong with exact counts; EngineError if the engine had to count and could not.
        """
        context = replica.max_total_tokens
        wanted = sampling.max_tokens or MAX_NEW_TOKENS
        # A token covers at least one byte, so most prompts are known to fit without being counted.
        most = len(prompt.encode()) + 1
        if most + wanted <= context:
            return Fit(wanted, most // 3 + wanted)
        count = len(await replica.tgi.tokenize(prompt))
        if count + (sampling.max_tokens or 1) > context:
            asked = f" and {sampling.max_tokens} are asked for" if sampling.max_tokens else ""
            raise PromptTooLong(
                f"the prompt has {count} tokens{asked}; the context holds {context} in all, answer included",
                param="max_tokens" if sampling.max_tokens and count < context else "messages",
            )
        return Fit(min(wanted, context - count), count + wanted)


def request_id(request: Request) -> str:
    """Give the id under which the answer and the log know this request."""
    value: str = request.scope[REQUEST_ID]
    return value


def caller_of(request: Request) -> Caller:
    """Say who asks, as the queue sees it: the browser's session if it names one, else the address.

    Raises: ChatInvalid naming a header with a wrong value.
    """
    headers = request.headers
    session = headers.get(SESSION_HEADER, "")
    if session and not _SESSION.fullmatch(session):
        raise ChatInvalid(f"{SESSION_HEADER}: 8 to 64 letters, digits, - or _", param=SESSION_HEADER)
    address = request.client.host if request.client else "local"
    kind = headers.get(CLASS_HEADER, Class.INTERACTIVE)
    if kind not in tuple(Class):
        raise ChatInvalid(f"{CLASS_HEADER}: must be {' or '.join(Class)}", param=CLASS_HEADER)
    deadline = headers.get(DEADLINE_HEADER)
    if deadline is not None and not (deadline.isascii() and deadline.isdigit() and len(deadline) < 10):
        raise ChatInvalid(f"{DEADLINE_HEADER}: must be whole milliseconds", param=DEADLINE_HEADER)
    return Caller(
        client=f"session {session}" if session else f"address {address}",
        kind=Class(kind),
        deadline_seconds=None if deadline is None else int(deadline) / 1000,
    )


def traced(request: Request) -> dict[str, str]:
    """Give the headers that go on to the engine: the trace this request belongs to."""
    parent = request.headers.get("traceparent")
    return {"traceparent": parent} if parent and parent.isascii() and parent.isprintable() else {}
