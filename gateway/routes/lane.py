"""The routes that generate, on a way of their own: straight from the door to the endpoint.

Deliberate divergence: between the server and an endpoint FastAPI and Starlette have a dozen layers (errors
twice, telemetry, a body limit, exit stacks, two routers, dependencies). For these routes, which take a
Request and nothing else, all that the layers do is to find the endpoint and to turn errors into answers,
for 100 µs of a request (590 µs to 490, one token, measured), so that is done here. The application behind
has the same routes, for the OpenAPI document and for wrong methods. Delete when its own way costs less.

Knows endpoints and how errors are told. Knows nothing of what the endpoints do.
"""

from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import PaddockError


class _Headers(Headers):
    """A request's headers, looked for by their names: Starlette's goes through all for each of a dozen."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        # Of several of one name the first counts.
        self._first = dict(reversed(self._list))

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower().encode("latin-1")].decode("latin-1")

    def get(self, key: str, default: Any = None) -> Any:
        value = self._first.get(key.lower().encode("latin-1"))
        return default if value is None else value.decode("latin-1")


class _Request(Request):
    """A request whose headers cost little."""

    @cached_property
    def headers(self) -> Headers:
        return _Headers(self.scope)


Endpoint = Callable[[Request], Awaitable[Response]]
Told = Callable[[Request, Exception], Awaitable[Response]]


class Lane:
    """Pure ASGI, before the application: POST to one of some paths goes to its endpoint.

    told answers a PaddockError, told_fault anything else, which is raised again behind its answer: the
    server's log has it.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, Endpoint], told: Told, told_fault: Told) -> None:
        self._app = app
        self._told = told
        self._told_fault = told_fault
        self.endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_post = scope["type"] == "http" and scope["method"] == "POST"
        endpoint = self.endpoints.get(scope["path"]) if is_post else None
        if endpoint is None:
            await self._app(scope, receive, send)
            return
        is_started = False

        async def noted(message: Message) -> None:
            nonlocal is_started
            is_started = True
            await send(message)

        request = _Request(scope, receive)
        try:
            try:
                response = await endpoint(request)
            except PaddockError as error:
                response = await self._told(request, error)
            await response(scope, receive, noted)
        except ClientDisconnect:
            return  # it left while it sent its body, and nobody is there to be told
        except Exception as error:
            if not is_started:
                await (await self._told_fault(request, error))(scope, receive, send)
            raise
