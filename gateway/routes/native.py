"""TGI's own routes under our admission: a TGI client works unchanged.

Bodies and answers are TGI's, handed on as they are; prompts are the caller's own, control tokens
included. Errors keep TGI's shape, but for /chat_tokenize: its body is an OpenAI chat, whose prompt we
write ourselves, so its errors are those of a chat.
"""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.body import read_body, read_json
from gateway.errors import ChatInvalid, ChatUnsupported, ModelUnknown
from gateway.order import Order
from gateway.relay import Generations
from gateway.routes.document import (
    ENGINE,
    KEYED,
    TICKET,
    TICKET_HEADERS,
    WITH_BODY,
    failing,
    form,
    headers,
    taking,
    told,
)
from gateway.routes.intake import Intake, caller_of, request_id, traced
from gateway.routes.lane import Endpoint
from gateway.routes.reply import Follow, FollowStyle, Whole
from gateway.schedule import MOST_TOKENS
from gateway.schema import ChatBody
from gateway.sse import NativeForm, WholeForm
from gateway.tgi import Native

_COUNTED = {
    "type": "object",
    "properties": {"tokenize_response": form("Tokens"), "templated_text": {"type": "string"}},
    "required": ["tokenize_response", "templated_text"],
}
NATIVE_PATHS = frozenset({"/", "/generate", "/generate_stream", "/tokenize", "/info"})


class NativeRoutes:
    """POST /, /generate, /generate_stream, /tokenize, /chat_tokenize and GET /info."""

    def __init__(self, intake: Intake, generations: Generations, follow: FollowStyle) -> None:
        self._intake = intake
        self._generations = generations
        self._follow = follow

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(tags=["TGI"])
        generates = failing(*WITH_BODY, *TICKET, native=True)
        asked = headers(*TICKET_HEADERS)
        router.post(
            "/generate",
            openapi_extra=taking(form("GenerateBody"), *asked),
            responses={200: told("The answer", json=form("Generated")), **generates},
        )(self.post_generate)
        router.post(
            "/generate_stream",
            response_class=Response,
            openapi_extra=taking(form("GenerateBody"), *asked),
            responses={200: told("The answer", streams=True), **generates},
        )(self.post_generate_stream)
        router.post(
            "/",
            openapi_extra=taking(form("EitherBody"), *asked),
            responses={200: told("The answer", json=form("GeneratedList"), streams=True), **generates},
        )(self.post_either)
        router.post(
            "/tokenize",
            openapi_extra=taking(form("TokenizeBody")),
            responses={
                200: told("The tokens", json=form("Tokens")),
                **failing(*WITH_BODY, *ENGINE, native=True),
            },
        )(self.post_tokenize)
        router.post(
            "/chat_tokenize",
            openapi_extra=taking(form("ChatBody")),
            responses={
                200: told("The prompt and its tokens", json=_COUNTED),
                **failing(*WITH_BODY, ChatUnsupported, *ENGINE, ModelUnknown),
            },
        )(self.post_chat_tokenize)
        router.get(
            "/info",
            responses={
                200: told("The engine", json=form("Info")),
                **failing(*KEYED, *ENGINE, native=True),
            },
        )(self.get_info)
        return router

    def endpoints(self) -> dict[str, Endpoint]:
        """Give what generates, by path."""
        return {
            "/": self.post_either,
            "/generate": self.post_generate,
            "/generate_stream": self.post_generate_stream,
        }

    async def post_generate(self, request: Request) -> Response:
        """Generate and answer in one piece."""
        return self._whole(request, await self._intake.content(request), "/generate")

    async def post_generate_stream(self, request: Request) -> Response:
        """Generate and stream TGI's events."""
        return self._stream(request, await self._intake.content(request))

    async def post_either(self, request: Request) -> Response:
        """Generate; the body's stream says how, as on TGI's compatible route."""
        content = await self._intake.content(request)
        streamed = read_json(content).get("stream", False)
        if not isinstance(streamed, bool):
            raise ChatInvalid("stream: must be true or false", param="stream")
        return self._stream(request, content) if streamed else self._whole(request, content, "/")

    async def post_tokenize(self, request: Request) -> Response:
        """Tokenise a text; takes no ticket, as it takes none of TGI's permits."""
        content = await self._intake.content(request)
        return _handed_on(await self._intake.fleet.choose().tgi.forward("POST", "/tokenize", content))

    async def post_chat_tokenize(self, request: Request) -> Response:
        """Count a chat as it would be sent, its headers and begin-of-text included; takes no ticket."""
        body = read_body(ChatBody, await self._intake.content(request))
        self._intake.model(body.model)
        prompt = self._intake.render(body.chat()).text
        told = await self._intake.fleet.choose().tgi.tokenized(prompt)
        # Not read and written again: of a long text that holds all streams up for seconds.
        whole = b'{"tokenize_response":' + told + b',"templated_text":' + orjson.dumps(prompt) + b"}"
        return Response(whole, media_type="application/json")

    async def get_info(self) -> Response:
        """Give the engine's own description of itself."""
        return _handed_on(await self._intake.fleet.choose().tgi.forward("GET", "/info"))

    def _stream(self, request: Request, content: bytes) -> Response:
        form = NativeForm()
        generation = self._generations.stream(self._order(request, content, "/generate_stream", form))
        return Follow(generation, self._follow, is_native=True)

    def _whole(self, request: Request, content: bytes, path: str) -> Response:
        generation = self._generations.forward(self._order(request, content, path, WholeForm()))

        def write() -> Response | None:
            return None if generation.native is None else _handed_on(generation.native)

        return Whole(generation, write, is_native=True)

    def _order(self, request: Request, content: bytes, path: str, form: NativeForm | WholeForm) -> Order:
        at = self._intake.mark(request)
        return Order(
            request_id=request_id(request),
            route=path,
            caller=caller_of(request),
            cost=_cost(content),
            form=form,
            native=content,
            is_streamed=isinstance(form, NativeForm),
            headers=traced(request, at),
            mark=at,
        )


def _cost(content: bytes) -> int:
    """Estimate the tokens of a native body: what it asks for, and a third of its bytes.

    Nothing was checked yet: the engine does that, once the chat has its slot.
    """
    try:
        parameters = orjson.loads(content).get("parameters") or {}
        asked = int(parameters.get("max_new_tokens") or 0)
    except (orjson.JSONDecodeError, AttributeError, TypeError, ValueError, OverflowError):
        asked = 0  # the engine will refuse it in its own words
    return min(len(content) // 3 + max(0, asked), MOST_TOKENS)


def _handed_on(native: Native) -> Response:
    return Response(native.body, native.status, dict(native.headers))
