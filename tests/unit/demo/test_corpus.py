"""The corpus keeps its promises: right sums, whole counts, no repeats, honest answers, one seed one text."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from itertools import islice, pairwise
from random import Random

import pytest

from engine.demo.corpus import (
    arithmetic,
    code,
    counting,
    definitions,
    fables,
    facts,
    geography,
    lists,
    memory,
    mixture,
    personas,
    poems,
    smalltalk,
    stories,
    translation,
    unknown,
    visitors,
    words,
)
from engine.demo.corpus.dialogue import Dialogue, Turn
from engine.demo.corpus.phrasing import spin, typed

DRAWS = 1500
SIGNS: dict[str, Callable[[int, int], float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
}


def drawn(skill: Callable[[Random], list[Turn]], count: int = DRAWS) -> list[Turn]:
    """Draw many turns of one skill."""
    rng = Random(1)
    return [turn for _ in range(count) for turn in skill(rng)]


@pytest.fixture(scope="module")
def sample() -> list[Dialogue]:
    """Dialogues of the whole mixture, with a seed that no training uses."""
    return list(islice(mixture.dialogues(987_654), 6000))


@pytest.mark.parametrize("skill", [arithmetic.sums, arithmetic.word_problems])
def test_every_equation_is_true(skill: Callable[[Random], list[Turn]]) -> None:
    """No sum in an answer is wrong, and none leaves the taught range."""
    equation = re.compile(r"(\d+) ([-+*/]) (\d+) = (-?\d+)")
    equations = [found for turn in drawn(skill) for found in equation.findall(turn.assistant)]

    assert len(equations) > DRAWS // 2
    for first, sign, second, result in equations:
        assert SIGNS[sign](int(first), int(second)) == int(result)
        assert int(result) >= 0


def test_a_sum_in_one_word_is_the_result() -> None:
    """The one-word answer of a sum is the number at its end."""
    for turn in drawn(arithmetic.sums):
        if "=" in turn.assistant:
            assert turn.word == re.findall(r"\d+", turn.assistant)[-1]


def test_comparisons_are_right() -> None:
    """The bigger number is called bigger, the even one even."""
    for turn in drawn(arithmetic.comparisons):
        numbers = [int(number) for number in re.findall(r"\d+", turn.assistant)]
        if "bigger" in turn.assistant:
            assert numbers[0] > numbers[1]
        elif "smaller" in turn.assistant:
            assert numbers[0] < numbers[1]
        elif "comes after" in turn.assistant:
            assert numbers[0] == numbers[1] + 1
        else:
            assert ("odd" in turn.assistant) == (numbers[0] % 2 == 1)


def test_counts_take_equal_steps_and_stop_where_asked() -> None:
    """A count never skips, repeats or runs past its end."""
    for turn in drawn(counting.counts):
        numbers = [int(number) for number in re.findall(r"\d+", turn.assistant)]
        if turn.assistant in counting.REFUSALS or not numbers:
            continue
        steps = {after - before for before, after in pairwise(numbers)}
        assert len(steps) <= 1
        assert max(numbers) <= counting.LARGEST_END


def test_lists_hold_the_asked_number_of_different_things() -> None:
    """Items of a list, and of the "three more" after it, are all different and of the asked kind."""
    rng = Random(2)
    for _ in range(DRAWS):
        seen: list[str] = []
        for turn in lists.lists(rng):
            lines = re.findall(r"^(?:\d+\.|-) (.+)$", turn.assistant, re.MULTILINE)
            seen += [line.lower() for line in lines]
        assert len(seen) == len(set(seen))


def test_every_kind_of_list_holds_no_item_twice() -> None:
    """A walk along a kind's circle cannot repeat itself before the circle is closed."""
    for kind, items in lists.KINDS.items():
        assert len(items) == len(set(items)), kind
        assert len(lists.walk(kind, 3, len(items))) == len(set(lists.walk(kind, 3, len(items))))


@pytest.mark.parametrize("skill", [unknown.questions, unknown.tasks, unknown.statements, unknown.gibberish])
def test_answers_about_unknown_things_are_fixed_texts(skill: Callable[[Random], list[Turn]]) -> None:
    """An honest answer is one of a few texts, so it cannot echo the topic."""
    answers = {turn.assistant for turn in drawn(skill)}

    assert len(answers) <= 8
    assert all("tiny demo model" in answer for answer in answers)


def test_unknown_topics_are_not_explained_elsewhere() -> None:
    """A noun used as an unknown topic has no definition in the corpus."""
    forms = [form for _, said, _ in definitions.DEFINITIONS for form in said.split(",")]
    defined = {form.removeprefix("a ").removeprefix("the ") for form in forms}

    assert set() == defined & set(unknown.UNKNOWN_NOUNS)


def test_a_name_is_recalled_as_it_was_told() -> None:
    """The name in the answer stands in the user's own words."""
    rng = Random(4)
    for _ in range(DRAWS):
        told, *asked = memory.memory(rng)
        for turn in asked:
            if turn.assistant.startswith("Your name is"):
                assert turn.word is not None
                assert turn.word in told.user


def test_code_answers_run_and_are_right() -> None:
    """The Python functions of the corpus compute what they say."""
    scope: dict[str, object] = {"print": lambda *_: None}
    for snippet in code.SNIPPETS:
        exec(snippet.python, scope)

    assert eval("fibonacci(10)", scope) == 55
    assert eval("factorial(5)", scope) == 120
    assert eval("[is_prime(n) for n in (1, 2, 9, 13)]", scope) == [False, True, False, True]
    assert eval("bubble_sort([3, 1, 2])", scope) == [1, 2, 3]
    assert eval("binary_search([1, 3, 5, 7], 5)", scope) == 2
    assert eval("gcd(12, 18)", scope) == 6
    assert eval("unique([1, 2, 2, 3])", scope) == [1, 2, 3]
    assert eval("to_fahrenheit(100)", scope) == 212


def test_one_word_answers_are_one_word_where_the_fact_is_one() -> None:
    """Facts of the table have a one-word answer without spaces, except names of places."""
    assert {"New York"} == {word for _, _, word in facts.FACTS if " " in word}
    assert all(" " not in word for word in (*facts.COLOURS.values(), *words.OPPOSITES.values()))


def test_a_one_word_answer_is_no_sentence() -> None:
    """Under the one-word system prompt every answer is an entry; the longest name has four words."""
    for skill in personas.ONE_WORD_SKILLS:
        assert all(len(personas.one_word(turn).split()) <= 4 for turn in drawn(skill, 200))


def test_a_story_is_about_its_hero() -> None:
    """The hero named by the user opens the story."""
    for turn in drawn(stories.stories, 300):
        asked = re.search(r"(?:story|tale) about an? (?:\w+ )?(\w+)(?: named \w+)?\.?$", turn.user)
        if asked and "\n\n" in turn.assistant and "and a" not in turn.user:
            assert asked.group(1) in turn.assistant


def test_the_fox_and_the_grapes_answers_its_exact_question() -> None:
    """The chat page's first example is in the corpus word for word, with its fable."""
    question = "What is the story about the fox and the grapes?"
    answers = {turn.assistant for turn in drawn(fables.fables, 4000) if turn.user == question}

    assert answers
    assert all("grapes" in answer and "Moral: It is easy to despise" in answer for answer in answers)


def test_capitals_are_unambiguous_and_translations_complete() -> None:
    """Every country has one capital, and every language has a word for every entry."""
    assert len(geography.COUNTRIES) > 150
    assert all(country.capital and country.language for country in geography.COUNTRIES.values())
    assert len({len(table) for table in translation.WORDS.values()}) == 1
    assert set(geography.FAMILIAR) <= set(geography.COUNTRIES)


def test_no_joke_is_told_twice_in_a_row_of_jokes() -> None:
    """Who asks for another joke gets another one."""
    rng = Random(6)
    for _ in range(DRAWS):
        told = [turn.assistant.removeprefix("Here is one: ") for turn in poems.jokes(rng)]
        assert len(told) == len(set(told))


def test_the_words_a_system_prompt_quotes_open_or_close_every_answer() -> None:
    """A dialogue under "end every answer with" obeys in all its turns."""
    rng = Random(7)
    tagged = 0
    for _ in range(DRAWS):
        dialogue = personas.persona_dialogue(rng, mixture.draw_turns)
        if (found := re.search(r'"([^"]+)"', dialogue.system or "")) is not None:
            tagged += 1
            tag = found.group(1)
            answers = [turn.assistant for turn in dialogue.turns]
            assert all(answer.startswith(tag) or answer.endswith(tag) for answer in answers), dialogue
    assert tagged > DRAWS // 20


def test_questions_for_a_bigger_model_get_fixed_texts() -> None:
    """What only a big model knows is never answered, and never echoed."""
    answers = {turn.assistant for turn in drawn(visitors.big_questions)}

    assert len(answers) <= 12
    assert all("tiny demo model" in answer for answer in answers)


def test_no_template_syntax_reaches_the_text(sample: list[Dialogue]) -> None:
    """Every alternative is chosen and every slot is filled, except braces of real code."""
    for dialogue in sample:
        for turn in dialogue.turns:
            for text in (turn.user, turn.assistant):
                plain = re.sub(r"```.*?```", "", text, flags=re.DOTALL)
                assert not re.search(r"\{[^}]*\||<[a-z]>", plain, re.IGNORECASE), text
                assert text.strip() == text
                assert text


def test_equal_seeds_write_equal_dialogues() -> None:
    """The corpus is a function of its seed."""
    assert list(islice(mixture.dialogues(5), 200)) == list(islice(mixture.dialogues(5), 200))
    assert list(islice(mixture.dialogues(5), 20)) != list(islice(mixture.dialogues(6), 20))


def test_long_dialogues_fill_most_of_the_context(sample: list[Dialogue]) -> None:
    """Some dialogues are long enough that late positions are trained."""
    characters = [sum(len(turn.user) + len(turn.assistant) for turn in dialogue.turns) for dialogue in sample]

    assert max(characters) > 4500
    assert sum(count > 2500 for count in characters) > len(sample) // 200


def test_typing_changes_no_number() -> None:
    """Typos and lower case leave digits alone, so the right answer stays right."""
    rng = Random(8)
    for _ in range(DRAWS):
        assert ["37", "58"] == re.findall(r"\d+", typed(rng, "What is 37 plus 58?"))


def test_spin_fills_slots_last() -> None:
    """Text in a slot is never read as template syntax."""
    assert "a {b|c}" == spin(Random(0), "a <x>", x="{b|c}")


def test_poems_jokes_and_small_talk_exist_in_number() -> None:
    """There is enough of each that a chat does not repeat itself at once."""
    assert len(poems.JOKES) == len(set(poems.JOKES)) >= 20
    assert len(poems.RIDDLES) >= 10
    assert len(smalltalk.SMALL_TALK) + len(smalltalk.IDENTITY) >= 40
    assert len(fables.FABLES) >= 10
