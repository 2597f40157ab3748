"""The error tree: one code each, drawn as it is."""

import re

from gateway import errors
from gateway.errors import EngineError, PaddockError, Refusal, leaves


def drawn() -> dict[str, int]:
    """Read the names and statuses in the module's drawing."""
    lines = (errors.__doc__ or "").splitlines()
    found = [re.search(r"── (\w+) +(\d{3})(?: |$)", line) for line in lines]
    return {match[1]: int(match[2]) for match in found if match}


def test_the_drawing_lists_exactly_the_leaves() -> None:
    """Every error that can be raised is drawn with the status it really has, and no other."""
    assert {leaf.__name__: leaf.status for leaf in leaves()} == drawn()


def test_every_code_is_its_own() -> None:
    """A code is one error, so a label or a log line says which."""
    codes = [leaf.code for leaf in leaves()]

    assert sorted(set(codes)) == sorted(codes)


def test_a_code_is_the_class_name_in_words() -> None:
    """Who knows the one knows the other."""
    words = {leaf.code: re.sub(r"(?<=.)(?=[A-Z])", "_", leaf.__name__).lower() for leaf in leaves()}

    assert list(words) == list(words.values())


def test_statuses_are_errors() -> None:
    """No error is told with a status of success."""
    assert [] == [leaf.__name__ for leaf in leaves() if not 400 <= leaf.status <= 599]


def test_inner_nodes_are_not_leaves() -> None:
    """The classes that only group have no code."""
    groups = {PaddockError, Refusal, EngineError, errors.CallerError}

    assert set() == groups & set(leaves())


def test_an_error_keeps_its_words() -> None:
    """Message, parameter and time to come again are what the envelope shows."""
    error = errors.BacklogFull("full", param="messages", retry_after_seconds=3)

    assert ("full", "full", "messages", 3) == (
        str(error), error.message, error.param, error.retry_after_seconds,
    )  # fmt: skip
