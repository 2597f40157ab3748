"""TGI's generate request: its JSON form and the rules of its router.

Knows:  types and defaults of tgi.md 1.2, limits and sentences of 1.2 and 1.3, the router's order of tests.
Knows nothing of: HTTP, generation.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.fakes.tokens import encode

# Longer generations are scheduled again in parts of this many tokens (router/src/validation.rs:25).
CHUNK_TOKENS = 1024


class NotJsonError(Exception):
    """The body is no JSON: axum answers 400 in plain text."""


class NotDeserialisedError(Exception):
    """The JSON has the wrong form: axum answers 422 in plain text."""


class InvalidError(Exception):
    """A rule of the router is broken: 422, error_type `validation`."""


@dataclass(frozen=True)
class Limits:
    """What the server was started with."""

    max_total_tokens: int = 8192
    max_input_tokens: int = 8191
    max_best_of: int = 2
    max_stop_sequences: int = 4
    max_top_n_tokens: int = 5


@dataclass(frozen=True)
class GenerateRequest:
    """A deserialised body. Fields as on the wire."""

    inputs: str
    stream: bool
    best_of: int | None
    temperature: float | None
    repetition_penalty: float | None
    frequency_penalty: float | None
    top_k: int | None
    top_p: float | None
    typical_p: float | None
    do_sample: bool
    max_new_tokens: int | None
    return_full_text: bool | None
    stop: list[str]
    truncate: int | None
    watermark: bool
    details: bool
    decoder_input_details: bool
    seed: int | None
    top_n_tokens: int | None
    grammar: dict[str, Any] | None
    adapter_id: str | None

    @property
    def is_sampling(self) -> bool:
        """Whether the shard draws tokens, so that a seed is reported."""
        warped = self.temperature not in (None, 1.0)
        return self.do_sample or warped or any((self.top_k, self.top_p, self.typical_p))


@dataclass(frozen=True)
class Validated:
    """What the router hands to the queue. Counts are tokens."""

    input_length: int
    max_new_tokens: int
    # What generation ends at: above CHUNK_TOKENS whole parts are asked for (tgi.md 1.3).
    token_limit: int


def _integer(low: int, high: int, name: str) -> Callable[[Any], bool]:
    def fits(value: Any) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high

    fits.__name__ = name
    return fits


def _float(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _boolean(value: Any) -> bool:
    return isinstance(value, bool)


def _string(value: Any) -> bool:
    return isinstance(value, str)


def _strings(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _grammar(value: Any) -> bool:
    kinds = {"json", "json_schema", "regex"}
    return isinstance(value, dict) and value.get("type") in kinds and "value" in value


_UINT = _integer(0, 2**64 - 1, "usize")
_UINT32 = _integer(0, 2**32 - 1, "u32")
_INT32 = _integer(-(2**31), 2**31 - 1, "i32")

# name -> (test, expected, nullable)
_PARAMETERS: dict[str, tuple[Callable[[Any], bool], str, bool]] = {
    "best_of": (_UINT, "usize", True),
    "temperature": (_float, "f32", True),
    "repetition_penalty": (_float, "f32", True),
    "frequency_penalty": (_float, "f32", True),
    "top_k": (_INT32, "i32", True),
    "top_p": (_float, "f32", True),
    "typical_p": (_float, "f32", True),
    "do_sample": (_boolean, "a boolean", False),
    "max_new_tokens": (_UINT32, "u32", True),
    "return_full_text": (_boolean, "a boolean", True),
    "stop": (_strings, "a sequence", False),
    "truncate": (_UINT, "usize", True),
    "watermark": (_boolean, "a boolean", False),
    "details": (_boolean, "a boolean", False),
    "decoder_input_details": (_boolean, "a boolean", False),
    "seed": (_UINT, "u64", True),
    "top_n_tokens": (_UINT32, "u32", True),
    "grammar": (_grammar, "internally tagged enum GrammarType", True),
    "adapter_id": (_string, "a string", True),
}


def _refuse(path: str, value: Any, expected: str) -> NotDeserialisedError:
    found = {dict: "map", list: "sequence", type(None): "null"}.get(type(value)) or json.dumps(value)
    return NotDeserialisedError(f"{path}: invalid type: {found}, expected {expected}")


def deserialise(body: bytes) -> GenerateRequest:
    """Read a body of `/generate`, `/generate_stream`, `/tokenize` or `/`.

    Raises:  NotJsonError, NotDeserialisedError.
    """
    try:
        document = json.loads(body.decode())
        json.dumps(document, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except ValueError as fault:
        raise NotJsonError(str(fault)) from None
    if not isinstance(document, dict):
        raise _refuse(".", document, "struct GenerateRequest")
    if "inputs" not in document:
        raise NotDeserialisedError("missing field `inputs`")
    if not isinstance(document["inputs"], str):
        raise _refuse("inputs", document["inputs"], "a string")
    if not _boolean(document.get("stream", False)):
        raise _refuse("stream", document["stream"], "a boolean")
    # Without `parameters` sampling is on, with an object that leaves do_sample out it is off (tgi.md 1.2).
    given = document.get("parameters", {"do_sample": True})
    if not isinstance(given, dict):
        raise _refuse("parameters", given, "struct GenerateParameters")
    values: dict[str, Any] = dict.fromkeys(_PARAMETERS)
    values |= dict.fromkeys(("do_sample", "watermark", "details", "decoder_input_details"), False)
    values["stop"] = []
    for name, (fits, expected, nullable) in _PARAMETERS.items():
        if name not in given or (given[name] is None and nullable):
            continue
        if not fits(given[name]):
            raise _refuse(f"parameters.{name}", given[name], expected)
        values[name] = given[name]
    return GenerateRequest(inputs=document["inputs"], stream=document.get("stream", False), **values)


def _is_fraction(value: float | None) -> bool:
    return value is None or 0.0 < value < 1.0


def validate(request: GenerateRequest, limits: Limits) -> Validated:
    """Apply the router's rules in the router's order.

    Raises:  InvalidError with the router's sentence.
    """
    best_of = 1 if request.best_of is None else request.best_of
    drawn = (request.temperature, request.top_k, request.top_p, request.typical_p)
    if best_of > 1 and not (request.do_sample or any(value is not None for value in drawn)):
        raise InvalidError("you must use sampling when `best_of` is > 1")
    if request.temperature is not None and request.temperature <= 0.0:
        raise InvalidError("`temperature` must be strictly positive")
    if request.repetition_penalty is not None and request.repetition_penalty <= 0.0:
        raise InvalidError("`repetition_penalty` must be strictly positive")
    if request.frequency_penalty is not None and not -2.0 <= request.frequency_penalty <= 2.0:
        raise InvalidError("`frequency_penalty` must be >= -2.0 and <= 2.0")
    if not _is_fraction(request.top_p):
        raise InvalidError("`top_p` must be > 0.0 and < 1.0")
    if not _is_fraction(request.typical_p):
        raise InvalidError("`typical_p` must be > 0.0 and < 1.0")
    if request.top_k is not None and request.top_k <= 0:
        raise InvalidError("`top_k` must be strictly positive")
    if request.max_new_tokens == 0:
        raise InvalidError("`max_new_tokens` must be strictly positive")
    if len(request.stop) > limits.max_stop_sequences:
        raise InvalidError(
            f"`stop` supports up to {limits.max_stop_sequences} stop sequences. Given: {len(request.stop)}"
        )
    if request.seed is not None and best_of > 1:
        raise InvalidError("`seed` must not be set when `best_of` > 1")
    if request.top_n_tokens is not None and request.top_n_tokens > limits.max_top_n_tokens:
        raise InvalidError(
            f"`top_n_tokens` must be >= 0 and <= {limits.max_top_n_tokens}. Given: {request.top_n_tokens}"
        )
    if not request.inputs:
        raise InvalidError("`inputs` cannot be empty")
    if request.truncate is not None and not 0 < request.truncate <= limits.max_input_tokens:
        raise InvalidError(
            f"`truncate` must be strictly positive and less than {limits.max_input_tokens}. "
            f"Given: {request.truncate}"
        )
    validated = _measure(request, limits)
    _check_grammar(request.grammar)
    return validated


def validate_best_of(best_of: int, limits: Limits) -> None:
    """Refuse more sequences than the server allows.

    Raises:  InvalidError.
    """
    if best_of > limits.max_best_of:
        raise InvalidError(f"`best_of` must be > 0 and <= {limits.max_best_of}. Given: {best_of}")


def _measure(request: GenerateRequest, limits: Limits) -> Validated:
    input_length = len(encode(request.inputs))
    if request.truncate is not None:
        input_length = min(input_length, request.truncate)
    room = max(limits.max_total_tokens - input_length, 0)
    asked = room if request.max_new_tokens is None else request.max_new_tokens
    chunk = min(asked, CHUNK_TOKENS)
    if input_length + chunk > limits.max_total_tokens:
        raise InvalidError(
            f"`inputs` tokens + `max_new_tokens` must be <= {limits.max_total_tokens}. "
            f"Given: {input_length} `inputs` tokens and {chunk} `max_new_tokens`"
        )
    if input_length > limits.max_input_tokens:
        raise InvalidError(
            f"`inputs` must have less than {limits.max_input_tokens} tokens. Given: {input_length}"
        )
    token_limit = chunk
    # Each further part asks for a whole chunk again, and none is scheduled that no longer fits.
    while token_limit < asked and input_length + token_limit + chunk <= limits.max_total_tokens:
        token_limit += chunk
    return Validated(input_length, chunk, token_limit)


def _check_grammar(grammar: dict[str, Any] | None) -> None:
    if grammar is None or grammar["type"] == "regex":
        return
    schema = grammar["value"]
    if isinstance(schema, str):
        try:
            schema = json.loads(schema)
        except ValueError as fault:
            raise InvalidError(f"grammar is not valid: {fault}") from None
    if not isinstance(schema, dict):
        raise InvalidError("grammar is not supported")
    if "properties" not in schema:
        raise InvalidError("grammar is not valid: Grammar must have a 'properties' field")
