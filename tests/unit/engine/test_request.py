"""TGI's rules, each with its sentence."""

import random
from typing import Any

import pytest

from engine.body import Body, Grammar, Parameters
from engine.errors import Invalid
from engine.request import Limits, Request, check, check_best_of, check_grammar, check_stream, fit

LIMITS = Limits(2048)


def checked(inputs: str = "x", **parameters: Any) -> Request:
    """Check a request that sets some parameters."""
    return check(Body(inputs, Parameters(**parameters)), LIMITS, random.Random(1))


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        ({"best_of": 2}, "you must use sampling when `best_of` is > 1"),
        ({"temperature": 0.0}, "`temperature` must be strictly positive"),
        ({"temperature": -1.0}, "`temperature` must be strictly positive"),
        ({"repetition_penalty": 0.0}, "`repetition_penalty` must be strictly positive"),
        ({"frequency_penalty": -2.1}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        ({"frequency_penalty": 2.1}, "`frequency_penalty` must be >= -2.0 and <= 2.0"),
        ({"top_p": 0.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"top_p": 1.0}, "`top_p` must be > 0.0 and < 1.0"),
        ({"typical_p": 0.0}, "`typical_p` must be > 0.0 and < 1.0"),
        ({"typical_p": 1.0}, "`typical_p` must be > 0.0 and < 1.0"),
        ({"top_k": 0}, "`top_k` must be strictly positive"),
        ({"top_k": -1}, "`top_k` must be strictly positive"),
        ({"max_new_tokens": 0}, "`max_new_tokens` must be strictly positive"),
        ({"stop": ["a"] * 5}, "`stop` supports up to 4 stop sequences. Given: 5"),
        ({"best_of": 2, "do_sample": True, "seed": 1}, "`seed` must not be set when `best_of` > 1"),
        ({"top_n_tokens": 6}, "`top_n_tokens` must be >= 0 and <= 5. Given: 6"),
        ({"truncate": 0}, "`truncate` must be strictly positive and less than 2047. Given: 0"),
        ({"truncate": 2048}, "`truncate` must be strictly positive and less than 2047. Given: 2048"),
        ({"watermark": True}, "`watermark` is not supported by the embedded engine"),
        ({"adapter_id": "a"}, "`adapter_id` is not supported by the embedded engine"),
        ({"inputs": ""}, "`inputs` cannot be empty"),
    ],
)
def test_each_rule_has_its_sentence(parameters: dict[str, Any], rule: str) -> None:
    """The sentence is TGI's, behind its common beginning."""
    with pytest.raises(Invalid) as caught:
        checked(**parameters)

    assert f"Input validation error: {rule}" == caught.value.message


@pytest.mark.parametrize(
    "parameters",
    [
        {"frequency_penalty": -2.0},
        {"frequency_penalty": 2.0},
        {"top_p": 0.999},
        {"top_n_tokens": 5},
        {"stop": ["a"] * 4},
        {"truncate": 2047},
        {"inputs": " "},
        {"best_of": 2, "top_k": 3},
        {"best_of": 0},
    ],
)
def test_the_edges_of_the_rules_pass(parameters: dict[str, Any]) -> None:
    """Limits are inclusive where TGI's are."""
    assert checked(**parameters)


def test_the_first_broken_rule_is_told() -> None:
    """TGI's order: numbers before the empty prompt."""
    with pytest.raises(Invalid, match="top_k"):
        checked(inputs="", top_k=0)


@pytest.mark.parametrize(
    ("parameters", "is_random"),
    [
        ({}, False),
        ({"temperature": 1.0}, False),
        ({"repetition_penalty": 2.0}, False),
        ({"seed": 3}, False),
        ({"do_sample": True}, True),
        ({"temperature": 0.5}, True),
        ({"top_k": 1}, True),
        ({"top_p": 0.5}, True),
        ({"typical_p": 0.5}, True),
    ],
)
def test_only_sampled_answers_have_a_seed(parameters: dict[str, Any], is_random: bool) -> None:
    """A temperature of exactly 1 changes nothing, so it does not sample."""
    assert is_random == (checked(**parameters).sampling.seed is not None)


def test_a_given_seed_is_kept_and_a_missing_one_drawn() -> None:
    """64 bits, as in TGI."""
    assert 2**64 - 1 == checked(do_sample=True, seed=2**64 - 1).sampling.seed
    assert random.Random(1).getrandbits(64) == checked(do_sample=True).sampling.seed


def budget(length: int, **parameters: Any) -> tuple[int, int, int]:
    """Fit a prompt of some length; give prompt, new tokens and chunk."""
    fitted = fit(list(range(length)), checked(**parameters), LIMITS)
    return len(fitted.prompt), fitted.new_tokens, fitted.chunk


def test_lengths_that_fit() -> None:
    """What is asked for, or what the context holds; TGI's chunk beside it."""
    assert (10, 20, 20) == budget(10, max_new_tokens=20)
    assert (10, 2038, 1024) == budget(10)
    assert (10, 1500, 1024) == budget(10, max_new_tokens=1500)
    assert (10, 2038, 1024) == budget(10, max_new_tokens=100_000)
    assert (2047, 1, 1) == budget(2047)
    assert (1024, 1024, 1024) == budget(1024, max_new_tokens=1024)


def test_truncation_keeps_the_end() -> None:
    """TGI's router keeps the last tokens."""
    assert [7, 8, 9] == fit(list(range(10)), checked(truncate=3), LIMITS).prompt
    assert list(range(10)) == fit(list(range(10)), checked(truncate=11), LIMITS).prompt


@pytest.mark.parametrize(
    ("length", "wanted", "rule"),
    [
        (
            2040,
            9,
            "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2040 `inputs` tokens and "
            "9 `max_new_tokens`",
        ),
        (
            1025,
            5000,
            "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 1025 `inputs` tokens and "
            "1024 `max_new_tokens`",
        ),
        (
            2049,
            None,
            "`inputs` tokens + `max_new_tokens` must be <= 2048. Given: 2049 `inputs` tokens and "
            "0 `max_new_tokens`",
        ),
        (2048, None, "`inputs` must have less than 2047 tokens. Given: 2048"),
    ],
)
def test_lengths_that_do_not_fit(length: int, wanted: int | None, rule: str) -> None:
    """The number told is TGI's chunk, not what was asked for."""
    with pytest.raises(Invalid) as caught:
        budget(length, max_new_tokens=wanted)

    assert f"Input validation error: {rule}" == caught.value.message


@pytest.mark.parametrize(
    ("parameters", "rule"),
    [
        (Parameters(best_of=2), "`best_of` != 1 is not supported when streaming tokens"),
        (Parameters(best_of=0), "`best_of` != 1 is not supported when streaming tokens"),
        (
            Parameters(decoder_input_details=True),
            "`decoder_input_details` == true is not supported when streaming tokens",
        ),
    ],
)
def test_what_streams_refuse(parameters: Parameters, rule: str) -> None:
    """Two rules hold for streams only."""
    with pytest.raises(Invalid) as caught:
        check_stream(parameters)

    assert f"Input validation error: {rule}" == caught.value.message


def test_streams_accept_the_rest() -> None:
    """One answer is what a stream gives."""
    check_stream(Parameters(best_of=1))
    check_stream(Parameters())


def test_more_alternatives_than_two_are_refused() -> None:
    """TGI's default limit."""
    check_best_of(2)
    with pytest.raises(Invalid) as caught:
        check_best_of(3)

    assert "Input validation error: `best_of` must be > 0 and <= 2. Given: 3" == caught.value.message


def test_grammars_that_pass() -> None:
    """A schema may come as a text, too."""
    schema: dict[str, Any] = {"properties": {}}

    assert check_grammar(None) is None
    assert Grammar("regex", "(") == check_grammar(Grammar("regex", "("))
    assert Grammar("json", schema) == check_grammar(Grammar("json", schema))
    assert Grammar("json", schema) == check_grammar(Grammar("json", '{"properties":{}}'))


@pytest.mark.parametrize(
    ("value", "rule"),
    [
        ({}, "grammar is not valid: Grammar must have a 'properties' field"),
        ("{}", "grammar is not valid: Grammar must have a 'properties' field"),
        ("[]", "grammar is not valid: a JSON schema must be an object"),
        (5, "grammar is not supported"),
        ([], "grammar is not supported"),
    ],
)
def test_grammars_that_do_not_pass(value: Any, rule: str) -> None:
    """TGI needs an object with properties."""
    with pytest.raises(Invalid) as caught:
        check_grammar(Grammar("json", value))

    assert f"Input validation error: {rule}" == caught.value.message


def test_a_schema_text_that_is_no_json() -> None:
    """The parser's words follow TGI's."""
    with pytest.raises(Invalid, match=r"^Input validation error: grammar is not valid: "):
        check_grammar(Grammar("json", "{"))
