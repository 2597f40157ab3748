"""Tests of answers: each function makes one, for one kind of question.

Knows nothing of: how a question is asked, engines, tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from engine.demo.corpus import lists

HONEST = (
    "demo model", "do not know", "cannot", "beyond me", "too hard", "only know", "no clock", "no internet",
    "too far", "only count", "too big", "only write", "only do",
)  # fmt: skip


Verdict = Callable[[str], bool]

# Things that the model can be asked for, as its answers name them.
ABILITIES = ("stor", "joke", "riddle", "capital", "poem", "sum", "code", "python", "question")


def has_one_of(*words: str) -> Verdict:
    """Test that an answer holds at least one of the words, whatever their case."""
    return lambda answer: any(word.lower() in answer.lower() for word in words)


def both(first: Verdict, second: Verdict) -> Verdict:
    """Test that an answer passes two tests."""
    return lambda answer: first(answer) and second(answer)


def ends(text: str) -> Verdict:
    """Test that an answer ends with a text; every answer ends with the empty one."""
    return lambda answer: answer.rstrip().endswith(text)


def names_an_ability(answer: str) -> bool:
    """Test that an answer names at least one thing that the model does."""
    return any(word in answer.lower() for word in ABILITIES)


def has(*words: str) -> Callable[[str], bool]:
    """Test that an answer holds every one of the words, whatever their case."""
    return lambda answer: all(word.lower() in answer.lower() for word in words)


def is_honest(topic: str = "") -> Callable[[str], bool]:
    """Test that an answer admits not knowing and does not repeat the topic."""
    return lambda answer: (
        any(sign in answer for sign in HONEST) and not (topic and topic.lower() in answer.lower())
    )


def numbers(wanted: Sequence[int]) -> Callable[[str], bool]:
    """Test that an answer holds these numbers and no others, in this order."""
    return lambda answer: [int(number) for number in re.findall(r"\d+", answer)] == list(wanted)


def result(value: int) -> Callable[[str], bool]:
    """Test that the last number of an answer is the wanted one."""
    return lambda answer: [int(number) for number in re.findall(r"\d+", answer)][-1:] == [value]


def is_one_word(word: str) -> Callable[[str], bool]:
    """Test that an answer is the one word, with or without a full stop."""
    return lambda answer: answer.strip().rstrip(".!").lower() == word.lower()


def ends_with(tag: str, word: str) -> Callable[[str], bool]:
    """Test that an answer holds the word and ends with the tag."""
    return lambda answer: answer.rstrip().endswith(tag) and word.lower() in answer.lower()


def story_about(hero: str) -> Callable[[str], bool]:
    """Test that an answer is a whole story that names its hero."""
    # The shortest plot of the corpus is longer than 250 characters; a refusal is shorter.
    return lambda answer: hero in answer and len(answer) > 250


def items_of(answer: str) -> list[str]:
    """Read the items of a list written with numbers, dashes or commas."""
    lines = re.findall(r"^(?:\d+\.|-) (.+)$", answer, re.MULTILINE)
    items = lines or re.split(r", | and ", answer.strip().rstrip("."))
    return [item.strip().rstrip(".").lower() for item in items]


def list_of(kind: str, count: int) -> Callable[[str], bool]:
    """Test that an answer lists `count` different things, all of the kind."""
    known = {item.rstrip(".").lower() for item in lists.KINDS[kind]}
    return lambda answer: (
        len(items_of(answer)) == len(set(items_of(answer))) == count and set(items_of(answer)) <= known
    )
