"""Whole answers of /generate and / (tgi.md 1.4, 4.4)."""

from typing import Any

import pytest

from tests.contract.target import Target
from tests.contract.wire import Reply, ask

TIMES = ["x-total-time", "x-validation-time", "x-queue-time", "x-inference-time", "x-time-per-token"]


def compat(target: Target, inputs: str, **parameters: Any) -> Reply:
    """POST / without a stream."""
    return ask(target.port, "POST", "/", {"inputs": inputs, "parameters": parameters})


def test_an_answer_is_its_text_alone(target: Target) -> None:
    """Details are left out unless asked for."""
    said = target.say("a fox")

    reply = target.post("/generate", "hi", max_new_tokens=50, **said)

    assert (200, "application/json") == (reply.status, reply.headers["content-type"])
    assert b'{"generated_text":"a fox"}' == reply.body


def test_details_come_in_the_routers_order(target: Target) -> None:
    """Keys of details and of a token are those of the wire, in its order."""
    said = target.say("a fox")

    reply = target.post("/generate", "hi", max_new_tokens=50, details=True, **said)

    assert ["generated_text", "details"] == reply.keys
    details = reply.document["details"]
    assert ["finish_reason", "generated_tokens", "seed", "prefill", "tokens"] == list(details)
    assert ("eos_token", None, []) == (details["finish_reason"], details["seed"], details["prefill"])
    assert [["id", "text", "logprob", "special"]] == [
        *{tuple(token): list(token) for token in details["tokens"]}.values()
    ]
    assert details["generated_tokens"] == len(details["tokens"])
    assert "a fox" == "".join(token["text"] for token in details["tokens"] if not token["special"])


def test_the_ending_token_is_special_and_named(target: Target) -> None:
    """The end-of-turn token is part of the tokens, with its literal text."""
    said = target.say("a fox")

    last = target.post("/generate", "hi", max_new_tokens=50, details=True, **said).document["details"][
        "tokens"
    ][-1]

    assert last["special"]
    assert last["text"] in {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"}


def test_top_tokens_are_listed_for_each_token(target: Target) -> None:
    """Asked for n, each step shows its n best, the best first."""
    details = target.post("/generate", "hi", max_new_tokens=3, details=True, top_n_tokens=2).document[
        "details"
    ]

    assert details["generated_tokens"] == len(details["top_tokens"])
    for best in details["top_tokens"]:
        assert 2 == len(best)
        assert ["id", "text", "logprob", "special"] == list(best[0])
        assert best[0]["logprob"] >= best[1]["logprob"]


def test_a_seed_is_told_only_when_it_was_used(target: Target) -> None:
    """Greedy answers have no seed; a given seed comes back; a drawn one is a number."""
    greedy = target.post("/generate", "hi", max_new_tokens=1, details=True, seed=7)
    given = target.post("/generate", "hi", max_new_tokens=1, details=True, do_sample=True, seed=7)
    drawn = target.post("/generate", "hi", max_new_tokens=1, details=True, do_sample=True)

    assert None is greedy.document["details"]["seed"]
    assert 7 == given.document["details"]["seed"]
    assert int is type(drawn.document["details"]["seed"])


def test_best_of_shows_the_other_sequences(target: Target) -> None:
    """With two sequences one is the answer and the other is listed."""
    details = target.post(
        "/generate", "hi", max_new_tokens=2, details=True, do_sample=True, best_of=2
    ).document["details"]

    (other,) = details["best_of_sequences"]
    expected = ["generated_text", "finish_reason", "generated_tokens", "seed", "prefill", "tokens"]
    assert expected == list(other)


def test_full_text_puts_the_prompt_before_the_answer(target: Target) -> None:
    """`return_full_text` prefixes the prompt as it was sent."""
    said = target.say("a fox")

    reply = target.post("/generate", "See: ", max_new_tokens=50, return_full_text=True, **said)

    assert {"generated_text": "See: a fox"} == reply.document


def test_the_compatibility_route_wraps_and_echoes(target: Target) -> None:
    """`POST /` answers an array, and with the prompt unless told not to."""
    echoed = compat(target, "See: ", max_new_tokens=50, **target.say("a fox"))
    bare = compat(target, "See: ", max_new_tokens=50, return_full_text=False, **target.say("a fox"))

    assert b'[{"generated_text":"See: a fox"}]' == echoed.body
    assert b'[{"generated_text":"a fox"}]' == bare.body


@pytest.mark.parametrize("path", ["/generate", "/"])
def test_times_are_told_in_headers(target: Target, path: str) -> None:
    """x-compute-time is seconds, the others whole milliseconds; counts and characters are exact."""
    inputs = "How are you, dear fóx?"

    reply = ask(
        target.port, "POST", path, {"inputs": inputs, "parameters": {"max_new_tokens": 2, "details": True}}
    )

    count = len(ask(target.port, "POST", "/tokenize", {"inputs": inputs}).document)
    document = reply.document[0] if path == "/" else reply.document
    assert all(reply.headers[name].isdigit() for name in TIMES)
    assert float(reply.headers["x-compute-time"]) > 0
    assert reply.headers["x-compute-type"]
    assert str(len(inputs)) == reply.headers["x-compute-characters"]
    assert str(count) == reply.headers["x-prompt-tokens"]
    assert str(document["details"]["generated_tokens"]) == reply.headers["x-generated-tokens"]
