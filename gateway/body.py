"""Bodies read, and how a wrong one is told.

Knows JSON and what pydantic says of it. Knows nothing of what a body means.
"""

from typing import Any, TypeVar

import orjson
from pydantic import BaseModel, ValidationError

from gateway.errors import BodyInvalid, ChatInvalid, ChatUnsupported
from gateway.message import UNSUPPORTED

# Characters of a field's place that are told: any that we know has fewer.
LONGEST_NAME = 200

AnyBody = TypeVar("AnyBody", bound=BaseModel)


def read_body(kind: type[AnyBody], content: bytes) -> AnyBody:
    """Read a body of a kind.

    Raises: BodyInvalid if it is not a JSON object; ChatInvalid or ChatUnsupported naming the first wrong
    field, with the number of further ones.
    """
    try:
        return kind.model_validate(read_json(content))
    except ValidationError as error:
        raise _told(error) from None


def read_json(content: bytes) -> dict[str, Any]:
    """Read a JSON object. Raises: BodyInvalid."""
    try:
        value = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BodyInvalid(f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise BodyInvalid("the body must be a JSON object")
    return value


def _told(error: ValidationError) -> ChatInvalid | ChatUnsupported:
    issues = error.errors(include_url=False, include_context=False)
    # A union reports each branch it tried; the deepest place is the one the caller wrote. What is not
    # supported has further fields that are wrong for the same reason.
    issue = max(issues, key=lambda one: (one["type"] == UNSUPPORTED, len(one["loc"])))
    if all(len(one["loc"]) <= 1 for one in issues):
        issue = issues[0]
    name = _name(issue["loc"])
    message = {
        "extra_forbidden": "is no parameter of this route",
        "missing": "is required",
        "model_type": "should be an object",
    }.get(issue["type"], issue["msg"])
    message = message.removeprefix("Value error, ").removeprefix("Input ").replace(" after validation", "")
    others = len({one["loc"][0] for one in issues if one["loc"]} - {*issue["loc"][:1]})
    more = f" (and {others} more field{'s' if others > 1 else ''})" if others > 0 else ""
    kind = ChatUnsupported if issue["type"] == UNSUPPORTED else ChatInvalid
    return kind(f"{name}: {message}{more}", param=name)


def _name(location: tuple[int | str, ...]) -> str:
    """Write a place in a body as a caller would: messages[0].content."""
    name = ""
    for step in location:
        if isinstance(step, int):
            name += f"[{step}]"
        elif _is_field(step):
            name += f".{step}" if name else step
    return _shortened(name) or "body"


def _shortened(name: str) -> str:
    """Keep an answer shorter than what a caller made up for a name."""
    return name if len(name) <= LONGEST_NAME else name[:LONGEST_NAME] + "…"


def _is_field(step: str) -> bool:
    """Tell a field from the name of a union's branch, which pydantic puts into the path."""
    return (
        step.isidentifier()
        and not step[0].isupper()
        and step not in ("str", "int", "float", "bool", "list")
    )
