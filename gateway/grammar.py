"""What a JSON answer must look like: for the engine as a grammar, and for us to check the result.

TGI's grammar library leaves out what it does not know without a word. So a schema may use the
keywords that are checked here, and any other is refused by name.

Knows JSON schemas and TGI's grammars. Knows nothing of requests, frames or the engine's connection.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

import orjson

from gateway.errors import ChatInvalid, EngineFailed

# References are written out, which can multiply; nobody's form has so many parts.
_PARTS_LIMIT = 2000

_TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (isinstance(value, int) and not isinstance(value, bool))
    or (isinstance(value, float) and value.is_integer()),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
_FORMATS: Mapping[str, Callable[[str], object]] = {
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "uuid": UUID,
}
# They describe, and bind nothing.
_NOTES = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
_NOTES |= {"$schema", "$id", "$comment", "$defs", "definitions"}
_COUNTS = {"minLength", "maxLength", "minItems", "maxItems"}
_BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
    "minimum": lambda value, bound: value >= bound,
    "maximum": lambda value, bound: value <= bound,
    "exclusiveMinimum": lambda value, bound: value > bound,
    "exclusiveMaximum": lambda value, bound: value < bound,
    "minLength": lambda value, bound: len(value) >= bound,
    "maxLength": lambda value, bound: len(value) <= bound,
    "minItems": lambda value, bound: len(value) >= bound,
    "maxItems": lambda value, bound: len(value) <= bound,
}
# A bound says nothing of a value of another type.
_BOUND: Mapping[str, tuple[type, ...]] = {"Length": (str,), "Items": (list,), "imum": (int, float)}


def _any_object() -> str:
    """Write the regular expression of a JSON object, two levels of values deep below the first.

    Compact but for one optional space, because free white space is what small models lose themselves
    in. Each level makes the expression four times as long.
    """
    text = r'"([^"\\\x00-\x1f\x7f]|\\["\\bfnrt])*"'
    number = r"-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,18})?([eE][+-]?[0-9]{1,2})?"
    scalar = value = f"({text}|{number}|true|false|null)"
    for _ in range(2):
        value = f"({scalar}|{_listed('[', value, ']')}|{_listed('{', f'{text}: ?{value}', '}')})"
    return _listed("{", f"{text}: ?{value}", "}")


def _listed(start: str, one: str, end: str) -> str:
    return rf"\{start}({one}(, ?{one})*)?\{end}"


@dataclass(frozen=True, slots=True)
class Shape:
    """The form of an answer: any JSON object, or what a schema says."""

    schema: Mapping[str, Any] | None = None

    @property
    def grammar(self) -> dict[str, Any]:
        """Give TGI's grammar."""
        if self.schema is None:
            return {"type": "regex", "value": _any_object()}
        return {"type": "json", "value": self.schema}

    def check(self, text: str) -> None:
        """Make sure that a finished text has the form. Raises: EngineFailed saying what is wrong."""
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise EngineFailed(f"the answer is not the JSON that was asked for: {error}") from None
        problem = problem_of(value, self.schema if self.schema is not None else {"type": "object"})
        if problem is not None:
            raise EngineFailed(f"the answer is not the JSON that was asked for: {problem}")


def settle(schema: Any, where: str) -> dict[str, Any]:
    """Make a schema that stands alone: references written out, notes left out.

    Raises: ChatInvalid naming the place of what cannot be kept.
    """
    if not isinstance(schema, dict):
        raise _refused(where, "must be an object")
    settled = _Settling(schema).settle(schema, where, ())
    if "properties" not in settled or settled.get("type", "object") != "object":
        raise _refused(where, "must describe an object with properties: the engine takes no other grammar")
    return settled


class _Settling:
    def __init__(self, root: Mapping[str, Any]) -> None:
        self._root = root
        self._parts = 0

    def settle(self, schema: Any, where: str, within: tuple[str, ...]) -> dict[str, Any]:
        self._parts += 1
        if self._parts > _PARTS_LIMIT or len(where) > 10_000:
            raise _refused(where.split(".")[0], f"has more than {_PARTS_LIMIT} parts, references written out")
        if schema is True:
            return {}
        if not isinstance(schema, dict):
            raise _refused(where, "must be an object")
        if "$ref" in schema:
            return self._referred(schema, where, within)
        settled = {
            key: self._value(key, value, f"{where}.{key}", within, schema)
            for key, value in schema.items()
            if key not in _NOTES
        }
        return _plain(settled, where)

    def _referred(self, schema: dict[str, Any], where: str, within: tuple[str, ...]) -> dict[str, Any]:
        name, target = schema["$ref"], self._root
        others = schema.keys() - _NOTES - {"$ref"}
        if others:
            raise _refused(f"{where}.{min(others)}", "is not supported beside $ref")
        if not isinstance(name, str) or not name.startswith("#/"):
            raise _refused(f"{where}.$ref", "must point into the same schema")
        if name in within:
            raise _refused(f"{where}.$ref", "is recursive, which the engine's grammars cannot be")
        for step in name[2:].split("/"):
            step = step.replace("~1", "/").replace("~0", "~")
            found = target.get(step) if isinstance(target, dict) else None
            if found is None:
                raise _refused(f"{where}.$ref", "points to nothing")
            target = found
        return self.settle(target, where, (*within, name))

    def _value(
        self, key: str, value: Any, where: str, within: tuple[str, ...], schema: dict[str, Any]
    ) -> Any:
        match key:
            case "type":
                named = value if isinstance(value, list) else [value]
                if not named or not all(isinstance(one, str) and one in _TYPES for one in named):
                    raise _refused(where, f"must be of {', '.join(_TYPES)}")
                return value
            case "properties":
                if not isinstance(value, dict):
                    raise _refused(where, "must be an object")
                return {name: self.settle(one, f"{where}.{name}", within) for name, one in value.items()}
            case "required":
                known = schema.get("properties")
                if not isinstance(value, list) or not all(
                    isinstance(known, dict) and isinstance(name, str) and name in known for name in value
                ):
                    raise _refused(where, "must list names of properties")
                return value
            case "additionalProperties" if isinstance(value, bool):
                return value
            case "additionalProperties" | "items":
                return self.settle(value, where, within)
            case "anyOf" | "oneOf":
                if not isinstance(value, list) or not value:
                    raise _refused(where, "must be a list of schemas")
                return [self.settle(one, f"{where}[{at}]", within) for at, one in enumerate(value)]
            case "enum":
                if not isinstance(value, list) or not value or not all(map(_is_scalar, value)):
                    raise _refused(where, "must list texts, numbers, booleans or null")
                return value
            case "const" if not _is_scalar(value):
                raise _refused(where, "must be a text, a number, a boolean or null")
            case "const":
                return value
            case _ if key in _BOUNDS:
                is_count = key in _COUNTS
                if not _TYPES["integer" if is_count else "number"](value) or (is_count and value < 0):
                    raise _refused(where, "must be a number")
                return value
            case "format" if isinstance(value, str) and value in _FORMATS:
                return value
            case "format":
                raise _refused(where, f"must be of {', '.join(_FORMATS)}")
        raise _refused(where, "is not supported here")


def _plain(settled: dict[str, Any], where: str) -> dict[str, Any]:
    """Write a schema as TGI's grammar library (outlines-core) reads it: one type, or a choice alone.

    Raises: ChatInvalid for what it would read otherwise, or not at all.
    """
    for choice in ("anyOf", "oneOf"):
        others = settled.keys() - {choice}
        if choice in settled and others:
            raise _refused(f"{where}.{min(others)}", f"is not supported beside {choice}")
    named = settled.get("type")
    if isinstance(named, list):
        kinds = [_plain({**settled, "type": one}, where) for one in named]
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if "properties" in settled:
        settled.setdefault("type", "object")
    if settled and not settled.keys() & {"type", "enum", "const", "anyOf", "oneOf"}:
        raise _refused(f"{where}.type", "is required")
    if settled.get("additionalProperties") is False and settled["type"] == "object":
        settled.setdefault("properties", {})
    return settled


def problem_of(value: Any, schema: Mapping[str, Any], where: str = "$") -> str | None:
    """Say what first is wrong with a value by a settled schema, None if nothing is."""
    named = schema.get("type")
    if named is not None:
        names = named if isinstance(named, list) else [named]
        if not any(_TYPES[name](value) for name in names):
            return f"{where} is not of type {' or '.join(names)}"
    if "const" in schema and not _is_same(value, schema["const"]):
        return f"{where} is not {schema['const']!r}"
    if "enum" in schema and not any(_is_same(value, one) for one in schema["enum"]):
        return f"{where} is none of the enumerated"
    for key, is_kept in _BOUNDS.items():
        kind = next(kind for end, kind in _BOUND.items() if key.endswith(end))
        is_bound = key in schema and isinstance(value, kind) and not isinstance(value, bool)
        if is_bound and not is_kept(value, schema[key]):
            return f"{where} breaks {key} {schema[key]}"
    if "format" in schema and isinstance(value, str):
        try:
            _FORMATS[schema["format"]](value)
        except ValueError:
            return f"{where} is no {schema['format']}"
    for key in ("anyOf", "oneOf"):
        fitting = sum(problem_of(value, one, where) is None for one in schema.get(key, ()))
        if key in schema and (fitting == 0 or (key == "oneOf" and fitting > 1)):
            return f"{where} fits {fitting} of {key}"
    if isinstance(value, list) and "items" in schema:
        found = (problem_of(one, schema["items"], f"{where}[{at}]") for at, one in enumerate(value))
        return next((one for one in found if one is not None), None)
    return _problem_of_object(value, schema, where) if isinstance(value, dict) else None


def _problem_of_object(value: dict[str, Any], schema: Mapping[str, Any], where: str) -> str | None:
    known, others = schema.get("properties", {}), schema.get("additionalProperties", True)
    for name in schema.get("required", ()):
        if name not in value:
            return f"{where}.{name} is missing"
    for name, one in value.items():
        if name not in known and others is False:
            return f"{where}.{name} is not expected"
        rule = known.get(name, others if isinstance(others, dict) else {})
        problem = problem_of(one, rule, f"{where}.{name}")
        if problem is not None:
            return problem
    return None


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _is_same(value: Any, other: Any) -> bool:
    # To Python True is 1; to JSON it is not.
    return bool(value == other) and isinstance(value, bool) is isinstance(other, bool)


def _refused(where: str, what: str) -> ChatInvalid:
    return ChatInvalid(f"{where}: {what}", param=where)
