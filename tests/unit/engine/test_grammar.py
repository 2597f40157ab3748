"""Grammars in LLGuidance's language."""

import orjson
import pytest

from engine.body import Grammar
from engine.errors import Invalid
from engine.grammar import write_grammar


def rule(grammar: Grammar, probe: str = "") -> str:
    """Give the rule behind the fixed beginning."""
    text = write_grammar(grammar, probe)
    assert text.startswith("%llguidance {}\nstart: ")
    assert text.endswith("\n")
    return text.removeprefix("%llguidance {}\nstart: ").removesuffix("\n")


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("[0-9]{3}", "/[0-9]{3}/"),
        ("a/b", r"/a\/b/"),
        (r"a\/b", r"/a\/b/"),
        (r"a\\/b", r"/a\\\/b/"),
        ("a\nb", r"/a\nb/"),
        ("a\\\nb", r"/a\nb/"),
        ("\r", r"/\r/"),
        ("é😀", "/é😀/"),
    ],
)
def test_patterns_are_quoted(pattern: str, written: str) -> None:
    """Slashes and line ends would end them."""
    assert written == rule(Grammar("regex", pattern))


def test_a_probe_stands_before_the_rule() -> None:
    """It is what an obedient server begins with."""
    assert '"~" /a/' == rule(Grammar("regex", "a"), "~")


def test_objects_are_closed() -> None:
    """TGI's grammar library writes the listed properties and no others."""
    schema = {
        "properties": {
            "a": {"properties": {"b": {"type": "string"}}},
            "c": {"type": "array", "items": {"properties": {}}},
        },
        "$defs": {"d": {"properties": {}, "additionalProperties": True}},
        "enum": [{"properties": {}}],
    }
    before = orjson.dumps(schema)
    written = orjson.loads(rule(Grammar("json", schema)).removeprefix("%json "))

    assert {
        "properties": {
            "a": {"properties": {"b": {"type": "string"}}, "type": "object", "additionalProperties": False},
            "c": {
                "type": "array",
                "items": {"properties": {}, "type": "object", "additionalProperties": False},
            },
        },
        "$defs": {"d": {"properties": {}, "additionalProperties": True, "type": "object"}},
        "enum": [{"properties": {}}],
        "type": "object",
        "additionalProperties": False,
        "x-guidance": {"whitespace_flexible": False},
    } == written
    assert before == orjson.dumps(schema)


@pytest.mark.parametrize("depth", [200, 1000])
def test_a_schema_nested_too_deeply_is_refused(depth: int) -> None:
    """It cannot be written as JSON again, and is the request's fault."""
    schema: dict[str, object] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "object", "properties": {"a": schema}}
    with pytest.raises(Invalid, match="nested too deeply"):
        write_grammar(Grammar("json", schema))
