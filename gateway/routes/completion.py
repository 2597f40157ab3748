"""GET /completion/{question}: one question in the path, answered as events for EventSource and curl."""

from urllib.parse import unquote_to_bytes

from fastapi import APIRouter, Request
from starlette.convertors import PathConvertor, register_url_convertor
from starlette.responses import Response

from gateway.chat import Chat, Message, Sampling
from gateway.errors import ChatInvalid
from gateway.prompt import ENDS
from gateway.relay import Generations
from gateway.routes.document import (
    KEYED,
    TICKET,
    TICKET_HEADERS,
    failing,
    headers,
    in_path,
    taking,
    told,
)
from gateway.routes.intake import Intake, request_id
from gateway.routes.reply import Follow, FollowStyle
from gateway.sse import QuestionForm

_PREFIX = b"/completion/"


class _AnyPath(PathConvertor):
    """The rest of a path; starlette's own ends at a line break, which a question may hold."""

    regex = "(?s:.*)"


class CompletionRoutes:
    """The one-question route of the example this service grew from."""

    def __init__(self, intake: Intake, generations: Generations, follow: FollowStyle) -> None:
        self._intake = intake
        self._generations = generations
        self._follow = follow

    def router(self) -> APIRouter:
        """Give the routes."""
        register_url_convertor("anypath", _AnyPath())
        router = APIRouter(tags=["question"])
        router.get(
            "/completion/{question:anypath}",
            response_class=Response,
            openapi_extra=taking(
                None,
                in_path("question", {"type": "string", "pattern": r"\S"}),
                *headers(*TICKET_HEADERS),
            ),
            responses={
                200: told("The answer", streams=True),
                204: told("There is no more: the caller had the end event"),
                **failing(*KEYED, *TICKET, ChatInvalid),
            },
        )(self.get_completion)
        return router

    async def get_completion(self, request: Request) -> Response:
        """Stream the answer as {"text": …} events, then an event named end."""
        # An EventSource connects again when a stream closes. It then sends the id of the end event:
        # 204 is how the standard lets a server say that there is no more.
        if request.headers.get("last-event-id") == QuestionForm.END_ID:
            return Response(status_code=204)
        temperature, top_p = self._intake.defaults(self._intake.model())
        prompt = self._intake.render(Chat((Message("user", question_of(request)),))).text
        sampling = Sampling(temperature=temperature, top_p=top_p, ends=ENDS)
        form = QuestionForm(request_id(request))
        fields = ("question", "question")
        order = await self._intake.order(request, "/completion", prompt, sampling, form, fields=fields)
        return Follow(self._generations.stream(order), self._follow)


def question_of(request: Request) -> str:
    """Read the question from the path as the caller wrote it: slashes, percent signs, any script.

    A question mark that was not escaped splits the address; what follows it belongs to the question.

    Raises: ChatInvalid if it is empty or not UTF-8.
    """
    raw: bytes = request.scope["raw_path"].partition(_PREFIX)[2]
    if request.scope["query_string"]:
        raw += b"?" + request.scope["query_string"]
    try:
        question = unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        raise ChatInvalid("the question is not UTF-8", param="question") from None
    if not question.strip():
        raise ChatInvalid("the question is empty", param="question")
    return question
