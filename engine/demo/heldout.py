"""The evaluation's questions: wordings that the corpus never uses, each with a test of the answer.

A unit test holds the two apart. Only the skill "starters" asks in trained words: these are the chat page's examples.

Knows nothing of: engines, tokens.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from random import Random

from engine.demo.corpus import code, lists, translation
from engine.demo.corpus.counting import NUMBER_WORDS
from engine.demo.corpus.fables import FABLES
from engine.demo.corpus.geography import COUNTRIES
from engine.demo.corpus.mixture import dialogues
from engine.demo.heldout_rows import (
    DEFINED,
    FACT_ROWS,
    HONEST_ROWS,
    NAMES_NEVER_SEEN,
    STARTER_ROWS,
    TALK_ROWS,
    UNKNOWN_ROWS,
)

Messages = tuple[tuple[str, str], ...]
HONEST = (
    "demo model", "do not know", "cannot", "beyond me", "too hard", "only know", "no clock", "no internet", "too far", "only count",
    "too big", "only write", "only do",
)  # fmt: skip


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


def has(*words: str) -> Callable[[str], bool]:
    """Test that an answer holds every one of the words, whatever their case."""
    return lambda answer: all(word.lower() in answer.lower() for word in words)


def is_honest(topic: str = "") -> Callable[[str], bool]:
    """Test that an answer admits not knowing and does not repeat the topic."""
    return lambda answer: any(sign in answer for sign in HONEST) and not (topic and topic.lower() in answer.lower())


def _numbers(wanted: Sequence[int]) -> Callable[[str], bool]:
    return lambda answer: [int(number) for number in re.findall(r"\d+", answer)] == list(wanted)


def _result(value: int) -> Callable[[str], bool]:
    return lambda answer: [int(number) for number in re.findall(r"\d+", answer)][-1:] == [value]


def _one_word(word: str) -> Callable[[str], bool]:
    return lambda answer: answer.strip().rstrip(".!").lower() == word.lower()


def items_of(answer: str) -> list[str]:
    """Read the items of a list written with numbers, dashes or commas."""
    lines = re.findall(r"^(?:\d+\.|-) (.+)$", answer, re.MULTILINE)
    items = lines or re.split(r", | and ", answer.strip().rstrip("."))
    return [item.strip().rstrip(".").lower() for item in items]


def _list_of(kind: str, count: int) -> Callable[[str], bool]:
    known = {item.rstrip(".").lower() for item in lists.KINDS[kind]}
    return lambda answer: len(items_of(answer)) == len(set(items_of(answer))) == count and set(items_of(answer)) <= known


def _asked(text: str, system: str | None = None) -> Messages:
    return ((("system", system),) if system else ()) + (("user", text),)


CAPITAL_FRAMES = (
    "Which city serves as the capital of {c}?", "I always forget: what's {c}'s capital called?", "{c} - its capital is?",
    "My quiz asks for the capital city of {c}, what do I write?", "What would you say is the capital of {c}?", "capital of {c} pls",
    "If I flew to {c}, which city would be the capital?", "{c} has which capital city?", "Help me out, capital of {c} is ...?", "Could you name me {c}'s capital city?",
)  # fmt: skip
COUNT_FRAMES = (
    "Would you mind counting up to {n} for me?", "I want to hear you count, starting at one, until you reach {n}.", "Let's see you count up to {n}",
    "Counting please, from one to {n}", "Numbers up to {n}, in order, beginning with 1.", "Could you go and count all the way up to {n}?",
    "Let me hear the numbers one through {n}.", "Count up, ending at {n}", "Can I see you counting to {n}?", "Please count slowly to {n}!",
)  # fmt: skip
DOWN_FRAMES = ("Would you count from {n} all the way down to one?", "Numbers backwards from {n}, please")
LIST_FRAMES = (
    "Could I have {n} different {k}?", "What {n} {k} come to your mind?", "I'd like to see {n} {k}, please.", "For my homework I need {n} {k}.",
    "Mention {n} {k} for me", "Got {n} {k} for me?",
    "We need {n} {k} for a game.", "Please give {n} examples of {k}.", "Can you tell me any {n} {k}?", "I'm curious about {n} {k}, list them.",
)  # fmt: skip
STORY_FRAMES = (
    "Could I hear a story where the main character is {h}?", "Let's have a story, and put {h} in it.", "story about {h} pls",
    "My daughter would love a bedtime story featuring {h}.", "Would you tell the children a story about {h}?", "Spin me a yarn about {h}.",
    "Once more a story, this time with {h}.", "I feel like reading a story about {h}.", "Would you make up something about {h}, a story maybe?", "Please, a goodnight story on {h}",
)  # fmt: skip
HEROES = (
    "a fox", "a small hamster", "a librarian", "an owl", "a carpenter", "a penguin", "a brave firefighter", "a robot", "a hedgehog",
    "a postman", "a shy turtle", "a spaceship", "a lonely lighthouse", "a mouse", "a dragon", "a pigeon", "an elephant", "a bus driver",
    "a wolf", "a little violin", "a snail", "a cat", "a frog", "a queen", "a scarecrow", "a bear", "a rabbit", "a duck", "a crow", "a dolphin",
)  # fmt: skip
SUM_FRAMES = (
    "Hey what's {e}", "If you had to calculate {e}, what would it be?", "My homework says {e}. What's the answer?", "Quickly: {e}?",
    "What does {e} come to?", "Would you work out {e} for me?",
    "I have to solve {e}, help!", "{e} makes?", "So {e} would be what?", "Please say how much {e} makes.",
)  # fmt: skip
TELL_NAME_FRAMES = (
    "Good to meet you, people usually call me {n}.", "Just so you know, my name is {n}!", "Hey! {n} speaking.", "I go by {n}.", "My first name is {n}",
    "Hi Paddock, {n} is what they call me.", "Greetings, I'm named {n}.", "You are talking to {n}.",
)  # fmt: skip
ASK_NAME_FRAMES = (
    "Now then, how am I named?", "Which name did I give you?", "And my name was?", "Could you say what my name is?", "Do you recall my name?",
    "Quick check: my name?", "Do you have my name in mind?", "What name do I go by?",
)  # fmt: skip
ONE_WORD_SYSTEMS = (
    "Please limit yourself to a single word per reply.", "Your replies consist of exactly one word.", "Only ever say one word.",
    "Respond using just one word.",
)  # fmt: skip
ONE_WORD_FRAMES = ("{q} Say it in one word.", "Using a single word: {q}", "{q} (one word)")
TAG_SYSTEMS = (
    'Please finish every reply with "{t}"', "Each response you give has to end with {t}", 'You are a helpful assistant. Always put "{t}" at the end.',
)  # fmt: skip
TAGS = ("Tally-ho!", "Thanks for asking!", "Roger that.", "Zibbo!", "Have fun!", "Bravo!")
DEFINE_FRAMES = (
    "In plain words, what's {b}?", "Could you quickly explain to me what {b} is?", "How would you explain {b} to a friend?", "{b} - what is that?",
)  # fmt: skip
CODE_FRAMES = (
    "Please show how to {t} with Python code.", "I'm learning Python. How would I {t}?", "Python snippet that can {t}?",
    "Could you code something in Python to {t}?",
)  # fmt: skip
TRANSLATE_FRAMES = ("What would a {l} speaker say for {w}?", "I need the {l} for {w}, please.", "In {l}, how is {w} said?")
FABLE_FRAMES = ("I'd love to hear the one about {k}.", "Can we have {k} as a story?", "How did it go again with {k}?")
NO_RESULT_FRAMES = ("What would {e} be?", "Please figure out {e} for me.")


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
            sum_, value = (f"{first} * {second}", first * second) if place % 2 else (f"{first * second} / {second}", first)
        yield Case("sums in the taught range", _asked(SUM_FRAMES[place % len(SUM_FRAMES)].format(e=sum_)), _result(value))
    for place in range(16):
        sum_ = f"{rng.randint(100, 99999)} {rng.choice('+-*/')} {rng.randint(11, 9999)}"
        yield Case("sums out of range: says so", _asked(NO_RESULT_FRAMES[place % 2].format(e=sum_)), is_honest())


def _counting() -> Iterator[Case]:
    for place, end in enumerate((*range(3, 21), 5, 10, 12, 15, 18, 20)):
        shown = NUMBER_WORDS[end] if place % 5 == 4 else str(end)
        yield Case("counting up to 20", _asked(COUNT_FRAMES[place % len(COUNT_FRAMES)].format(n=shown)), _numbers(range(1, end + 1)))
    for place, start in enumerate((4, 6, 8, 10, 12, 15, 17, 20)):
        yield Case("counting down", _asked(DOWN_FRAMES[place % 2].format(n=start)), _numbers(range(start, 0, -1)))
    for far in ("a million", "5000", "a thousand", "100000"):
        yield Case("counting too far: says so", _asked(f"Would you mind counting up to {far} for me?"), is_honest())


def _lists() -> Iterator[Case]:
    kinds = tuple(kind for kind in lists.KINDS if kind != "facts")
    for place in range(50):
        kind, count = kinds[place % len(kinds)], 3 + place % 6
        shown = NUMBER_WORDS[count] if place % 2 else str(count)
        user = LIST_FRAMES[place % len(LIST_FRAMES)].format(n=shown, k=kind)
        yield Case("lists without repeats", _asked(user), _list_of(kind, count))


def _names(rng: Random) -> Iterator[Case]:
    between: tuple[Messages, ...] = (
        (),
        (("user", "What is the capital of Spain?"), ("assistant", "The capital of Spain is Madrid.")),
        (("user", "Tell me a joke."), ("assistant", "Why are fish so smart? They live in schools."), ("user", "Thanks!"), ("assistant", "You're welcome!")),
    )  # fmt: skip
    for place, name in enumerate(NAMES_NEVER_SEEN):
        told = TELL_NAME_FRAMES[place % len(TELL_NAME_FRAMES)].format(n=name)
        start = (("user", told), ("assistant", f"Nice to meet you, {name}! How can I help you?"))
        question = ASK_NAME_FRAMES[(place + place // 8) % len(ASK_NAME_FRAMES)]
        yield Case("name recall", start + between[place % 3] + _asked(question), has(name))
    for place, name in enumerate(NAMES_NEVER_SEEN[:12]):
        past: list[tuple[str, str]] = [("user", f"Hello, my name is {name}."), ("assistant", f"Hello, {name}! How can I help you?")]
        wanted = 2500 if place % 2 else 5000
        talk = (turn for dialogue in dialogues(rng.randrange(10**6)) if dialogue.system is None for turn in dialogue.turns)
        while sum(len(content) + 20 for _, content in past) < wanted:
            turn = next(talk)
            # Another name in between would make the question unfair.
            if "name" not in turn.user.lower() and "meet you" not in turn.assistant and "Hello, " not in turn.assistant:
                past += [("user", turn.user), ("assistant", turn.assistant)]
        yield Case("name recall in a long chat", (*past, ("user", ASK_NAME_FRAMES[place % len(ASK_NAME_FRAMES)])), has(name))


def _one_words() -> Iterator[Case]:
    short = [(question, word) for question, _, word in FACT_ROWS if word]
    for place, (question, word) in enumerate(short):
        if place % 2:
            messages = _asked(question, ONE_WORD_SYSTEMS[place % len(ONE_WORD_SYSTEMS)])
        else:
            messages = _asked(ONE_WORD_FRAMES[place % len(ONE_WORD_FRAMES)].format(q=question))
        yield Case("one-word answers", messages, _one_word(word))


def _texts() -> Iterator[Case]:
    for place, hero in enumerate(HEROES):
        last = hero.split()[-1]
        yield Case(
            "stories on topic",
            _asked(STORY_FRAMES[place % len(STORY_FRAMES)].format(h=hero)),
            lambda answer, last=last: last in answer and len(answer) > 250,  # type: ignore[misc]
        )
    for place, (name, fable) in enumerate(FABLES.items()):
        yield Case("fables", _asked(FABLE_FRAMES[place % 3].format(k=fable.names[place % 2])), has(fable.moral, name))
    for place, snippet in enumerate(code.SNIPPETS):
        yield Case("code", _asked(CODE_FRAMES[place % len(CODE_FRAMES)].format(t=snippet.tasks[0])), has(f"```python\n{snippet.python}\n```"))


def cases() -> list[Case]:
    """List every case, always the same ones in the same order."""
    rng = Random(20)
    found: list[Case] = [Case("starters (trained wordings)", _asked(question), has(*words)) for question, words in STARTER_ROWS]
    countries = [name for name in COUNTRIES if name not in ("Luxembourg", "Monaco", "San Marino", "Singapore")]
    for place, country in enumerate(rng.sample(countries, 50)):
        user = CAPITAL_FRAMES[place % len(CAPITAL_FRAMES)].format(c=country)
        found.append(Case("capitals", _asked(user[0].upper() + user[1:] if place % 2 else user), has(COUNTRIES[country].capital)))
    found += [Case("facts", _asked(question), has(word)) for question, word, _ in FACT_ROWS]
    found += _one_words()
    found += _names(rng)
    found += _texts()
    found += _counting()
    found += _lists()
    found += _sums(rng)
    for place, (term, word) in enumerate(DEFINED):
        found.append(Case("definitions", _asked(DEFINE_FRAMES[place % len(DEFINE_FRAMES)].format(b=term)), has(word)))
    for place in range(24):
        language = tuple(translation.WORDS)[place % 4]
        word, answer = rng.choice(tuple(translation.WORDS[language].items()))
        found.append(Case("translations", _asked(TRANSLATE_FRAMES[place % 3].format(l=language, w=word)), has(f'"{answer}"')))
    for place, tag in enumerate(TAGS * 2):
        question, word, _ = FACT_ROWS[place * 3]
        right = lambda answer, tag=tag, word=word: answer.rstrip().endswith(tag) and word.lower() in answer.lower()  # noqa: E731
        found.append(Case("end every answer with a tag", _asked(question, TAG_SYSTEMS[place % 3].format(t=tag)), right))  # type: ignore[arg-type]
    found += [Case("small talk and identity", _asked(question), has(*words)) for question, words in TALK_ROWS]
    found += [Case("unknown topics: says so, no echo", _asked(question), is_honest(topic)) for question, topic in UNKNOWN_ROWS]
    found += [Case("odd requests: says so", _asked(question), is_honest()) for question in HONEST_ROWS]
    return found


def wordings() -> list[str]:
    """List every held-out question: what the corpus must never contain."""
    return [case.question for case in cases() if not case.skill.startswith("starters")]
