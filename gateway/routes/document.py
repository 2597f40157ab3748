"""What the OpenAPI document says of each route: parameters, bodies, answers and errors.

The routes read and write by hand, to keep their own words and speed, so nothing of this is derived
from their signatures; tests hold the answers to it. Knows forms. Knows nothing of how they are made.
"""

from collections import defaultdict
from typing import Any

from gateway.errors import (
    BodyInvalid,
    BodyTooLarge,
    ChatInvalid,
    EngineDown,
    EngineError,
    GatewayFault,
    HostUnknown,
    KeyInvalid,
    MediaUnknown,
    OriginForeign,
    PaddockError,
    PromptTooLong,
    Refusal,
    WaitExpired,
    leaves,
)
from gateway.routes.forms import SCHEMAS
from gateway.schema import ChatBody, CompletionBody

Described = dict[str, Any]

JSON, EVENTS, PLAIN = "application/json", "text/event-stream", "text/plain"

ANY_ROUTE = (OriginForeign, HostUnknown, GatewayFault)
KEYED = (*ANY_ROUTE, KeyInvalid)
WITH_BODY = (*KEYED, BodyInvalid, BodyTooLarge, MediaUnknown, ChatInvalid)
# Everything between asking for a ticket and the end of the answer.
TICKET = (Refusal, WaitExpired, EngineError, PromptTooLong)
ENGINE = (EngineDown, EngineError)

_PLACE = "#/components/schemas/"
TICKET_HEADERS: tuple[tuple[str, Described], ...] = (
    ("Paddock-Session", {"type": "string", "pattern": "^([A-Za-z0-9_-]{8,64})?$"}),
    ("Paddock-Class", {"type": "string", "enum": ["interactive", "batch"]}),
    ("X-Deadline-Ms", {"type": "string", "pattern": "^[0-9]{1,9}$"}),
)
STREAM_HEADERS: tuple[tuple[str, Described], ...] = (
    ("Paddock-Progress", {"type": "string", "enum": ["0", "1"]}),
    ("Paddock-Resume", {"type": "string", "enum": ["0", "1"]}),
)


def form(name: str) -> Described:
    """Point to a form."""
    return {"$ref": _PLACE + name}


def told(
    description: str, *, json: Described | None = None, streams: bool = False, plain: bool = False
) -> Described:
    """Describe one answer by the media types that it may have."""
    content: Described = {} if json is None else {JSON: {"schema": json}}
    if streams:
        content[EVENTS] = {"schema": form("Event")}
    if plain:
        content[PLAIN] = {"schema": {"type": "string"}}
    return {"description": description, "content": content} if content else {"description": description}


def failing(*roots: type[PaddockError], native: bool = False) -> dict[int | str, Described]:
    """Describe errors by status, each with its codes; on TGI's routes in TGI's shape."""
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for root in roots:
        for error in leaves(root):
            if error.code not in codes[error.status]:
                codes[error.status].append(error.code)
    answers: dict[int | str, Described] = {}
    for status, names in sorted(codes.items()):
        # What TGI cannot deserialise it refuses in plain text.
        plain = native and status in (400, 422)
        answers[status] = told(
            ", ".join(names), json=form("NativeError" if native else "Error"), plain=plain
        )
        if status in (429, 503):
            answers[status]["headers"] = {"Retry-After": {"schema": {"type": "integer"}}}
    return answers


def taking(schema: Described | None = None, *parameters: Described) -> Described:
    """Describe what a route takes: a JSON body, and parameters."""
    taken: Described = {"parameters": list(parameters)} if parameters else {}
    if schema is not None:
        taken["requestBody"] = {"required": True, "content": {JSON: {"schema": schema}}}
    return taken


def headers(*named: tuple[str, Described]) -> list[Described]:
    """Describe optional headers."""
    return [{"name": name, "in": "header", "schema": schema} for name, schema in named]


def in_path(name: str, schema: Described) -> Described:
    """Describe a part of the path."""
    return {"name": name, "in": "path", "required": True, "schema": schema}


def completed(document: Described) -> Described:
    """Add the forms that the routes point to."""
    forms = document.setdefault("components", {}).setdefault("schemas", {})
    forms.update(SCHEMAS)
    for body in (ChatBody, CompletionBody):
        schema = body.model_json_schema(ref_template=_PLACE + "{model}")
        forms.update(schema.pop("$defs", {}))
        forms[body.__name__] = schema
    return document
