"""TGI's events, read whole whatever the pieces they come in; its errors, each translated."""

import inspect
import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from text_generation import errors as tgi_errors

from gateway import events
from gateway.chat import Batch, Final, Finish
from gateway.errors import (
    EngineCutOff,
    EngineError,
    EngineFailed,
    EngineOverloaded,
    EngineRejected,
)
from gateway.events import TRANSLATION, Events, translate
from tests.unit.gateway.wire import error, event, final, token

STREAM = b"".join(
    [
        token("Hello", 1),
        b":\n\n",
        token(' "q" \\ \u00e9\u6f22\U0001f600\n\t', 2),
        token("", 3),
        token("x", 4, prefix="data:"),
        token("top", 5, top_tokens=[{"id": 1, "text": "a", "logprob": -1.0, "special": False}]),
        token("<|python_tag|>", 6, special=True),
        final(index=7),
    ]
)
TEXTS = ["Hello", ' "q" \\ \u00e9\u6f22\U0001f600\n\t', "", "x", "top"]
RAW = STREAM.replace(b":\n\n" + b"data", b"data")


def read(*pieces: bytes) -> tuple[list[str], int, Final | None, bytes]:
    """Feed pieces; give all texts, the number of tokens, the final and the raw events."""
    reader, deltas, tokens, last, raw = Events(), [], 0, None, b""
    for piece in pieces:
        batch = reader.feed(piece)
        deltas += [json.loads(delta) for delta in batch.deltas]
        tokens += batch.tokens
        last = batch.final or last
        raw += batch.raw
    assert reader.error is None
    return deltas, tokens, last, raw


def test_a_stream_is_read() -> None:
    """Texts without special tokens, the count with them, and the figures of the last event."""
    deltas, tokens, last, raw = read(STREAM)

    assert (TEXTS, 7) == (deltas, tokens)
    assert Final(Finish.STOP, 7, 11) == last
    assert RAW == raw


def test_a_stream_cut_anywhere_reads_the_same() -> None:
    """At every byte: the same deltas, final and raw events."""
    whole = read(STREAM)

    assert [] == [at for at in range(len(STREAM) + 1) if whole != read(STREAM[:at], STREAM[at:])]


def test_a_stream_byte_by_byte_reads_the_same() -> None:
    """The smallest pieces."""
    assert read(STREAM) == read(*(STREAM[at : at + 1] for at in range(len(STREAM))))


@given(st.lists(st.integers(0, len(STREAM)), max_size=6))
def test_any_pieces_read_the_same(cuts: list[int]) -> None:
    """Several cuts at once."""
    places = [0, *sorted(cuts), len(STREAM)]
    pieces = [STREAM[start:end] for start, end in pairwise(places)]

    assert read(STREAM) == read(*pieces)


class _Slow:
    """A pattern that never matches, so that every event takes the JSON parser."""

    def findall(self, *_: Any) -> list[bytes]:
        return []


@given(
    st.lists(
        st.tuples(
            st.text(max_size=8),
            st.booleans(),
            st.none() | st.floats(-99, 0),
            st.sampled_from(["data: ", "data:"]),
        ),
        max_size=5,
    ),
    st.booleans(),
    st.sampled_from([b"", b":\n\n", b"\n\n", b": a\n: b\n\n"]),
    st.sampled_from([b"", final(index=6), token("<|eot_id|>", 6, special=True), b":\n\n", b"\n\n"]),
)
def test_the_short_cut_agrees_with_the_json_parser(
    tokens: list[tuple[str, bool, float | None, str]], is_escaped: bool, first: bytes, last: bytes
) -> None:
    """Whatever the text, its escapes or its logprob, both ways read the same of what is around, too."""
    stream = b""
    for index, (text, special, logprob, prefix) in enumerate(tokens):
        told = {"id": index, "text": text, "logprob": logprob, "special": special}
        document = {"index": index, "token": told, "generated_text": None, "details": None}
        dumped = json.dumps(document, ensure_ascii=is_escaped, separators=(",", ":"))
        stream += f"{prefix}{dumped}\n\n".encode()
    stream = first + stream + last
    fast = read(stream)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(events, "_TOKEN_EVENT", _Slow())
        slow = read(stream)

    assert slow == fast
    ended = last.startswith(b"data")
    texts = [text for text, special, _, _ in tokens if not special]
    assert (texts, len(tokens) + ended, last == final(index=6)) == (*fast[:2], fast[2] is not None)


def test_the_short_cut_is_taken() -> None:
    """An ordinary event's text is the engine's own bytes, not written anew."""
    (delta,) = Events().feed(token("caf\u00e9").replace("\u00e9".encode(), b"\\u00e9")).deltas

    assert (b'"caf\\u00e9"', "caf\u00e9") == (delta, json.loads(delta))


def test_the_short_cut_is_taken_up_to_the_last_event() -> None:
    """The final event alone is read as JSON, not all that came with it."""
    written = token("caf\u00e9").replace("\u00e9".encode(), b"\\u00e9")
    batch = Events().feed(written + final(index=2))

    assert (b'"caf\\u00e9"', 2) == (batch.deltas[0], batch.tokens)
    assert (written + final(index=2), True) == (batch.raw, batch.final is not None)


def test_comments_are_nothing() -> None:
    """Keep-alives give no batch of anything."""
    assert Batch() == Events().feed(b":\n\n: keep-alive\n\n")


@pytest.mark.parametrize(
    ("reason", "finish"),
    [("length", Finish.LENGTH), ("eos_token", Finish.STOP), ("stop_sequence", Finish.STOP)],
)
def test_finish_reasons_are_openai_s(reason: str, finish: Finish) -> None:
    """Two words for TGI's three."""
    assert Final(finish, 2, 11) == read(final(reason=reason))[2]


def test_a_last_event_without_details_is_still_the_last() -> None:
    """Native callers need not ask for details."""
    last = token("x", 9, generated_text="abc", details=None)

    assert Final(None, 9, None) == read(last)[2]


def test_an_error_event_alone_is_raised() -> None:
    """Nothing was said yet, so an honest status is still possible."""
    with pytest.raises(EngineOverloaded, match="Model is overloaded") as raised:
        Events().feed(error("Model is overloaded", "overloaded"))

    assert 2 == raised.value.retry_after_seconds


def test_an_error_after_tokens_keeps_their_text() -> None:
    """Text that came in the same piece is given first; the error is kept for after it."""
    reader = Events()
    batch = reader.feed(token("kept") + error("Request failed", "generation") + b":\n\n")

    assert (["kept"], token("kept")) == ([batch.text], batch.raw)
    assert (EngineFailed, "Request failed") == (type(reader.error), str(reader.error))


def test_an_error_in_the_next_piece_is_raised() -> None:
    """The text before it was given already."""
    reader = Events()
    reader.feed(token("kept"))
    with pytest.raises(EngineCutOff, match="Incomplete generation stream"):
        reader.feed(error("Incomplete generation stream", "incomplete_generation_stream"))


GARBAGE = [
    b"data: garbage\n\n", b"data: [DONE]\n\n", b"data: 1\n\n", b"data:\n\n", b"data: null\n\n",
    b'data: {"a":1}\n\n',
    b'data: {"token":{}}\n\n', b'data: {"token":5}\n\n', b"data: \xff\n\n",
    b'data: {"index":1,"token":{"text":5,"special":false},"generated_text":null,"details":5}\n\n',
]  # fmt: skip


@pytest.mark.parametrize("garbage", GARBAGE)
def test_what_is_no_event_of_tgi_is_the_engine_s_failure(garbage: bytes) -> None:
    """A defect of the other side is told as such, and not as one of ours."""
    with pytest.raises(EngineFailed, match="not TGI"):
        Events().feed(garbage)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_garbage_after_tokens_keeps_their_text(garbage: bytes) -> None:
    """As for an error event."""
    reader = Events()
    batch = reader.feed(token("kept") + garbage)

    assert (["kept"], token("kept")) == ([batch.text], batch.raw)
    assert EngineFailed is type(reader.error)


def test_every_client_error_has_a_translation() -> None:
    """No exception class of the TGI client reaches a caller untranslated."""
    classes = [found for _, found in inspect.getmembers(tgi_errors, inspect.isclass)]
    known = {found for found in classes if issubclass(found, Exception)}

    assert set() == known ^ TRANSLATION.keys()


@pytest.mark.parametrize(
    ("status", "kind", "expected"),
    [
        (422, "validation", EngineRejected),
        (429, "overloaded", EngineOverloaded),
        (424, "generation", EngineFailed),
        (500, "incomplete_generation", EngineCutOff),
        (500, "incomplete_generation_stream", EngineCutOff),
        (200, "validation", EngineRejected),
        (500, "stream_serialization_error", EngineFailed),
        (429, "something new", EngineOverloaded),
    ],
)
def test_tgi_s_errors_are_translated(status: int, kind: str, expected: type[EngineError]) -> None:
    """By their type, and by their status where the type is unknown."""
    body = json.dumps({"error": "why", "error_type": kind}).encode()

    assert (expected, "why") == (type(translate(status, body)), translate(status, body).message)


def test_an_error_of_one_of_v1_s_streams_is_readable() -> None:
    """An error whose text is an object is told as it stands."""
    body = event({"error": {"message": "no", "http_status_code": 422}}, "")

    assert "no" in translate(422, body).message


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (400, EngineRejected), (413, EngineRejected), (415, EngineRejected), (422, EngineRejected),
        (401, EngineFailed), (404, EngineFailed), (500, EngineFailed), (503, EngineFailed),
    ],
)  # fmt: skip
def test_a_plain_text_body_is_told_as_it_is(status: int, expected: type[EngineError]) -> None:
    """axum's rejections are no JSON."""
    told = translate(status, b"Failed to deserialize the JSON body\n")

    assert (expected, "Failed to deserialize the JSON body") == (type(told), told.message)


@pytest.mark.parametrize(
    ("body", "words"), [(b"", "HTTP 401"), (b"[]", "[]"), (b'{"error":null}', '{"error":null}')]
)
def test_an_empty_or_strange_body_still_has_words(body: bytes, words: str) -> None:
    """No caller gets an empty message."""
    assert (EngineFailed, words) == (type(translate(401, body)), translate(401, body).message)


def test_a_long_page_is_cut() -> None:
    """A proxy's error page does not fill the answer."""
    assert 300 == len(translate(502, b"<html>" * 1000).message)
