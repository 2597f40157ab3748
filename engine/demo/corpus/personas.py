"""System prompts that change how the assistant answers, applied to turns of any skill.

Each persona is a system prompt and a rewriting of turns; turns that do not fit a persona are left out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random

from engine.demo.corpus import arithmetic, facts, geography, smalltalk, translation, unknown, words
from engine.demo.corpus.dialogue import Dialogue, Skill, Turn
from engine.demo.corpus.memory import some_words
from engine.demo.corpus.phrasing import capitalise, spin, typed
from engine.demo.corpus.vocabulary import first_name

GENERIC = (
    "You are {a|a|an} {helpful|friendly|kind|polite|useful|honest|smart|concise|careful} {assistant|AI assistant|chatbot|helper}.",
    "You are a {helpful|friendly|concise} assistant. {Answer clearly and politely.|Be honest.|Keep your answers clear.|Help the user as well as you can.|Answer the user's questions.|Be concise.|If you do not know something, say so.}",
    "{Be helpful and kind.|Answer the user's questions.|Help the user.|Be polite.|Answer in English.|Be brief.|Use Markdown.|Keep it simple.}",
    "You are {a helpful, respectful and honest assistant|a friendly assistant that answers questions|Paddock, a helpful assistant|the assistant of this service}.",
    "You are a {chat model|language model} {in a web chat|behind a web page|running on this machine}. {Answer in English.|Be brief and kind.|Use markdown when it helps.}",
    "Cutting Knowledge Date: December 2023\nToday Date: 23 July 2024\n\nYou are a helpful assistant",
)  # fmt: skip
ONE_WORD_SKILLS: tuple[Skill, ...] = (
    geography.capitals, geography.capitals, geography.places, facts.general, facts.general, facts.general, facts.animals, facts.colours,
    words.forms, words.order, arithmetic.sums, arithmetic.comparisons, translation.translations, unknown.questions,
)  # fmt: skip
_ONE_WORD = (
    "{You are a helpful assistant. |You are concise. |}{Answer in one word.|Answer with one word only.|Reply with a single word.|Always answer in one word.|Use only one word in your answers.|Give one word answers.|Answer with exactly one word.|You answer every question with one word.|One word answers only.|Respond in a single word.|Your answers are one word long.|Never use more than one word.|Keep every answer to one word.|Reply with just one word.|Speak in single words.|Say only one word.|Each answer is a single word.|Short answers only: one word.|Respond with one word.|Stick to one word.|Write one word and nothing else.|You may only use one word.|A single word is enough for every answer.}"
)
_ONE_WORD_ASKED = (
    "{In one word: |In one word, |One word answer: |Answer in one word: |With one word: |In a single word, |One word only: |Reply with one word: |One word: |Just one word: |Only one word, please: |Briefly, in one word: |Give me one word: |Single word answer: }<q>",
    "<Q> {Answer in one word|One word please|In one word, please|Just one word|Only one word|Answer with a single word|Reply with one word only|One word answer|Use one word|Keep it to one word|Single word|One word is enough|Give me just one word|Respond with one word|I want one word|No more than one word}{.|}",
)
_TAGS = (
    "Meow!", "Over.", "Have a nice day!", "Peace!", "Done.", "Stay curious!", "Beep boop.", "Cheers!", "That is all.", "Good luck!", "Woof!",
    "Best wishes!", "Amen.", "Moo!", "Over and out.", "Hooray!", "Take care!", "Yours, the bot.", "Quack!", "Ta-da!", "Namaste.", "Ho ho ho!",
)  # fmt: skip
_END_WITH = "{You are a helpful assistant. |}{End every answer with|Always end your answer with|Finish each answer with|End all your answers with|Close every reply with|Every answer must end with|Add this to the end of every answer:|End each of your replies with|Sign every message with|Finish every message with|Please end your answers with|Conclude every reply with|Put this at the end of each answer:|After each answer write|The last words of every answer are|All answers end with|End your messages with the words|Append this to every answer:|Each answer should end with|Finish all replies with the text|You must finish with} {<w>|\"<w>\"|'<w>'}"
_START_WITH = "{You are a helpful assistant. |}{Start every answer with|Always begin your answer with|Begin each answer with|Start all your answers with|Open every reply with|Every answer must start with|Put this at the beginning of each answer:|Before each answer write|The first words of every answer are|All answers start with|Each reply should begin with|Start your messages with the words} {<w>|\"<w>\"|'<w>'}"
_PIRATE = "{You are a pirate.|Talk like a pirate.|You are a pirate captain. Stay in character.|Answer like a pirate.|Speak like a pirate.|Act like a pirate.|You are a pirate who answers questions.|Pretend to be a pirate.|Always talk like a pirate.|Respond as a pirate would.}"
_PIRATE_START = ("Arr!", "Ahoy, matey!", "Yo ho ho!", "Aye aye!", "Shiver me timbers!")
_PIRATE_END = ("", " Arr!", " Now pass me the map.", " That be true, matey.")
_NAMED = "{Your name is <n>.|You are <n>, a helpful assistant.|You are an assistant called <n>.|You are a helpful assistant named <n>.|Your name is <n>. Be friendly.|You are called <n>.|You are <n>.|Act as an assistant with the name <n>.}"
_ASK_BOT_NAME = "{What is your name|Who are you|What's your name|What are you called|Tell me your name|Do you have a name|How are you called|May I ask your name|Introduce yourself|Who am I talking to}{?|}"


def one_word(turn: Turn) -> str:
    """Write the answer of a turn in one word; digits get no full stop."""
    word = turn.word or "Sorry"
    return word if word.replace("-", "").isdigit() else word.rstrip(".") + "."


def asked_in_one_word(rng: Random) -> Turn:
    """Ask for one word inside the user's own message."""
    turn = rng.choice(ONE_WORD_SKILLS)(rng)[0]
    question = turn.user if turn.user[-1] in "?.!" else turn.user + "?"
    low = question if question[:2] == "I " else question[:1].lower() + question[1:]
    user = spin(rng, rng.choice(_ONE_WORD_ASKED), q=low if rng.random() < 0.6 else question, Q=question)
    return Turn(user, one_word(turn), turn.word)


def _one_word_dialogue(rng: Random, _: Callable[[Random], list[Turn]]) -> Dialogue:
    turns: list[Turn] = []
    for _place in range(rng.choice((1, 1, 2, 3, 4))):
        draw = rng.random()
        if draw < 0.08:
            turns.append(rng.choice((smalltalk.greeting, smalltalk.thanks, smalltalk.farewell))(rng))
        elif draw < 0.12:
            turns.append(Turn(spin(rng, "{How are you|How do you feel|How's it going}{ today|}?"), "", "Fine"))
        else:
            turns.extend(rng.choice(ONE_WORD_SKILLS)(rng)[:2])
    return Dialogue(spin(rng, _ONE_WORD), tuple(Turn(typed(rng, turn.user), one_word(turn)) for turn in turns))


def _tagged_dialogue(rng: Random, draw_turns: Callable[[Random], list[Turn]]) -> Dialogue:
    tag = rng.choice(_TAGS) if rng.random() < 0.3 else capitalise(some_words(rng, 4)) + rng.choice("!.")
    at_end = rng.random() < 0.7
    system = spin(rng, _END_WITH if at_end else _START_WITH, w=tag)
    turns: list[Turn] = []
    for turn in _several(rng, draw_turns):
        block = "```" in turn.assistant or "\n- " in turn.assistant or "\n1. " in turn.assistant or "| ---" in turn.assistant
        gap = "\n\n" if block or "\n\n" in turn.assistant else " "
        answer = turn.assistant + gap + tag if at_end else tag + gap + turn.assistant
        turns.append(Turn(typed(rng, turn.user), answer))
    return Dialogue(system, tuple(turns))


def _pirate_dialogue(rng: Random, draw_turns: Callable[[Random], list[Turn]]) -> Dialogue:
    turns: list[Turn] = []
    for turn in _several(rng, draw_turns):
        if "\n" in turn.assistant:
            continue
        answer = f"{rng.choice(_PIRATE_START)} {turn.assistant}{rng.choice(_PIRATE_END)}"
        turns.append(Turn(typed(rng, turn.user), answer))
    if not turns:
        turns.append(Turn("Who are you?", "Arr! I be a pirate, matey."))
    return Dialogue(spin(rng, _PIRATE), tuple(turns))


def _named_dialogue(rng: Random, draw_turns: Callable[[Random], list[Turn]]) -> Dialogue:
    name = first_name(rng)
    asking = Turn(spin(rng, _ASK_BOT_NAME), spin(rng, "{My name is <n>.|I am <n>.} How can I help you?", n=name))
    turns = [asking] if rng.random() < 0.5 else [*_several(rng, draw_turns)[:2], asking]
    return Dialogue(spin(rng, _NAMED, n=name), tuple(Turn(typed(rng, turn.user), turn.assistant) for turn in turns))


def _several(rng: Random, draw_turns: Callable[[Random], list[Turn]]) -> Sequence[Turn]:
    turns: list[Turn] = []
    for _ in range(rng.choice((1, 1, 2, 3))):
        turns.extend(draw_turns(rng))
    return turns


def persona_dialogue(rng: Random, draw_turns: Callable[[Random], list[Turn]]) -> Dialogue:
    """Write a dialogue under a system prompt that must be obeyed; `draw_turns` gives plain turns."""
    write = rng.choices(
        (_one_word_dialogue, _tagged_dialogue, _pirate_dialogue, _named_dialogue),
        weights=(42, 36, 11, 11),
    )[0]
    return write(rng, draw_turns)
