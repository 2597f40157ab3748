"""/tokenize, begin-of-text and special tokens (tgi.md 1.4, 3)."""

from typing import Any

from tests.contract.target import Target
from tests.contract.wire import ask

BEGIN = "<|begin_of_text|>"


def tokenize(target: Target, inputs: str, **parameters: Any) -> list[dict[str, Any]]:
    """The tokens of a text."""
    body = {"inputs": inputs, "parameters": parameters} if parameters else {"inputs": inputs}
    reply = ask(target.port, "POST", "/tokenize", body)
    assert (200, "application/json") == (reply.status, reply.headers["content-type"])
    tokens: list[dict[str, Any]] = reply.document
    return tokens


def test_the_automatic_begin_of_text_has_no_text_and_no_span(target: Target) -> None:
    """It comes first, with zero offsets."""
    first, second, *_ = tokenize(target, "hi")

    assert ["id", "text", "start", "stop"] == list(first)
    assert ("", 0, 0) == (first["text"], first["start"], first["stop"])
    assert first["id"] != second["id"]


def test_a_written_begin_of_text_makes_two(target: Target) -> None:
    """TGI never removes the double; the written one has its seventeen bytes."""
    first, second, third, *_ = tokenize(target, BEGIN + "hi")

    assert first["id"] == second["id"] != third["id"]
    assert ("", 0, 0) == (first["text"], first["start"], first["stop"])
    assert (BEGIN, 0, 17) == (second["text"], second["start"], second["stop"])


def test_offsets_are_bytes_of_the_text(target: Target) -> None:
    """Each token's text is what lies between its offsets in UTF-8, and nothing is left out."""
    text = "héllo wörld 🦊\n\nok"
    raw = text.encode()

    tokens = tokenize(target, text)[1:]

    assert [token["text"] for token in tokens] == [
        raw[token["start"] : token["stop"]].decode("utf-8", "replace") for token in tokens
    ]
    covered = {at for token in tokens for at in range(token["start"], token["stop"])}
    assert set(range(len(raw))) == covered


def test_special_texts_anywhere_become_control_tokens(target: Target) -> None:
    """One token for each control text a user writes: only the caller can prevent it."""
    tokens = tokenize(target, "a<|eot_id|>é<|start_header_id|>b<|end_header_id|>")
    texts = ("<|eot_id|>", "<|start_header_id|>", "<|end_header_id|>")
    alone = {text: tokenize(target, text)[1]["id"] for text in texts}

    found = {token["text"]: (token["id"], token["start"]) for token in tokens if token["text"] in alone}

    assert {"<|eot_id|>": 1, "<|start_header_id|>": 13, "<|end_header_id|>": 33} == {
        text: start for text, (_, start) in found.items()
    }
    assert alone == {text: id_ for text, (id_, _) in found.items()}


def test_truncate_has_no_effect(target: Target) -> None:
    """The parameter is read and ignored here."""
    assert tokenize(target, "a b c d e f") == tokenize(target, "a b c d e f", truncate=2)


def test_rules_of_generation_do_not_apply(target: Target) -> None:
    """Nothing but the form of the request is checked."""
    assert tokenize(target, "hi") == tokenize(target, "hi", temperature=0, max_new_tokens=0)


def test_empty_inputs_are_begin_of_text_alone(target: Target) -> None:
    """The empty text has one token."""
    assert 1 == len(tokenize(target, ""))
