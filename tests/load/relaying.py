"""Measures what relaying costs: nothing, nginx and the gateway in front of one synthetic engine.

Knows:  which runs, in which order, and which figure each gives.
Knows nothing of: how figures are printed, real models.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from typing import Any

from tests.load import cpu, relays
from tests.load.figures import Figure, added, paired, percentile
from tests.load.generator import Outcome, Plan
from tests.load.relays import ROOT, Process

TOKENS = 256
_PROMPT = "What is the story about the fox and the grapes?"
NATIVE = {"inputs": _PROMPT, "parameters": {"details": True}}
CHAT = {
    "messages": [{"role": "user", "content": _PROMPT}],
    "stream": True,
    "stream_options": {"include_usage": True},
}
_LOAD_LIMIT_SECONDS = 300


@dataclass(frozen=True)
class Scale:
    """How much is measured. Seconds are those of one window."""

    repeats: int
    live_seconds: float
    crowd_seconds: float
    backlog_answers: int
    short_answers: int


FULL = Scale(repeats=3, live_seconds=6.0, crowd_seconds=6.0, backlog_answers=40, short_answers=100)
QUICK = Scale(repeats=3, live_seconds=2.0, crowd_seconds=2.5, backlog_answers=12, short_answers=30)


class WrongTextError(Exception):
    """An answer was not what the engine sent."""


class LoadError(Exception):
    """The load's own process failed."""


def load(plan: Plan, cores: set[int]) -> Outcome:
    """Run one plan in a process of its own.

    Raises:  WrongTextError; LoadError if the load itself failed.
    """
    done = subprocess.run(
        [sys.executable, "-m", "tests.load.generator", json.dumps(asdict(plan))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=_LOAD_LIMIT_SECONDS,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    if done.returncode != 0:
        raise LoadError(f"the load failed:\n{done.stderr[-2000:]}")
    outcome = Outcome(**json.loads(done.stdout))
    if outcome.wrong:
        raise WrongTextError(f"{outcome.wrong} answers of {plan.path} were wrong; one was:\n{outcome.sample}")
    return outcome


class Relaying:
    """One set of processes, measured again and again in turn."""

    def __init__(self, scale: Scale, say: Callable[[str], None]) -> None:
        """Choose cores; nothing is started."""
        self._scale = scale
        self._say = say
        self._load_cores, self._relay_cores = cpu.sides()
        self._runs: dict[tuple[str, str], list[Outcome]] = {}

    def measure(self) -> list[Figure]:
        """Start everything, measure, end everything."""
        with ExitStack() as stack:
            engine = stack.enter_context(relays.synthetic(self._load_cores))
            targets = [engine]
            if relays.has_nginx():
                targets.append(stack.enter_context(relays.nginx(engine, self._relay_cores)))
            else:
                self._say("nginx is not installed (Debian: apt-get install nginx): no ratios to it")
            targets.append(stack.enter_context(relays.gateway(engine, self._relay_cores)))
            for repeat in range(self._scale.repeats):
                self._say(
                    f"repeat {repeat + 1} of {self._scale.repeats}: {', '.join(t.name for t in targets)}"
                )
                self._repeat(engine, targets)
        return self._figures()

    def _repeat(self, engine: Process, targets: list[Process]) -> None:
        scale = self._scale
        relays.set_pace(engine, is_live=False)
        for target in targets:
            self._run("short", target, tokens=1, streams=16, answers=scale.short_answers)
        for target in targets:
            self._run("backlog", target, streams=16, answers=scale.backlog_answers)
        relays.set_pace(engine, is_live=True)
        for target in targets:
            self._run("live", target, streams=100, seconds=scale.live_seconds)
        for target in targets:
            self._run("crowd", target, streams=500, seconds=scale.crowd_seconds)
        relays.set_pace(engine, is_live=True, has_nagle=True)
        for target in targets:
            self._run("nagle", target, tokens=64, streams=4, answers=1)

    def _run(self, kind: str, target: Process, *, tokens: int = TOKENS, streams: int, **more: Any) -> None:
        is_gateway = target.name == "gateway"
        plan = Plan(
            port=target.port,
            path="/v1/chat/completions" if is_gateway else "/generate_stream",
            body=CHAT if is_gateway else NATIVE,
            tokens=tokens,
            streams=streams,
            watched=target.pid,
            **more,
        )
        self._runs.setdefault((kind, target.name), []).append(load(plan, self._load_cores))

    def _each(self, kind: str, name: str, of: Callable[[Outcome], float]) -> list[float]:
        return [of(outcome) for outcome in self._runs.get((kind, name), [])]

    def _figures(self) -> list[Figure]:
        figures: list[Figure] = []
        for kind, label, budget in (
            ("live", "live, 100 streams", 2.5),
            ("backlog", "backlog, 16 streams", 1.2),
        ):
            figures += self._cost(kind, label, budget)
        figures += self._short()
        figures += self._waits()
        figures += self._crowd()
        return figures

    def _cost(self, kind: str, label: str, budget: float) -> list[Figure]:
        costs = {
            name: self._each(kind, name, lambda o: 1e6 * o.cpu_seconds / o.tokens)
            for name in ("direct", "nginx", "gateway")
        }
        figures = [
            Figure(f"{label}: CPU of {_called(name)} per token", "µs", tuple(values))
            for name, values in costs.items()
            if values
        ]
        if costs["nginx"]:
            ratios = paired(costs["gateway"], costs["nginx"])
            figures.append(Figure(f"{label}: gateway to nginx", "times", ratios, budget))
        for name in ("direct", "nginx", "gateway"):
            reads = self._each(kind, name, lambda o: o.tokens / o.reads)
            if reads:
                figures.append(Figure(f"{label}: tokens in one read behind {name}", "tokens", tuple(reads)))
        return figures

    def _short(self) -> list[Figure]:
        figures = []
        for name in ("direct", "nginx", "gateway"):
            costs = self._each("short", name, lambda o: 1e6 * o.cpu_seconds / o.answers)
            if costs:
                budget = 400.0 if name == "gateway" else None
                label = f"one-token request: CPU of {_called(name)}"
                figures.append(Figure(label, "µs", tuple(costs), budget))
        return figures

    def _waits(self) -> list[Figure]:
        figures = []
        for percent, budget in ((50, 3.0), (99, 10.0)):

            def first(outcome: Outcome, percent: int = percent) -> float:
                return 1000 * percentile(outcome.first_tokens, percent)

            base = self._each("live", "direct", first)
            figures.append(Figure(f"first token, 100 streams, direct: p{percent}", "ms", tuple(base)))
            for name in ("nginx", "gateway"):
                values = self._each("live", name, first)
                if values:
                    kept = budget if name == "gateway" else None
                    label = f"first token, 100 streams, added by {name}: p{percent}"
                    figures.append(Figure(label, "ms", added(values, base), kept))
        for name in ("direct", "gateway"):
            gaps = self._each("nagle", name, lambda o: 1000 * percentile(o.gaps, 99))
            figures.append(
                Figure(f"longest gaps with Nagle's algorithm on, {name}: p99 (20 sent)", "ms", tuple(gaps))
            )
        return figures

    def _crowd(self) -> list[Figure]:
        figures = []
        for name in ("direct", "nginx", "gateway"):
            shares = self._each("crowd", name, lambda o: 100 * o.tokens / (500 * 50 * o.wall_seconds))
            if shares:
                # What is under way at the window's ends is the hundredth that is not asked for.
                floor = 99.0 if name == "gateway" else None
                label = f"500 live streams: delivered of what was due, {name}"
                figures.append(Figure(label, "%", tuple(shares), floor, is_floor=True))
            gaps = self._each("crowd", name, lambda o: 1000 * percentile(o.gaps, 99))
            if gaps:
                figures.append(Figure(f"500 live streams: gap p99, {name} (20 sent)", "ms", tuple(gaps)))
        cost = self._each("crowd", "gateway", lambda o: 1e6 * o.cpu_seconds / o.tokens)
        figures.append(Figure("500 live streams: CPU of the gateway per token", "µs", tuple(cost)))
        # Only the first repeat starts from a process that never had so many streams.
        first, *_ = self._runs["crowd", "gateway"]
        grown = (first.resident_during - first.resident_before) / 500 / 1024
        figures.append(Figure("500 live streams: memory of the gateway per stream", "KiB", (grown,), 100.0))
        return figures


def _called(name: str) -> str:
    return "the engine itself" if name == "direct" else name
