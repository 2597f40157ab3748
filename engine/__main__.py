"""`python -m engine`: choose a model, load it, open the port, serve until told to stop.

Knows: the order of starting and of stopping, signals, exit codes.
Knows nothing of: TGI's wire, tokens.

    starting -> loading -> serving -> draining -> gone

The port is bound at once, so that a taken one is told at once, but listens only when the model has
generated its first token: until then connections are refused, as with TGI.

exit: 0 stopped, 1 failed, 2 wrong settings, 3 this machine cannot run it, 4 the model cannot be had,
      5 the model cannot be used, 6 the port is taken
"""

import asyncio
import contextlib
import os
import platform
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import uvloop

from engine.app import App
from engine.cpu import check_cpu, check_libraries
from engine.errors import EXIT_MODEL_UNUSABLE, EXIT_PORT, EngineError, StartRefused
from engine.gguf import read_header
from engine.hub import Hub
from engine.inference import Inference
from engine.listener import Listener
from engine.llama import InnerServer, start
from engine.metrics import Metrics
from engine.model import Model, check_header, choose, context_tokens, default_threads
from engine.progress import forget
from engine.request import Limits
from engine.settings import Settings, read_settings
from engine.slots import Slots
from engine.vocabulary import Vocabulary, end_texts
from engine.wire import info_form


def main() -> int:
    """Run the engine and give its exit code."""
    # Until the server runs, an ending signal simply ends the process: there is nothing to finish.
    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, lambda *_: os._exit(0))
    try:
        settings = read_settings(os.environ)
        _check_machine()
        with _bound(settings) as port:
            return uvloop.run(_serve(settings, port))
    except StartRefused as refused:
        for line in refused.sentence.splitlines():
            say(line)
        return refused.exit_code


def say(line: str) -> None:
    """Tell the person at the terminal, or the log, one thing."""
    sys.stderr.write(f"engine: {line}\n")
    sys.stderr.flush()


def _check_machine() -> None:
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            check_cpu(platform.machine(), Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace"))
        check_libraries()


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        port = socket.socket(family, kind, protocol)
        port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        port.bind(address)
    except OSError as error:
        raise StartRefused(
            EXIT_PORT, f"{settings.host}:{settings.port} cannot be used: {error.strerror or error}."
        ) from None
    with port:
        yield port


async def _serve(settings: Settings, port: socket.socket) -> int:
    loop = asyncio.get_running_loop()
    model, inference = await loop.run_in_executor(None, _load, settings)
    try:
        await inference.warm_up()
    except EngineError as error:
        raise StartRefused(EXIT_MODEL_UNUSABLE, f"{model.path} generates nothing: {error}") from None
    app = App(inference, info_form(model.id, model.sha, inference.limits, settings.max_concurrent_requests))
    listener = Listener(app, inference.inner, settings.drain_seconds, say)
    tokens = inference.limits.max_total_tokens
    return await listener.run_on(port, f"{model.id}, {settings.slots} slots of {tokens} tokens")


def _load(settings: Settings) -> tuple[Model, Inference]:
    told = settings.cache.expanduser() / "paddock" / "progress.json"
    forget(told)
    model = choose(settings, Hub(settings.is_offline, sys.stderr.isatty(), told=told), say)
    header = read_header(model.path)
    check_header(header, model.path)
    context = context_tokens(header, settings, _free_bytes(), say)
    vocabulary = Vocabulary.of(header)
    # The supervisor reads this line, and the gateway learns from it at which tokens an answer ends.
    has_template = header.text("tokenizer.chat_template") is not None
    kind = "made for chat" if has_template else f"a base model, for {model.id} has no chat template"
    say(f"stops at {' '.join(end_texts(header))}; {kind}.")
    threads = settings.threads or default_threads(model.path.stat().st_size, os.cpu_count() or 1)
    say(f"loading {model.id}: {settings.slots} slots of {context} tokens, {threads} thread(s).")
    inner: InnerServer = start(model.path, context, settings.slots, threads)
    limits = Limits(context)
    return model, Inference(
        inner,
        vocabulary,
        limits,
        Slots(settings.slots),
        settings.max_concurrent_requests,
        Metrics(limits.max_input_tokens, limits.max_total_tokens),
    )


def _free_bytes() -> int | None:
    """Give the memory that may still be used, as Linux estimates it."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    return None


if __name__ == "__main__":
    sys.exit(main())
