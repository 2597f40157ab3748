"""Stop strings are cut wherever they fall, and nothing else is."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.stops import Stops

# A small alphabet, so that stop strings really occur, overlap and almost occur.
TEXTS = st.text("ab\n", max_size=14)
STOPS = st.lists(st.text("ab\n", min_size=1, max_size=4), min_size=1, max_size=3)


def oracle(text: str, stops: list[str]) -> str:
    """Cut at the first place where the text so far ends in a stop string; at the longest that ends there."""
    for end in range(1, len(text) + 1):
        starts = [end - len(stop) for stop in stops if text[:end].endswith(stop)]
        if starts:
            return text[: min(starts)]
    return text


def shown(pieces: list[str], stops: list[str]) -> str:
    """Give all that is shown of a text that comes in pieces."""
    cutter = Stops(stops)
    return "".join([cutter.feed(piece) for piece in pieces] + [cutter.rest()])


@given(TEXTS, STOPS)
def test_character_by_character_it_cuts_where_a_naive_reader_would(text: str, stops: list[str]) -> None:
    """The smallest pieces give the oracle's answer."""
    assert oracle(text, stops) == shown(list(text), stops)


@given(TEXTS, st.text("ab\n", min_size=1, max_size=4))
def test_one_stop_cuts_alike_wherever_the_text_is_split(text: str, stop: str) -> None:
    """Every split into two pieces shows the same text: all before the first occurrence."""
    expected = text.split(stop)[0]

    assert {expected} == {shown([text[:at], text[at:]], [stop]) for at in range(len(text) + 1)}


@given(TEXTS, STOPS)
def test_no_stop_string_is_ever_shown(text: str, stops: list[str]) -> None:
    """Whatever the pieces, the shown text holds none of the stop strings and begins the whole text."""
    for at in range(len(text) + 1):
        got = shown([text[:at], text[at:]], stops)
        assert not any(stop in got for stop in stops)
        assert text.startswith(got)


@given(TEXTS, STOPS)
def test_nothing_that_was_shown_is_taken_back(text: str, stops: list[str]) -> None:
    """What is shown after each piece begins the final text."""
    cutter, so_far = Stops(stops), ""
    for character in text:
        so_far += cutter.feed(character)
        assert oracle(text, stops).startswith(so_far)


def test_only_what_may_become_a_stop_is_held_back() -> None:
    """Text streams on while it cannot be part of a stop string."""
    cutter = Stops(["END"])

    assert ["abc", "d", "", "", "ENx"] == [cutter.feed(piece) for piece in ("abc", "dE", "N", "", "x")]


def test_what_was_held_back_is_given_at_the_end() -> None:
    """A text that ends in half a stop string is shown whole."""
    assert "half a STO" == shown(["half a S", "TO"], ["STOP"])


def test_a_hit_is_remembered_and_ends_the_text() -> None:
    """After a stop string nothing is shown any more."""
    cutter = Stops(["\n\n"])

    assert ["one", "", ""] == [cutter.feed("one\n"), cutter.feed("\ntwo"), cutter.rest()]
    assert cutter.is_hit


def test_a_stop_that_starts_inside_a_token_leaves_the_rest_of_the_token() -> None:
    """The text is cut within the piece."""
    assert "say" == shown(["say. And", " more"], [". A"])
