"""Following a stream again, and stopping one."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.errors import ChatInvalid, EngineError, NobodyFollowed, StreamUnknown
from gateway.routes.document import KEYED, failing, headers, in_path, taking, told
from gateway.routes.intake import owner_of
from gateway.routes.reply import Follow, FollowStyle
from gateway.shelf import Shelf


class StreamRoutes:
    """GET and DELETE /v1/streams/{id}."""

    def __init__(self, shelf: Shelf, follow: FollowStyle) -> None:
        self._shelf = shelf
        self._follow = follow

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(prefix="/v1/streams", tags=["streams"])
        identity = in_path("identity", {"type": "string", "minLength": 1})
        cursor = {"type": "string", "pattern": "^[0-9]{1,9}$"}
        router.get(
            "/{identity}",
            response_class=Response,
            openapi_extra=taking(
                None,
                identity,
                {"name": "after", "in": "query", "schema": cursor},
                *headers(("Last-Event-ID", cursor)),
            ),
            responses={
                200: told("What was missed, then what comes", streams=True),
                204: told("There is no more"),
                **failing(*KEYED, StreamUnknown, ChatInvalid, EngineError, NobodyFollowed),
            },
        )(self.get_stream)
        router.delete(
            "/{identity}",
            status_code=204,
            openapi_extra=taking(None, identity),
            responses={204: told("It has stopped"), **failing(*KEYED, StreamUnknown)},
        )(self.delete_stream)
        return router

    async def get_stream(self, request: Request) -> Response:
        """Follow a stream from behind a cursor: what was missed at once, then what comes.

        Raises: StreamUnknown; ChatInvalid for a cursor that is no number or lies ahead.
        """
        generation = self._shelf.find(request.path_params["identity"], owner_of(request))
        after = _cursor(request)
        log = generation.log
        if after > log.length:
            raise ChatInvalid(f"after: the stream has {log.length} frames so far", param="after")
        if after == log.length and log.is_closed:
            # There is no more: the answer that keeps an EventSource from connecting again.
            return Response(status_code=204)
        self._shelf.resumes += 1
        return Follow(generation, self._follow, after=after)

    async def delete_stream(self, request: Request) -> Response:
        """Stop a generation and free the engine; what it wrote can still be read."""
        generation = self._shelf.find(request.path_params["identity"], owner_of(request))
        generation.stop()
        await generation.over()
        return Response(status_code=204)


def _cursor(request: Request) -> int:
    given = request.query_params.get("after") or request.headers.get("last-event-id") or "0"
    if not (given.isascii() and given.isdigit() and len(given) < 10):
        raise ChatInvalid("after: must be the id of the last event that was read", param="after")
    return int(given)
