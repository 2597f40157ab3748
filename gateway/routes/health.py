"""Two questions kept apart: is the process up, and would a chat be served now. And the metrics."""

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.admission import Admission
from gateway.fleet import Fleet
from gateway.metrics import Metrics
from gateway.routes.document import ANY_ROUTE, failing, form, told

# What monitors ask for by HEAD, too: answered as GET, of which the server leaves the body out.
_HEADED = frozenset({"/health", "/ready", "/metrics", "/stats", "/v1/models", "/info"})


def is_headed(path: str) -> bool:
    """Say whether HEAD is answered at a path."""
    return path in _HEADED or path.startswith("/v1/models/")


class HealthRoutes:
    """GET /health, /ready and /metrics."""

    def __init__(self, admission: Admission, fleet: Fleet, metrics: Metrics) -> None:
        self._admission = admission
        self._fleet = fleet
        self._metrics = metrics

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(tags=["health"])
        router.get(
            "/health",
            response_class=Response,
            responses={200: told("The process is up"), **failing(*ANY_ROUTE)},
        )(self.get_health)
        ready = form("Ready")
        router.get(
            "/ready",
            responses={
                200: told("A chat would be served", json=ready),
                503: told("It would not, and why", json=ready),
                **failing(*ANY_ROUTE),
            },
        )(self.get_ready)
        router.get(
            "/metrics",
            response_class=Response,
            responses={200: told("The metrics", plain=True), **failing(*ANY_ROUTE)},
        )(self.get_metrics)
        return router

    async def get_health(self) -> Response:
        """Say that the process answers."""
        return Response(b"", 200)

    async def get_ready(self) -> Response:
        """Say whether a chat would be served now; 503 with the phase and why, if not."""
        shown = self._fleet.shown
        is_ready = shown.is_ready and not self._admission.is_draining
        reason = "the server is stopping" if self._admission.is_draining else shown.reason
        told = {
            "ready": is_ready,
            "phase": shown.phase,
            "reason": reason,
            "cause": shown.cause,
            "model": shown.model,
            # The proof made at its start: how many begin-of-text tokens a prompt gets. 1 is right.
            "begin_of_text": shown.begin_of_text,
            # The other: whether answers end by themselves where the template says.
            "stop_set": shown.proof and shown.proof.stop_set,
        }
        return Response(orjson.dumps(told), 200 if is_ready else 503, media_type="application/json")

    async def get_metrics(self, request: Request) -> Response:
        """Expose the metrics to Prometheus."""
        page, content_type = self._metrics.expose(request.headers.get("accept", ""))
        return Response(page, media_type=content_type)
