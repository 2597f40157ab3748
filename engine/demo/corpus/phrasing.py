"""Turn one template into many wordings, and clean wording into hurried typing.

Template syntax: `{a|b|}` chooses one alternative (nesting allowed), `<name>` is a slot.

Knows nothing of: any subject.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from random import Random

_CHOICE = re.compile(r"\{([^{}]*)\}")
_SPACES = re.compile(r"(?<=\S) {2,}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeiou])")

_OPENERS = (
    "Please ", "please, ", "Hey, ", "Ok, ", "So, ", "Now ", "Well, ", "Hi, ", "Hello! ", "Quick question: ",
    "One more thing: ", "Next question: ", "And ", "Just curious, ", "I was wondering, ", "Can you help? ",
    "Hi there, ", "Good morning, ", "Question: ", "Let me ask you this: ", "Alright, ", "My question is: ",
)  # fmt: skip
_WH_OPENERS = (
    "Tell me, ", "Can you tell me: ", "Do you know ", "Could you tell me ", "I want to know ", "Say, ",
    "I would like to know: ", "Can you say ", "Do you happen to know: ", "Please tell me: ", "Remind me, ",
)  # fmt: skip
_CLOSERS = (" please", " now", " for me", ", please", " thanks", " then", " today", " again")
_WH = ("what", "which", "who", "where", "when", "how", "why")


@lru_cache(maxsize=65536)
def _alternatives(body: str) -> tuple[str, ...]:
    return tuple(body.split("|"))


def spin(rng: Random, template: str, **slots: object) -> str:
    """Write one wording of a template.

    Slots are filled last, so their text is never read as template syntax.
    """
    text = template
    while (match := _CHOICE.search(text)) is not None:
        text = text[: match.start()] + rng.choice(_alternatives(match.group(1))) + text[match.end() :]
    for name, content in slots.items():
        text = text.replace(f"<{name}>", str(content))
    return _SPACES.sub(" ", text).strip()


def article(noun: str) -> str:
    """Write a noun with its indefinite article, by its first letter."""
    return ("an " if noun[0].lower() in "aeiou" else "a ") + noun


def mend_articles(text: str) -> str:
    """Replace "a" by "an" before a vowel, after slots were filled."""
    return _ARTICLE.sub(r"\1n ", text)


def capitalise(text: str) -> str:
    """Write the first letter as a capital and leave the rest alone."""
    return text[:1].upper() + text[1:]


def join(words: Sequence[str]) -> str:
    """Write a list as prose: "a, b and c"."""
    return words[0] if len(words) == 1 else ", ".join(words[:-1]) + " and " + words[-1]


_ONSETS = ("b", "d", "f", "g", "k", "l", "m", "n", "p", "r", "s", "t", "v", "z", "br", "tr", "sh", "th", "st", "gr", "j", "w", "qu")
_VOWELS = ("a", "e", "i", "o", "u", "a", "e", "o", "ee", "ai", "ou", "y")
_CODAS = ("", "", "n", "r", "x", "l", "s", "th", "ck", "rd", "m")


def invented(rng: Random) -> str:
    """Make up a pronounceable word that means nothing."""
    syllables = (rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 2, 2, 2, 3))))
    return "".join(syllables) + rng.choice(_CODAS)


def spliced(rng: Random, words: Sequence[str]) -> str:
    """Make a word of the beginning of one word and the end of another."""
    first, second = rng.choice(words), rng.choice(words)
    return first[: rng.randint(2, max(2, len(first) - 1))] + second[rng.randint(1, max(1, len(second) - 2)) :]


_TELL = (
    "Can you tell me", "Could you tell me", "Do you know", "I want to know", "I'd like to know", "Tell me", "I wonder", "Any idea",
    "Please explain to me", "Do you have any idea", "Would you tell me", "Please say", "I forgot", "I need to know", "Can anyone tell me",
)  # fmt: skip
_AROUND = (
    "My homework asks: <q>", "My son asks: <q>", "In a quiz I was asked: <q>", "<q> I forgot.", "<q> It is for school.", "<q> I need to know.",
    "I have a question. <q>", "<q> Do you know?", "<q> Any idea?", "Simple question for you: <q>", "<q> I can't remember.", "Let me test you. <q>",
    "My friend wants to know: <q>", "<q> Thank you!", "Tell me quickly: <q>", "<q> Be honest.", "Here is my question: <q>", "<q> Tell me!",
)  # fmt: skip
_WHAT_IS = re.compile(r"(?:What is|What's|Whats|Who is|Where is|Which is) ([^?,]+)\?")
_HAVE = re.compile(r"How many (\w+) (?:does|do) ([^?,]+) have\?")
_ARE_IN = re.compile(r"How many (\w+) are (?:there )?in ([^?,]+)\?")


def reordered(rng: Random, text: str) -> str:
    """Put a simple question into another order of words, where its form allows it."""
    if (match := _WHAT_IS.fullmatch(text)) is not None:
        subject, word = match.group(1), text.split()[0].lower().replace("'s", "").replace("whats", "what")
        draw = rng.random()
        if draw < 0.6:
            return f"{rng.choice(_TELL)} {word} {subject} is{rng.choice('?.')}"
        if draw < 0.8 or word != "what":
            return f"{capitalise(subject)}{rng.choice((', what is it?', ' is what?', ' is ...', '?', ': what is it?'))}" if word == "what" else text
        return f"{rng.choice(('Name', 'Tell me', 'Say', 'I am looking for', 'Give me'))} {subject}."
    if (match := _HAVE.fullmatch(text)) is not None or (match := _ARE_IN.fullmatch(text)) is not None:
        things, owner = match.group(1), match.group(2)
        return spin(
            rng,
            "{<O> has how many <t>|What number of <t> does <o> have|<O>: how many <t>|How many <t> would <o> have|Number of <t> in <o>"
            "|How many <t> has <o>|Can you count the <t> of <o>|Of how many <t> is <o> made|How many <t> do you find in <o>|Tell me how many <t> <o> has}{?|?|.}",
            t=things, o=owner, O=capitalise(owner),
        )  # fmt: skip
    return text


_LINKS = (
    "ok, ", "okay, and ", "and ", "and ", "and now ", "thanks! ", "thx, ", "cool, ", "nice. ", "great, and ", "good. now ", "next: ", "btw, ", "then ",
    "alright. ", "perfect. and ", "fine. ", "Thanks, and ", "Ok, next question: ", "Another thing: ", "Also, ", "And also ", "Now something else: ", "lol ok, ",
)  # fmt: skip


def linked(rng: Random, text: str) -> str:
    """Tie a message to the one before it with a word or two."""
    keep = text[:2] in ("I ", "I'") or text[1:2].isupper()
    return rng.choice(_LINKS) + (text if keep else text[:1].lower() + text[1:])


def wrapped(rng: Random, text: str) -> str:
    """Put a polite opener before, or a closer behind, some of the messages."""
    if rng.random() < 0.25:
        text = reordered(rng, text)
    draw = rng.random()
    if draw > 0.95 and text[-1:] == "?":
        return spin(rng, rng.choice(_AROUND)).replace("<q>", text)
    if draw < 0.10:
        opener = rng.choice(_OPENERS)
    elif draw < 0.20 and text.lower().startswith(_WH):
        opener = rng.choice(_WH_OPENERS)
    elif draw < 0.26 and text[-1:] in "?.!":
        return text[:-1] + rng.choice(_CLOSERS) + text[-1]
    else:
        return text
    # "I" stays a capital in the middle of a sentence.
    keep = text[:2] in ("I ", "I'") or rng.random() < 0.25
    return opener + (text if keep else text[:1].lower() + text[1:])


def _mistype(rng: Random, text: str) -> str:
    at = rng.randrange(1, len(text) - 1)
    before, after = text[: at + 1].split(" ")[-1], text[at + 1 :].split(" ")[0]
    # Digits, names and quoted words are meant: a typo there would change the right answer.
    if any(letter.isdigit() or letter.isupper() or letter in "\"'\n" for letter in before + after) or text[at] == " ":
        return text
    draw = rng.random()
    if draw < 0.4:
        return text[:at] + text[at + 1 :]
    if draw < 0.8:
        return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
    return text[:at] + text[at] + text[at:]


# How hurried people shorten what they type. Left: whole words, lower case; right: what they type instead.
_SHORT: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("are you", ("r u", "are u", "r you")), ("you are", ("ur", "youre", "u are")), ("you", ("u", "u", "ya")), ("your", ("ur", "your")),
    ("please", ("pls", "plz", "pleas")), ("thank you", ("thx", "ty", "thank u")), ("thanks", ("thx", "tnx", "thanx")),
    ("what is", ("whats", "wats", "what s")), ("what's", ("whats", "what s")), ("what", ("wat", "what")),
    ("who is", ("whos", "who s")), ("where is", ("wheres", "where s")), ("how is", ("hows", "how s")),
    ("i am", ("im", "i m")), ("i'm", ("im", "i m")), ("do not", ("dont", "don t")), ("don't", ("dont",)), ("can't", ("cant",)),
    ("cannot", ("cant",)), ("want to", ("wanna",)), ("give me", ("gimme", "giv me")), ("let me", ("lemme",)), ("because", ("cuz", "bc")),
    ("for", ("4", "for", "for")), ("and", ("n", "&", "and")), ("hello", ("hallo", "hellooo")), ("hi", ("hii", "hi")), ("hey", ("heey", "hej")),
    ("right now", ("rn",)), ("the", ("the", "")), ("a", ("", "a")), ("would like", ("wud like",)), ("could", ("cud", "could")),
    ("something", ("sth", "smth")), ("about", ("abt", "about")), ("people", ("ppl", "people")), ("good", ("gud", "good")),
)
_SHORTENED = tuple((re.compile(rf"\b{re.escape(word)}\b"), said) for word, said in _SHORT)
_TAILS = (" pls", " plz", " thx", " lol", " haha", " :)", " ok?", " bro", " man", " rn", " asap", " pls pls", " thanks", " ;)", " hm", " again", " tho", " btw")
_HEADS = ("ok ", "so ", "hey ", "hi ", "yo ", "um ", "hmm ", "well ", "lol ", "btw ", "pls ", "hey can u tell me ", "ok so ", "quick q: ", "and ", "hello, ")


def slang(rng: Random, text: str) -> str:
    """Write a message in hurried chat English: all lower case, some words shortened, little punctuation."""
    if rng.random() < 0.3 and len(text) > 8:
        text = _mistype(rng, text)
    text = text.lower()
    for pattern, said in _SHORTENED:
        if rng.random() < 0.45:
            text = pattern.sub(rng.choice(said), text)
    if rng.random() < 0.7:
        text = text.replace("'", "")
    if rng.random() < 0.7:
        text = text.rstrip("?.!")
    if rng.random() < 0.15:
        text = rng.choice(_HEADS) + text
    if rng.random() < 0.15:
        text += rng.choice(_TAILS)
    return " ".join(text.split()) or "hi"


def typed(rng: Random, text: str, shorten: bool = True) -> str:
    """Write a message the way people type: lower case, no full stop, a typo now and then.

    `shorten` allows chat English, which would spoil words that the answer repeats.
    """
    # Quoted words, code and sums must stay as they are.
    if rng.random() < 0.13 and shorten and not any(letter.isdigit() or letter in "\"'\n`:" for letter in text):
        return slang(rng, text)
    text = wrapped(rng, text)
    if rng.random() < 0.06 and len(text) > 8:
        text = _mistype(rng, text)
    draw = rng.random()
    if draw < 0.25:
        text = text.lower()
    elif draw < 0.265:
        text = text.upper()
    if rng.random() < 0.25:
        text = text.rstrip("?.!")
    elif rng.random() < 0.03:
        text = text.rstrip("?.!") + rng.choice(("??", "!!", " ?", " !", "...", " :)"))
    return text.strip() or "Hi"
