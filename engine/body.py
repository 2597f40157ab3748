"""TGI's request body: JSON into typed values, or the plain-text refusal of its web framework.

Knows: field names, types and defaults; the sentences of axum and serde for a wrong body.
Knows nothing of: what the values may be (see request), HTTP beyond status and content type.

Deliberate divergence: serde reports line and column of a wrong type; here only the field's path is given.
"""

from dataclasses import dataclass, field
from typing import Any, Literal, NoReturn

import orjson

from engine.errors import BodyRefused

# TGI's PAYLOAD_LIMIT, bytes.
BODY_LIMIT = 2_000_000

GrammarKind = Literal["json", "regex"]
_GRAMMAR_KINDS = ("json", "json_object", "regex", "json_schema")
_U32, _U64, _I32 = (0, 2**32 - 1), (0, 2**64 - 1), (-(2**31), 2**31 - 1)


@dataclass(frozen=True, slots=True)
class Grammar:
    """What the answer must look like: a JSON schema (`json`) or a regular expression (`regex`)."""

    kind: GrammarKind
    value: Any


@dataclass(frozen=True, slots=True)
class Parameters:
    """The `parameters` object, as given."""

    best_of: int | None = None
    temperature: float | None = None
    repetition_penalty: float | None = None
    frequency_penalty: float | None = None
    top_k: int | None = None
    top_p: float | None = None
    typical_p: float | None = None
    do_sample: bool = False
    max_new_tokens: int | None = None
    return_full_text: bool | None = None
    stop: list[str] = field(default_factory=list)
    truncate: int | None = None
    watermark: bool = False
    details: bool = False
    decoder_input_details: bool = False
    seed: int | None = None
    top_n_tokens: int | None = None
    grammar: Grammar | None = None
    adapter_id: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """One request as its sender wrote it."""

    inputs: str
    parameters: Parameters
    stream: bool = False


def refuse_content_type(content_type: str) -> None:
    """Accept JSON media types only.

    Raises: BodyRefused 415.
    """
    media = content_type.partition(";")[0].strip().lower()
    kind, _, subtype = media.partition("/")
    if kind != "application" or not (subtype == "json" or subtype.endswith("+json")):
        raise BodyRefused(415, "Expected request with `Content-Type: application/json`")


def parse_body(data: bytes) -> Body:
    """Read a request body.

    Raises: BodyRefused 400 where it is no JSON, 422 where a field has a wrong type.
    """
    try:
        root = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise BodyRefused(400, f"Failed to parse the request body as JSON: {_syntax(error, data)}") from None
    if not isinstance(root, dict):
        _mismatch("", root, "struct GenerateRequest")
    if "inputs" not in root:
        lines = data.rstrip().split(b"\n")
        _refuse(f"missing field `inputs` at line {len(lines)} column {len(lines[-1])}")
    inputs = _string(root["inputs"], "inputs")
    # TGI samples when there is no parameters object, and is greedy when there is one without do_sample.
    parameters = _parameters(root["parameters"]) if "parameters" in root else Parameters(do_sample=True)
    return Body(inputs, parameters, _flag(root, "stream", ""))


def _parameters(value: Any) -> Parameters:
    if not isinstance(value, dict):
        _mismatch("parameters", value, "struct GenerateParameters")
    return Parameters(
        best_of=_whole(value, "best_of", "usize", _U64),
        temperature=_real(value, "temperature"),
        repetition_penalty=_real(value, "repetition_penalty"),
        frequency_penalty=_real(value, "frequency_penalty"),
        top_k=_whole(value, "top_k", "i32", _I32),
        top_p=_real(value, "top_p"),
        typical_p=_real(value, "typical_p"),
        do_sample=_flag(value, "do_sample"),
        max_new_tokens=_whole(value, "max_new_tokens", "u32", _U32),
        return_full_text=None if value.get("return_full_text") is None else _flag(value, "return_full_text"),
        stop=_strings(value, "stop"),
        truncate=_whole(value, "truncate", "usize", _U64),
        watermark=_flag(value, "watermark"),
        details=_flag(value, "details"),
        decoder_input_details=_flag(value, "decoder_input_details"),
        seed=_whole(value, "seed", "u64", _U64),
        top_n_tokens=_whole(value, "top_n_tokens", "u32", _U32),
        grammar=_grammar(value.get("grammar")),
        adapter_id=_optional_string(value, "adapter_id"),
    )


def _grammar(value: Any) -> Grammar | None:
    path = "parameters.grammar"
    if value is None:
        return None
    if not isinstance(value, dict):
        _mismatch(path, value, "internally tagged enum GrammarType")
    if "type" not in value:
        _refuse(f"{path}: missing field `type`")
    kind = _string(value["type"], f"{path}.type")
    if kind not in _GRAMMAR_KINDS:
        choices = ", ".join(f"`{name}`" for name in _GRAMMAR_KINDS)
        _refuse(f"{path}: unknown variant `{kind}`, expected one of {choices}")
    if "value" not in value:
        _refuse(f"{path}: missing field `value`")
    if kind == "regex":
        return Grammar("regex", _string(value["value"], f"{path}.value"))
    if kind == "json_schema":
        config = value["value"]
        if not isinstance(config, dict):
            _mismatch(f"{path}.value", config, "struct JsonSchemaConfig")
        if "schema" not in config:
            _refuse(f"{path}.value: missing field `schema`")
        return Grammar("json", config["schema"])
    return Grammar("json", value["value"])


def _string(value: Any, path: str) -> str:
    if not isinstance(value, str):
        _mismatch(path, value, "a string")
    return value


def _optional_string(holder: dict[str, Any], name: str) -> str | None:
    return None if holder.get(name) is None else _string(holder[name], f"parameters.{name}")


def _flag(holder: dict[str, Any], name: str, prefix: str = "parameters.") -> bool:
    value = holder.get(name, False)
    if not isinstance(value, bool):
        _mismatch(prefix + name, value, "a boolean")
    return value


def _strings(holder: dict[str, Any], name: str) -> list[str]:
    value = holder.get(name, [])
    if not isinstance(value, list):
        _mismatch(f"parameters.{name}", value, "a sequence")
    return [_string(item, f"parameters.{name}[{place}]") for place, item in enumerate(value)]


def _real(holder: dict[str, Any], name: str) -> float | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float):
        _mismatch(f"parameters.{name}", value, "f32")
    return float(value)


def _whole(holder: dict[str, Any], name: str, kind: str, bounds: tuple[int, int]) -> int | None:
    value = holder.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int):
        _mismatch(f"parameters.{name}", value, kind)
    if not bounds[0] <= value <= bounds[1]:
        _refuse(f"parameters.{name}: invalid value: integer `{value}`, expected {kind}")
    return value


def _mismatch(path: str, value: Any, expected: str) -> NoReturn:
    where = f"{path}: " if path else ""
    _refuse(f"{where}invalid type: {_kind(value)}, expected {expected}")


def _refuse(detail: str) -> NoReturn:
    raise BodyRefused(422, f"Failed to deserialize the JSON body into the target type: {detail}")


def _kind(value: Any) -> str:
    """Name a JSON value as serde does."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return f"boolean `{str(value).lower()}`"
    if isinstance(value, int):
        return f"integer `{value}`"
    if isinstance(value, float):
        return f"floating point `{value}`"
    if isinstance(value, str):
        return f"string {orjson.dumps(value).decode()}"
    return "sequence" if isinstance(value, list) else "map"


def _syntax(error: orjson.JSONDecodeError, data: bytes) -> str:
    """Say what is wrong with the JSON text, and where, in serde's form."""
    if not data.strip():
        lines = data.split(b"\n")
        return f"EOF while parsing a value at line {len(lines)} column {len(lines[-1])}"
    return f"{error.msg} at line {error.lineno} column {error.colno}"
