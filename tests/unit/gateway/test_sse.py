"""Frames: every chunk parses, has OpenAI's shape, and the text survives to the character."""

import json
from dataclasses import asdict, replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat import Batch, Finish, Timings, Usage
from gateway.errors import (
    BacklogFull,
    ChatInvalid,
    EngineCutOff,
    EngineFailed,
    EngineOverloaded,
    EngineRejected,
    EngineTimeout,
    PaddockError,
    WaitExpired,
    leaves,
)
from gateway.estimate import Estimate
from gateway.order import Waiting
from gateway.sse import DONE, NativeForm, OpenAiForm, QuestionForm, WholeForm, native_error, usage_body

TIMINGS = Timings(0.5, 0.25, 2.0, 10.0)
USAGE = Usage(11, 3)
HARD = 'a "quoted" \\ back\nnew\r\n\u2028\ttab \u00e9\u6f22\U0001f600 data: x\n\n'
NEWS = Waiting(2, 5, "ready", None, None, None)


def batch_of(*texts: str) -> Batch:
    """Make a batch of ordinary tokens whose JSON is as the engine writes it."""
    deltas = [json.dumps(text, ensure_ascii=False).encode() for text in texts]
    return Batch(deltas, len(deltas))


def form(**more: Any) -> OpenAiForm:
    """Make a form of chat chunks."""
    return OpenAiForm("chatcmpl-1", 1700000000, 'm"x', "id-1", is_chat=more.pop("is_chat", True), **more)


def parsed(frames: list[bytes]) -> list[Any]:
    """Split frames as a client does; each event is one line of data."""
    whole = b"".join(frames).decode()
    if not whole:
        return []
    assert whole.endswith("\n\n")
    events = whole.removesuffix("\n\n").split("\n\n")
    for one in events:
        assert one.startswith("data: ")
        assert "\n" not in one
    bodies = [one.removeprefix("data: ") for one in events]
    return [body if body == "[DONE]" else json.loads(body) for body in bodies]


def chunk(delta_: Any, finish: str | None = None, **more: Any) -> dict[str, Any]:
    """Give the chunk that is expected."""
    choice = {"index": 0, "delta": delta_, "logprobs": None, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": 'm"x'}
    return {**head, "choices": [choice], **more}


def test_a_chat_is_role_texts_finish_done() -> None:
    """The role comes once, before the first text."""
    one = form()
    frames = parsed(one.deltas(batch_of("He", "llo"))) + parsed(one.deltas(batch_of("!")))
    frames += parsed(one.finished(Finish.STOP, USAGE, TIMINGS))

    expected: list[Any] = [chunk({"role": "assistant", "content": ""})]
    expected += [chunk({"content": text}) for text in ("He", "llo", "!")]
    assert [*expected, chunk({}, "stop"), "[DONE]"] == frames


def test_split_frames_are_one_event_each() -> None:
    """A reader that comes back starts behind any single event."""
    joined, split = (form(is_split=is_split).deltas(batch_of("He", "llo")) for is_split in (False, True))

    assert ([1, 2], [1, 1, 1]) == tuple([len(parsed([one])) for one in frames] for frames in (joined, split))
    assert b"".join(joined) == b"".join(split)


def test_an_empty_answer_still_has_its_role() -> None:
    """A client that waits for the role finds it."""
    frames = parsed(form().finished(Finish.LENGTH, USAGE, TIMINGS))

    assert [chunk({"role": "assistant", "content": ""}), chunk({}, "length"), "[DONE]"] == frames


def test_usage_comes_last_and_only_when_asked_for() -> None:
    """Every chunk then has the field, null in all but the last, which has no choices."""
    one = form(includes_usage=True)
    frames = parsed(one.deltas(batch_of("x")) + one.finished(Finish.STOP, USAGE, TIMINGS))
    last = frames[-2]

    assert [None] * 3 == [frame["usage"] for frame in frames[:-2]]
    assert {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14} == last["usage"]
    assert ([], "[DONE]") == (last["choices"], frames[-1])
    assert asdict(TIMINGS) == last["timings"]


def test_a_completion_has_texts() -> None:
    """The older form of the same: no role, text in place of a delta."""
    one = form(is_chat=False)
    frames = parsed(one.deltas(batch_of("x")) + one.finished(Finish.STOP, USAGE, TIMINGS))

    assert ["text_completion"] * 2 == [frame["object"] for frame in frames[:-1]]
    assert [("x", None), ("", "stop")] == [
        (frame["choices"][0]["text"], frame["choices"][0]["finish_reason"]) for frame in frames[:-1]
    ]


@pytest.mark.parametrize("is_split", [False, True])
def test_tokens_without_text_are_not_shown(is_split: bool) -> None:
    """An end of turn is no text, and half a character is none yet."""
    for one in (form(is_split=is_split), QuestionForm("i")):
        assert [] == one.deltas(batch_of("", "")) + one.deltas(Batch([], tokens=1))
    assert [chunk({"content": "a"})] == parsed(form(is_split=is_split).deltas(batch_of("", "a", "")))[1:]


@given(st.lists(st.text() | st.just(HARD), max_size=5))
def test_text_survives_every_form(texts: list[str]) -> None:
    """Quotes, newlines, any script: what the engine wrote is what a client reads."""
    batch = batch_of(*texts)
    chat = parsed(form().deltas(batch))
    split = parsed(form(is_split=True).deltas(batch))
    question = parsed(QuestionForm("id-1").deltas(batch))
    whole = WholeForm()
    whole.deltas(batch)

    expected = "".join(texts)
    assert chat == split
    assert expected == "".join(frame["choices"][0]["delta"]["content"] for frame in chat)
    assert expected == "".join(frame["text"] for frame in question)
    assert expected == whole.text


def test_an_error_frame_is_the_envelope_and_no_done_follows() -> None:
    """A broken answer never looks finished."""
    (frame,) = parsed(form().failed(EngineCutOff("cut")))

    assert ("engine_cut_off", "id-1") == (frame["error"]["code"], frame["error"]["request_id"])


def test_plain_clients_get_news_as_comments() -> None:
    """Official clients parse every event with data as a chunk."""
    one = form()

    assert ([b": place 2 of 5\n\n"], [b": running\n\n"]) == (one.waiting(NEWS), one.running())
    (frame,) = one.waiting(replace(NEWS, estimate=Estimate(1.0, 2.0, 3.0)))
    assert b": place 2 of 5, about 2 s\n\n" == frame


def test_who_asks_gets_progress_events() -> None:
    """Named events beside the chunks, with the place."""
    one = form(shows_progress=True)
    (frame,) = one.waiting(NEWS)
    name, _, data = frame.decode().removesuffix("\n\n").partition("\ndata: ")
    told = json.loads(data)

    assert "event: progress" == name
    assert {"state": "waiting", "place": 2, "backlog": 5, "phase": "ready"} == {
        key: told[key] for key in ("state", "place", "backlog", "phase")
    }
    assert [b'event: progress\ndata: {"state":"running"}\n\n'] == one.running()


def test_news_of_every_form_disturb_no_reader() -> None:
    """Comments or nothing, each whole."""
    for one in (QuestionForm("i"), NativeForm(), WholeForm()):
        for frame in (*one.waiting(NEWS), *one.running()):
            assert frame.startswith(b": ")
            assert frame.endswith(b"\n\n")


def test_a_question_ends_in_a_named_event_with_an_id() -> None:
    """An EventSource that connects again shows the id, and is told to stop."""
    (frame,) = QuestionForm("i").finished(Finish.STOP, USAGE, TIMINGS)
    lines = frame.decode().split("\n")

    assert ["event: end", "id: end", "", ""] == [*lines[:2], *lines[3:]]
    assert {
        "finish_reason": "stop", "usage": {"prompt_tokens": 11, "completion_tokens": 3, "total_tokens": 14},
    } == json.loads(lines[2].removeprefix("data: "))  # fmt: skip


def test_a_question_s_error_carries_the_end_s_id() -> None:
    """An EventSource does not ask a broken question for ever."""
    (frame,) = QuestionForm("i").failed(EngineFailed("no"))
    lines = frame.decode().split("\n")

    assert "id: end" == lines[0]
    assert "engine_failed" == json.loads(lines[1].removeprefix("data: "))["error"]["code"]


def test_a_native_stream_is_the_engine_s_bytes() -> None:
    """Events pass as they came; nothing is added at the end."""
    one = NativeForm()

    assert [b"data: {}\n\n"] == one.deltas(Batch(raw=b"data: {}\n\n"))
    assert [] == one.deltas(Batch())
    assert [] == one.finished(Finish.STOP, USAGE, TIMINGS)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (EngineRejected("e"), "validation"), (EngineOverloaded("e"), "overloaded"),
        (EngineFailed("e"), "generation"), (EngineTimeout("e"), "generation"),
        (EngineCutOff("e"), "incomplete_generation_stream"),
        (BacklogFull("e"), "overloaded"), (ChatInvalid("e"), "validation"), (WaitExpired("e"), "generation"),
    ],
)  # fmt: skip
def test_native_errors_have_tgi_s_words(error: PaddockError, kind: str) -> None:
    """The nearest of TGI's types, in TGI's shape."""
    expected = {"error": "e", "error_type": kind}

    assert expected == json.loads(native_error(error))
    assert [expected] == parsed(NativeForm().failed(error))


def test_every_error_has_a_native_word() -> None:
    """Whatever is raised, a TGI client can read it."""
    words = {json.loads(native_error(leaf("e")))["error_type"] for leaf in leaves()}

    assert {"validation", "overloaded", "generation", "incomplete_generation_stream"} == words


def test_done_and_usage_are_openai_s() -> None:
    """The bytes that clients look for."""
    assert b"data: [DONE]\n\n" == DONE
    assert {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0} == usage_body(Usage(0, 0))


def test_a_whole_answer_is_collected() -> None:
    """Text, finish and usage, and no frame at all."""
    whole = WholeForm()
    frames = [
        whole.deltas(batch_of("a", "", "b")),
        whole.finished(Finish.LENGTH, USAGE, TIMINGS),
        whole.failed(EngineFailed("no")),
    ]

    assert ([[]] * 3, "ab", Finish.LENGTH, USAGE) == (frames, whole.text, whole.finish, whole.usage)
