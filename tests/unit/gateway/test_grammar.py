"""Forms of answers: what the engine is told, what is refused, and what a result is held to."""

import json
import re
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.errors import CallerError, ChatInvalid, EngineFailed
from gateway.fit import problem_of
from gateway.grammar import Shape, loosen, settle

OBJECT = {"type": "object", "properties": {"a": {"type": "string"}}}


def of(**properties: Any) -> dict[str, Any]:
    """Make a schema of an object."""
    return {"type": "object", "properties": properties}


def test_any_object_is_a_regular_expression() -> None:
    """It takes JSON objects, two levels of values deep."""
    pattern = Shape().grammar["value"]

    assert "regex" == Shape().grammar["type"]
    for value in ({}, {"a": 1}, {"é": [1, "x", {"b": None}], "c": {"d": [True, -2.5e3]}}, {"q": '"\\\n'}):
        assert re.fullmatch(pattern, json.dumps(value, ensure_ascii=False)), value
    for text in ("", "[]", "1", '{"a"}', "{'a': 1}", '{"a": 1,}', '{"a": 01}', '{"a": "\n"}', '{"a": nul}'):
        assert not re.fullmatch(pattern, text), text
    assert len(pattern) < 20_000


SCALARS = st.none() | st.booleans() | st.integers(-(10**9), 10**9) | st.text(st.characters(codec="utf-8"))


@given(st.dictionaries(st.text(st.characters(codec="utf-8")), st.lists(SCALARS) | SCALARS, max_size=3))
def test_the_expression_takes_what_a_model_writes(value: dict[str, Any]) -> None:
    """Whatever the texts, as long as JSON's escapes are the short ones."""
    text = json.dumps(value, ensure_ascii=False)

    if "\\u" not in text and "\x7f" not in text:
        assert re.fullmatch(Shape().grammar["value"], text)


def test_a_schema_stands_alone() -> None:
    """References are written out, notes are left out, and the type is said."""
    schema = {
        "$schema": "x", "title": "T", "$defs": {"D": {"type": "integer", "description": "d", "minimum": 0}},
        "properties": {
            "a": {"$ref": "#/$defs/D", "description": "e"},
            "b": {"type": "array", "items": {"$ref": "#/$defs/D"}},
        },
        "required": ["a"], "additionalProperties": False,
    }  # fmt: skip
    whole = {"type": "integer", "minimum": 0}

    assert {
        "type": "object", "properties": {"a": whole, "b": {"type": "array", "items": whole}},
        "required": ["a"], "additionalProperties": False,
    } == settle(schema, "s")  # fmt: skip


@pytest.mark.parametrize(
    ("schema", "plain"),
    [
        ({"type": ["string", "null"], "maxLength": 3},
         {"anyOf": [{"type": "string", "maxLength": 3}, {"type": "null", "maxLength": 3}]}),
        ({"type": ["string"]}, {"type": "string"}),
        ({"properties": {}}, {"type": "object", "properties": {}}),
        ({"type": "object", "additionalProperties": False},
         {"type": "object", "additionalProperties": False, "properties": {}}),
        ({}, {}), (True, {}),
    ],
)  # fmt: skip
def test_a_schema_is_plain_enough_for_the_engine(schema: Any, plain: dict[str, Any]) -> None:
    """TGI's library (outlines-core 0.1) knows one type a schema, and says nothing without one."""
    assert {"type": "object", "properties": {"a": plain}} == settle(of(a=schema), "s")


RECURSIVE = {**of(next={"$ref": "#/$defs/N"}), "$defs": {"N": of(next={"$ref": "#/$defs/N"})}}
DOUBLING = {
    **of(a={"$ref": "#/$defs/0"}),
    "$defs": {
        str(at): {"anyOf": [{"$ref": f"#/$defs/{at + 1}"}] * 2} if at < 30 else {} for at in range(31)
    },
}


@pytest.mark.parametrize(
    ("schema", "where", "words"),
    [
        (None, "s", "object"), ([], "s", "object"), ({}, "s", "properties"),
        ({"type": "array"}, "s", "properties"),
        ({"anyOf": [OBJECT]}, "s", "properties"), (of(a=7), "s.properties.a", "object"),
        (of(a={"pattern": "a+"}), "s.properties.a.pattern", "not supported"),
        (of(a={"allOf": [{}]}), "s.properties.a.allOf", "not supported"),
        (of(a={"type": "text"}), "s.properties.a.type", "integer"),
        (of(a={"type": []}), "s.properties.a.type", "integer"),
        (of(a={"enum": []}), "s.properties.a.enum", "list"),
        (of(a={"enum": [{}]}), "s.properties.a.enum", "texts"),
        (of(a={"const": []}), "s.properties.a.const", "a text"),
        (of(a={"minimum": "1"}), "s.properties.a.minimum", "number"),
        (of(a={"minLength": -1}), "s.properties.a.minLength", "number"),
        (of(a={"format": "email"}), "s.properties.a.format", "date-time"),
        (of(a={"anyOf": {}}), "s.properties.a.anyOf", "list"),
        (of(a={"anyOf": [{"x": 1}]}), "s.properties.a.anyOf[0].x", "not supported"),
        (of(a={"items": {"type": "string"}}), "s.properties.a.type", "is required"),
        (of(a={"minLength": 1}), "s.properties.a.type", "is required"),
        (of(a={"anyOf": [{}], "type": "string"}), "s.properties.a.type", "beside anyOf"),
        ({**OBJECT, "oneOf": [OBJECT]}, "s.properties", "beside oneOf"),
        (of(a={"$ref": "other.json"}), "s.properties.a.$ref", "same schema"),
        (of(a={"$ref": "#/$defs/none"}), "s.properties.a.$ref", "nothing"),
        (of(a={"$ref": "#/x", "type": "string"}), "s.properties.a.type", "beside $ref"),
        ({**OBJECT, "required": ["b"]}, "s.required", "names"),
        ({**OBJECT, "required": [[]]}, "s.required", "names"),
        ({"properties": []}, "s.properties", "object"),
        (RECURSIVE, "s.properties.next.properties.next.$ref", "recursive"), (DOUBLING, "s", "2000 parts"),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_is_named(schema: Any, where: str, words: str) -> None:
    """No keyword is left out in silence, as the engine's library would."""
    with pytest.raises(CallerError) as error:
        settle(schema, "s")

    assert (where, True) == (error.value.param, words in error.value.message)


@pytest.mark.parametrize(
    ("schema", "status"),
    [
        (None, 422), (of(a=7), 422), (of(a={"type": "text"}), 422), (of(a={"minLength": -1}), 422),
        ({**OBJECT, "required": [7]}, 422), (of(a={"enum": []}), 422), (of(a={"$ref": "#/none"}), 422),
        ({"type": "array"}, 400), (of(a={"pattern": "a+"}), 400), ({**OBJECT, "required": ["b"]}, 400),
        (of(a={"enum": [[]]}), 400), (of(a={"format": "email"}), 400), (RECURSIVE, 400), (DOUBLING, 400),
        (of(a={"minLength": 1}), 400),
    ],
)  # fmt: skip
def test_what_is_no_schema_differs_from_what_cannot_be_kept(schema: Any, status: int) -> None:
    """A right schema that the engine's grammars have no form for is not the caller's mistake."""
    with pytest.raises(CallerError) as error:
        settle(schema, "s")

    assert (status, status == 422) == (error.value.status, isinstance(error.value, ChatInvalid))


KEYWORDS: list[dict[str, Any]] = [
    {"type": "integer"}, {"type": "number"}, {"type": ["string", "null"]}, {"type": "boolean"},
    {"type": "null"},
    {"const": "x"}, {"const": 1}, {"const": True}, {"enum": ["x", 1, None]}, {"minimum": 1}, {"maximum": 1},
    {"exclusiveMinimum": 1}, {"exclusiveMaximum": 2}, {"minLength": 1}, {"maxLength": 1}, {"minItems": 1},
    {"maxItems": 1}, {"items": {"type": "string"}}, {"anyOf": [{"type": "string"}, {"const": 1}]},
    {"oneOf": [{"type": "integer"}, {"minimum": 2}]}, {"additionalProperties": False},
    {"properties": {"a": {"type": "integer"}}, "additionalProperties": {"type": "string"}},
    {"properties": {"a": {"type": "integer"}, "b": {}}, "required": ["a", "b"]}, {},
]  # fmt: skip
VALUES: list[Any] = [
    None, True, False, 0, 1, 2, 1.0, 1.5, "", "x", "xy", "é", [], ["x"], [1, "x"], {}, {"a": 1}, {"a": "x"},
    {"a": 1, "b": None}, {"a": 1, "c": "x"}, {"c": 1},
]  # fmt: skip


@pytest.mark.parametrize("schema", KEYWORDS, ids=json.dumps)
def test_the_check_is_json_schema_s(schema: dict[str, Any]) -> None:
    """The same verdict as the reference library, for every keyword and kind of value."""
    validator = jsonschema.Draft202012Validator(schema)

    for value in VALUES:
        assert validator.is_valid(value) is (problem_of(value, schema) is None), value


HARDER: list[dict[str, Any]] = [
    {"pattern": "^x"}, {"not": {"type": "string"}}, {"allOf": [{"type": "integer"}], "minimum": 1},
    {"type": "object", "properties": {"a": {"pattern": "x", "type": "string"}}},
    {"type": "object", "properties": {"c": True, "a": False}, "additionalProperties": False},
    {"type": "object", "patternProperties": {"^c": {}}, "properties": {"a": {}, "b": {}},
     "additionalProperties": False},
    {"oneOf": [{"type": "integer", "multipleOf": 2}, {"type": "integer", "minimum": 1}]},
    {"type": ["integer", "string"], "anyOf": [{"minimum": 1}, {"maxLength": 1}]},
    {"type": "object", "required": ["a"]}, {"enum": [[], 1]}, {"const": []}, {"minimum": True},
    {"items": {"$ref": "#/none"}}, {"$ref": "#"}, {"$ref": "#/none", "type": "string"}, {"type": "text"},
    {"format": "email", "type": "string"},
]  # fmt: skip


@pytest.mark.parametrize("schema", KEYWORDS + HARDER, ids=json.dumps)
def test_a_loosened_schema_never_takes_less(schema: dict[str, Any]) -> None:
    """What it cannot check it lets pass; what it says is wrong is wrong by the reference library, too."""
    try:
        jsonschema.Draft202012Validator.check_schema(schema)
        validator = jsonschema.Draft202012Validator(schema)
        right = [value for value in VALUES if _is_right(validator, value)]
    except jsonschema.SchemaError:
        right = VALUES

    assert [] == [value for value in right if problem_of(value, loosen(schema)) is not None]


def _is_right(validator: Any, value: Any) -> bool:
    try:
        return bool(validator.is_valid(value))
    except (jsonschema.exceptions._WrappedReferencingError, RecursionError):
        return True


def test_a_loosened_schema_still_checks_what_it_can() -> None:
    """One keyword that is not known does not let everything pass."""
    schema = {**of(a={"type": "integer", "multipleOf": 2}), "required": ["a", "b"], "minProperties": 1}
    loose = loosen(schema)

    assert {**of(a={"type": "integer"}), "required": ["a", "b"]} == loose
    assert "$.a is not of type integer" == problem_of({"a": "x", "b": 1}, loose)
    assert ({}, {}, {}) == (loosen(None), loosen(7), loosen([]))
    # Written out it would have a billion parts: what is beyond the limit is let pass.
    assert loosen(DOUBLING)["type"] == "object"


@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("date", "2026-02-03", "2026-13-01"), ("time", "12:30:00", "25:00"),
        ("date-time", "2026-02-03T12:30:00Z", "yesterday"),
        ("uuid", "123e4567-e89b-12d3-a456-426614174000", "123"),
    ],
)  # fmt: skip
def test_formats_are_checked(name: str, good: str, bad: str) -> None:
    """They bind texts only."""
    schema = {"format": name}

    assert (None, None) == (problem_of(good, schema), problem_of(7, schema))
    assert problem_of(bad, schema) == f"$ is no {name}"


@pytest.mark.parametrize(
    ("shape", "text", "words"),
    [
        (Shape(), "", "is not the JSON"), (Shape(), "[]", "not of type object"),
        (Shape(), '{"a": ', "is not the JSON"),
        (Shape(OBJECT), '{"a": 1}', "$.a is not of type string"),
        (Shape({**OBJECT, "required": ["a"]}), "{}", "$.a is missing"),
        (Shape({**of(a={"items": {"type": "integer"}})}), '{"a": [1, "x"]}', "$.a[1]"),
    ],
)  # fmt: skip
def test_a_result_of_another_form_is_an_error(shape: Shape, text: str, words: str) -> None:
    """It says what is wrong with it."""
    with pytest.raises(EngineFailed) as error:
        shape.check(text)

    assert words in error.value.message


def test_a_result_of_the_form_passes() -> None:
    """Nothing is said."""
    Shape().check('{"a": {"b": []}}')
    Shape(OBJECT).check('{"a": "x"}')


def nested(levels: int) -> dict[str, Any]:
    """Make a schema of objects within objects."""
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = of(a=schema)
    return schema


def test_a_schema_is_nested_fifty_levels_at_most() -> None:
    """Deeper ones could not even be written for the engine; a loose one keeps what is above."""
    assert nested(50) == settle(nested(50), "response_format")
    for levels in (51, 240, 480):
        with pytest.raises(CallerError, match="nested deeper than 50 levels"):
            settle(nested(levels), "response_format")
        assert {"type", "properties"} >= loosen(nested(levels)).keys()
