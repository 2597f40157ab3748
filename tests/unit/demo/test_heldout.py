"""The evaluation asks in words that the corpus never uses, and its tests of answers mean what they say."""

from __future__ import annotations

import re
from itertools import islice

from engine.demo import heldout, heldout_rows, verdict
from engine.demo.corpus.mixture import dialogues

DIALOGUES = 12_000


def bare(text: str) -> str:
    """Leave letters, digits and single spaces: case and punctuation do not make a wording new."""
    return " ".join(re.sub(r"[^\w ]", " ", text.lower()).split())


def test_no_heldout_wording_is_in_the_corpus() -> None:
    """A sample of the training text holds none of the evaluation's questions."""
    trained = {bare(turn.user) for dialogue in islice(dialogues(31), DIALOGUES) for turn in dialogue.turns}

    assert set() == trained & {bare(wording) for wording in heldout.wordings()}


def test_the_cases_never_change() -> None:
    """Two listings hold the same questions in the same order."""
    assert [case.messages for case in heldout.cases()] == [case.messages for case in heldout.cases()]


def test_every_skill_with_a_bar_has_enough_cases() -> None:
    """A percentage of fewer than twenty cases would say little."""
    counted: dict[str, int] = {}
    for case in heldout.cases():
        counted[case.skill] = counted.get(case.skill, 0) + 1
    for skill in heldout_rows.BARS:
        assert counted[skill] >= 20, skill


def test_items_are_read_from_every_form_of_list() -> None:
    """Numbered, dashed and written lists give the same items."""
    wanted = ["fox", "owl", "bee"]

    assert wanted == verdict.items_of("Here are three animals:\n\n1. Fox\n2. Owl\n3. Bee")
    assert wanted == verdict.items_of("- Fox\n- Owl\n- Bee")
    assert wanted == verdict.items_of("Fox, owl and bee.")


def test_an_honest_answer_that_echoes_the_topic_fails() -> None:
    """Naming the unknown topic counts as wrong."""
    is_right = verdict.is_honest("Krebs")

    assert is_right("I am sorry, I do not know that.")
    assert not is_right("I do not know the Krebs cycle.")
    assert not is_right("It makes energy.")
