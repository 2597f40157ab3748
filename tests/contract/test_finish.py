"""Why an answer ends, and what its last event holds (tgi.md 2.2, 2.3)."""

from typing import Any

import pytest

from tests.contract.target import Target
from tests.contract.wire import events

ENDS = {"<|eot_id|>", "<|end_of_text|>", "<|eom_id|>"}


def stream(target: Target, **parameters: Any) -> list[dict[str, Any]]:
    """The events of one answer, with details."""
    return events(target.post("/generate_stream", "hi", details=True, **parameters).body)


def shown(got: list[dict[str, Any]]) -> str:
    """What a reader sees."""
    return "".join(event["token"]["text"] for event in got if not event["token"]["special"])


def test_the_end_of_turn_is_sent_as_a_special_token(target: Target) -> None:
    """The ending token has an event of its own, and its text is not part of the answer."""
    got = stream(target, max_new_tokens=50, **target.say("a fox"))

    last = got[-1]
    assert last["token"]["special"]
    assert last["token"]["text"] in ENDS
    assert ("eos_token", "a fox") == (last["details"]["finish_reason"], last["generated_text"])


def test_an_answer_that_reaches_its_limit_ends_by_length(target: Target) -> None:
    """Exactly so many tokens, the last of them ordinary."""
    got = stream(target, max_new_tokens=3, **target.say("one two three four five six seven"))

    assert (3, "length") == (len(got), got[-1]["details"]["finish_reason"])
    assert not got[-1]["token"]["special"]
    assert shown(got) == got[-1]["generated_text"]


def test_an_end_of_turn_on_the_last_token_counts_as_length(target: Target) -> None:
    """Length is tested first (tokens.py:167)."""
    count = len(stream(target, max_new_tokens=50, **target.say("a fox")))

    got = stream(target, max_new_tokens=count, **target.say("a fox"))

    assert (count, "length") == (len(got), got[-1]["details"]["finish_reason"])
    assert got[-1]["token"]["special"]
    assert "a fox" == got[-1]["generated_text"]


def test_a_stop_text_stays_in_the_answer(target: Target) -> None:
    """The tokens that complete it are streamed, and generated_text includes it."""
    got = stream(target, max_new_tokens=50, stop=["two"], **target.say("one two three"))

    assert ("stop_sequence", "one two") == (got[-1]["details"]["finish_reason"], got[-1]["generated_text"])
    assert "one two" == shown(got)


def test_the_first_stop_text_to_appear_ends_the_answer(target: Target) -> None:
    """Any of several is enough."""
    got = stream(
        target, max_new_tokens=50, stop=["four", "three", "nine"], **target.say("one two three four")
    )

    assert "one two three" == got[-1]["generated_text"]


def test_a_stop_text_on_the_last_token_counts_as_length(target: Target) -> None:
    """Length is tested before stop texts too."""
    count = len(stream(target, max_new_tokens=50, stop=["two"], **target.say("one two three")))

    got = stream(target, max_new_tokens=count, stop=["two"], **target.say("one two three"))

    assert "length" == got[-1]["details"]["finish_reason"]


def test_a_stop_text_may_be_a_pattern_to_others(target: Target) -> None:
    """Characters that mean something in a pattern mean themselves."""
    got = stream(target, max_new_tokens=50, stop=["(.)"], **target.say("one (x) two"))

    assert "one (x) two" == got[-1]["generated_text"]


def test_a_stop_text_may_name_a_special_token(target: Target) -> None:
    """The end-of-turn text as a stop changes nothing: the end of turn is tested first."""
    got = stream(target, max_new_tokens=50, stop=["<|eot_id|>"], **target.say("a fox"))

    assert ("eos_token", "a fox") == (got[-1]["details"]["finish_reason"], got[-1]["generated_text"])


@pytest.mark.needs("script")
def test_a_token_that_runs_past_a_stop_text_defeats_it(target: Target) -> None:
    """A stop text is looked for at the end of the output, token by token."""
    target.script.script(tokens=["one", " two,", " three", "<|eot_id|>"])

    got = stream(target, max_new_tokens=50, stop=["two"])

    assert ("eos_token", "one two, three") == (got[-1]["details"]["finish_reason"], got[-1]["generated_text"])


@pytest.mark.needs("script")
def test_a_newline_after_a_stop_text_does_not_defeat_it(target: Target) -> None:
    """The pattern's end also matches before a final newline."""
    target.script.script(tokens=["one", " two\n", " three", "<|eot_id|>"])

    got = stream(target, max_new_tokens=50, stop=["two"])

    assert ("stop_sequence", "one two\n") == (got[-1]["details"]["finish_reason"], got[-1]["generated_text"])


@pytest.mark.needs("script")
def test_a_control_token_may_be_anywhere(target: Target) -> None:
    """A special token in the middle is streamed as such and absent from generated_text."""
    target.script.script(tokens=["one", "<|start_header_id|>", " two", "<|eot_id|>"])

    got = stream(target, max_new_tokens=50)

    assert [False, True, False, True] == [event["token"]["special"] for event in got]
    assert "one two" == got[-1]["generated_text"]


def test_a_split_character_comes_with_its_last_token(target: Target) -> None:
    """Until a character is whole its tokens have no text; nothing is ever half shown."""
    got = stream(target, max_new_tokens=60, **target.say("x 🦊 é z"))

    assert "x 🦊 é z" == shown(got) == got[-1]["generated_text"]
    assert all("\ufffd" not in event["token"]["text"] for event in got)
    (fox,) = [at for at, event in enumerate(got) if "🦊" in event["token"]["text"]]
    assert "" == got[fox - 1]["token"]["text"]


def test_an_answer_cut_inside_a_character_has_no_text_at_all(target: Target) -> None:
    """generated_text is empty although earlier tokens had text, and no broken character is sent."""
    whole = stream(target, max_new_tokens=60, **target.say("abc 🦊"))
    (fox,) = [event["index"] for event in whole if "🦊" in event["token"]["text"]]

    got = stream(target, max_new_tokens=fox - 1, **target.say("abc 🦊"))

    assert (fox - 1, "length") == (len(got), got[-1]["details"]["finish_reason"])
    assert "" == got[-1]["generated_text"]
    assert "abc" == shown(got).strip()
