"""What a JSON answer must look like: for the engine as a grammar, and for us to check the result.

TGI's grammar library leaves out what it does not know without a word. So a schema may use the
keywords that are checked here, and any other is refused by name.

Knows JSON schemas and TGI's grammars. Knows nothing of requests, frames or the engine's connection.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.errors import ChatInvalid, ChatUnsupported, EngineFailed
from gateway.fit import BOUNDS, FORMATS, TYPES, problem_of

# References are written out, which can multiply; nobody's form has so many parts.
_PARTS_LIMIT = 2000
# Deeper ones no engine compiles, and beyond a few hundred levels they cannot be written as JSON again.
_DEPTH_LIMIT = 50

# They describe, and bind nothing.
_NOTES = {"title", "description", "default", "examples", "deprecated", "readOnly", "writeOnly"}
_NOTES |= {"$schema", "$id", "$comment", "$defs", "definitions"}
_COUNTS = {"minLength", "maxLength", "minItems", "maxItems"}


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


class AnswerMisfit(EngineFailed):
    """A whole answer has not the form that was asked for: its model failed, while its engine works."""


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
        """Make sure that a finished text has the form. Raises: AnswerMisfit saying what is wrong."""
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise AnswerMisfit(f"the answer is not the JSON that was asked for: {error}") from None
        problem = problem_of(value, self.schema if self.schema is not None else {"type": "object"})
        if problem is not None:
            raise AnswerMisfit(f"the answer is not the JSON that was asked for: {problem}")


def settle(schema: Any, where: str) -> dict[str, Any]:
    """Make a schema that stands alone: references written out, notes left out.

    Raises: ChatInvalid naming the place of what is no schema, ChatUnsupported that of what cannot be kept.
    """
    if not isinstance(schema, dict):
        raise _refused(where, "must be an object")
    settled = _Settling(schema, is_loose=False).settle(schema, where, ())
    if "properties" not in settled or settled.get("type", "object") != "object":
        raise _unkept(where, "must describe an object with properties: the engine takes no other grammar")
    return settled


def loosen(schema: Any) -> dict[str, Any]:
    """Make of a schema what can be checked of it: it may take more than it says, and never less."""
    try:
        return _Settling(schema, is_loose=True).settle(schema, "", ())
    except (ChatInvalid, ChatUnsupported):
        return {}


class _Settling:
    """Settles one schema; what a loose one cannot keep is left out instead of being refused."""

    def __init__(self, root: Any, *, is_loose: bool) -> None:
        self._root = root
        self._is_loose = is_loose
        self._parts = 0
        self._depth = 0

    def settle(self, schema: Any, where: str, within: tuple[str, ...]) -> dict[str, Any]:
        self._parts += 1
        if self._parts > _PARTS_LIMIT or len(where) > 10_000:
            raise _unkept(where.split(".")[0], f"has more than {_PARTS_LIMIT} parts, references written out")
        if self._depth > _DEPTH_LIMIT:
            raise _unkept(where.split(".")[0], f"is nested deeper than {_DEPTH_LIMIT} levels")
        # A reference stands where its target will.
        deeper = not (isinstance(schema, dict) and "$ref" in schema)
        self._depth += deeper
        try:
            return self._settled(schema, where, within)
        finally:
            self._depth -= deeper

    def _settled(self, schema: Any, where: str, within: tuple[str, ...]) -> dict[str, Any]:
        if schema is True:
            return {}
        if not isinstance(schema, dict):
            raise _refused(where, "must be an object")
        if "$ref" in schema:
            return self._referred(schema, where, within)
        settled = {}
        for key, value in schema.items():
            if key not in _NOTES:
                try:
                    settled[key] = self._value(key, value, f"{where}.{key}", within, schema)
                except (ChatInvalid, ChatUnsupported):
                    if not self._is_loose:
                        raise
        return _loose(settled, schema) if self._is_loose else _plain(settled, where)

    def _referred(self, schema: dict[str, Any], where: str, within: tuple[str, ...]) -> dict[str, Any]:
        name, target = schema["$ref"], self._root
        others = schema.keys() - _NOTES - {"$ref"}
        if others:
            raise _unkept(f"{where}.{min(others)}", "is not supported beside $ref")
        if not isinstance(name, str) or not name.startswith("#/"):
            raise _unkept(f"{where}.$ref", "must point into the same schema")
        if name in within:
            raise _unkept(f"{where}.$ref", "is recursive, which the engine's grammars cannot be")
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
                if not named or not all(isinstance(one, str) and one in TYPES for one in named):
                    raise _refused(where, f"must be of {', '.join(TYPES)}")
                return value
            case "properties":
                if not isinstance(value, dict):
                    raise _refused(where, "must be an object")
                return {name: self.settle(one, f"{where}.{name}", within) for name, one in value.items()}
            case "required":
                known = schema.get("properties")
                if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
                    raise _refused(where, "must list names of properties")
                is_known = isinstance(known, dict) and all(name in known for name in value)
                if not is_known and not self._is_loose:
                    raise _unkept(where, "must list names that properties has")
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
                if not isinstance(value, list) or not value:
                    raise _refused(where, "must be a list")
                if not all(map(_is_scalar, value)):
                    raise _unkept(where, "must list texts, numbers, booleans or null")
                return value
            case "const" if not _is_scalar(value):
                raise _unkept(where, "must be a text, a number, a boolean or null")
            case "const":
                return value
            case _ if key in BOUNDS:
                is_count = key in _COUNTS
                if not TYPES["integer" if is_count else "number"](value) or (is_count and value < 0):
                    raise _refused(where, "must be a number")
                return value
            case "format" if isinstance(value, str) and value in FORMATS:
                return value
            case "format":
                raise _unkept(where, f"must be of {', '.join(FORMATS)}")
        raise _unkept(where, "is not supported here")


def _loose(settled: dict[str, Any], schema: dict[str, Any]) -> dict[str, Any]:
    """Drop what would be wrong without the keywords that were left out."""
    if "patternProperties" in schema or ("properties" in schema and "properties" not in settled):
        settled.pop("additionalProperties", None)
    one_of = settled.pop("oneOf", None)
    if one_of is not None:
        # A part that takes more than it says may fit beside the one that is meant.
        settled.setdefault("anyOf", one_of)
    return settled


def _plain(settled: dict[str, Any], where: str) -> dict[str, Any]:
    """Write a schema as TGI's grammar library (outlines-core) reads it: one type, or a choice alone.

    Raises: ChatUnsupported for what it would read otherwise, or not at all.
    """
    for choice in ("anyOf", "oneOf"):
        others = settled.keys() - {choice}
        if choice in settled and others:
            raise _unkept(f"{where}.{min(others)}", f"is not supported beside {choice}")
    named = settled.get("type")
    if isinstance(named, list):
        kinds = [_plain({**settled, "type": one}, where) for one in named]
        return kinds[0] if len(kinds) == 1 else {"anyOf": kinds}
    if "properties" in settled:
        settled.setdefault("type", "object")
    if settled and not settled.keys() & {"type", "enum", "const", "anyOf", "oneOf"}:
        raise _unkept(f"{where}.type", "is required")
    if settled.get("additionalProperties") is False and settled["type"] == "object":
        settled.setdefault("properties", {})
    return settled


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _refused(where: str, what: str) -> ChatInvalid:
    return ChatInvalid(f"{where}: {what}", param=where)


def _unkept(where: str, what: str) -> ChatUnsupported:
    return ChatUnsupported(f"{where}: {what}", param=where)
