"""The wiring: settings in, an ASGI application out.

Everything that lives as long as the process is made here, once, and passed down by hand.
"""

import asyncio
import contextlib
import logging
import re
import secrets
import time
from collections.abc import AsyncIterator, Callable
from typing import IO, Any

from fastapi import FastAPI, Request
from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.admission import Admission
from gateway.breaker import State
from gateway.chat import Outcome
from gateway.control import Cause, Phase
from gateway.errors import (
    Draining,
    EngineDown,
    GatewayFault,
    MethodUnknown,
    PaddockError,
    Refusal,
    RouteUnknown,
)
from gateway.fleet import Fleet
from gateway.gauges import Now, paddock_version, replica_now
from gateway.house import House
from gateway.keys import LIMITS, Keyring
from gateway.lag import watch
from gateway.metrics import Metrics
from gateway.pace import Pace
from gateway.progress import read_disk, read_download
from gateway.proof import StopSet
from gateway.record import Ledger
from gateway.relay import Generations
from gateway.routes.completion import CompletionRoutes
from gateway.routes.document import completed
from gateway.routes.door import Door
from gateway.routes.health import HealthRoutes, is_headed
from gateway.routes.intake import REQUEST_ID, Intake, request_id
from gateway.routes.lane import Lane
from gateway.routes.native import NATIVE_PATHS, NativeRoutes
from gateway.routes.openai import OpenAiRoutes
from gateway.routes.page import Page
from gateway.routes.push import SERVER_SEND, forget_ways
from gateway.routes.reply import ErrorReply, FollowStyle
from gateway.routes.stats import StatsRoutes
from gateway.routes.streams import StreamRoutes
from gateway.settings import Settings
from gateway.shelf import Shelf
from gateway.spent import Spent, beside
from gateway.tgi import Limits
from gateway.trace import open_tracing

_LOG = logging.getLogger(__name__)
_GOOD_ID = re.compile(r"[\w.:-]{1,128}", re.ASCII)


class Gateway:
    """One gateway: the ASGI application, and its orderly end."""

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.monotonic, out: IO[bytes] | None = None
    ) -> None:
        self.settings = settings
        self.admission = Admission(
            settings.slots, settings.backlog_bound, settings.backlog_token_bound, clock
        )
        limits = Limits(
            settings.connect_limit_seconds, settings.first_token_limit_seconds, settings.gap_limit_seconds
        )
        self.fleet = Fleet(
            settings.engine_urls, settings.engine_control_port, limits, clock, settings.stall_limit_seconds
        )
        self.fleet.on_change = self._fleet_changed
        self.admission.opens_seconds = lambda: self.fleet.opens_seconds
        self.metrics = Metrics(self._now, tuple(Outcome))
        self.pace = Pace(clock)
        endpoint = settings.exporter_otlp_endpoint
        self._tracing = None if endpoint is None else open_tracing(endpoint)
        self.keyring = None
        if settings.keys_file is not None:
            spent = Spent(settings.use_file or beside(settings.keys_file))
            self.keyring = Keyring(settings.keys_file, observe_only=settings.keys_observe_only, spent=spent)
        self.generations = Generations(
            House(
                admission=self.admission,
                fleet=self.fleet,
                ledger=Ledger(self.metrics, out, self._tracing),
                pace=self.pace,
                clock=clock,
                wait_limit_seconds=settings.wait_limit_seconds,
                total_limit_seconds=settings.total_limit_seconds,
                resume_grace_seconds=settings.resume_grace_seconds,
                keyring=self.keyring,
            )
        )
        self.shelf = Shelf(settings.stream_keep_seconds, settings.stream_memory_bytes)
        self._fleet_changed()
        self.app = self._app()

    def drain(self) -> None:
        """Admit nobody from now on, and end what still runs after the grace with an honest error.

        To be called in the event loop, when the process is told to stop.
        """
        if self.admission.is_draining:
            return
        _LOG.info(
            "stopping: %d chats run, %d wait, at most %g s to finish",
            self.admission.running,
            self.admission.waiting,
            self.settings.drain_seconds,
        )
        self.admission.drain()
        error = Draining("the server stopped before the answer was complete", retry_after_seconds=5)
        asyncio.get_running_loop().call_later(self.settings.drain_seconds, self.generations.end_all, error)

    def _fleet_changed(self) -> None:
        """Open as many slots as there are engines to serve them; refuse who waits for nothing."""
        slots = self.settings.slots
        self.admission.resize(slots * len(self.fleet.replicas), slots * self.fleet.online)
        if all(replica.phase is Phase.FAILED for replica in self.fleet.replicas):
            reason = self.fleet.shown.reason
            self.generations.end_waiting(EngineDown(f"the engine cannot serve: {reason}"))

    def _now(self) -> Now:
        kept, kept_bytes = self.shelf.ended
        return Now(
            running=self.admission.running,
            waiting=self.admission.waiting,
            slots=self.admission.slots,
            backlog_limit=self.admission.backlog_limit,
            open_slots=self.admission.open_slots,
            waiting_tokens=self.admission.waiting_tokens,
            waiting_token_limit=self.admission.backlog_token_limit,
            generated_tokens=self.pace.total,
            resumes=self.shelf.resumes,
            fairness=self.generations.served.index(),
            streams={"open": len(self.generations), "kept": kept},
            stream_bytes={"open": self.generations.held_bytes, "kept": kept_bytes},
            phases=tuple(Phase),
            causes=tuple(Cause),
            breakers=tuple(State),
            stop_sets=tuple(StopSet),
            retries={"retried": self.fleet.retries.taken, "over_budget": self.fleet.retries.refused},
            overruns=dict.fromkeys(LIMITS, 0) if self.keyring is None else self.keyring.over,
            replicas={one.name: replica_now(one) for one in self.fleet.replicas},
            download=read_download(self.settings.download_file),
            disk=read_disk(self.settings.download_file),
        )

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: FastAPI) -> AsyncIterator[None]:
        watchers = [
            asyncio.create_task(self.fleet.watch(), name="fleet"),
            asyncio.create_task(watch(self.metrics.lag), name="lag"),
        ]
        if self.keyring is not None:
            watchers.append(asyncio.create_task(self.keyring.watch(), name="keys"))
        try:
            yield
        finally:
            for watcher in watchers:
                watcher.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watcher
            self.fleet.close()
            if self._tracing is not None:
                await asyncio.to_thread(self._tracing.close)

    def _app(self) -> ASGIApp:
        settings = self.settings
        # The interactive documentation pages load scripts from elsewhere; the document itself stays.
        app = _Documented(
            title="Paddock",
            version=paddock_version(),
            lifespan=self._lifespan,
            docs_url=None,
            redoc_url=None,
            # A redirect would name this server as it is called here, which is not how a proxy's callers do.
            redirect_slashes=False,
        )
        intake = Intake(
            self.fleet,
            body_limit_bytes=settings.body_limit_bytes,
            temperature=settings.temperature,
            top_p=settings.top_p,
            prompt_family=settings.prompt_family,
            is_traced=self._tracing is not None,
        )
        # A second beyond the drain: the generations end first, and their last frames still go out.
        follow = FollowStyle(settings.heartbeat_seconds, grace_seconds=settings.drain_seconds + 1)
        openai = OpenAiRoutes(intake, self.generations, self.shelf, self.metrics, follow)
        streams = StreamRoutes(self.shelf, follow)
        native = NativeRoutes(intake, self.generations, follow)
        question = CompletionRoutes(intake, self.generations, follow)
        stats = StatsRoutes(
            self.admission,
            self.fleet,
            self.pace,
            FollowStyle(settings.heartbeat_seconds),
            settings.download_file,
        )
        health = HealthRoutes(self.admission, self.fleet, self.metrics)
        for routes in (openai, streams, native, question, stats, health):
            app.include_router(routes.router())
        if settings.site_dir is not None:
            page = Page(settings.site_dir)
            app.router.routes.append(Route("/", page, methods=["GET"]))
            # Not a mount: that would match every path, and a known one with a wrong method is a 405.
            app.router.default = page
        app.add_exception_handler(PaddockError, self._told)
        app.add_exception_handler(HTTPException, self._told_http)
        app.add_exception_handler(Exception, self._told_fault)
        lane = Lane(app, {**openai.endpoints(), **native.endpoints()}, self._told, self._told_fault)
        return _RequestIds(Door(lane, self.keyring, settings.host_names))

    async def _told(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, PaddockError)  # registered for nothing else
        if isinstance(error, Refusal):
            self.metrics.refuse(error.code)
        return ErrorReply(error, request_id(request), is_native=request.url.path in NATIVE_PATHS)

    async def _told_http(self, request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # registered for nothing else
        told: PaddockError
        if error.status_code == 405:
            told = MethodUnknown(f"{request.method} is not for {request.url.path}")
        else:
            told = RouteUnknown(f"there is nothing at {request.url.path}")
        reply = ErrorReply(told, request_id(request), is_native=request.url.path in NATIVE_PATHS)
        reply.headers.update(error.headers or {})
        if error.status_code == 405:
            # Starlette names the methods of one route; a path may have several.
            reply.headers["allow"] = ", ".join(_methods(request))
        return reply

    async def _told_fault(self, request: Request, error: Exception) -> Response:
        # Starlette raises the exception again behind this answer, so the server's log has it.
        fault = GatewayFault("an internal error; the server's log has it")
        return ErrorReply(fault, request_id(request), is_native=request.url.path in NATIVE_PATHS)


def _methods(request: Request) -> list[str]:
    """List the methods that a request's path has."""
    routes = request.app.routes
    return [
        method
        for method in ("DELETE", "GET", "HEAD", "PATCH", "POST", "PUT")
        if any(route.matches({**request.scope, "method": method})[0] is Match.FULL for route in routes)
    ]


class _Documented(FastAPI):
    """An application whose OpenAPI document has the forms that the routes point to."""

    def openapi(self) -> dict[str, Any]:
        """Give the document, made once."""
        if self.openapi_schema is None:
            self.openapi_schema = completed(super().openapi())
        return self.openapi_schema


class _RequestIds:
    """Give every request an id, the caller's own if it is a plain word, and every answer its header."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given = next((value for name, value in scope["headers"] if name == b"x-request-id"), b"")
        text = given.decode("latin-1")
        identity = scope[REQUEST_ID] = text if _GOOD_ID.fullmatch(text) else secrets.token_hex(12)
        scope[SERVER_SEND] = send
        is_head = scope["method"] == "HEAD" and is_headed(scope["path"])
        asked = {**scope, "method": "GET"} if is_head else scope

        async def with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["x-request-id"] = identity
            await send(message)

        try:
            await self._app(asked, receive, with_id)
        finally:
            forget_ways(scope)
