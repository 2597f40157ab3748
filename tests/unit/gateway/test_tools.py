"""Calls read from an answer while it arrives, in whatever pieces."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.chat import Finish, Tool
from gateway.errors import EngineFailed
from gateway.tools import CallReader, call_schema

TOOLS = [Tool(name, None, {}) for name in ("get_weather", "get", "clock")]
FREE: dict[str, dict[str, Any]] = {tool.name: {} for tool in TOOLS}
SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
ARGUMENTS = '{"city": "B\\"}{", "deep": {"a": [1, {"b": "]"}]}, "é": "漢"}'
CALL = f'{{"name": "get_weather", "parameters": {ARGUMENTS}}}'


def read(pieces: Sequence[str], schemas: Any = None, finish: Finish = Finish.STOP) -> tuple[Any, ...]:
    """Read pieces up to the end, of a forced call by its schemas; give name, arguments, text and its end."""
    reader, text, arguments = CallReader(TOOLS, schemas or FREE, is_forced=schemas is not None), "", ""
    for piece in pieces:
        if reader.is_complete:
            break
        shown, argued = reader.feed(piece)
        text, arguments = text + shown, arguments + argued
    ended = reader.end(finish)
    assert arguments == reader.arguments
    return reader.name, arguments, text + reader.rest(), ended


def cut(text: str, places: Sequence[int]) -> list[str]:
    """Cut a text in some places."""
    edges = [0, *sorted(place % (len(text) + 1) for place in places), len(text)]
    return [text[start:end] for start, end in pairwise(edges)]


@pytest.mark.parametrize(
    "call",
    [
        CALL, f"\n {CALL}\n", CALL.replace('"parameters"', '"arguments"'),
        CALL.replace('{"name"', '{ "type" : "function", "name"', 1), f'{{"function": {CALL}}}',
        f"{CALL}; {CALL}", f"{CALL}\nHere you are.", json.dumps(json.loads(CALL), indent=2),
    ],
)  # fmt: skip
@given(places=st.lists(st.integers(0, 400), max_size=8))
def test_a_call_is_read_in_any_pieces(call: str, places: list[int]) -> None:
    """Its name, its arguments to the closing brace, no text, and nothing of what follows."""
    name, arguments, text, ended = read(cut(call, places))

    assert ("get_weather", "", Finish.TOOL_CALLS) == (name, text, ended)
    assert json.loads(ARGUMENTS) == json.loads(arguments)


@pytest.mark.parametrize(
    "text",
    [
        "", "Hello", "  Hi", '{"answer": 42}', '{"name": "unknown", "parameters": {}}', "{", '{"name": "get',
        '{"name": "get_weather", "parameters": 7}', f"I would call {CALL}", '{"name":"get", "parameters":',
        '["a"]', '{"name": "get weather", "parameters": {}}', '{"name": "get", "parameters": {"a": [1, {"b',
        '{"name": "get", "parameters": {a}} and more', '{"name": "get", "parameters": {"a": 01}}}}; {"name"',
    ],
)  # fmt: skip
@given(places=st.lists(st.integers(0, 60), max_size=5))
def test_what_is_no_call_is_text(text: str, places: list[int]) -> None:
    """To the character, whether it looked like a call for a while or not."""
    assert (None, "", text, Finish.STOP) == read(cut(text, places))


def test_text_is_not_held_longer_than_it_could_be_a_call() -> None:
    """A reader sees it as it comes."""
    reader = CallReader(TOOLS, FREE)

    assert [("Hel", ""), ("lo", "")] == [reader.feed("Hel"), reader.feed("lo")]
    assert ("", "") == CallReader(TOOLS, FREE).feed('{"na')
    assert ('{"no', "") == CallReader(TOOLS, FREE).feed('{"no')


@pytest.mark.parametrize(
    ("is_forced", "expected"), [(True, ["", '{"a"', ": 1", "}", ""]), (False, ["", "", "", '{"a": 1}', ""])]
)
def test_arguments_of_a_forced_call_come_as_they_arrive(is_forced: bool, expected: list[str]) -> None:
    """Those of a call that may still be text come once they were checked."""
    reader = CallReader(TOOLS, {"clock": SCHEMA}, is_forced=is_forced)
    pieces = ['{"name": "clock", "parameters": ', '{"a"', ": 1", "}", "}"]

    assert expected == [reader.feed(piece)[1] for piece in pieces]
    assert (True, False) == (reader.is_closed, reader.is_complete)


@pytest.mark.parametrize("arguments", ['{"a": "x"}', "{}", '{"b": 1}', '{"a": 1,}'])
@pytest.mark.parametrize("behind", ["", "}", "}\n Or so", '}; {"name": "clock", "parameters": {"a": 1}}'])
@given(places=st.lists(st.integers(0, 60), max_size=5))
def test_a_call_that_its_tool_does_not_take_is_text(
    arguments: str, behind: str, places: list[int]
) -> None:
    """Nothing of it is lost, nor of what follows, and no call is told."""
    text = f' {{"name": "clock", "parameters": {arguments}{behind}'
    reader, shown = CallReader(TOOLS, {**FREE, "clock": SCHEMA}), ""
    for piece in cut(text, places):
        got = reader.feed(piece)
        shown += got[0]
        assert "" == got[1]

    assert (text, None, Finish.STOP, False) == (
        shown + reader.rest(), reader.name, reader.end(Finish.STOP), reader.is_complete,
    )  # fmt: skip


@pytest.mark.parametrize("more", [";", ' {"name"', "Text", '"'])
def test_a_second_thought_completes_the_answer(more: str) -> None:
    """The format has one call a turn: what follows is not waited for."""
    reader = CallReader(TOOLS, FREE)
    reader.feed(CALL)
    before = reader.is_complete
    reader.feed("\n" + more)

    assert (False, True) == (before, reader.is_complete)


def test_a_call_cut_by_the_limit_says_length() -> None:
    """The arguments are what there was."""
    piece = '{"name": "clock", "parameters": {"a'

    assert ("clock", '{"a', "", Finish.LENGTH) == read([piece], {"clock": SCHEMA}, Finish.LENGTH)
    assert (None, "", piece, Finish.LENGTH) == read([piece], finish=Finish.LENGTH)


@pytest.mark.parametrize("piece", ["", "{", '{"name": "clo', '{"function":{"name":"clock","param'])
def test_the_beginning_of_a_forced_call_is_no_text(piece: str) -> None:
    """The limit cut it before its name was whole: what the grammar made is nothing that anybody said."""
    assert (None, "", "", Finish.LENGTH) == read([piece], {"clock": SCHEMA}, Finish.LENGTH)


@pytest.mark.parametrize(
    ("text", "schemas", "words"),
    [
        ('{"name": "clock", "parameters": {"a', {"clock": SCHEMA}, "inside a call"),
        ("Hello", {"clock": SCHEMA}, "did not call a tool"),
        ('{"name": "clock", "parameters": {"a": "x"}}', {"clock": SCHEMA}, "$.a is not of type integer"),
        ('{"name": "clock", "parameters": {}}', {"clock": SCHEMA}, "$.a is missing"),
        ('{"name": "clock", "parameters": {a}}', {"clock": SCHEMA}, "arguments of the call"),
    ],
)
def test_a_broken_call_is_an_error(text: str, schemas: Any, words: str) -> None:
    """What was promised is checked, and said."""
    with pytest.raises(EngineFailed, match=words.replace("$", r"\$")):
        read([text], schemas)


def test_ids_are_unique() -> None:
    """No two calls share one."""
    ids = {CallReader(TOOLS, FREE).identity for _ in range(100)}

    assert (100, True) == (len(ids), all(one.startswith("call_") for one in ids))


def test_a_forced_call_is_what_its_schema_says() -> None:
    """One tool stands alone, of several one is chosen inside."""
    one, several = call_schema({"f": SCHEMA}), call_schema({"f": SCHEMA, "g": SCHEMA})

    assert ["name", "parameters"] == list(one["properties"])
    assert one == several["properties"]["function"]["anyOf"][0]
