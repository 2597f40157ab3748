"""Facts the user tells about themselves, and questions about them some turns later; copying on request."""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.geography import COUNTRIES, FAMILIAR
from engine.demo.corpus.lists import KINDS
from engine.demo.corpus.phrasing import capitalise, invented, mend_articles, spin, spliced
from engine.demo.corpus.stories import ANIMALS, NAMES
from engine.demo.corpus.vocabulary import ADJECTIVES, NOUNS, VERBS, first_name

_TELL_NAME = (
    "{My name is <n>|I am <n>|I'm <n>|Call me <n>|Hi, I am <n>|Hello, my name is <n>|Hi, my name is <n>|My name's <n>|You can call me <n>"
    "|Hey, I'm <n>|This is <n>|I am called <n>|People call me <n>|Please call me <n>|Hello! I'm <n>|Hi there, <n> here|<n> is my name"
    "|Let me introduce myself: I am <n>|The name is <n>|Hi! My name is <n>|Just call me <n>|My friends call me <n>|Everybody calls me <n>"
    "|They named me <n>|It's <n>|<n> here|Hi, it's <n>|Nice to meet you, I am <n>|Pleased to meet you. My name is <n>|I'm <n>, by the way"
    "|Please remember my name: <n>|Remember that I am called <n>|Good morning, I am <n>|Good to see you, I'm <n>|Before we start: my name is <n>"
    "|You should know that I am called <n>|I would like to introduce myself, my name is <n>|Hi I am <n>|hey im <n>|My name: <n>|<n> is what people call me|Hello from <n>|Im <n>|I am <n> and I am new here|I am <n> and I like chatting|Good evening, my name is <n>|You may call me <n>|Greetings from <n>|Here is <n>|Name: <n>|First of all, I am <n>|Hey bot, I am <n>|My parents named me <n>|At home they call me <n>|I introduce myself as <n>|<n>, nice to meet you|I was named <n>|User name: <n>|Address me as <n>|I am known as <n>}{.|!|}"
)
_ASK_NAME = (
    "{What is my name|What's my name|Do you remember my name|Who am I|Do you know my name|What was my name|Can you tell me my name"
    "|What am I called|Do you still know my name|Tell me my name|Say my name|What did I say my name was|What is my name again"
    "|How am I called|Do you know who I am|Remember my name|My name is what|Can you remember what I am called|What did I call myself"
    "|Do you still remember me|Which name do I have|Under what name do you know me|How did I introduce myself|What name did I tell you|Please tell me my name"
    "|Could you remind me of my name|I forgot my name, what is it|You know my name, right? What is it|What should you call me|By what name do you call me"
    "|Can you repeat my name|Now, what is my name|Okay, and what is my name|Let us see if you remember my name|Have you forgotten my name|Tell me who I am"
    "|Test: what's my name|Did you remember my name|And who am I|And what am I called again|May I hear my name|Any idea who I am|My name again please|Say who I am|What am I named|You still know me|Which name is mine|Hello, do you know my name|How was my name|Name me, please|So who am I|I told you my name, what is it|And me, who am I|Did I tell you my name|Could you say my name|Give me my name|My name is ...|How did I say I am called|What's the name I told you}{?|?|.|}"
)
_NO_NAME = ("You have not told me your name yet. What is it?", "I do not know your name. What is it?")


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
        animal, pet = rng.choice(ANIMALS), rng.choice(NAMES) if rng.random() < 0.3 else first_name(rng)
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


def some_words(rng: Random, most: int) -> str:
    """Choose up to `most` words that need not make sense together."""
    draw = rng.random()
    if draw < 0.25:
        return rng.choice(_SAYINGS)
    pools = (NOUNS, ADJECTIVES, VERBS, NOUNS)
    words = [
        first_name(rng).lower() if rng.random() < 0.2 else invented(rng) if rng.random() < 0.15 else spliced(rng, NOUNS) if rng.random() < 0.15 else rng.choice(rng.choice(pools))
        for _ in range(rng.randint(1, most))
    ]
    return " ".join(words)


def repeating(rng: Random) -> list[Turn]:
    """Repeat a few words exactly as asked."""
    said = some_words(rng, 6)
    quoted = rng.random() < 0.4
    user = spin(
        rng,
        "{Say|Repeat|Please say|Repeat after me:|Can you say|Write|Just say|Say the words|Echo|Please repeat:|Say this:|Type|Write down|Answer with"
        "|Reply with|Say exactly|I want you to say|Now say|Print|Only say|Copy this:|Say after me:} <s>{.|}",
        s=f'"{said}"' if quoted else said,
    )
    return [Turn(user, capitalise(said) + ("." if said[-1].isalpha() else ""))]


def memory(rng: Random) -> list[Turn]:
    """Tell a name or a fact and ask for it at once, or ask for a name never told."""
    draw = rng.random()
    if draw < 0.12:
        return [ask_name(rng, None)]
    if draw < 0.6:
        name = first_name(rng)
        return [tell_name(rng, name), ask_name(rng, name)]
    return list(tell_and_ask(rng))
