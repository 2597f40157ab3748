"""OpenAI's routes: chats, completions, models."""

import secrets
import time
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.body import read_body
from gateway.chat import Usage
from gateway.choices import Answer
from gateway.errors import ChatInvalid, ChatUnsupported, ModelUnknown
from gateway.fleet import DEMO_MODEL
from gateway.gauges import paddock_version
from gateway.metrics import Metrics
from gateway.order import Form, Order
from gateway.relay import Generations
from gateway.replica import Replica
from gateway.routes.document import (
    KEYED,
    STREAM_HEADERS,
    TICKET,
    TICKET_HEADERS,
    WITH_BODY,
    failing,
    form,
    headers,
    in_path,
    taking,
    told,
)
from gateway.routes.intake import ANY_MODEL, Intake, owner_of, request_id
from gateway.routes.lane import Endpoint
from gateway.routes.reply import Follow, FollowStyle, Whole
from gateway.schema import ChatBody, CompletionBody
from gateway.several import ChoiceForm, SharedForm
from gateway.shelf import Shelf
from gateway.sse import OpenAiForm, WholeForm, called, told_logprobs, usage_body
from gateway.tools import CallReader

PROGRESS_HEADER = "paddock-progress"
RESUME_HEADER = "paddock-resume"
STREAM_HEADER = "paddock-stream"


class OpenAiRoutes:
    """POST /v1/chat/completions and /v1/completions, GET /v1/models."""

    def __init__(
        self,
        intake: Intake,
        generations: Generations,
        shelf: Shelf,
        metrics: Metrics,
        follow: FollowStyle,
    ) -> None:
        self._intake = intake
        self._generations = generations
        self._shelf = shelf
        self._metrics = metrics
        self._follow = follow
        # text_generation's client reads no chat without one.
        self._fingerprint = f"paddock-{paddock_version()}"

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(prefix="/v1", tags=["OpenAI"])
        generates = (*WITH_BODY, ChatUnsupported, *TICKET, ModelUnknown)
        asked = headers(*TICKET_HEADERS, *STREAM_HEADERS)
        router.post(
            "/chat/completions",
            openapi_extra=taking(form("ChatBody"), *asked),
            responses={200: told("The answer", json=form("ChatAnswer"), streams=True), **failing(*generates)},
        )(self.post_chat)
        router.post(
            "/completions",
            openapi_extra=taking(form("CompletionBody"), *asked),
            responses={
                200: told("The answer", json=form("CompletionAnswer"), streams=True),
                **failing(*generates),
            },
        )(self.post_completion)
        router.get(
            "/models",
            responses={200: told("What is served", json=form("ModelList")), **failing(*KEYED)},
        )(self.get_models)
        router.get(
            "/models/{model:path}",
            openapi_extra=taking(None, in_path("model", {"type": "string", "pattern": "^.+$"})),
            responses={200: told("The model", json=form("Model")), **failing(*KEYED, ModelUnknown)},
        )(self.get_model)
        return router

    def endpoints(self) -> dict[str, Endpoint]:
        """Give what generates, by path."""
        return {"/v1/chat/completions": self.post_chat, "/v1/completions": self.post_completion}

    async def post_chat(self, request: Request) -> Response:
        """Answer a chat, streamed or whole."""
        body = read_body(ChatBody, await self._intake.content(request))
        chat = body.chat()
        self._intake.model(body.model)
        prompt = self._intake.render(chat)
        self._metrics.neutralise(prompt.neutralised)
        response = await self._answer(request, body, [prompt.text], is_chat=True)
        if prompt.neutralised:
            response.headers["paddock-neutralised"] = str(prompt.neutralised)
        return response

    async def post_completion(self, request: Request) -> Response:
        """Complete a raw prompt, streamed or whole."""
        body = read_body(CompletionBody, await self._intake.content(request))
        return await self._answer(request, body, body.texts(), is_chat=False)

    async def get_models(self) -> Response:
        """List what is served: one model, once an engine is ready."""
        replica = self._intake.fleet.shown
        listed = [] if replica.model is None else [self._model(replica)]
        return _json({"object": "list", "data": listed})

    async def get_model(self, request: Request) -> Response:
        """Describe one model. Raises: ModelUnknown."""
        model: str = request.path_params["model"]
        replica = self._intake.fleet.shown
        if replica.model is None or model not in (replica.model, ANY_MODEL):
            raise ModelUnknown(f"the model {model!r} is not served here", param="model")
        return _json(self._model(replica))

    async def _answer(
        self, request: Request, body: ChatBody | CompletionBody, prompts: Sequence[str], *, is_chat: bool
    ) -> Response:
        model = self._intake.model(body.model)
        # Of a whole answer, too, so that a wrong word is no surprise in the first stream.
        is_resumable, shows_progress = _asks(request, RESUME_HEADER), _asks(request, PROGRESS_HEADER)
        sampling = body.sampling(*self._intake.defaults(model))
        answer_id = ("chatcmpl-" if is_chat else "cmpl-") + secrets.token_urlsafe(18)
        created, route = int(time.time()), request.scope["path"]
        # Each choice reads its own calls.
        count = len(prompts) * (body.n or 1)
        calls = [body.calls() if isinstance(body, ChatBody) else None for _ in range(count)]
        shape = body.shape() if isinstance(body, ChatBody) else None

        async def ordered(form: Form, *, is_resumable: bool = False) -> list[Order]:
            return [
                await self._intake.order(
                    request,
                    route,
                    prompt,
                    sampling,
                    form,
                    is_streamed=bool(body.stream),
                    is_resumable=is_resumable,
                    shape=shape,
                    calls=calls[0],
                    fields=body.fields,
                )
                for prompt in prompts
            ]

        if not body.stream:
            wholes = [WholeForm(one) for one in calls]
            usage = wholes[0] if count == 1 else WholeForm()
            generation = self._start(await ordered(usage), wholes, calls)

            def write() -> Response | None:
                if generation.error:
                    return None
                return _whole(answer_id, created, model, self._fingerprint, wholes, usage.usage, body)

            return Whole(generation, write)
        forms = [
            OpenAiForm(
                answer_id,
                created,
                model,
                request_id(request),
                is_chat=is_chat,
                includes_usage=body.includes_usage,
                shows_progress=shows_progress,
                is_split=is_resumable,
                calls=one,
                has_top=bool(sampling.top_tokens),
                index=index,
            )
            for index, one in enumerate(calls)
        ]
        if count == 1:
            orders = await ordered(forms[0], is_resumable=is_resumable)
            generation = self._start(orders, forms, calls)
        else:
            orders = await ordered(SharedForm(forms), is_resumable=is_resumable)
            choices = [ChoiceForm(one, is_first=one is forms[0]) for one in forms]
            generation = self._start(orders, choices, calls)
        reply = Follow(generation, self._follow)
        if is_resumable:
            reply.headers[STREAM_HEADER] = self._shelf.put(generation, owner_of(request))
        return reply

    def _start(
        self, orders: Sequence[Order], forms: Sequence[Form], calls: Sequence[CallReader | None]
    ) -> Answer:
        """Start a generation for each form, as many for each prompt's order, all of one chat.

        Raises: Refusal, ChatUnsupported.
        """
        if len(forms) == 1:
            return self._generations.stream(orders[0])
        answers = len(forms) // len(orders)
        each = []
        for index, own in enumerate(forms):
            order = orders[index // answers]
            sampling = order.sampling.of_choice(index % answers)
            each.append(
                replace(order, form=own, sampling=sampling, calls=calls[index], is_resumable=False)
            )
        whole = replace(orders[0], cost=sum(one.cost for one in each))
        return self._generations.several(whole, each, len(orders))

    def _model(self, replica: Replica) -> dict[str, Any]:
        temperature, top_p = self._intake.defaults(replica.model)
        return {
            "id": replica.model,
            "object": "model",
            "created": 0,
            "owned_by": "paddock",
            "context_window": replica.max_total_tokens,
            "max_output_tokens": max(1, replica.max_total_tokens - 1),
            "ready": replica.is_ready,
            "demo": replica.model == DEMO_MODEL,
            "defaults": {"temperature": temperature, "top_p": top_p},
        }


def _asks(request: Request, header: str) -> bool:
    """Say whether a header asks for what it names. Raises: ChatInvalid for what is neither yes nor no."""
    given = request.headers.get(header, "0")
    if given not in ("0", "1"):
        raise ChatInvalid(f"{header}: must be 1 or 0", param=header)
    return given == "1"


def _whole(
    answer_id: str,
    created: int,
    model: str,
    fingerprint: str,
    forms: Sequence[WholeForm],
    usage: Usage,
    body: ChatBody | CompletionBody,
) -> Response:
    return _json(
        {
            "id": answer_id,
            "object": "chat.completion" if isinstance(body, ChatBody) else "text_completion",
            "created": created,
            "model": model,
            "system_fingerprint": fingerprint,
            "choices": [_choice(index, form, body) for index, form in enumerate(forms)],
            "usage": usage_body(usage),
        }
    )


def _choice(index: int, form: WholeForm, body: ChatBody | CompletionBody) -> dict[str, Any]:
    choice: dict[str, Any] = {"index": index, "logprobs": None, "finish_reason": form.finish}
    is_chat = isinstance(body, ChatBody)
    if body.wants_logprobs:
        has_top = isinstance(body, CompletionBody) and bool(body.logprobs)
        choice["logprobs"] = told_logprobs(form.tokens, 0, is_chat=is_chat, has_top=has_top)
    if is_chat:
        choice["message"] = {"role": "assistant", "content": form.text, "refusal": None}
        if form.calls is not None and form.calls.name is not None:
            choice["message"]["content"] = None
            choice["message"]["tool_calls"] = [called(form.calls, form.calls.arguments)]
    else:
        choice["text"] = form.text
    return choice


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")
