"""What every chat goes through before it may ask for a ticket.

Knows requests, the model that is served and its context. Knows nothing of streams or answers.
"""

import re
from collections.abc import Callable
from datetime import date

from fastapi import Request
from starlette.requests import ClientDisconnect

from gateway.chat import Chat, Sampling
from gateway.errors import (
    BodyTooLarge,
    ChatInvalid,
    EngineCutOff,
    EngineTimeout,
    EngineUnreachable,
    MediaUnknown,
    ModelUnknown,
    PromptTooLong,
)
from gateway.fleet import DEMO_MODEL, Fleet
from gateway.grammar import Shape
from gateway.keyfile import Key
from gateway.order import Caller, Form, Order
from gateway.prompt import Family, Prompt, family_of, render
from gateway.schedule import MOST_TOKENS, Class
from gateway.tools import CallReader
from gateway.trace import Mark, mark

# What clients of TGI send as the model when none was named: its documentation's word, and the word of
# huggingface_hub's client.
ANY_MODEL = "tgi"
_UNNAMED = (None, "", ANY_MODEL, "dummy")

# Llama 3's generation_config.json (temperature 0.6, top_p 0.9). The bundled demo model is right
# where it is sure and unsure elsewhere, so it is greedy.
LLAMA_TEMPERATURE, LLAMA_TOP_P = 0.6, 0.9
DEMO_TEMPERATURE, DEMO_TOP_P = 0.0, 1.0

# What an answer is weighed as when its caller names no limit: a few paragraphs.
USUAL_ANSWER_TOKENS = 512

REQUEST_ID = "paddock.request_id"
KEY = "paddock.key"

SESSION_HEADER = "paddock-session"
CLASS_HEADER = "paddock-class"
DEADLINE_HEADER = "x-deadline-ms"
_SESSION = re.compile(r"[\w-]{8,64}", re.ASCII)


class Intake:
    """Reads bodies and checks them against what is served now."""

    def __init__(
        self,
        fleet: Fleet,
        *,
        body_limit_bytes: int,
        temperature: float | None,
        top_p: float | None,
        prompt_family: Family | None = None,
        today: Callable[[], date] = date.today,
        is_traced: bool = False,
    ) -> None:
        self.fleet = fleet
        self._is_traced = is_traced
        self._body_limit_bytes = body_limit_bytes
        self._temperature = temperature
        self._top_p = top_p
        self._prompt_family = prompt_family
        self._today = today

    def mark(self, request: Request) -> Mark | None:
        """Give a chat its place in a trace, None while nobody collects traces."""
        return mark(request.headers.get("traceparent")) if self._is_traced else None

    async def content(self, request: Request) -> bytes:
        """Read a JSON body's bytes. Raises: MediaUnknown, BodyTooLarge; ClientDisconnect if it left."""
        media = request.headers.get("content-type", "").split(";", 1)[0].strip().lower()
        if media != "application/json":
            raise MediaUnknown(f"send the body as application/json{f', not {media}' if media else ''}")
        coding = request.headers.get("content-encoding", "identity")
        if coding != "identity":
            raise MediaUnknown(f"send the body as it is, not with Content-Encoding: {coding}")
        limit = self._body_limit_bytes
        pieces, size = [], 0
        if int(request.headers.get("content-length", "0") or 0) > limit:
            raise BodyTooLarge(f"the body is larger than {limit} bytes")
        has_more = True
        while has_more:
            message = await request.receive()
            if message["type"] == "http.disconnect":
                raise ClientDisconnect
            piece, has_more = message.get("body", b""), message.get("more_body", False)
            size += len(piece)
            if size > limit:
                raise BodyTooLarge(f"the body is larger than {limit} bytes")
            pieces.append(piece)
        return b"".join(pieces)

    def model(self, asked: str | None = None) -> str:
        """Give the model that will answer.

        Raises: EngineDown if no engine serves or is on the way; ModelUnknown naming what is served.
        """
        self.fleet.check()
        served = self.fleet.model
        if asked != served and asked not in _UNNAMED:
            raise ModelUnknown(f"the model {asked!r} is not served here; {served!r} is", param="model")
        return served or ANY_MODEL

    def defaults(self, model: str | None) -> tuple[float, float]:
        """Give the temperature and top_p that apply when a caller names none."""
        is_demo = model == DEMO_MODEL
        temperature = DEMO_TEMPERATURE if is_demo else LLAMA_TEMPERATURE
        top_p = DEMO_TOP_P if is_demo else LLAMA_TOP_P
        return (
            temperature if self._temperature is None else self._temperature,
            top_p if self._top_p is None else self._top_p,
        )

    def render(self, chat: Chat) -> Prompt:
        """Write a chat in the format of the model that is served. Raises: ChatInvalid."""
        return render(chat, self._prompt_family or family_of(self.fleet.model), self._today())

    async def order(
        self,
        request: Request,
        route: str,
        prompt: str,
        sampling: Sampling,
        form: Form,
        *,
        is_streamed: bool = True,
        is_resumable: bool = False,
        shape: Shape | None = None,
        calls: CallReader | None = None,
        fields: tuple[str, str] = ("messages", "max_tokens"),
    ) -> Order:
        """Make the order for a prompt, after checking that prompt and answer fit the context.

        While no engine is ready nobody can count: then it is checked once one is.

        Raises: PromptTooLong with exact counts; EngineDown if the engine had to count and is gone;
        EngineError if it could not count.
        """
        try:
            is_counted = bool(sampling.stop or calls)
            room, prompt_tokens = await self._measure(prompt, sampling, is_counted=is_counted)
        except PromptTooLong as error:
            raise error.named(*fields) from None
        # An answer without a limit is weighed as a usual one, not as all that the context leaves.
        expected = sampling.max_tokens or min(room or USUAL_ANSWER_TOKENS, USUAL_ANSWER_TOKENS)
        at = self.mark(request)
        return Order(
            request_id=request_id(request),
            route=route,
            caller=caller_of(request),
            cost=min(len(prompt.encode()) // 3 + expected, MOST_TOKENS),
            form=form,
            prompt=prompt,
            sampling=sampling,
            room=room,
            prompt_tokens=prompt_tokens,
            fields=fields,
            shape=shape,
            calls=calls,
            is_streamed=is_streamed,
            is_resumable=is_resumable,
            headers=traced(request, at),
            mark=at,
        )

    async def _measure(
        self, prompt: str, sampling: Sampling, *, is_counted: bool
    ) -> tuple[int | None, int | None]:
        """Find the room that an answer has for sure, and the prompt's tokens if asked; None if unknown."""
        for _ in self.fleet.replicas:
            shown = self.fleet.shown
            if not shown.is_ready:
                break
            try:
                # Order: what the context does not hold is refused before all of it is counted.
                return await shown.room(prompt, sampling.max_tokens, is_counted=is_counted)
            except EngineUnreachable as error:
                # It went since the fleet last looked. Nothing was started, so this is not a chat that failed:
                # another engine counts, or the chat is refused, or waits for the engine's next start.
                self.fleet.report(shown, error)
                self.fleet.check()
            except (EngineTimeout, EngineCutOff):
                # Too busy to count, or about to go: it is counted once the chat has its slot.
                break
        return None, None


def request_id(request: Request) -> str:
    """Give the id under which the answer and the log know this request."""
    value: str = request.scope[REQUEST_ID]
    return value


def owner_of(request: Request) -> str:
    """Name whose streams a request may follow: its key's; without keys, who knows the id may."""
    key: Key | None = request.scope.get(KEY)
    return f"key {key.name}" if key is not None else "anyone"


def caller_of(request: Request) -> Caller:
    """Say who asks, as the queue sees it: its key, else the browser's session, else the address.

    Raises: ChatInvalid naming a header with a wrong value.
    """
    headers = request.headers
    session = headers.get(SESSION_HEADER, "")
    if session and not _SESSION.fullmatch(session):
        raise ChatInvalid(f"{SESSION_HEADER}: 8 to 64 letters, digits, - or _", param=SESSION_HEADER)
    address = request.client.host if request.client else "local"
    key: Key | None = request.scope.get(KEY)
    kind = headers.get(CLASS_HEADER, Class.BATCH if key is not None and key.is_batch else Class.INTERACTIVE)
    if kind not in tuple(Class):
        raise ChatInvalid(f"{CLASS_HEADER}: must be {' or '.join(Class)}", param=CLASS_HEADER)
    deadline = headers.get(DEADLINE_HEADER)
    if deadline is not None and not (deadline.isascii() and deadline.isdigit() and len(deadline) < 10):
        raise ChatInvalid(f"{DEADLINE_HEADER}: must be whole milliseconds", param=DEADLINE_HEADER)
    client = f"session {session}" if session else f"address {address}"
    return Caller(
        client=client if key is None else f"key {key.name}",
        kind=Class(kind),
        deadline_seconds=None if deadline is None else int(deadline) / 1000,
        key=key,
    )


def traced(request: Request, at: Mark | None) -> dict[str, str]:
    """Give the headers that go on to the engine: the trace this request belongs to."""
    if at is not None:
        return {"traceparent": at.traceparent}
    parent = request.headers.get("traceparent")
    return {"traceparent": parent} if parent and parent.isascii() and parent.isprintable() else {}
