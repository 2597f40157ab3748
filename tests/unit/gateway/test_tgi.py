"""The body that asks for a generation, as TGI wants it."""

import json
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_generation.types import Parameters, Request

from gateway.chat import Sampling
from gateway.errors import EngineRejected
from gateway.tgi import generate_body


def told(**sampling: Any) -> dict[str, Any]:
    """Give the parameters that some sampling becomes."""
    document = json.loads(generate_body("Hi", Sampling(**sampling), 5))
    assert "Hi" == document["inputs"]
    parameters: dict[str, Any] = document["parameters"]
    return parameters


def test_greedy_names_no_way_of_sampling() -> None:
    """Temperature 0 is an error at TGI, and a seed or top_p would turn sampling on."""
    expected = {"max_new_tokens": 5, "do_sample": False, "details": True}

    got = told(temperature=0.0, top_p=0.5, seed=3)

    assert expected == {name: got[name] for name in expected}
    assert set() == got.keys() & {"temperature", "top_p", "top_k", "seed", "frequency_penalty"}


def test_sampling_is_passed_on() -> None:
    """Each field under TGI's name."""
    expected = {"do_sample": True, "temperature": 0.5, "top_p": 0.9, "seed": 3, "stop": ["END"]}

    got = told(temperature=0.5, top_p=0.9, seed=3, stop=("END",))

    assert expected == {name: got[name] for name in expected}


def test_a_top_p_of_one_is_left_out() -> None:
    """TGI refuses 1.0, which means no cut."""
    assert "top_p" not in told(temperature=0.5, top_p=1.0)


def test_no_null_is_sent() -> None:
    """TGI takes null for some parameters only."""
    assert None not in told().values()


@pytest.mark.parametrize("penalty", [-2.0, -0.5, 0.5, 2.0])
def test_every_frequency_penalty_of_tgi_is_passed_on(penalty: float) -> None:
    """The client library refuses those below zero; TGI takes them."""
    assert penalty == told(frequency_penalty=penalty)["frequency_penalty"]


def test_more_stops_than_tgi_takes_are_cut_by_us_alone() -> None:
    """The engine gets four to end early by; the text is cut here in any case."""
    assert ["a", "b", "c", "d"] == told(stop=("a", "b", "c", "d", "e"))["stop"]


def test_what_the_client_library_refuses_is_an_engine_error() -> None:
    """No foreign exception leaves the module."""
    with pytest.raises(EngineRejected):
        generate_body("", Sampling(), 5)


@given(st.text(min_size=1), st.sampled_from([0.0, 0.7]), st.none() | st.integers(0, 9), st.integers(1, 3))
def test_what_is_kept_of_a_body_is_what_the_client_s_types_write(
    prompt: str, temperature: float, seed: int | None, limit: int
) -> None:
    """Byte for byte, for any prompt, whether its sampling came before or not."""
    sampling = Sampling(temperature=temperature, top_p=0.9, seed=seed, stop=("END",), frequency_penalty=0.5)
    is_sampled = temperature > 0
    parameters = Parameters(
        do_sample=is_sampled,
        max_new_tokens=limit,
        temperature=temperature if is_sampled else None,
        top_p=0.9 if is_sampled else None,
        seed=seed if is_sampled else None,
        frequency_penalty=0.5,
        stop=["END"],
        details=True,
    )
    body = json.loads(generate_body(prompt, sampling, limit))
    by_types = Request(inputs=prompt, parameters=parameters).model_dump(mode="json", exclude_none=True)

    assert by_types == body
    assert orjson.dumps(body) == generate_body(prompt, sampling, limit)


def test_samplings_with_a_grammar_are_written_anew() -> None:
    """A grammar is too large to keep, and comes once."""
    grammars = [{"type": "json", "value": {"const": number}} for number in (1, 2)]

    assert grammars == [told(grammar=grammar)["grammar"] for grammar in grammars]
