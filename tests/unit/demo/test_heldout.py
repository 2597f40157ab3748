"""The evaluation asks in words that the corpus never uses, and its tests of answers mean what they say."""

from __future__ import annotations

from collections import Counter
from itertools import islice

import pytest

from engine.demo import heldout, heldout_fresh, heldout_rows, training_text, verdict
from engine.demo.corpus.mixture import dialogues

DIALOGUES = 12_000


@pytest.fixture(scope="module")
def wordings() -> frozenset[str]:
    """Every wording that training must never read."""
    return training_text.held_out()


def test_training_reads_no_heldout_wording(wordings: frozenset[str]) -> None:
    """A sample of the training text asks in no held-out wording and has no held-out system prompt."""
    asked: set[str] = set()
    for dialogue in islice(training_text.training_dialogues(31), DIALOGUES):
        asked |= {training_text.bare(turn.user) for turn in dialogue.turns}
        asked.add(training_text.bare(dialogue.system or ""))

    assert set() == asked & wordings


def test_the_corpus_itself_hardly_ever_makes_a_heldout_wording(wordings: frozenset[str]) -> None:
    """Only a chance typing error can: were a template one, a wording would come back again and again."""
    counted = Counter(
        training_text.bare(turn.user)
        for dialogue in islice(dialogues(31), DIALOGUES)
        for turn in dialogue.turns
    )

    assert max(counted[wording] for wording in wordings) <= 3


def test_the_cases_never_change() -> None:
    """Two listings hold the same questions in the same order."""
    assert [case.messages for case in heldout.cases()] == [case.messages for case in heldout.cases()]
    first, again = heldout_fresh.fresh_cases(), heldout_fresh.fresh_cases()
    assert [case.messages for case in first] == [case.messages for case in again]


def test_every_fresh_skill_has_a_dozen_cases() -> None:
    """Every kind of fresh question is asked in at least twelve wordings, none of them twice."""
    counted = Counter(case.skill for case in heldout_fresh.fresh_cases())

    assert len(counted) == 13
    assert min(counted.values()) >= 12
    assert len(heldout_fresh.fresh_wordings()) == len(set(heldout_fresh.fresh_wordings()))


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
