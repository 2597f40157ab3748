"""TGI's rules for a request: what may be asked, and the sentence for what may not.

Knows: the order and the texts of TGI's validation; its sampling defaults; its length rule.
Knows nothing of: HTTP, llama.cpp. Token counts are given to it.
"""

import random
from dataclasses import dataclass
from typing import Any

import orjson

from engine.body import Body, Grammar, Parameters
from engine.errors import Invalid

MAX_BEST_OF = 2
MAX_STOP_SEQUENCES = 4
MAX_TOP_N_TOKENS = 5
# TGI schedules and validates at most this many new tokens at a time.
CHUNK_TOKENS = 1024


@dataclass(frozen=True, slots=True)
class Limits:
    """How long prompts and answers may be.

    Units:  tokens; max_total_tokens counts prompt and answer together.
    """

    max_total_tokens: int

    @property
    def max_input_tokens(self) -> int:
        """Leave room for one new token, as TGI's launcher does."""
        return self.max_total_tokens - 1


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. `seed` is None where nothing is random."""

    temperature: float
    top_k: int
    top_p: float
    typical_p: float
    repetition_penalty: float
    frequency_penalty: float
    seed: int | None


@dataclass(frozen=True, slots=True)
class Request:
    """A request that passed every rule which needs no token count.

    Units:  max_new_tokens in tokens, None = until the context is full; truncate in tokens.
    """

    inputs: str
    sampling: Sampling
    max_new_tokens: int | None
    stop: tuple[str, ...]
    truncate: int | None
    top_n_tokens: int
    grammar: Grammar | None


@dataclass(frozen=True, slots=True)
class Budget:
    """Tokens of one request: the prompt as sent, and how many may follow.

    `chunk` is what TGI validates and records as max_new_tokens; `new_tokens` is what is generated.
    """

    prompt: list[int]
    new_tokens: int
    chunk: int


def check_stream(parameters: Parameters) -> None:
    """Refuse what TGI refuses in streams only; these two come before the permit.

    Raises: Invalid.
    """
    if parameters.best_of is not None and parameters.best_of != 1:
        raise Invalid("`best_of` != 1 is not supported when streaming tokens")
    if parameters.decoder_input_details:
        raise Invalid("`decoder_input_details` == true is not supported when streaming tokens")


def check_best_of(best_of: int) -> None:
    """Refuse more alternatives than TGI's default allows.

    Raises: Invalid.
    """
    if best_of > MAX_BEST_OF:
        raise Invalid(f"`best_of` must be > 0 and <= {MAX_BEST_OF}. Given: {best_of}")


def check(body: Body, limits: Limits, randomness: random.Random) -> Request:
    """Apply TGI's rules in TGI's order.

    Raises: Invalid with TGI's sentence of the first broken rule.
    """
    given = body.parameters
    warped = any(
        value is not None for value in (given.temperature, given.top_k, given.top_p, given.typical_p)
    )
    best_of = given.best_of or 1
    if best_of > 1 and not (given.do_sample or warped):
        raise Invalid("you must use sampling when `best_of` is > 1")
    if given.temperature is not None and given.temperature <= 0.0:
        raise Invalid("`temperature` must be strictly positive")
    if given.repetition_penalty is not None and given.repetition_penalty <= 0.0:
        raise Invalid("`repetition_penalty` must be strictly positive")
    if given.frequency_penalty is not None and not -2.0 <= given.frequency_penalty <= 2.0:
        raise Invalid("`frequency_penalty` must be >= -2.0 and <= 2.0")
    if given.top_p is not None and not 0.0 < given.top_p < 1.0:
        raise Invalid("`top_p` must be > 0.0 and < 1.0")
    if given.typical_p is not None and not 0.0 < given.typical_p < 1.0:
        raise Invalid("`typical_p` must be > 0.0 and < 1.0")
    if given.top_k is not None and given.top_k <= 0:
        raise Invalid("`top_k` must be strictly positive")
    if given.max_new_tokens == 0:
        raise Invalid("`max_new_tokens` must be strictly positive")
    if len(given.stop) > MAX_STOP_SEQUENCES:
        raise Invalid(f"`stop` supports up to {MAX_STOP_SEQUENCES} stop sequences. Given: {len(given.stop)}")
    if given.seed is not None and best_of > 1:
        raise Invalid("`seed` must not be set when `best_of` > 1")
    if given.top_n_tokens is not None and given.top_n_tokens > MAX_TOP_N_TOKENS:
        raise Invalid(f"`top_n_tokens` must be >= 0 and <= {MAX_TOP_N_TOKENS}. Given: {given.top_n_tokens}")
    if not body.inputs:
        raise Invalid("`inputs` cannot be empty")
    if given.truncate is not None and not 0 < given.truncate <= limits.max_input_tokens:
        raise Invalid(
            f"`truncate` must be strictly positive and less than {limits.max_input_tokens}. "
            f"Given: {given.truncate}"
        )
    _check_unsupported(given)
    return Request(
        inputs=body.inputs,
        sampling=_sampling(given, randomness),
        max_new_tokens=given.max_new_tokens,
        stop=tuple(given.stop),
        truncate=given.truncate,
        top_n_tokens=given.top_n_tokens or 0,
        grammar=given.grammar,
    )


def fit(tokens: list[int], request: Request, limits: Limits) -> Budget:
    """Apply TGI's length rules to a tokenised prompt.

    Deliberate divergence: TGI serves more than 1024 new tokens in chunks, by which it overshoots the
    number asked for or stops short of the context; here exactly the number asked for is generated, or
    what the context holds. Validation, and the number in its message, stay TGI's.

    Raises: Invalid with TGI's sentence and counts.
    """
    length = len(tokens) if request.truncate is None else min(len(tokens), request.truncate)
    room = max(0, limits.max_total_tokens - length)
    wanted = room if request.max_new_tokens is None else request.max_new_tokens
    chunk = min(wanted, CHUNK_TOKENS)
    if length + chunk > limits.max_total_tokens:
        raise Invalid(
            f"`inputs` tokens + `max_new_tokens` must be <= {limits.max_total_tokens}. "
            f"Given: {length} `inputs` tokens and {chunk} `max_new_tokens`"
        )
    if length > limits.max_input_tokens:
        raise Invalid(f"`inputs` must have less than {limits.max_input_tokens} tokens. Given: {length}")
    return Budget(tokens[len(tokens) - length :], min(wanted, room), chunk)


def _check_unsupported(given: Parameters) -> None:
    # Deliberate divergence: TGI honours these with the right model or flag. Ignoring them would bend a
    # request without a word.
    if given.watermark:
        raise Invalid("`watermark` is not supported by the embedded engine")
    if given.adapter_id is not None:
        raise Invalid("`adapter_id` is not supported by the embedded engine")


def _sampling(given: Parameters, randomness: random.Random) -> Sampling:
    temperature = 1.0 if given.temperature is None else given.temperature
    # TGI's shard samples when told to, or when one of these changes the distribution; a temperature of
    # exactly 1 does not.
    is_random = (
        given.do_sample
        or temperature != 1.0
        or given.top_k is not None
        or given.top_p is not None
        or given.typical_p is not None
    )
    seed = randomness.getrandbits(64) if given.seed is None else given.seed
    return Sampling(
        temperature=temperature,
        top_k=given.top_k or 0,
        top_p=given.top_p or 1.0,
        typical_p=given.typical_p or 1.0,
        repetition_penalty=given.repetition_penalty or 1.0,
        frequency_penalty=given.frequency_penalty or 0.0,
        seed=seed if is_random else None,
    )


def check_grammar(grammar: Grammar | None) -> Grammar | None:
    """Apply TGI's rules for a grammar, which come after those for lengths; give it with its schema parsed.

    Raises: Invalid.
    """
    if grammar is None or grammar.kind == "regex":
        return grammar
    schema: Any = grammar.value
    if isinstance(schema, str):
        try:
            schema = orjson.loads(schema)
        except orjson.JSONDecodeError as error:
            raise Invalid(f"grammar is not valid: {error.msg}") from None
    elif not isinstance(schema, dict):
        raise Invalid("grammar is not supported")
    if not isinstance(schema, dict):
        raise Invalid("grammar is not valid: a JSON schema must be an object")
    if "properties" not in schema:
        raise Invalid("grammar is not valid: Grammar must have a 'properties' field")
    return Grammar("json", schema)
