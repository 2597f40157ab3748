"""The lane: the same endpoints as the application's, and its errors."""

from collections.abc import Awaitable, Callable

import pytest
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from gateway.app import Gateway
from gateway.errors import ChatInvalid
from gateway.routes.door import Door
from gateway.routes.lane import Lane
from gateway.settings import read_settings


async def told(request: Request, error: Exception) -> Response:
    """Tell an error."""
    return Response(f"told {error}", 422)


async def told_fault(request: Request, error: Exception) -> Response:
    """Tell a fault."""
    return Response("a fault", 500)


async def behind(scope: Scope, receive: Receive, send: Send) -> None:
    """Stand for the application behind."""
    await Response("behind")(scope, receive, send)


async def asked(
    endpoint: Callable[[Request], Awaitable[Response]], method: str = "POST", path: str = "/x"
) -> list[Message]:
    """Ask a lane with one endpoint at /x."""
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": method, "path": path, "headers": []}
    await Lane(behind, {"/x": endpoint}, told, told_fault)(scope, receive, send)
    return sent


async def good(request: Request) -> Response:
    """Answer."""
    return Response("good")


async def wrong(request: Request) -> Response:
    """Raise what a caller did wrong."""
    raise ChatInvalid("wrong")


async def gone(request: Request) -> Response:
    """Find that the client has left."""
    raise ClientDisconnect


@pytest.mark.parametrize(
    ("endpoint", "method", "path", "expected"),
    [
        (good, "POST", "/x", (200, b"good")),
        (good, "GET", "/x", (200, b"behind")),
        (good, "POST", "/x/", (200, b"behind")),
        (wrong, "POST", "/x", (422, b"told wrong")),
    ],
)
async def test_it_leads_to_its_endpoints_alone(
    endpoint: Callable[[Request], Awaitable[Response]], method: str, path: str, expected: tuple[int, bytes]
) -> None:
    """By method and whole path; what the gateway raises is told as everywhere."""
    head, body = await asked(endpoint, method, path)

    assert expected == (head["status"], body["body"])


async def test_nobody_is_told_who_left() -> None:
    """In the middle of its own body."""
    assert [] == await asked(gone)


@pytest.mark.parametrize("is_started", [False, True])
async def test_a_fault_is_told_once_and_raised(*, is_started: bool) -> None:
    """Before an answer has begun; one that has is the server's to cut."""
    sent: list[Message] = []

    class Broken(Response):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            if is_started:
                await send({"type": "http.response.start", "status": 200, "headers": []})
            raise LookupError("a defect")

    async def broken(request: Request) -> Response:
        return Broken()

    async def send(message: Message) -> None:
        sent.append(message)

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    scope = {"type": "http", "method": "POST", "path": "/x", "headers": []}
    with pytest.raises(LookupError, match="a defect"):
        await Lane(behind, {"/x": broken}, told, told_fault)(scope, receive, send)

    assert [200 if is_started else 500] == [one["status"] for one in sent if "status" in one]


def test_the_lane_has_the_application_s_own_endpoints() -> None:
    """The document names the function of each path: the lane calls no other."""
    gateway = Gateway(read_settings({"GATEWAY_ENGINE_URL": "http://127.0.0.1:9"}))
    door: object = gateway.app._app  # type: ignore[attr-defined]
    assert isinstance(door, Door)
    lane = door._app
    assert isinstance(lane, Lane)
    paths = lane._app.openapi()["paths"]  # type: ignore[attr-defined]

    names = {path: paths[path]["post"]["operationId"] for path in lane.endpoints}
    assert all(names[path].startswith(f"{one.__name__}_") for path, one in lane.endpoints.items())
    assert {"/v1/chat/completions", "/v1/completions", "/", "/generate", "/generate_stream"} == names.keys()
