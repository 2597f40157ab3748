"""The forms of the answers, as JSON schemas for the OpenAPI document.

Closed where we write the answer: a key that is not here is a defect that tests find. Open where the
engine's own words are handed on.
"""

from typing import Any

from gateway.breaker import State
from gateway.control import Cause, Phase
from gateway.proof import StopSet

Form = dict[str, Any]

_TEXT: Form = {"type": "string"}
_COUNT: Form = {"type": "integer", "minimum": 0}
_NUMBER: Form = {"type": "number"}
_FLAG: Form = {"type": "boolean"}
_PHASE: Form = {"type": "string", "enum": [str(phase) for phase in Phase]}
_CAUSE: Form = {"type": "string", "enum": [str(cause) for cause in Cause]}
_STOP_SET: Form = {"type": "string", "enum": [str(one) for one in StopSet]}


def _closed(optional: tuple[str, ...] = (), /, **properties: Form) -> Form:
    required = [name for name in properties if name not in optional]
    return {
        "type": "object",
        "properties": properties,
        "required": required,
        "additionalProperties": False,
    }


def _open(**properties: Form) -> Form:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _maybe(schema: Form) -> Form:
    return {"anyOf": [schema, {"type": "null"}]}


def _list(item: Form) -> Form:
    return {"type": "array", "items": item}


def _to(name: str) -> Form:
    return {"$ref": f"#/components/schemas/{name}"}


def _one_of(*values: str) -> Form:
    return {"type": "string", "enum": [*values]}


_BYTES = _list(_COUNT)
_LIKELY = _closed(token=_TEXT, logprob=_NUMBER, bytes=_BYTES)
_CHOSEN = _closed(token=_TEXT, logprob=_NUMBER, bytes=_BYTES, top_logprobs=_list(_LIKELY))
_CHAT_LOGPROBS = _closed(content=_list(_CHOSEN), refusal={"type": "null"})
_COMPLETION_LOGPROBS = _closed(
    tokens=_list(_TEXT),
    token_logprobs=_list(_NUMBER),
    top_logprobs=_maybe(_list({"type": "object", "additionalProperties": _NUMBER})),
    text_offset=_list(_COUNT),
)
_CALL = _closed(
    id=_TEXT, type=_one_of("function"), function=_closed(name=_TEXT, arguments=_TEXT)
)
_MESSAGE = _closed(
    ("tool_calls",),
    role=_one_of("assistant"),
    content=_maybe(_TEXT),
    refusal={"type": "null"},
    tool_calls=_list(_CALL),
)
_FINISH = _one_of("stop", "length", "tool_calls")


def _answer(kind: str, prefix: str, **choice: Form) -> Form:
    return _closed(
        id={"type": "string", "pattern": f"^{prefix}-"},
        object=_one_of(kind),
        created=_COUNT,
        model=_TEXT,
        system_fingerprint=_TEXT,
        choices=_list(_closed(index=_COUNT, finish_reason=_FINISH, **choice)),
        usage=_to("Usage"),
    )


# What TGI takes, as far as every engine agrees on it; it ignores names it does not know.
_NATIVE_PARAMETERS: Form = {
    "type": "object",
    "properties": {
        "details": _FLAG,
        "do_sample": _FLAG,
        "frequency_penalty": _maybe({"type": "number", "minimum": -2, "maximum": 2}),
        "max_new_tokens": _maybe({"type": "integer", "minimum": 1, "maximum": 2**32 - 1}),
        "repetition_penalty": _maybe({"type": "number", "exclusiveMinimum": 0}),
        "return_full_text": _maybe(_FLAG),
        "seed": _maybe({"type": "integer", "minimum": 0, "maximum": 2**64 - 1}),
        "stop": {"type": "array", "items": _TEXT, "maxItems": 4},
        "temperature": _maybe({"type": "number", "exclusiveMinimum": 0}),
        "top_k": _maybe({"type": "integer", "minimum": 1, "maximum": 2**31 - 1}),
        "top_n_tokens": _maybe({"type": "integer", "minimum": 0, "maximum": 5}),
        "top_p": _maybe({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        "typical_p": _maybe({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        "watermark": _FLAG,
    },
}
_INPUTS: Form = {"type": "string", "minLength": 1}

SCHEMAS: dict[str, Form] = {
    "Error": _closed(
        error=_closed(
            message=_TEXT,
            type=_TEXT,
            code=_TEXT,
            param=_maybe(_TEXT),
            retry_after_seconds=_maybe(_COUNT),
            request_id=_TEXT,
        )
    ),
    # One event of a stream; comments are none.
    "Event": {
        "type": "object",
        "properties": {"data": _TEXT, "event": _TEXT, "id": _TEXT},
        "required": ["data"],
    },
    # The engine's own errors, which are handed on, may say more.
    "NativeError": _open(error=_TEXT, error_type=_TEXT),
    "Usage": _closed(prompt_tokens=_COUNT, completion_tokens=_COUNT, total_tokens=_COUNT),
    "ChatAnswer": _answer(
        "chat.completion", "chatcmpl", message=_MESSAGE, logprobs=_maybe(_CHAT_LOGPROBS)
    ),
    "CompletionAnswer": _answer(
        "text_completion", "cmpl", text=_TEXT, logprobs=_maybe(_COMPLETION_LOGPROBS)
    ),
    "Model": _closed(
        id=_TEXT,
        object=_one_of("model"),
        created=_COUNT,
        owned_by=_TEXT,
        context_window=_COUNT,
        max_output_tokens=_COUNT,
        ready=_FLAG,
        demo=_FLAG,
        defaults=_closed(temperature=_NUMBER, top_p=_NUMBER),
    ),
    "ModelList": _closed(object=_one_of("list"), data=_list(_to("Model"))),
    "Stats": _closed(
        backlog=_COUNT,
        num_total_runners=_COUNT,
        model=_maybe(_TEXT),
        demo=_FLAG,
        running=_COUNT,
        slots=_COUNT,
        backlog_limit=_COUNT,
        backlog_tokens=_COUNT,
        wait_estimate=_maybe(_closed(low=_NUMBER, likely=_NUMBER, high=_NUMBER)),
        tokens_per_second=_NUMBER,
        phase=_PHASE,
        phase_seconds=_NUMBER,
        reason=_maybe(_TEXT),
        cause=_maybe(_CAUSE),
        ready_seconds=_maybe(_NUMBER),
        download=_maybe(
            _closed(
                phase=_TEXT,
                bytes_done=_COUNT,
                bytes_total=_COUNT,
                bytes_per_second=_NUMBER,
                seconds_left=_maybe(_NUMBER),
                error=_maybe({"type": "object", "additionalProperties": _TEXT}),
            )
        ),
        context_window=_maybe(_COUNT),
        is_draining=_FLAG,
        begin_of_text=_maybe(_COUNT),
        stop_set=_maybe(_STOP_SET),
        engines=_list(
            _closed(
                name=_TEXT,
                phase=_PHASE,
                reason=_maybe(_TEXT),
                cause=_maybe(_CAUSE),
                breaker=_one_of(*State),
                supervisor_problem=_maybe(_TEXT),
                running=_COUNT,
                outstanding_tokens=_COUNT,
                begin_of_text=_maybe(_COUNT),
                stop_set=_maybe(_STOP_SET),
                sent_ends=_list(_TEXT),
                start_seconds={"type": "object", "additionalProperties": _NUMBER},
            )
        ),
    ),
    "Ready": _closed(
        ready=_FLAG,
        phase=_PHASE,
        reason=_maybe(_TEXT),
        cause=_maybe(_CAUSE),
        model=_maybe(_TEXT),
        begin_of_text=_maybe(_COUNT),
        stop_set=_maybe(_STOP_SET),
    ),
    "GenerateBody": {
        "type": "object",
        "properties": {"inputs": _INPUTS, "parameters": _NATIVE_PARAMETERS},
        "required": ["inputs"],
    },
    "EitherBody": {
        "type": "object",
        "properties": {"inputs": _INPUTS, "parameters": _NATIVE_PARAMETERS, "stream": _FLAG},
        "required": ["inputs"],
    },
    "TokenizeBody": {"type": "object", "properties": {"inputs": _TEXT}, "required": ["inputs"]},
    "Generated": _open(generated_text=_TEXT),
    "GeneratedList": _list(_to("Generated")),
    "Tokens": _list(_open(id=_COUNT, text=_TEXT, start=_COUNT, stop=_COUNT)),
    "Info": _open(model_id=_TEXT, max_total_tokens=_COUNT),
}
