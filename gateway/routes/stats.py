"""The queue and the engine in numbers: once, or pushed while they change."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from starlette.responses import Response

from gateway.admission import Admission
from gateway.fleet import DEMO_MODEL, Fleet
from gateway.pace import Pace
from gateway.progress import read_download
from gateway.replica import Replica
from gateway.routes.document import ANY_ROUTE, failing, form, told
from gateway.routes.reply import EventStream, FollowStyle

# Four times a second is as fast as a number can be read.
_PUSH_SECONDS = 0.25
# Seconds that a phase has lasted change all the time and are no news.
_NO_NEWS = ("phase_seconds",)


class StatsRoutes:
    """GET /stats and /stats/stream."""

    def __init__(
        self,
        admission: Admission,
        fleet: Fleet,
        pace: Pace,
        style: FollowStyle,
        download_file: Path | None = None,
    ) -> None:
        self._admission = admission
        self._fleet = fleet
        self._pace = pace
        self._download_file = download_file
        self._style = style

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(tags=["stats"])
        router.get(
            "/stats", responses={200: told("The numbers", json=form("Stats")), **failing(*ANY_ROUTE)}
        )(self.get_stats)
        router.get(
            "/stats/stream",
            response_class=Response,
            responses={200: told("The numbers, as they change", streams=True), **failing(*ANY_ROUTE)},
        )(self.get_stats_stream)
        return router

    async def get_stats(self) -> Response:
        """Give the numbers now."""
        return Response(orjson.dumps(self._now()), media_type="application/json")

    async def get_stats_stream(self) -> Response:
        """Push the numbers whenever they change, at most four times a second."""
        return EventStream(self._pushed(), self._style)

    async def _pushed(self) -> AsyncIterator[bytes]:
        told: dict[str, Any] = {}
        while True:
            now = self._now()
            news = {key: value for key, value in now.items() if key not in _NO_NEWS}
            if news != told:
                told = news
                yield b"data: " + orjson.dumps(now) + b"\n\n"
            await asyncio.sleep(_PUSH_SECONDS)

    def _wait_estimate(self) -> dict[str, float] | None:
        """Give the wait of a chat that somebody new brought now, None before anything was measured."""
        if self._admission.running < self._admission.open_slots:
            return {"low": 0.0, "likely": 0.0, "high": 0.0}
        estimate = self._admission.estimate()
        return None if estimate is None else asdict(estimate)

    def _now(self) -> dict[str, Any]:
        shown = self._fleet.shown
        return {
            "backlog": self._admission.waiting,
            "num_total_runners": self._fleet.online,
            "model": shown.model,
            "demo": shown.model == DEMO_MODEL,
            "running": self._admission.running,
            "slots": self._admission.slots,
            "backlog_limit": self._admission.backlog_limit,
            "backlog_tokens": self._admission.waiting_tokens,
            "wait_estimate": self._wait_estimate(),
            "tokens_per_second": self._pace.tokens_per_second(),
            "phase": shown.phase,
            "phase_seconds": shown.phase_seconds,
            "reason": shown.reason,
            "cause": shown.cause,
            "ready_seconds": shown.ready_seconds,
            "download": read_download(self._download_file),
            "context_window": shown.max_total_tokens or None,
            # The proof made at its start: how many begin-of-text tokens a prompt gets. 1 is right.
            "begin_of_text": shown.begin_of_text,
            # The other: whether answers end by themselves where the template says.
            "stop_set": shown.proof and shown.proof.stop_set,
            "engines": [_told(one) for one in self._fleet.replicas],
            "is_draining": self._admission.is_draining,
        }


def _told(replica: Replica) -> dict[str, Any]:
    """Say what one engine does."""
    proof = replica.proof
    return {
        "name": replica.name,
        "phase": replica.phase,
        "reason": replica.reason,
        "cause": replica.cause,
        "breaker": replica.breaker.state,
        # While its supervisor says nothing, the engine's own health decides.
        "supervisor_problem": replica.supervisor_problem,
        "running": replica.running,
        "outstanding_tokens": replica.outstanding,
        "begin_of_text": replica.begin_of_text,
        "stop_set": proof and proof.stop_set,
        "sent_ends": [] if proof is None else list(proof.sent),
        # Of its last start, by phase; empty where no supervisor measured one.
        "start_seconds": replica.start_seconds,
    }
