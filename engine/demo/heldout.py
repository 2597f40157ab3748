"""The evaluation's questions: wordings that the corpus never uses, each with a test of the answer.

A unit test holds the two apart. Only the skill "starters" asks in trained words: these are the chat page's examples.

Knows nothing of: engines, tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random

from engine.demo import heldout_rows as rows
from engine.demo.corpus import code, lists, translation
from engine.demo.corpus.counting import NUMBER_WORDS
from engine.demo.corpus.fables import FABLES
from engine.demo.corpus.geography import COUNTRIES
from engine.demo.corpus.mixture import dialogues
from engine.demo.verdict import ends_with, has, is_honest, is_one_word, list_of, numbers, result, story_about

Messages = tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Case:
    """Hold one question, with the messages before it, and the test that its answer must pass."""

    skill: str
    messages: Messages
    is_right: Callable[[str], bool]

    @property
    def question(self) -> str:
        """The last message, which is the user's."""
        return self.messages[-1][1]


def _asked(text: str, system: str | None = None) -> Messages:
    return ((("system", system),) if system else ()) + (("user", text),)


def _sums(rng: Random) -> Iterator[Case]:
    for place in range(60):
        first, second = rng.randint(0, 99), rng.randint(0, 99)
        if place % 3 == 0:
            sum_, value = f"{first} + {second}", first + second
        elif place % 3 == 1:
            first, second = max(first, second), min(first, second)
            sum_, value = f"{first} - {second}", first - second
        else:
            first, second = rng.randint(2, 12), rng.randint(2, 12)
            sum_, value = (
                (f"{first} * {second}", first * second)
                if place % 2
                else (f"{first * second} / {second}", first)
            )
        yield Case(
            "sums in the taught range",
            _asked(rows.SUM_FRAMES[place % len(rows.SUM_FRAMES)].format(e=sum_)),
            result(value),
        )
    for place in range(16):
        sum_ = f"{rng.randint(100, 99999)} {rng.choice('+-*/')} {rng.randint(11, 9999)}"
        yield Case(
            "sums out of range: says so", _asked(rows.NO_RESULT_FRAMES[place % 2].format(e=sum_)), is_honest()
        )


def _counting() -> Iterator[Case]:
    for place, end in enumerate((*range(3, 21), 5, 10, 12, 15, 18, 20)):
        shown = NUMBER_WORDS[end] if place % 5 == 4 else str(end)
        yield Case(
            "counting up to 20",
            _asked(rows.COUNT_FRAMES[place % len(rows.COUNT_FRAMES)].format(n=shown)),
            numbers(range(1, end + 1)),
        )
    for place, start in enumerate((4, 6, 8, 10, 12, 15, 17, 20)):
        yield Case(
            "counting down", _asked(rows.DOWN_FRAMES[place % 2].format(n=start)), numbers(range(start, 0, -1))
        )
    for far in ("a million", "5000", "a thousand", "100000"):
        yield Case(
            "counting too far: says so", _asked(f"Would you mind counting up to {far} for me?"), is_honest()
        )


def _lists() -> Iterator[Case]:
    kinds = tuple(kind for kind in lists.KINDS if kind != "facts")
    for place in range(50):
        kind, count = kinds[place % len(kinds)], 3 + place % 6
        shown = NUMBER_WORDS[count] if place % 2 else str(count)
        user = rows.LIST_FRAMES[place % len(rows.LIST_FRAMES)].format(n=shown, k=kind)
        yield Case("lists without repeats", _asked(user), list_of(kind, count))


def _names(rng: Random) -> Iterator[Case]:
    between: tuple[Messages, ...] = (
        (),
        (("user", "What is the capital of Spain?"), ("assistant", "The capital of Spain is Madrid.")),
        (("user", "Tell me a joke."), ("assistant", "Why are fish so smart? They live in schools."), ("user", "Thanks!"), ("assistant", "You're welcome!")),
    )  # fmt: skip
    for place, name in enumerate(rows.NAMES_NEVER_SEEN):
        told = rows.TELL_NAME_FRAMES[place % len(rows.TELL_NAME_FRAMES)].format(n=name)
        start = (("user", told), ("assistant", f"Nice to meet you, {name}! How can I help you?"))
        question = rows.ASK_NAME_FRAMES[(place + place // 8) % len(rows.ASK_NAME_FRAMES)]
        yield Case("name recall", start + between[place % 3] + _asked(question), has(name))
    for place, name in enumerate(rows.NAMES_NEVER_SEEN[:12]):
        past: list[tuple[str, str]] = [
            ("user", f"Hello, my name is {name}."),
            ("assistant", f"Hello, {name}! How can I help you?"),
        ]
        wanted = 2500 if place % 2 else 5000
        talk = (
            turn
            for dialogue in dialogues(rng.randrange(10**6))
            if dialogue.system is None
            for turn in dialogue.turns
        )
        while sum(len(content) + 20 for _, content in past) < wanted:
            turn = next(talk)
            # Another name in between would make the question unfair.
            if (
                "name" not in turn.user.lower()
                and "meet you" not in turn.assistant
                and "Hello, " not in turn.assistant
            ):
                past += [("user", turn.user), ("assistant", turn.assistant)]
        yield Case(
            "name recall in a long chat",
            (*past, ("user", rows.ASK_NAME_FRAMES[place % len(rows.ASK_NAME_FRAMES)])),
            has(name),
        )


def _one_words() -> Iterator[Case]:
    short = [(question, word) for question, _, word in rows.FACT_ROWS if word]
    for place, (question, word) in enumerate(short):
        if place % 2:
            messages = _asked(question, rows.ONE_WORD_SYSTEMS[place % len(rows.ONE_WORD_SYSTEMS)])
        else:
            messages = _asked(rows.ONE_WORD_FRAMES[place % len(rows.ONE_WORD_FRAMES)].format(q=question))
        yield Case("one-word answers", messages, is_one_word(word))


def _texts() -> Iterator[Case]:
    for place, hero in enumerate(rows.HEROES):
        user = rows.STORY_FRAMES[place % len(rows.STORY_FRAMES)].format(h=hero)
        yield Case("stories on topic", _asked(user), story_about(hero.split()[-1]))
    for place, (name, fable) in enumerate(FABLES.items()):
        yield Case(
            "fables",
            _asked(rows.FABLE_FRAMES[place % 3].format(k=fable.names[place % 2])),
            has(fable.moral, name),
        )
    for place, snippet in enumerate(code.SNIPPETS):
        yield Case(
            "code",
            _asked(rows.CODE_FRAMES[place % len(rows.CODE_FRAMES)].format(t=snippet.tasks[0])),
            has(f"```python\n{snippet.python}\n```"),
        )


def cases() -> list[Case]:
    """List every case, always the same ones in the same order."""
    rng = Random(20)
    found: list[Case] = [
        Case("starters (trained wordings)", _asked(question), has(*words))
        for question, words in rows.STARTER_ROWS
    ]
    countries = [
        name for name in COUNTRIES if name not in ("Luxembourg", "Monaco", "San Marino", "Singapore")
    ]
    for place, country in enumerate(rng.sample(countries, 50)):
        user = rows.CAPITAL_FRAMES[place % len(rows.CAPITAL_FRAMES)].format(c=country)
        found.append(
            Case(
                "capitals",
                _asked(user[0].upper() + user[1:] if place % 2 else user),
                has(COUNTRIES[country].capital),
            )
        )
    found += [Case("facts", _asked(question), has(word)) for question, word, _ in rows.FACT_ROWS]
    found += _one_words()
    found += _names(rng)
    found += _texts()
    found += _counting()
    found += _lists()
    found += _sums(rng)
    for place, (term, word) in enumerate(rows.DEFINED):
        found.append(
            Case(
                "definitions",
                _asked(rows.DEFINE_FRAMES[place % len(rows.DEFINE_FRAMES)].format(b=term)),
                has(word),
            )
        )
    for place in range(24):
        language = tuple(translation.WORDS)[place % 4]
        word, answer = rng.choice(tuple(translation.WORDS[language].items()))
        found.append(
            Case(
                "translations",
                _asked(rows.TRANSLATE_FRAMES[place % 3].format(l=language, w=word)),
                has(f'"{answer}"'),
            )
        )
    for place, tag in enumerate(rows.TAGS * 2):
        question, word, _ = rows.FACT_ROWS[place * 3]
        asked = _asked(question, rows.TAG_SYSTEMS[place % 3].format(t=tag))
        found.append(Case("end every answer with a tag", asked, ends_with(tag, word)))
    found += [
        Case("small talk and identity", _asked(question), has(*words)) for question, words in rows.TALK_ROWS
    ]
    found += [
        Case("unknown topics: says so, no echo", _asked(question), is_honest(topic))
        for question, topic in rows.UNKNOWN_ROWS
    ]
    found += [Case("odd requests: says so", _asked(question), is_honest()) for question in rows.HONEST_ROWS]
    return found


def wordings() -> list[str]:
    """List every held-out question: what the corpus must never contain."""
    return [case.question for case in cases() if not case.skill.startswith("starters")]
