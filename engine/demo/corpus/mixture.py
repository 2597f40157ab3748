"""The mixture: how often each skill is drawn and how dialogues are put together.

Weights follow difficulty, not importance: what a tiny model learns late (counting, lists, sums, copying) is
drawn more often than what it learns early.
"""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from engine.demo.corpus import (
    arithmetic,
    code,
    counting,
    definitions,
    fables,
    facts,
    geography,
    howto,
    lists,
    memory,
    personas,
    poems,
    smalltalk,
    stories,
    translation,
    unknown,
    visitors,
    words,
)
from engine.demo.corpus.dialogue import Dialogue, Skill, Turn
from engine.demo.corpus.phrasing import linked, typed
from engine.demo.corpus.vocabulary import first_name

SKILLS: dict[str, tuple[Skill, float]] = {
    "capitals": (geography.capitals, 7),
    "places": (geography.places, 3),
    "facts": (facts.general, 14),
    "animals": (facts.animals, 3),
    "colours": (facts.colours, 1.5),
    "forms": (words.forms, 3.5),
    "spelling": (words.spelling, 2),
    "order": (words.order, 2),
    "translation": (translation.translations, 4),
    "definitions": (definitions.definitions, 8),
    "sums": (arithmetic.sums, 12),
    "word problems": (arithmetic.word_problems, 2),
    "comparisons": (arithmetic.comparisons, 2),
    "counting": (counting.counts, 7.5),
    "lists": (lists.lists, 8),
    "one of": (lists.one_of, 1),
    "fixed lists": (lists.fixed, 1.5),
    "tables": (lists.tables, 1),
    "how to": (howto.how_to, 2),
    "comparing": (howto.comparing, 0.7),
    "fables": (fables.fables, 3.5),
    "stories": (stories.stories, 12),
    "poems": (poems.poems, 2.5),
    "jokes": (poems.jokes, 3),
    "riddles": (poems.riddles, 1.5),
    "code": (code.code, 4.5),
    "memory": (memory.memory, 4),
    "repeating": (memory.repeating, 3),
    "manners": (smalltalk.manners, 3),
    "small talk": (smalltalk.small_talk, 5),
    "identity": (smalltalk.identity, 2.5),
    "unknown questions": (unknown.questions, 12),
    "unknown tasks": (unknown.tasks, 5),
    "statements": (unknown.statements, 3),
    "gibberish": (unknown.gibberish, 1.5),
    "abilities": (visitors.abilities, 4),
    "chatter": (visitors.chatter, 5),
    "big questions": (visitors.big_questions, 7),
}
_DRAWN = tuple(skill for skill, _ in SKILLS.values())
_WEIGHTS = tuple(weight for _, weight in SKILLS.values())

# Shares of dialogues; the rest are plain conversations of one to six exchanges.
_PERSONA_SHARE = 0.22
_MEMORY_SHARE = 0.13
_LONG_SHARE = 0.035
# Characters of a long dialogue: about four characters make a token, so these reach 2,000 tokens.
_LONG_CHARACTERS = (2500, 7500)


def draw_turns(rng: Random) -> list[Turn]:
    """Draw one short conversation of any skill."""
    return rng.choices(_DRAWN, weights=_WEIGHTS)[0](rng)


def _exchange(rng: Random) -> list[Turn]:
    turns = [personas.asked_in_one_word(rng)] if rng.random() < 0.05 else draw_turns(rng)
    if len(turns) == 1 and turns[0].word and turns[0].assistant != personas.one_word(turns[0]) and rng.random() < 0.05:
        turns = [*turns, personas.again_in_one_word(rng, turns[0])]
    if rng.random() < 0.05:
        turns = [*turns, smalltalk.thanks(rng)]
    return turns


def _system(rng: Random) -> str | None:
    return personas.generic_system(rng) if rng.random() < 0.45 else None


def _as_typed(rng: Random, turns: list[Turn]) -> tuple[Turn, ...]:
    written: list[Turn] = []
    for turn in turns:
        text = linked(rng, turn.user) if written and rng.random() < 0.12 else turn.user
        # What the answer repeats word for word must reach it unshortened.
        repeats = turn.assistant.rstrip(".!").lower() in turn.user.lower()
        written.append(Turn(typed(rng, text, shorten=not repeats), turn.assistant, turn.word))
    return tuple(written)


def _plain(rng: Random) -> Dialogue:
    turns: list[Turn] = [smalltalk.greeting(rng)] if rng.random() < 0.12 else []
    for _ in range(rng.choice((1, 1, 1, 1, 2, 2, 3, 4))):
        turns.extend(_exchange(rng))
    if rng.random() < 0.04:
        turns.append(smalltalk.farewell(rng))
    return Dialogue(_system(rng), _as_typed(rng, turns))


def _remembering(rng: Random, length: int) -> list[Turn]:
    """Tell a name, talk about other things, and ask for what was told."""
    name = first_name(rng)
    asked = [memory.ask_name(rng, name)]
    turns = [memory.tell_name(rng, name)]
    if rng.random() < 0.4:
        told, ask = memory.tell_and_ask(rng)
        turns.append(told)
        asked.insert(rng.randrange(2), ask)
    for _ in range(length):
        turns.extend(_exchange(rng)[:2])
    return turns + asked


def _long(rng: Random) -> Dialogue:
    wanted = rng.randint(*_LONG_CHARACTERS)
    name = first_name(rng)
    turns = [memory.tell_name(rng, name)]
    # A turn costs about six more tokens than its text: the header of its role.
    while sum(len(turn.user) + len(turn.assistant) + 40 for turn in turns) < wanted:
        turns.extend(_exchange(rng))
        if rng.random() < 0.06:
            turns.append(memory.ask_name(rng, name))
    turns.append(memory.ask_name(rng, name))
    return Dialogue(_system(rng), _as_typed(rng, turns))


def dialogue(rng: Random) -> Dialogue:
    """Write one dialogue of the corpus."""
    draw = rng.random()
    if draw < _LONG_SHARE:
        return _long(rng)
    draw -= _LONG_SHARE
    if draw < _MEMORY_SHARE:
        return Dialogue(_system(rng), _as_typed(rng, _remembering(rng, rng.choice((0, 0, 1, 2, 3)))))
    draw -= _MEMORY_SHARE
    if draw < _PERSONA_SHARE:
        return personas.persona_dialogue(rng, draw_turns)
    return _plain(rng)


def dialogues(seed: int) -> Iterator[Dialogue]:
    """Write dialogues without end; equal seeds write equal dialogues."""
    rng = Random(seed)
    while True:
        yield dialogue(rng)
