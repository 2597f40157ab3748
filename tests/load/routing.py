"""Which engine a chat should go to: three ways, two embedded engines, the same conversations.

usage: scripts/bench --routing [--json FILE]

Clients talk in turns, each below a long system prompt of its own, so that an engine that has a
conversation in its cache has little left to read. All texts, lengths and pauses are drawn from one
seed, the same for every way; the ways take turns at being first.

Knows:  conversations, what was served where, when first tokens came.
Knows nothing of: how a way chooses.
"""

import asyncio
import contextlib
import io
import json
import os
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import median

import httpx
import psutil
import uvicorn

from gateway.app import Gateway
from gateway.replica import Replica
from gateway.routing import Route, cached_prefix, in_turn, least_outstanding
from gateway.settings import read_settings
from tests.fakes.port import free_port
from tests.load import relays
from tests.load.figures import percentile
from tests.load.relays import Process

ENGINES, SLOTS, CLIENTS, CONVERSATIONS, TURNS = 2, 4, 8, 2, 4
SYSTEM_WORDS, QUESTION_WORDS, ANSWER_TOKENS = 420, 12, 24
MEAN_PAUSE_SECONDS = 0.3
SEED = 20261123
LIMIT_SECONDS = 120.0
WORDS = [
    "the", "fox", "and", "grapes", "sea", "moon", "lion", "mouse", "owl", "story", "poem", "brave", "little",
    "cat", "river", "stone", "tree", "wind", "light", "house", "king", "garden", "bread", "road", "winter",
]  # fmt: skip


def ways() -> dict[str, Route[Replica]]:
    """Give what is compared, each fresh."""
    return {
        "one after the other": in_turn(),
        "fewest tokens to do": least_outstanding,
        "cached prefix, bounded": cached_prefix,
    }


@dataclass
class Round:
    """What one way gave in one round. Units: seconds; kept is whether a turn's engine had the one before."""

    first_tokens: list[float] = field(default_factory=list)
    later_first_tokens: list[float] = field(default_factory=list)
    kept: list[bool] = field(default_factory=list)
    by_engine: dict[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    cpu_seconds: float = 0.0

    def row(self) -> dict[str, float]:
        """Give its figures."""
        return {
            "known_share": sum(self.kept) / len(self.kept),
            "first_token_p50": percentile(self.first_tokens, 50),
            "first_token_p95": percentile(self.first_tokens, 95),
            "later_turns_p50": percentile(self.later_first_tokens, 50),
            "later_turns_p95": percentile(self.later_first_tokens, 95),
            "busiest_share": max(self.by_engine.values()) / sum(self.by_engine.values()),
            "seconds": self.seconds,
            "cpu_seconds": self.cpu_seconds,
            "chats": len(self.first_tokens),
        }


def words(draw: random.Random, count: int) -> str:
    """Write so many words."""
    return " ".join(draw.choice(WORDS) for _ in range(count))


async def first_token(
    client: httpx.AsyncClient, messages: list[dict[str, str]], name: str
) -> tuple[float, str]:
    """Ask one chat; give the seconds to its first token, and its text."""
    body = {"messages": messages, "stream": True, "max_tokens": ANSWER_TOKENS, "temperature": 0}
    headers = {"x-request-id": name, "paddock-session": f"client-{name.partition('-')[0]}"}
    began, first, pieces = time.monotonic(), None, []
    async with client.stream("POST", "/v1/chat/completions", json=body, headers=headers) as answer:
        assert answer.status_code == 200, await answer.aread()
        async for line in answer.aiter_lines():
            if not line.startswith("data: {"):
                continue
            told = json.loads(line[6:])
            assert "error" not in told, told
            delta = told["choices"][0]["delta"].get("content") if told["choices"] else None
            if delta:
                first = first or time.monotonic() - began
                pieces.append(delta)
    # An answer that ends at once has no text; its end is what the caller waited for.
    return first or time.monotonic() - began, "".join(pieces)


async def converse(client: httpx.AsyncClient, number: int, into: Round) -> None:
    """Play one client's conversations."""
    draw = random.Random(SEED + number)
    for conversation in range(CONVERSATIONS):
        messages = [{"role": "system", "content": words(draw, SYSTEM_WORDS)}]
        for turn in range(TURNS):
            await asyncio.sleep(draw.expovariate(1 / MEAN_PAUSE_SECONDS))
            messages.append({"role": "user", "content": words(draw, QUESTION_WORDS)})
            seconds, text = await first_token(client, messages, f"{number}-{conversation}-{turn}")
            messages.append({"role": "assistant", "content": text or "..."})
            into.first_tokens.append(seconds)
            if turn:
                into.later_first_tokens.append(seconds)


def served_where(records: bytes, into: Round) -> None:
    """Read from the gateway's log which engine served each turn, and whether it had the one before."""
    at: dict[str, str] = {}
    for line in records.splitlines():
        record = json.loads(line)
        name, engine = record["request_id"], record["replica"]
        into.by_engine[engine] = into.by_engine.get(engine, 0) + 1
        conversation, _, turn = name.rpartition("-")
        if turn != "0":
            into.kept.append(at.get(f"{conversation}-{int(turn) - 1}") == engine)
        at[name] = engine


async def play(route: Route[Replica], urls: str) -> Round:
    """Run all conversations through a gateway that chooses in one way."""
    out, result = io.BytesIO(), Round()
    settings = {"GATEWAY_ENGINE_URL": urls, "GATEWAY_SLOTS": str(SLOTS), "MODEL_PROMPT_FAMILY": "llama3"}
    gateway = Gateway(read_settings(settings), out=out)
    gateway.fleet.route = route
    port = free_port()
    config = uvicorn.Config(gateway.app, port=port, http="httptools", log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    try:
        async with asyncio.timeout(LIMIT_SECONDS):
            while gateway.fleet.online < ENGINES:
                await asyncio.sleep(0.05)
            base = f"http://127.0.0.1:{port}"
            # Loopback speaks no TLS: without verify no certificates are loaded.
            async with httpx.AsyncClient(base_url=base, timeout=LIMIT_SECONDS, verify=False) as client:
                began = time.monotonic()
                async with asyncio.TaskGroup() as group:
                    for number in range(CLIENTS):
                        group.create_task(converse(client, number, result))
                result.seconds = time.monotonic() - began
    finally:
        server.should_exit = True
        await task
    served_where(out.getvalue(), result)
    return result


@contextlib.contextmanager
def engines() -> Iterator[list[Process]]:
    """Run the embedded engines on the demo model, one thread each."""
    cores = set(os.sched_getaffinity(0))
    with contextlib.ExitStack() as stack:
        started = []
        for _ in range(ENGINES):
            port = free_port()
            variables = {
                "MODEL_ID": "paddock-demo", "ENGINE_PORT": str(port), "ENGINE_SLOTS": str(SLOTS),
                "ENGINE_THREADS": "1",
            }  # fmt: skip
            command = [sys.executable, "-m", "engine"]
            started.append(
                stack.enter_context(relays.running("engine", command, port, "/health", cores, variables))
            )
        yield started


def used(started: list[Process]) -> float:
    """Give the CPU seconds that the engines have used; they hardly depend on what else the machine does."""
    return sum(sum(psutil.Process(one.pid).cpu_times()[:2]) for one in started)


def measure(rounds: int) -> dict[str, list[dict[str, float]]]:
    """Play every way once a round, on engines of its own, because a cache outlives a gateway."""
    figures: dict[str, list[dict[str, float]]] = {name: [] for name in ways()}
    names = list(figures)
    for number in range(rounds):
        for name in names[number % len(names) :] + names[: number % len(names)]:
            with engines() as started:
                urls = ",".join(f"http://127.0.0.1:{one.port}" for one in started)
                before = used(started)
                result = asyncio.run(play(ways()[name], urls))
                result.cpu_seconds = used(started) - before
                figures[name].append(result.row())
            print(f"round {number + 1}, {name}: {figures[name][-1]}", file=sys.stderr, flush=True)
    return figures


def table(figures: dict[str, list[dict[str, float]]]) -> str:
    """Write the medians of the rounds."""
    lines = [
        "| way | turns whose engine had the one before | engines' CPU | first token p50 / p95 "
        "| of later turns p50 / p95 | busiest engine's share | all done in |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, rows in figures.items():
        of = {key: median(row[key] for row in rows) for key in rows[0]}
        lines.append(
            f"| {name} | {of['known_share']:.0%} | {of['cpu_seconds']:.1f} s "
            f"| {of['first_token_p50']:.2f} / {of['first_token_p95']:.2f} s "
            f"| {of['later_turns_p50']:.2f} / {of['later_turns_p95']:.2f} s "
            f"| {of['busiest_share']:.0%} | {of['seconds']:.1f} s |"
        )
    return "\n".join(lines)
