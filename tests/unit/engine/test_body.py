"""Bodies that are requests, and the plain-text refusals of those that are not."""

from typing import Any

import orjson
import pytest

from engine.body import Body, Grammar, Parameters, parse_body, refuse_content_type
from engine.errors import BodyRefused

TYPE = "Failed to deserialize the JSON body into the target type: "
SYNTAX = "Failed to parse the request body as JSON: "


def refusal(data: bytes) -> tuple[int, str]:
    """Parse what must be refused."""
    with pytest.raises(BodyRefused) as caught:
        parse_body(data)
    return caught.value.status, caught.value.text


def test_absent_parameters_mean_sampling() -> None:
    """TGI's trap: no object at all samples, an empty object does not."""
    assert Body("x", Parameters(do_sample=True)) == parse_body(b'{"inputs":"x"}')
    assert Body("x", Parameters(do_sample=False)) == parse_body(b'{"inputs":"x","parameters":{}}')


def test_every_field_is_taken() -> None:
    """Names and types of all parameters."""
    parameters: dict[str, Any] = {
        "best_of": 1,
        "temperature": 1,
        "repetition_penalty": 1.5,
        "frequency_penalty": -1,
        "top_k": -3,
        "top_p": 0.5,
        "typical_p": 0.25,
        "do_sample": True,
        "max_new_tokens": 7,
        "return_full_text": True,
        "stop": ["a"],
        "truncate": 9,
        "watermark": True,
        "details": True,
        "decoder_input_details": True,
        "seed": 2**64 - 1,
        "top_n_tokens": 5,
        "grammar": {"type": "regex", "value": "a"},
        "adapter_id": "z",
        "unknown": 1,
    }
    expected = Parameters(
        1,
        1.0,
        1.5,
        -1.0,
        -3,
        0.5,
        0.25,
        True,
        7,
        True,
        ["a"],
        9,
        True,
        True,
        True,
        2**64 - 1,
        5,
        Grammar("regex", "a"),
        "z",
    )

    assert Body("x", expected, stream=True) == parse_body(
        orjson.dumps({"inputs": "x", "parameters": parameters, "stream": True})
    )


def test_null_is_absence_where_tgi_takes_it() -> None:
    """The official client sends nulls."""
    names = (
        "best_of",
        "temperature",
        "repetition_penalty",
        "frequency_penalty",
        "top_k",
        "top_p",
        "typical_p",
        "max_new_tokens",
        "return_full_text",
        "truncate",
        "seed",
        "top_n_tokens",
        "grammar",
        "adapter_id",
    )

    assert (
        Parameters()
        == parse_body(orjson.dumps({"inputs": "x", "parameters": dict.fromkeys(names)})).parameters
    )


@pytest.mark.parametrize("name", ["do_sample", "watermark", "details", "decoder_input_details"])
def test_null_is_no_boolean(name: str) -> None:
    """serde has no null for these."""
    assert (422, f"{TYPE}parameters.{name}: invalid type: null, expected a boolean") == refusal(
        orjson.dumps({"inputs": "x", "parameters": {name: None}})
    )


@pytest.mark.parametrize(
    ("root", "detail"),
    [
        ({}, "missing field `inputs` at line 1 column 2"),
        ([1], "invalid type: sequence, expected struct GenerateRequest"),
        ("x", 'invalid type: string "x", expected struct GenerateRequest'),
        ({"inputs": 5}, "inputs: invalid type: integer `5`, expected a string"),
        ({"inputs": None}, "inputs: invalid type: null, expected a string"),
        ({"inputs": "x", "stream": None}, "stream: invalid type: null, expected a boolean"),
        (
            {"inputs": "x", "parameters": None},
            "parameters: invalid type: null, expected struct GenerateParameters",
        ),
    ],
)
def test_wrong_roots_are_refused(root: Any, detail: str) -> None:
    """The sentence names path, type and expectation."""
    assert (422, TYPE + detail) == refusal(orjson.dumps(root))


@pytest.mark.parametrize(
    ("name", "value", "detail"),
    [
        ("max_new_tokens", -1, "invalid value: integer `-1`, expected u32"),
        ("max_new_tokens", 2**32, "invalid value: integer `4294967296`, expected u32"),
        ("max_new_tokens", 1.5, "invalid type: floating point `1.5`, expected u32"),
        ("max_new_tokens", True, "invalid type: boolean `true`, expected u32"),
        ("best_of", -1, "invalid value: integer `-1`, expected usize"),
        ("truncate", "9", 'invalid type: string "9", expected usize'),
        ("seed", -1, "invalid value: integer `-1`, expected u64"),
        ("top_n_tokens", -1, "invalid value: integer `-1`, expected u32"),
        ("top_k", 2**31, "invalid value: integer `2147483648`, expected i32"),
        ("temperature", "hot", 'invalid type: string "hot", expected f32'),
        ("temperature", False, "invalid type: boolean `false`, expected f32"),
        ("stop", None, "invalid type: null, expected a sequence"),
        ("stop", "x", 'invalid type: string "x", expected a sequence'),
        ("adapter_id", 1, "invalid type: integer `1`, expected a string"),
        ("return_full_text", 1, "invalid type: integer `1`, expected a boolean"),
        ("grammar", [], "invalid type: sequence, expected internally tagged enum GrammarType"),
        ("grammar", {"value": "a"}, "missing field `type`"),
        ("grammar", {"type": "regex"}, "missing field `value`"),
        (
            "grammar",
            {"type": "xml", "value": ""},
            "unknown variant `xml`, expected one of `json`, `json_object`, `regex`, `json_schema`",
        ),
    ],
)
def test_wrong_parameters_are_refused(name: str, value: Any, detail: str) -> None:
    """The sentence names path, type and expectation."""
    assert (422, f"{TYPE}parameters.{name}: {detail}") == refusal(
        orjson.dumps({"inputs": "x", "parameters": {name: value}})
    )


def test_wrong_items_name_their_place() -> None:
    """Of a list, the first wrong item."""
    assert (422, f"{TYPE}parameters.stop[1]: invalid type: integer `2`, expected a string") == refusal(
        b'{"inputs":"x","parameters":{"stop":["a",2]}}'
    )


@pytest.mark.parametrize(
    ("value", "grammar"),
    [
        ({"type": "json", "value": {"a": 1}}, Grammar("json", {"a": 1})),
        ({"type": "json_object", "value": "{}"}, Grammar("json", "{}")),
        ({"type": "json_schema", "value": {"name": "n", "schema": {"b": 2}}}, Grammar("json", {"b": 2})),
    ],
)
def test_json_grammars_are_one_kind(value: Any, grammar: Grammar) -> None:
    """TGI has three names for a schema."""
    assert (
        grammar
        == parse_body(orjson.dumps({"inputs": "x", "parameters": {"grammar": value}})).parameters.grammar
    )


@pytest.mark.parametrize(
    ("data", "detail"),
    [
        (b"", "EOF while parsing a value at line 1 column 0"),
        (b"\n ", "EOF while parsing a value at line 2 column 1"),
        (b'{"inputs"}', "unexpected character, expected ':' at line 1 column 10"),
        (b'{"inputs":"\xff"}', "str is not valid UTF-8 at line 1 column 1"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes, detail: str) -> None:
    """With 400 and the place."""
    status, text = refusal(data)

    assert 400 == status
    assert text.startswith(SYNTAX)
    assert detail.rpartition(" at ")[2] in text


@pytest.mark.parametrize(
    "value", ["application/json", "Application/JSON; charset=utf-8", "application/ld+json"]
)
def test_json_media_types_pass(value: str) -> None:
    """Parameters and suffixes are fine."""
    refuse_content_type(value)


@pytest.mark.parametrize("value", ["", "text/plain", "application/x-www-form-urlencoded", "text/json"])
def test_other_media_types_are_refused(value: str) -> None:
    """A browser can send these to any address without asking; JSON it cannot."""
    with pytest.raises(BodyRefused) as caught:
        refuse_content_type(value)

    assert (415, "Expected request with `Content-Type: application/json`") == (
        caught.value.status,
        caught.value.text,
    )
