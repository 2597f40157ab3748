"""No frame ends inside a character, however the engine and the network cut the text."""

import json
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from gateway.chat import Batch, Finish, Timings, Usage
from gateway.events import Events
from gateway.sse import OpenAiForm, QuestionForm, WholeForm
from gateway.stops import Stops
from tests.unit.gateway.wire import final, token

# Of one to four bytes, with marks that join what is before them, and what JSON escapes.
TEXTS = st.text(
    st.sampled_from("aé漢😀\u0301\u200d\U0001f468\U0001f3fd\u2028\n\"\\\u00a0\ufffdз")
    | st.characters(codec="utf-8"),
    max_size=12,
)
CUTS = st.lists(st.integers(0, 10_000), max_size=12)


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Cut bytes anywhere."""
    edges = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(edges)]


def tokens_of(text: str, places: list[int]) -> list[str]:
    """Cut a text into tokens anywhere in its bytes, and tell their texts as TGI does.

    A token inside a character has none; the one that completes it has the whole character.
    """
    told, pending = [], b""
    for piece in cut(text.encode(), places):
        pending += piece
        try:
            told.append(pending.decode())
            pending = b""
        except UnicodeDecodeError:
            told.append("")
    return told


def answer(texts: list[str]) -> bytes:
    """Write the engine's stream of an answer."""
    return b"".join(token(text, at) for at, text in enumerate(texts, 1)) + final(index=len(texts) + 1)


def written(frame: bytes) -> str:
    """Read the text of a frame as strictly as UTF-8 can be read."""
    text = ""
    for event in frame.decode("utf-8", "strict").split("\n\n")[:-1]:
        data = event.rpartition("data: ")[2] if event.startswith("event: ") else event.removeprefix("data: ")
        body = {} if data == "[DONE]" else json.loads(data)
        text += body.get("text", "")
        for choice in body.get("choices", ()):
            text += choice["delta"].get("content") or ""
    text.encode("utf-8", "strict")
    return text


@given(text=TEXTS, tokens=CUTS, network=CUTS, is_detailed=st.booleans(), is_split=st.booleans())
def test_every_frame_is_whole_characters(
    text: str, tokens: list[int], network: list[int], is_detailed: bool, is_split: bool
) -> None:
    """Each frame decodes by itself, and together they are the text."""
    events = Events(is_detailed=is_detailed)
    chats = OpenAiForm("i", 1, "m", "r", is_chat=True, is_split=is_split)
    forms: tuple[OpenAiForm | QuestionForm, ...] = (chats, QuestionForm("r"))
    frames: tuple[list[bytes], ...] = ([], [])
    whole = WholeForm()
    for piece in cut(answer(tokens_of(text, tokens)), network):
        batch = events.feed(piece)
        whole.deltas(batch)
        for form, into in zip(forms, frames, strict=True):
            into.extend(form.deltas(batch))
    for form, into in zip(forms, frames, strict=True):
        into.extend(form.finished(Finish.STOP, Usage(1, 1), Timings(0, 0, 0, 0)))

    assert [text, text] == ["".join(map(written, into)) for into in frames]
    assert text == whole.text


@given(text=TEXTS, tokens=CUTS, stop=st.text("aé漢😀\u0301", min_size=1, max_size=3))
def test_a_stop_string_cuts_between_characters(text: str, tokens: list[int], stop: str) -> None:
    """What is held back for it, too, is whole characters."""
    stops, shown = Stops([stop]), ""
    for one in tokens_of(text, tokens):
        frames = OpenAiForm("i", 1, "m", "r", is_chat=True).deltas(
            Batch([json.dumps(stops.feed(one), ensure_ascii=False).encode()])
        )
        shown += "".join(map(written, frames))
    shown += stops.rest()

    assert text.partition(stop)[0] == shown
