"""Whether a JSON value fits a schema.

Knows the keywords of settled schemas, and no others. Knows nothing of where schemas come from.
"""

from collections.abc import Callable, Mapping
from datetime import date, datetime, time
from typing import Any
from uuid import UUID

TYPES: Mapping[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: (isinstance(value, int) and not isinstance(value, bool))
    or (isinstance(value, float) and value.is_integer()),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}
FORMATS: Mapping[str, Callable[[str], object]] = {
    "date-time": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
    "uuid": UUID,
}
BOUNDS: Mapping[str, Callable[[Any, Any], bool]] = {
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


def problem_of(value: Any, schema: Mapping[str, Any], where: str = "$") -> str | None:
    """Say what first is wrong with a value by a settled schema, None if nothing is."""
    named = schema.get("type")
    if named is not None:
        names = named if isinstance(named, list) else [named]
        if not any(TYPES[name](value) for name in names):
            return f"{where} is not of type {' or '.join(names)}"
    if "const" in schema and not _is_same(value, schema["const"]):
        return f"{where} is not {schema['const']!r}"
    if "enum" in schema and not any(_is_same(value, one) for one in schema["enum"]):
        return f"{where} is none of the enumerated"
    for key, is_kept in BOUNDS.items():
        kind = next(kind for end, kind in _BOUND.items() if key.endswith(end))
        is_bound = key in schema and isinstance(value, kind) and not isinstance(value, bool)
        if is_bound and not is_kept(value, schema[key]):
            return f"{where} breaks {key} {schema[key]}"
    if "format" in schema and isinstance(value, str):
        try:
            FORMATS[schema["format"]](value)
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


def _is_same(value: Any, other: Any) -> bool:
    # To Python True is 1; to JSON it is not.
    return bool(value == other) and isinstance(value, bool) is isinstance(other, bool)
