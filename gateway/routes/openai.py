"""OpenAI's routes: chats, completions, models."""

import secrets
import time
from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.responses import Response

from gateway.chat import Sampling
from gateway.errors import ModelUnknown
from gateway.fleet import DEMO_MODEL, Replica
from gateway.generation import Generations
from gateway.metrics import Metrics
from gateway.order import Form, Order
from gateway.prompt import render
from gateway.routes.intake import Intake, caller_of, request_id, traced
from gateway.routes.reply import Follow, FollowStyle, Whole
from gateway.schema import ChatBody, CompletionBody, read_body
from gateway.sse import OpenAiForm, WholeForm, usage_body
from gateway.tgi import MAX_NEW_TOKENS, generate_body

PROGRESS_HEADER = "paddock-progress"


class OpenAiRoutes:
    """POST /v1/chat/completions and /v1/completions, GET /v1/models."""

    def __init__(
        self,
        intake: Intake,
        generations: Generations,
        metrics: Metrics,
        follow: FollowStyle,
    ) -> None:
        self._intake = intake
        self._generations = generations
        self._metrics = metrics
        self._follow = follow

    def router(self) -> APIRouter:
        """Give the routes."""
        router = APIRouter(prefix="/v1", tags=["OpenAI"])
        router.post("/chat/completions", openapi_extra=_described(ChatBody))(self.post_chat)
        router.post("/completions", openapi_extra=_described(CompletionBody))(self.post_completion)
        router.get("/models")(self.get_models)
        router.get("/models/{model:path}")(self.get_model)
        return router

    async def post_chat(self, request: Request) -> Response:
        """Answer a chat, streamed or whole."""
        body = read_body(ChatBody, await self._intake.content(request))
        chat = body.chat()
        replica = self._intake.replica(body.model)
        prompt = render(chat)
        self._metrics.neutralise(prompt.neutralised)
        response = await self._answer(request, body, replica, prompt.text, is_chat=True)
        if prompt.neutralised:
            response.headers["paddock-neutralised"] = str(prompt.neutralised)
        return response

    async def post_completion(self, request: Request) -> Response:
        """Complete a raw prompt, streamed or whole."""
        body = read_body(CompletionBody, await self._intake.content(request))
        replica = self._intake.replica(body.model)
        return await self._answer(request, body, replica, body.text, is_chat=False)

    async def get_models(self) -> Response:
        """List what is served: one model, once an engine is ready."""
        replica = self._intake.fleet.shown
        listed = [] if replica.model is None else [self._model(replica)]
        return _json({"object": "list", "data": listed})

    async def get_model(self, model: str) -> Response:
        """Describe one model. Raises: ModelUnknown."""
        replica = self._intake.fleet.shown
        if replica.model is None or model != replica.model:
            raise ModelUnknown(f"the model {model!r} is not served here", param="model")
        return _json(self._model(replica))

    async def _answer(
        self,
        request: Request,
        body: ChatBody | CompletionBody,
        replica: Replica,
        prompt: str,
        *,
        is_chat: bool,
    ) -> Response:
        sampling = body.sampling(*self._intake.defaults(replica.model))
        fit = await self._intake.fit(replica, prompt, sampling)
        answer_id = ("chatcmpl-" if is_chat else "cmpl-") + secrets.token_urlsafe(18)
        created, model = int(time.time()), replica.model or ""
        if not body.stream:
            whole = WholeForm()
            order = self._order(request, prompt, sampling, fit.max_new_tokens, fit.cost, whole)
            generation = self._generations.stream(order)
            return Whole(
                generation,
                lambda: None if generation.error else _whole(answer_id, created, model, whole, is_chat),
            )
        form = OpenAiForm(
            answer_id,
            created,
            model,
            request_id(request),
            is_chat=is_chat,
            includes_usage=body.includes_usage,
            shows_progress=request.headers.get(PROGRESS_HEADER) == "1",
        )
        order = self._order(request, prompt, sampling, fit.max_new_tokens, fit.cost, form)
        return Follow(self._generations.stream(order), self._follow)

    def _order(
        self, request: Request, prompt: str, sampling: Sampling, max_new_tokens: int, cost: int, form: Form
    ) -> Order:
        return Order(
            request_id=request_id(request),
            route=request.url.path,
            caller=caller_of(request),
            cost=cost,
            body=generate_body(prompt, sampling, max_new_tokens),
            form=form,
            prompt=prompt,
            stop=sampling.stop,
            is_streamed=not isinstance(form, WholeForm),
            headers=traced(request),
        )

    def _model(self, replica: Replica) -> dict[str, Any]:
        temperature, top_p = self._intake.defaults(replica.model)
        return {
            "id": replica.model,
            "object": "model",
            "created": 0,
            "owned_by": "paddock",
            "context_window": replica.max_total_tokens,
            "max_output_tokens": min(MAX_NEW_TOKENS, max(1, replica.max_total_tokens - 1)),
            "ready": replica.is_ready,
            "demo": replica.model == DEMO_MODEL,
            "defaults": {"temperature": temperature, "top_p": top_p},
        }


def _whole(answer_id: str, created: int, model: str, form: WholeForm, is_chat: bool) -> Response:
    choice: dict[str, Any] = {"index": 0, "logprobs": None, "finish_reason": form.finish}
    if is_chat:
        choice["message"] = {"role": "assistant", "content": form.text, "refusal": None}
    else:
        choice["text"] = form.text
    return _json(
        {
            "id": answer_id,
            "object": "chat.completion" if is_chat else "text_completion",
            "created": created,
            "model": model,
            "choices": [choice],
            "usage": usage_body(form.usage),
        }
    )


def _json(value: object) -> Response:
    return Response(orjson.dumps(value), media_type="application/json")


def _described(kind: type[ChatBody] | type[CompletionBody]) -> dict[str, Any]:
    """Describe a body in the OpenAPI document; it is read by hand, to keep our own error words."""
    schema = kind.model_json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
