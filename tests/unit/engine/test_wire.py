"""TGI's bytes: field order, framing, offsets."""

import orjson

from engine.errors import GenerationFailed, Overloaded
from engine.generation import Finish, Step, Token
from engine.request import Limits
from engine.wire import (
    Answer,
    Times,
    answer_form,
    answer_headers,
    error_body,
    error_event,
    info_form,
    stream_details,
    stream_event,
    tokenize_form,
    unhealthy_body,
)

HI = Token(5, "Hé", -0.5, False)
END = Token(9, "<|eot_id|>", None, True)


def test_a_token_event() -> None:
    """One space after `data:`, nulls spelled out, text as UTF-8."""
    assert (
        'data: {"index":1,"token":{"id":5,"text":"Hé","logprob":-0.5,"special":false},'
        '"generated_text":null,"details":null}\n\n'
    ).encode() == stream_event(Step(1, HI, [], None), "ignored", None)


def test_a_last_event_with_everything() -> None:
    """top_tokens between token and text; details in TGI's order."""
    finish = Finish("eos_token", "Hé", 2)
    step = Step(2, END, [HI], finish)

    assert (
        'data: {"index":2,"token":{"id":9,"text":"<|eot_id|>","logprob":null,"special":true},'
        '"top_tokens":[{"id":5,"text":"Hé","logprob":-0.5,"special":false}],"generated_text":"promptHé",'
        '"details":{"finish_reason":"eos_token","generated_tokens":2,"seed":18446744073709551615,"input_length":7}}\n\n'
    ).encode() == stream_event(step, "prompt", stream_details(finish, 2**64 - 1, 7))


def test_errors() -> None:
    """The same two fields, alone or as an event."""
    assert b'{"error":"Model is overloaded","error_type":"overloaded"}' == error_body(Overloaded())
    assert (
        b'data: {"error":"Request failed during generation: Server error: x","error_type":"generation"}\n\n'
    ) == error_event(GenerationFailed("x"))
    assert b'{"error":"unhealthy","error_type":"healthcheck"}' == unhealthy_body()


def answer(text: str) -> Answer:
    """A whole answer of one token."""
    finish = Finish("length", text, 1)
    return Answer([Step(1, HI, [END], finish)], finish, 3, 7)


def test_an_answer_without_details() -> None:
    """Only the text, behind the prompt if that is wanted."""
    assert b'{"generated_text":"pHi"}' == orjson.dumps(answer_form([answer("Hi")], "p", False, True))


def test_an_answer_with_details() -> None:
    """Optional fields are left out, prefill is empty."""
    assert (
        '{"generated_text":"Hi","details":{"finish_reason":"length","generated_tokens":1,"seed":3,"prefill":[],'
        '"tokens":[{"id":5,"text":"Hé","logprob":-0.5,"special":false}]}}'
    ).encode() == orjson.dumps(answer_form([answer("Hi")], "", True, False))


def test_an_answer_with_alternatives() -> None:
    """They stand between tokens and top_tokens."""
    details = answer_form([answer("A"), answer("B")], "p", True, True)["details"]

    assert [
        "finish_reason",
        "generated_tokens",
        "seed",
        "prefill",
        "tokens",
        "best_of_sequences",
        "top_tokens",
    ] == list(details)
    assert [
        "generated_text",
        "finish_reason",
        "generated_tokens",
        "seed",
        "prefill",
        "tokens",
        "top_tokens",
    ] == list(details["best_of_sequences"][0])
    assert "pB" == details["best_of_sequences"][0]["generated_text"]


def test_timing_headers() -> None:
    """Compute time in seconds, the rest in whole milliseconds."""
    assert [
        (b"x-compute-type", b"cpu"),
        (b"x-compute-time", b"1.2345"),
        (b"x-compute-characters", b"11"),
        (b"x-total-time", b"1234"),
        (b"x-validation-time", b"2"),
        (b"x-queue-time", b"0"),
        (b"x-inference-time", b"1200"),
        (b"x-time-per-token", b"12"),
        (b"x-prompt-tokens", b"7"),
        (b"x-generated-tokens", b"1"),
    ] == answer_headers(Times(1.2345, 0.0025, 0.0009, 1.2, 0.0125), answer("x"), 11)


def test_info() -> None:
    """TGI's fields in TGI's order, and an honest version."""
    form = info_form("m", None, Limits(100), 128)

    assert [
        "model_id",
        "model_sha",
        "model_pipeline_tag",
        "max_concurrent_requests",
        "max_best_of",
        "max_stop_sequences",
        "max_input_tokens",
        "max_total_tokens",
        "validation_workers",
        "max_client_batch_size",
        "router",
        "version",
        "sha",
        "docker_label",
    ] == list(form)
    assert ("m", 99, 100, "3.3.7-embedded") == (
        form["model_id"],
        form["max_input_tokens"],
        form["max_total_tokens"],
        form["version"],
    )


def offsets(text: str, pieces: list[bytes], automatic: int = 1) -> list[tuple[str, int, int]]:
    """Write /tokenize's answer for pieces with ids from 0."""
    form = tokenize_form(text, list(range(len(pieces))), pieces, automatic)
    assert list(range(len(pieces))) == [entry["id"] for entry in form]
    return [(entry["text"], entry["start"], entry["stop"]) for entry in form]


def test_offsets_count_bytes() -> None:
    """The automatic begin token has none; a written one has its own."""
    assert [("", 0, 0), ("<b>", 0, 3), ("é", 3, 5), ("x", 5, 6)] == offsets(
        "<b>éx", [b"<b>", b"<b>", "é".encode(), b"x"]
    )


def test_parts_of_a_character_have_all_of_it() -> None:
    """As TGI's tokenizer gives them."""
    assert [("a", 0, 1), ("😀", 1, 5), ("😀", 1, 5)] == offsets("a😀", [b"a", b"\xf0\x9f", b"\x98\x80"], 0)


def test_a_space_that_the_vocabulary_adds_is_not_counted() -> None:
    """SentencePiece puts one before the text."""
    assert [("", 0, 0), ("Hi", 0, 2), (" you", 2, 6)] == offsets("Hi you", [b"<s>", b" Hi", b" you"])


def test_an_empty_text_has_the_automatic_token_only() -> None:
    """TGI tokenises it without complaint."""
    assert [("", 0, 0)] == offsets("", [b"<b>"])
