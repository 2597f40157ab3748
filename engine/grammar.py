"""Grammars in the form that llama.cpp understands, and the proof that it does.

llama.cpp ignores a grammar which it cannot compile and generates freely. So each new grammar is first
tried behind one fixed character: a server that obeys begins with that character.

Knows: LLGuidance's grammar text.
Knows nothing of: TGI's rules for the request, HTTP.
"""

import copy
from typing import Any

import orjson

from engine.body import Grammar
from engine.errors import Invalid

# Written where the model alone would hardly begin with them; two, so that one of them is not what the
# model would have said anyway.
PROBES = ("~", "^")


def write_grammar(grammar: Grammar, probe: str = "") -> str:
    """Write a grammar in LLGuidance's language, behind the probe character if one is given.

    Raises: Invalid where a schema is nested deeper than can be written.
    """
    try:
        rule = _regex(grammar.value) if grammar.kind == "regex" else _schema(grammar.value)
    except (RecursionError, orjson.JSONEncodeError):
        raise Invalid("grammar is not valid: the JSON schema is nested too deeply") from None
    first = f"{orjson.dumps(probe).decode()} " if probe else ""
    return f"%llguidance {{}}\nstart: {first}{rule}\n"


def _regex(pattern: str) -> str:
    """Quote a regular expression: a bare slash or line end would close it."""
    quoted, is_escaped = [], False
    for character in pattern:
        if character == "/" and not is_escaped:
            quoted.append("\\/")
        elif character in "\n\r":
            quoted.append(("" if is_escaped else "\\") + ("n" if character == "\n" else "r"))
        else:
            quoted.append(character)
        is_escaped = character == "\\" and not is_escaped
    return f"/{''.join(quoted)}/"


def _schema(schema: dict[str, Any]) -> str:
    # Free white space lets a small model write line ends until its tokens are used up.
    compact = {**_closed(copy.deepcopy(schema)), "x-guidance": {"whitespace_flexible": False}}
    return f"%json {orjson.dumps(compact).decode()}"


def _closed(schema: Any) -> Any:
    """Close objects that list their properties, as TGI's grammar library does: those and no others.

    It also takes such a schema for an object's where no type is given.
    """
    if isinstance(schema, dict):
        for key, value in schema.items():
            if key in ("properties", "$defs", "definitions", "patternProperties"):
                if isinstance(value, dict):
                    for name in value:
                        value[name] = _closed(value[name])
            elif key not in ("enum", "const", "default", "examples"):
                schema[key] = _closed(value)
        if isinstance(schema.get("properties"), dict):
            schema.setdefault("type", "object")
            schema.setdefault("additionalProperties", False)
    elif isinstance(schema, list):
        return [_closed(item) for item in schema]
    return schema
