"""A double of Text Generation Inference 3.3 on a real socket.

Knows:  TGI's routes, statuses, bodies and headers (tgi.md 1, 4), and a control surface under /_double.
Knows nothing of: the software under test, OpenAI's routes (TGI's own gateway there is not used).

Run as a process of its own: python -m tests.fakes.tgi --port 0
"""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.fakes import answers
from tests.fakes.generate import Call, Generate
from tests.fakes.meters import Meters
from tests.fakes.request import NotDeserialisedError, NotJsonError, deserialise
from tests.fakes.script import Cue, Script
from tests.fakes.settings import Seen, Settings
from tests.fakes.shard import Shard
from tests.fakes.tokens import encode
from tests.fakes.wire import Exchange, Server, first, now

ROUTES = {
    "/generate": "POST",
    "/generate_stream": "POST",
    "/tokenize": "POST",
    "/health": "GET",
    "/ping": "GET",
    "/info": "GET",
    "/metrics": "GET",
    "/v1/models": "GET",
}
PROTECTED = {"/generate", "/generate_stream", "/tokenize", "/"}
# What changes without a restart; any other setting starts with fresh permits and metrics.
SWITCHES = {"is_healthy", "health_delay_seconds", "keep_alive_seconds", "has_space"}


class Tgi:
    """The application: answers exchanges as TGI 3.3.7 does."""

    def __init__(self, settings: Settings, die: Callable[[], None]) -> None:
        """Start with an empty script, no request seen and untouched metrics."""
        self._first_settings = settings
        self._die = die
        self._shards: list[Shard] = []
        self.reset()

    def reset(self) -> None:
        """Forget script, requests, metrics and changed settings."""
        self.script = Script()
        self.seen: list[Seen] = []
        self._start(self._first_settings)

    def _start(self, settings: Settings) -> None:
        self.settings = settings
        self.body_limit = settings.payload_limit
        self.meters = Meters(
            max_input_tokens=settings.max_input_tokens, max_total_tokens=settings.max_total_tokens
        )
        self.shard = Shard(settings, self.meters, self._die)
        self._shards.append(self.shard)
        self._generate = Generate(settings, self.meters, self.shard)

    def _settle(self, changed: dict[str, Any]) -> None:
        settings = replace(self.settings, **changed)
        if changed.keys() <= SWITCHES:
            self.settings = self._generate.settings = settings
        else:
            self._start(settings)

    async def close(self) -> None:
        """End every generation."""
        for shard in self._shards:
            await shard.close()

    async def __call__(self, exchange: Exchange) -> None:
        """Answer one exchange."""
        if exchange.path.startswith("/_double/"):
            self._control(exchange)
            return
        body = exchange.body.decode("utf-8", "replace")
        seen = Seen(len(self.seen), exchange.method, exchange.path, exchange.headers, body, now())
        self.seen.append(seen)
        try:
            await self._route(exchange, seen)
        finally:
            seen.status, seen.ended_at = exchange.status, now()

    def _control(self, exchange: Exchange) -> None:
        document = json.loads(exchange.body or b"{}")
        answer: Any = {}
        try:
            match exchange.path.removeprefix("/_double/"):
                case "script":
                    self.script.add(Cue.read(document))
                case "settings":
                    self._settle(document)
                case "release":
                    self.shard.release.set()
                    self.shard.release = asyncio.Event()
                case "reset":
                    self.reset()
                case "seen":
                    answer = [seen.document() for seen in self.seen]
                case "exit":
                    self._die()
                case other:
                    raise ValueError(f"no such control: {other}")
        except (ValueError, TypeError) as fault:
            exchange.respond(400, answers.TEXT, str(fault).encode())
            return
        exchange.respond(200, answers.JSON, json.dumps(answer).encode())

    async def _route(self, exchange: Exchange, seen: Seen) -> None:
        settings, path, method = self.settings, exchange.path, exchange.method
        allowed = ROUTES.get(path) if path != "/" else "GET,POST"
        if allowed is None:
            exchange.respond(404, [])
        elif method not in allowed.split(","):
            exchange.respond(405, [("allow", allowed)])
        elif path in PROTECTED and method == "POST":
            given = exchange.headers.get("authorization", "").lower()
            if settings.api_key is not None and given != f"bearer {settings.api_key}".lower():
                exchange.respond(401, [])
            else:
                await self._post(exchange, seen)
        elif path == "/info":
            exchange.respond(200, answers.JSON, answers.info(settings))
        elif path == "/v1/models":
            exchange.respond(200, answers.JSON, answers.models(settings))
        elif path == "/metrics":
            exchange.respond(200, answers.TEXT, self.meters.page().encode())
        else:
            await self._health(exchange)

    async def _health(self, exchange: Exchange) -> None:
        delay = self.settings.health_delay_seconds
        if delay > 0:
            await first(lambda: asyncio.sleep(delay), exchange.gone.wait)
        if self.settings.is_healthy:
            exchange.respond(200, [])
        else:
            exchange.respond(503, answers.JSON, answers.error("unhealthy", "healthcheck"))

    async def _post(self, exchange: Exchange, seen: Seen) -> None:
        media_type = exchange.headers.get("content-type", "").split(";")[0].strip().lower()
        if media_type != "application/json" and not media_type.endswith("+json"):
            exchange.respond(415, answers.TEXT, b"Expected request with `Content-Type: application/json`")
            return
        if exchange.is_too_large:
            exchange.respond(413, answers.TEXT, b"Failed to buffer the request body: length limit exceeded")
            return
        try:
            request = deserialise(exchange.body)
        except NotJsonError as fault:
            exchange.respond(400, answers.TEXT, f"Failed to parse the request body as JSON: {fault}".encode())
            return
        except NotDeserialisedError as fault:
            text = f"Failed to deserialize the JSON body into the target type: {fault}"
            exchange.respond(422, answers.TEXT, text.encode())
            return
        if exchange.path == "/tokenize":
            exchange.respond(200, answers.JSON, answers.tokenized(encode(request.inputs)))
            return
        wraps = exchange.path == "/"
        if wraps and request.return_full_text is None:  # the pipeline tag is unknown (tgi.md 1.4)
            request = replace(request, return_full_text=True)
        cue = self.script.take(request.inputs)
        if cue.status is not None:
            exchange.respond(cue.status, [("content-type", cue.content_type)], cue.body.encode())
        elif exchange.path == "/generate_stream" or (wraps and request.stream):
            await self._generate.stream(Call(exchange, seen, request, cue))
        else:
            await self._generate.whole(Call(exchange, seen, request, cue), wraps=wraps)


async def _main(port: int, load_seconds: float, settings: Settings) -> None:
    server = Server(Tgi(settings, die=lambda: os._exit(1)), port=port)
    print(f"port {server.port}", flush=True)
    await asyncio.sleep(load_seconds)
    await server.listen()
    print("ready", flush=True)
    await asyncio.Event().wait()


def main() -> None:
    """Serve until killed; the `exit` fault ends the process with 1."""
    parser = argparse.ArgumentParser(description="A double of TGI on a loopback port.")
    parser.add_argument("--port", type=int, default=0, help="0 takes any free port and prints it")
    parser.add_argument("--load-seconds", type=float, default=0.0, help="refuse connections for so long")
    parser.add_argument("--settings", default="{}", help="a JSON object with fields of Settings")
    given = parser.parse_args()
    try:
        asyncio.run(_main(given.port, given.load_seconds, Settings(**json.loads(given.settings))))
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
