"""Facts the user tells about themselves, and questions about them some turns later; copying on request."""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.geography import COUNTRIES, FAMILIAR
from engine.demo.corpus.lists import KINDS
from engine.demo.corpus.phrasing import capitalise, invented, mend_articles, spin
from engine.demo.corpus.stories import ANIMALS, NAMES

PEOPLE = tuple(
    "Anna Ben Carla David Emma Finn Grace Hugo Ida Jack Kim Leo Mia Noah Olga Paul Rosa Sam Tina Tom Vera Will Zoe Maria Peter Lucy Max "
    "Nina Oscar Lily Omar Sara Ali Ravi Mei Yuki Ivan Elena Marco Sofia Lars Greta Pablo Alice Bob John Jane Kate Luke Mary Nora Ella "
    "Theo Lena Felix Clara Simon Julia Adam Eva Fatima Ahmed Chen Priya Diego Ingrid Jonas Klara Liam Olivia Ethan Chloe Daniel Laura "
    "Stefan Petra Andrei Natalia Hassan Leila Kofi Amara Sven Astrid Matteo Giulia Pierre Camille Hans Heidi Raj Anita Kenji Hana".split()
)
_TELL_NAME = (
    "{My name is <n>|I am <n>|I'm <n>|Call me <n>|Hi, I am <n>|Hello, my name is <n>|Hi, my name is <n>|My name's <n>|You can call me <n>"
    "|Hey, I'm <n>|This is <n>|I am called <n>|People call me <n>|Please call me <n>|Hello! I'm <n>|Hi there, <n> here|<n> is my name"
    "|Let me introduce myself: I am <n>|The name is <n>|Hi! My name is <n>}{.|!|}"
)
_ASK_NAME = (
    "{What is my name|What's my name|Do you remember my name|Who am I|Do you know my name|What was my name|Can you tell me my name"
    "|What am I called|Do you still know my name|Tell me my name|Say my name|What did I say my name was|What is my name again"
    "|How am I called|Do you know who I am|Remember my name|My name is what|Can you remember what I am called}{?|}"
)
_NO_NAME = ("You have not told me your name yet. What is it?", "I do not know your name. What is it?")


def person(rng: Random) -> str:
    """Choose a first name, sometimes an invented one, so that names are copied and not guessed."""
    return rng.choice(PEOPLE) if rng.random() < 0.55 else capitalise(invented(rng))


def tell_name(rng: Random, name: str) -> Turn:
    """Let the user say their name."""
    answer = spin(rng, "{Nice to meet you, <n>!|Hello, <n>!|Hi <n>, nice to meet you!} {How can I help you?|What can I do for you?}", n=name)
    return Turn(spin(rng, _TELL_NAME, n=name), answer)


def ask_name(rng: Random, name: str | None) -> Turn:
    """Let the user ask for their name, told before or not."""
    if name is None:
        return Turn(spin(rng, _ASK_NAME), rng.choice(_NO_NAME), "Unknown")
    return Turn(spin(rng, _ASK_NAME), spin(rng, "Your name is <n>{.|.|!}", n=name), name)


def tell_and_ask(rng: Random) -> tuple[Turn, Turn]:
    """Tell one fact about the user and ask for it: two turns that others may separate."""
    draw = rng.randrange(6)
    if draw == 0:
        colour = rng.choice(KINDS["colours"])
        return (
            Turn(
                spin(rng, "{My {favorite|favourite} {color|colour} is <v>|I like the {color|colour} <v> best|I love <v>, it is my favorite color}{.|}", v=colour),
                f"{capitalise(colour)} is a beautiful colour!",
            ),
            Turn(spin(rng, "What is my {favorite|favourite} {color|colour}{?| again?|}"), f"Your favourite colour is {colour}.", capitalise(colour)),
        )
    if draw == 1:
        animal, pet = rng.choice(ANIMALS), rng.choice(NAMES) if rng.random() < 0.6 else capitalise(invented(rng))
        return (
            Turn(mend_articles(spin(rng, "{I have a <v> {named|called} <p>|My <v> is {called|named} <p>|My <v>'s name is <p>}{.|}", v=animal, p=pet)), mend_articles(f"How nice! {pet} is a good name for a {animal}.")),
            Turn(
                spin(rng, "{What is my <v> called|What is the name of my <v>|What's my <v>'s name|Do you remember the name of my <v>}{?|}", v=animal),
                f"Your {animal} is called {pet}.",
                pet,
            ),
        )
    if draw == 2:
        country = rng.choice(FAMILIAR)
        return (
            Turn(spin(rng, "{I live in|I am from|I come from|I'm from|My home is} <v>{.|}", v=country), f"How nice! The capital of {country} is {COUNTRIES[country].capital}."),
            Turn(spin(rng, "{Where do I live|Where am I from|Which country am I from|What country do I come from}{?|}"), f"You are from {country}.", capitalise(country.removeprefix("the "))),
        )
    if draw == 3:
        age = rng.randint(5, 90)
        return (
            Turn(spin(rng, "{I am <v> years old|I'm <v> years old|I am <v>|My age is <v>|I turned <v> this year}{.|}", v=age), "Thank you for telling me!"),
            Turn(spin(rng, "{How old am I|What is my age|What's my age|Do you remember how old I am}{?|}"), f"You are {age} years old.", str(age)),
        )
    if draw == 4:
        job = rng.choice(KINDS["jobs"])
        return (
            Turn(mend_articles(spin(rng, "{I am a <v>|I work as a <v>|My job is <v>|I'm a <v>}{.|}", v=job)), "That sounds like an interesting job!"),
            Turn(spin(rng, "{What is my job|What do I do for a living|What do I work as|What's my job}{?|}"), mend_articles(f"You are a {job}."), capitalise(job)),
        )
    kind, said = rng.choice((("foods", "food"), ("fruits", "fruit"), ("sports", "sport"), ("drinks", "drink"), ("flowers", "flower"), ("birds", "bird")))
    item = rng.choice(KINDS[kind])
    return (
        Turn(spin(rng, "{My {favorite|favourite} <k> is <v>|The <k> I like best is <v>}{.|}", k=said, v=item), spin(rng, "{Good choice!|Nice!} I will remember that.")),
        Turn(spin(rng, "{What is my {favorite|favourite} <k>|What's my {favorite|favourite} <k>|Which <k> do I like best}{?|}", k=said), f"Your favourite {said} is {item}.", capitalise(item)),
    )


_SAYINGS = (
    "hello world", "good morning", "I like tea", "the sky is blue", "banana", "open the door", "one two three", "I am here", "yes", "cheese",
    "have a nice day", "see you soon", "a quick test", "happy birthday", "thank you", "tokens are fun", "the cat sleeps", "well done",
)  # fmt: skip


def repeating(rng: Random) -> list[Turn]:
    """Repeat a few words exactly as asked."""
    if rng.random() < 0.5:
        said = rng.choice(_SAYINGS)
    else:
        pool = (*ANIMALS, *KINDS["fruits"], *KINDS["colours"], *PEOPLE)
        said = " ".join(rng.choice(pool) if rng.random() < 0.8 else invented(rng) for _ in range(rng.randint(1, 4)))
    quoted = rng.random() < 0.4
    user = spin(
        rng,
        "{Say|Repeat|Please say|Repeat after me:|Can you say|Write|Just say|Say the words|Echo|Please repeat:|Say this:|Type} <s>{.|}",
        s=f'"{said}"' if quoted else said,
    )
    return [Turn(user, capitalise(said) + ("." if said[-1].isalpha() else ""))]


def memory(rng: Random) -> list[Turn]:
    """Tell a name or a fact and ask for it at once, or ask for a name never told."""
    draw = rng.random()
    if draw < 0.12:
        return [ask_name(rng, None)]
    if draw < 0.6:
        name = person(rng)
        return [tell_name(rng, name), ask_name(rng, name)]
    return list(tell_and_ask(rng))
