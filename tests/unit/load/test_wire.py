"""The synthetic answer has TGI's form, and every reader of it is checked by its text."""

import json

import pytest

from tests.load import wire


def body(tokens: int) -> bytes:
    """A whole chunked body."""
    return b"".join(wire.answer(tokens).chunks) + wire.END


@pytest.mark.parametrize("tokens", [1, 2, 64])
def test_an_answer_has_one_chunk_for_each_token(tokens: int) -> None:
    """Each chunk is one event of TGI's wire, the last one final."""
    events = [json.loads(frame[6:]) for frame in wire.dechunk(body(tokens)).split(b"\n\n")[:-1]]

    assert tokens == len(wire.answer(tokens).chunks) == len(events)
    assert ["index", "token", "generated_text", "details"] == list(events[0])
    assert [*range(1, tokens + 1)] == [event["index"] for event in events]
    assert tokens == events[-1]["details"]["generated_tokens"]
    assert wire.expected_text(tokens) == events[-1]["generated_text"]


def test_an_event_has_its_real_size() -> None:
    """Some 130 to 150 bytes, as TGI's have."""
    sizes = [len(chunk) for chunk in wire.answer(256).chunks[:-1]]

    assert 120 < sum(sizes) / len(sizes) < 160


def test_the_texts_make_the_answer() -> None:
    """Reading the events gives what is compared with."""
    events = wire.read_events(wire.dechunk(body(64)))

    assert wire.expected_text(64) == "".join(map(wire.text_of, events))


def test_the_texts_hold_what_relays_get_wrong() -> None:
    """Quotes, backslashes, newlines and characters of several bytes are among them."""
    text = wire.expected_text(256)

    assert set() == {'"', "\\", "\n", "\t", "漢", "🦊"} - set(text)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        ({"token": {"id": 1, "text": "a", "special": False}}, "a"),
        ({"token": {"id": 1, "text": "<|eot_id|>", "special": True}}, ""),
        ({"choices": [{"delta": {"role": "assistant", "content": "b"}}]}, "b"),
        ({"choices": [{"delta": {}}]}, ""),
        ({"choices": [], "usage": {}}, ""),
        ({"content": "c", "stop": False}, "c"),
    ],
)
def test_each_wire_has_its_text(event: dict[str, object], text: str) -> None:
    """TGI's, OpenAI's and llama.cpp's events are all understood."""
    assert text == wire.text_of(event)


def test_an_error_event_is_not_read_over() -> None:
    """An answer with an error in it is wrong."""
    with pytest.raises(ValueError, match="broken"):
        wire.text_of({"error": "broken"})


@pytest.mark.parametrize("cut", [b"5\r\nabc", b"3\r\nabcXX0\r\n\r\n", b"3\r\nabc\r\n"])
def test_a_cut_body_is_noticed(cut: bytes) -> None:
    """Every chunk must be whole, and the last one there."""
    with pytest.raises(ValueError, match=r".+"):
        wire.dechunk(cut)


def test_comments_and_done_are_no_events() -> None:
    """Heartbeats and the end mark carry no text."""
    stream = b': keep-alive\n\ndata: {"content":"a"}\n\ndata: [DONE]\n\n'

    assert [{"content": "a"}] == wire.read_events(stream)
