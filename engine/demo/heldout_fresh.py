"""The fresh questions as cases, each with a test of its answer.

Knows nothing of: engines, tokens.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.demo import heldout_fresh_rows as rows
from engine.demo.heldout import Case
from engine.demo.verdict import (
    Verdict,
    both,
    ends,
    has,
    has_one_of,
    is_honest,
    is_one_word,
    list_of,
    names_an_ability,
    numbers,
    result,
    story_about,
)


def _talk(text: str, system: str | None = None) -> rows.Talk:
    return ((("system", system),) if system else ()) + (("user", text),)


def _system_cases() -> Iterator[Case]:
    for system, question, words, end, one_word in rows.SYSTEMS:
        is_right: Verdict = is_one_word(words[0]) if one_word else both(has_one_of(*words), ends(end))
        yield Case("fresh: system prompts", _talk(question, system), is_right)


def fresh_cases() -> list[Case]:
    """List every fresh case, always the same ones in the same order."""
    found = [Case("fresh: facts", _talk(question), has_one_of(*words)) for question, words in rows.FACTS]
    found += [Case("fresh: one-word answers", _talk(question), is_one_word(word)) for question, word in rows.ONE_WORD]
    for told, question, name in rows.NAMES:
        start = (("user", told), ("assistant", f"Hello, {name}! How can I help you?"))
        found.append(Case("fresh: names", (*start, ("user", question)), has(name)))
    found += [Case("fresh: stories", _talk(question), story_about(hero)) for question, hero in rows.STORIES]
    for question, first, last in rows.COUNTING:
        step = 1 if first < last else -1
        found.append(Case("fresh: counting", _talk(question), numbers(range(first, last + step, step))))
    found += [Case("fresh: lists", _talk(question), list_of(kind, count)) for question, kind, count in rows.LISTS]
    found += [Case("fresh: sums", _talk(question), result(value)) for question, value in rows.SUMS]
    found += [
        Case("fresh: definitions", _talk(question), has_one_of(*words)) for question, words in rows.DEFINITIONS
    ]
    found += _system_cases()
    found += [
        Case("fresh: greetings, small talk", _talk(question), has_one_of(*words)) for question, words in rows.TALK
    ]
    found += [Case("fresh: what can you do", _talk(question), names_an_ability) for question in rows.ABILITIES]
    found += [Case("fresh: follow-ups", talk, has_one_of(*words)) for talk, words in rows.FOLLOW_UPS]
    found += [
        Case("fresh: cannot know, says so", _talk(question), is_honest(topic))
        for question, topic in rows.CANNOT_KNOW
    ]
    return found


def fresh_wordings() -> list[str]:
    """List what the corpus must never contain: every fresh question, and every fresh system prompt."""
    asked = [case.question for case in fresh_cases() if case.messages[0][0] != "system"]
    return asked + [system for system, *_ in rows.SYSTEMS]
