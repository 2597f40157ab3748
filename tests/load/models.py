"""Measures real models: the embedded engine against llama.cpp's own server, and a stack that already runs.

Knows:  prompts, the same for every side; rates.
Knows nothing of: how figures are printed.
"""

import contextlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from statistics import mean
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

from tests.fakes.port import free_port
from tests.load import relays
from tests.load.figures import Figure, paired, percentile
from tests.load.generator import Outcome, Plan
from tests.load.llama import CONTEXT_TOKENS
from tests.load.relaying import load
from tests.load.relays import ROOT, Process

SLOTS = 8
TOKENS = 150
FACADE_BUDGET = 0.85
LOOPBACK = ("127.0.0.1", "localhost", "::1")
QUESTIONS = (
    "What is the story about the fox and the grapes?",
    "Tell me a story about a brave little owl.",
    "Write a poem about the sea.",
    "How does continuous batching work?",
    "Tell me the story about the lion and the mouse.",
    "Write a poem about the moon.",
    "Implement a Python function to compute the Fibonacci numbers.",
    "Tell me a story about a curious cat.",
)


def prompt(question: str) -> str:
    """A question in Llama 3's chat format, without begin-of-text."""
    return (
        f"<|start_header_id|>user<|end_header_id|>\n\n{question}<|eot_id|>"
        "<|start_header_id|>assistant<|end_header_id|>\n\n"
    )


def native_bodies() -> list[dict[str, Any]]:
    """Greedy requests of TGI's wire."""
    return [{"inputs": prompt(question), "parameters": {"do_sample": False}} for question in QUESTIONS]


def raw_bodies() -> list[dict[str, Any]]:
    """The same requests of llama.cpp's wire."""
    same = {"stream": True, "temperature": 0.0, "n_predict": TOKENS}
    return [{"prompt": prompt(question), **same} for question in QUESTIONS]


def chat_bodies() -> list[dict[str, Any]]:
    """The same requests of OpenAI's wire."""
    return [
        {"messages": [{"role": "user", "content": question}], "temperature": 0, "stream": True}
        for question in QUESTIONS
    ]


@contextlib.contextmanager
def _llama(model: str, threads: int) -> Iterator[Process]:
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.load.llama", model, str(SLOTS), str(threads)],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield Process("llama.cpp", int(process.stdout.readline()), process.pid)
    finally:
        relays.end(process)
        if process.stdout is not None:
            process.stdout.close()


@contextlib.contextmanager
def _engine(model: str, threads: int, cores: set[int]) -> Iterator[Process]:
    port = free_port()
    variables = {
        "MODEL_PATH": model,
        "ENGINE_PORT": str(port),
        "ENGINE_SLOTS": str(SLOTS),
        "ENGINE_THREADS": str(threads),
        "ENGINE_MAX_TOTAL_TOKENS": str(CONTEXT_TOKENS),
    }
    command = [sys.executable, "-m", "engine"]
    with relays.running("engine", command, port, "/health", cores, variables) as process:
        yield process


def _plan(
    port: int, path: str, bodies: list[dict[str, Any]], streams: int, answers: int, watched: int = 0
) -> Plan:
    return Plan(
        port=port,
        path=path,
        body=bodies[0],
        bodies=bodies,
        tokens=TOKENS,
        streams=streams,
        answers=answers,
        watched=watched,
        is_known=False,
        is_kept=False,
    )


def _rate(outcome: Outcome) -> float:
    return outcome.characters / outcome.wall_seconds


def facade(
    model: str, threads: int, cores: set[int], repeats: int, answers: int, say: Callable[[str], None]
) -> list[Figure]:
    """Tokens a second of the engine against llama.cpp's own server, 8 streams, the same greedy answers.

    The ratio is of characters of text: the engine also sends the end-of-turn token, llama.cpp does not.
    """
    runs: dict[str, list[Outcome]] = {"llama.cpp": [], "engine": []}
    with _llama(model, threads) as llama, _engine(model, threads, cores) as engine:
        native = (engine, "/generate_stream", native_bodies())
        for side, path, bodies in ((llama, "/completion", raw_bodies()), native):
            load(_plan(side.port, path, bodies, SLOTS, 1), cores)  # both warm before the first figure
        for repeat in range(repeats):
            say(f"repeat {repeat + 1} of {repeats}: llama.cpp's server and the engine, {SLOTS} streams")
            runs["llama.cpp"].append(
                load(_plan(llama.port, "/completion", raw_bodies(), SLOTS, answers), cores)
            )
            runs["engine"].append(
                load(_plan(engine.port, "/generate_stream", native_bodies(), SLOTS, answers), cores)
            )
    rates = {name: [_rate(outcome) for outcome in outcomes] for name, outcomes in runs.items()}
    tokens = {name: tuple(o.tokens / o.wall_seconds for o in outcomes) for name, outcomes in runs.items()}
    return [
        Figure("llama.cpp's own server, 8 streams", "tokens/s", tokens["llama.cpp"]),
        Figure("embedded engine, 8 streams", "tokens/s", tokens["engine"]),
        Figure(
            "embedded engine to llama.cpp's own server, by text",
            "times",
            paired(rates["engine"], rates["llama.cpp"]),
            FACADE_BUDGET,
            is_floor=True,
        ),
    ]


def port_of(url: str) -> int:
    """The port of a loopback address.

    Raises:  ValueError for any other address: the bench loads only this machine.
    """
    parts = urlsplit(url)
    if parts.scheme != "http" or parts.hostname not in LOOPBACK:
        raise ValueError(f"{url} is not http:// on this machine")
    return parts.port or 80


def starts(stats: Mapping[str, Any]) -> list[Figure]:
    """How long each phase of the engines' last starts took, and all together, from a gateway's /stats."""
    figures = []
    for engine in stats["engines"]:
        phases: Mapping[str, float] = engine["start_seconds"]
        told = {**phases, "in all": sum(phases.values())} if phases else {}
        figures += [Figure(f"cold start of {engine['name']}, {one}", "s", (told[one],)) for one in told]
    return figures


def read_json(url: str) -> dict[str, Any]:
    """Read a JSON object of something that runs on this machine. Raises: OSError if it does not answer."""
    port_of(url)
    with urlopen(url, timeout=10) as answer:
        read: dict[str, Any] = json.load(answer)
    return read


def headline(
    name: str, port: int, *, is_engine: bool, streams: int, repeats: int, cores: set[int]
) -> list[Figure]:
    """Tokens a second, time per token and first token of something that already runs."""
    path, bodies = (
        ("/generate_stream", native_bodies()) if is_engine else ("/v1/chat/completions", chat_bodies())
    )
    figures = []
    for count in sorted({1, streams}):
        outcomes = [load(_plan(port, path, bodies, count, 2), cores) for _ in range(repeats)]
        label = f"{name}, {count} stream{'s' * (count > 1)}"
        figures += [
            Figure(f"{label}: all together", "tokens/s", tuple(o.tokens / o.wall_seconds for o in outcomes)),
            Figure(f"{label}: time per token", "ms", tuple(1000 * mean(o.gaps) for o in outcomes)),
            Figure(
                f"{label}: first token, p50",
                "ms",
                tuple(1000 * percentile(o.first_tokens, 50) for o in outcomes),
            ),
        ]
    return figures
