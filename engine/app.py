"""TGI's routes over HTTP, as one ASGI application.

Knows: paths, methods, status codes, what ends when a client leaves.
Knows nothing of: llama.cpp, files, signals.

Deliberate divergence: no CORS headers. TGI lets any web page read its answers; this engine runs on
people's own machines, where that would hand the model to every page they visit.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import orjson

from engine.answer import answer_all, record
from engine.body import Body
from engine.errors import BodyRefused, EngineError, Incomplete, IncompleteStream
from engine.exchange import Heartbeat, Receive, Scope, Send, disconnected, read_body, reply
from engine.generation import Step
from engine.inference import Inference
from engine.metrics import CONTENT_TYPE
from engine.request import check_stream
from engine.run import Run
from engine.wire import (
    COMPUTE_TYPE,
    STREAM_HEADERS,
    answer_form,
    answer_headers,
    error_body,
    error_event,
    stream_details,
    stream_event,
    tokenize_form,
    unhealthy_body,
)

Handler = Callable[[Scope, Receive, Send], Awaitable[None]]

# TGI's event streams send a comment after this long without an event.
KEEP_ALIVE_SECONDS = 15.0
# llama.cpp answers its health check at once; one that does not is stuck.
_HEALTH_SECONDS = 10.0
_JSON = (b"content-type", b"application/json")


class App:
    """The engine's HTTP face. serving -> ending (every open answer is told that it is incomplete)."""

    def __init__(
        self, inference: Inference, info: dict[str, Any], keep_alive_seconds: float = KEEP_ALIVE_SECONDS
    ) -> None:
        self._inference = inference
        self._info = orjson.dumps(info)
        self._keep_alive_seconds = keep_alive_seconds
        self._open: set[asyncio.Task[None]] = set()
        self._is_ending = False
        self._routes: dict[str, dict[str, Handler]] = {
            "/": {"GET": self._health, "POST": self._compat},
            "/health": {"GET": self._health},
            "/ping": {"GET": self._health},
            "/info": {"GET": self._show_info},
            "/metrics": {"GET": self._show_metrics},
            "/tokenize": {"POST": self._tokenize},
            "/generate": {"POST": self._generate},
            "/generate_stream": {"POST": self._generate_stream},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        methods = self._routes.get(scope["path"])
        if methods is None:
            await reply(send, 404)
            return
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        handler = methods.get(method)
        if handler is None:
            allowed = ",".join(name + (",HEAD" if name == "GET" else "") for name in methods)
            await reply(send, 405, headers=[(b"allow", allowed.encode())])
            return
        try:
            await handler(scope, receive, send)
        except BodyRefused as refused:
            await reply(
                send, refused.status, refused.text.encode(), [(b"content-type", b"text/plain; charset=utf-8")]
            )

    def end(self) -> None:
        """End every open answer now; each is told that it is incomplete."""
        self._is_ending = True
        for task in self._open:
            task.cancel()

    async def _health(self, scope: Scope, receive: Receive, send: Send) -> None:
        if await self._inference.is_healthy(_HEALTH_SECONDS):
            await reply(send, 200)
        else:
            await reply(send, 503, unhealthy_body(), [_JSON])

    async def _show_info(self, scope: Scope, receive: Receive, send: Send) -> None:
        await reply(send, 200, self._info, [_JSON])

    async def _show_metrics(self, scope: Scope, receive: Receive, send: Send) -> None:
        page = self._inference.metrics.page().encode()
        await reply(send, 200, page, [(b"content-type", CONTENT_TYPE.encode())])

    async def _tokenize(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive)
        try:
            tokens, automatic = await self._inference.encode(body.inputs)
        except EngineError as error:
            await reply(send, error.status, error_body(error), [_JSON])
            return
        pieces = [self._inference.vocabulary.bytes_of(token) for token in tokens]
        await reply(send, 200, orjson.dumps(tokenize_form(body.inputs, tokens, pieces, automatic)), [_JSON])

    async def _compat(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive)
        # TGI's default here for a model whose hub page is unknown: the prompt comes back too.
        wants_full_text = body.parameters.return_full_text is not False
        if body.stream:
            await self._attend(receive, self._stream(body, wants_full_text, send))
        else:
            await self._attend(receive, self._whole(body, wants_full_text, send, in_list=True))

    async def _generate(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive)
        wants_full_text = bool(body.parameters.return_full_text)
        await self._attend(receive, self._whole(body, wants_full_text, send, in_list=False))

    async def _generate_stream(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(scope, receive)
        await self._attend(receive, self._stream(body, bool(body.parameters.return_full_text), send))

    async def _attend(self, receive: Receive, work: Coroutine[Any, Any, None]) -> None:
        """Do the work while the client is there; when it leaves, cancel at once."""
        self._inference.metrics.count("tgi_request_count")
        answering = asyncio.create_task(work)
        leaving = asyncio.create_task(disconnected(receive))
        self._open.add(answering)
        try:
            await asyncio.wait((answering, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not answering.done():
                self._inference.drop()
                answering.cancel()
            await asyncio.wait((answering,))
        finally:
            self._open.discard(answering)
            answering.cancel()
            leaving.cancel()
        if not answering.cancelled():
            answering.result()

    async def _whole(self, body: Body, wants_full_text: bool, send: Send, *, in_list: bool) -> None:
        inference = self._inference
        try:
            try:
                times, answers = await answer_all(inference, body)
            except asyncio.CancelledError:
                if not self._is_ending:
                    raise
                raise Incomplete from None
        except EngineError as error:
            inference.fail(error)
            await reply(send, error.status, error_body(error), [_JSON])
            return
        given = body.parameters
        form = answer_form(
            answers,
            body.inputs if wants_full_text else "",
            with_details=given.details or given.decoder_input_details,
            with_top=bool(given.top_n_tokens),
        )
        headers = [_JSON, *answer_headers(times, answers[0], len(body.inputs))]
        await reply(send, 200, orjson.dumps([form] if in_list else form), headers)

    async def _stream(self, body: Body, wants_full_text: bool, send: Send) -> None:
        inference = self._inference
        characters = str(len(body.inputs)).encode()
        headers = [*STREAM_HEADERS, (b"x-compute-type", COMPUTE_TYPE), (b"x-compute-characters", characters)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        beat = Heartbeat(send, self._keep_alive_seconds)
        run: Run | None = None
        last = b""
        try:
            check_stream(body.parameters)
            run = await inference.begin(body)
            prefix = body.inputs if wants_full_text else ""
            while not last:
                steps = await run.read()
                data = b"".join([_event(step, run, body, prefix) for step in steps])
                if run.finish is not None:
                    record(inference, run)
                    last = data
                else:
                    await beat.send(data)
        except EngineError as error:
            inference.fail(error)
            last = error_event(error)
        except asyncio.CancelledError:
            if not self._is_ending:
                raise
            inference.fail(IncompleteStream())
            last = error_event(IncompleteStream())
        finally:
            beat.stop()
            # Order: everything is given back before the last bytes, so that who has read them finds it free.
            if run is not None:
                run.close()
        await send({"type": "http.response.body", "body": last, "more_body": False})


def _event(step: Step, run: Run, body: Body, prefix: str) -> bytes:
    details = None
    if step.finish is not None and body.parameters.details:
        details = stream_details(step.finish, run.seed, len(run.budget.prompt))
    return stream_event(step, prefix, details)
