"""Four-line poems about whatever the user names, jokes, and riddles with their answers."""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin
from engine.demo.corpus.stories import HEROES
from engine.demo.corpus.vocabulary import noun_phrase

SUBJECTS = (
    "the sea", "the moon", "the rain", "winter", "spring", "a tree", "the stars", "the wind", "summer", "a river", "the night", "a bird",
    "home", "a friend", "the sun", "coffee", "autumn", "snow", "love", "music", "the forest", "a rose", "my garden", "the morning", "tea",
    "a mountain", "the city", "time", "hope", "a train", "computers", "tokens", "streaming", "a llama", "my mother", "happiness", "the sky",
    "water", "dreams", "my dog", "my cat", "flowers", "school", "bread", "a candle", "silence", "clouds", "the ocean", "friendship", "sleep",
)  # fmt: skip
VERSES: tuple[tuple[str, ...], ...] = (
    ("{I look at|I think of|I sing of} <x>, so quiet and bright,", "It keeps me company by day and by night.", "The hours may hurry, the road may be steep,", "But thinking of <x> I sing in my sleep."),
    ("Oh <x>, oh <x>, how near and how far,", "You shine in my heart like a bright morning star.", "I wander and wonder, I stop and I stay,", "And carry you with me the rest of the day."),
    ("When morning is {grey|cold} and the kettle is slow,", "I think about <x> and warm feelings grow.", "A word and a smile, and the day can begin,", "I open the window and let <x> in."),
    ("There once was a {song|tune} about <x> in the air,", "It drifted through windows and climbed up the stair.", "It asked for no penny, it asked for no fame,", "And all who had heard it were never the same."),
)  # fmt: skip
JOKES = (
    "Why did the bicycle fall over? Because it was two tired.", "Why was the maths book sad? It had too many problems.",
    "What do you call a sleeping bull? A bulldozer.", "Why did the biscuit go to the doctor? It felt crummy.",
    "What do you call cheese that is not yours? Nacho cheese.", "Why can't a leopard hide? Because it is always spotted.",
    "What did one wall say to the other? I will meet you at the corner.", "Why did the computer go to bed? It needed to go to sleep mode.",
    "Why do bees have sticky hair? Because they use honeycombs.", "What is a cat's favourite colour? Purr-ple.",
    "Why did the tomato turn red? It saw the salad dressing.", "How does the ocean say hello? It waves.",
    "Why did the robot take a holiday? It needed to recharge.", "What did the zero say to the eight? Nice belt!",
    "Why was the broom late? It over-swept.", "What kind of tree fits in your hand? A palm tree.", "Why are fish so smart? They live in schools.",
    "What do you get when you cross a snowman and a dog? Frostbite.", "Why do programmers like dark mode? Because light attracts bugs.",
    "Why did the token cross the stream? To get to the other side of the prompt.", "Why did the queue feel important? Everyone was waiting for it.",
    "What did the GPU say to the CPU? You should try doing more than one thing at a time.",
    "Why did the pencil stay home? It had no point in going out.", "What do you call a bear in the rain? A drizzly bear.",
    "Why was the calendar nervous? Its days were numbered.", "What does a cloud wear under its coat? Thunderwear.",
    "Why did the scarf win a prize? It was always wrapped up in its work.", "How do trees use a computer? They log in.",
    "Why did the tiny model stop talking? It ran out of tokens.", "What is a snake's best subject? Hiss-tory.",
    "Why did the egg laugh? Somebody told it a good yolk.", "What do you call a fish without an eye? A fsh.",
)  # fmt: skip
RIDDLES = (
    ("What has keys but cannot open a door?", "a piano"), ("What has hands but cannot clap?", "a clock"),
    ("What gets wetter the more it dries?", "a towel"), ("What has a neck but no head?", "a bottle"),
    ("What goes up but never comes down?", "your age"), ("What has teeth but cannot bite?", "a comb"),
    ("What can you catch but not throw?", "a cold"), ("What has one eye but cannot see?", "a needle"),
    ("What has legs but cannot walk?", "a table"), ("What has pages but is not a website?", "a book"),
)  # fmt: skip


def _subject(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.5:
        return rng.choice(SUBJECTS)
    return f"{rng.choice(('the', 'my', 'the old'))} {rng.choice(HEROES)}" if draw < 0.7 else f"the {noun_phrase(rng)}"


def poems(rng: Random) -> list[Turn]:
    """Write one poem; without a subject the poem is about the moon."""
    subject = _subject(rng)
    draw = rng.random()
    user = spin(
        rng,
        "{Write|Tell me|Give me|Can you write|Write me|Please write|Could you write|Compose|I want|I would like|Make|Create|Make up}"
        " {a|a short|a little|a nice|another|a four line} {poem|poem|rhyme|verse}",
    )
    if draw < 0.8:
        user += " " + spin(rng, "{about|on|about|for|about} <x>{.|?|}", x=subject)
    elif draw < 0.9:
        user = spin(rng, "{Poem about <x>|A poem about <x>, please|Can I have a poem about <x>|Do you know a poem about <x>|Let's hear a poem about <x>}{.|?|}", x=subject)
    else:
        subject, user = "the moon", user + "."
    lines = (capitalise(spin(rng, line, x=subject)) for line in rng.choice(VERSES))
    # Two spaces at a line's end keep the line break in Markdown.
    return [Turn(user, "  \n".join(lines))]


def _walk(rng: Random, count: int) -> list[str]:
    """Take jokes along their circle, so that the next one depends on the last one only and none comes twice."""
    start = rng.randrange(len(JOKES))
    return [JOKES[(start + step) % len(JOKES)] for step in range(count)]


def jokes(rng: Random) -> list[Turn]:
    """Tell a joke, and different ones when asked for more."""
    chosen = _walk(rng, 4)
    ask = spin(
        rng,
        "{Tell me a joke|Do you know a joke|Make me laugh|Tell me something funny|Another joke please|Say something funny|Got any jokes"
        "|I want to hear a joke|A joke please|Give me a joke|Do you know any jokes|Can you tell a joke|Joke|Cheer me up|Can you make me laugh"
        "|Know any good jokes|I want to laugh|Can I hear a joke|Be funny|Do you do jokes|Please a joke|Some joke|Your best joke|A good joke|Tell us a joke|Something funny|Humour me|Tell me your favourite joke|A short joke|Any joke|Let's hear a joke|Tell me a funny joke|Crack a joke|I need a laugh}{.|?|!|}",
    )
    turns = [Turn(ask, rng.choice(("", "Here is one: ")) + chosen[0])]
    while len(turns) < 4 and rng.random() < 0.5:
        more = spin(rng, "{Another one|Tell me another one|One more|Another joke|More|Again|Another|Next one|Tell me another|A different one|Do you have more|Got more|One more joke|A new one|Tell me one more|Haha, another|A better one|And another one|Tell me a joke|Give me one more|Do you know more jokes|Next joke|A joke again|I want another|Tell me a different joke}{!|.| please.|?|}")
        turns.append(Turn(more, chosen[len(turns)]))
    return turns


def riddles(rng: Random) -> list[Turn]:
    """Ask a riddle, then judge a guess or tell the answer."""
    question, answer = rng.choice(RIDDLES)
    ask = spin(
        rng,
        "{Tell me a riddle|Give me a riddle|Do you know a riddle|Ask me a riddle|A riddle please|I want a riddle|Can you tell me a riddle"
        "|Riddle me this|Got a riddle for me|Test me with a riddle|Let's play a riddle game}{.|?|}",
    )
    turns = [Turn(ask, f"Here is a riddle: {question}")]
    draw = rng.random()
    if draw < 0.4:
        turns.append(Turn(spin(rng, "{I don't know|I give up|What is the answer|Tell me the answer|No idea|I can't guess it|Tell me|The answer please|What is it}{.|?|}"), f"It is {answer}."))
    elif draw < 0.65:
        turns.append(Turn(capitalise(spin(rng, "{Is it |It is |I think it is |Maybe |}<a>{?|.|}", a=answer)), f"Yes, that is right! It is {answer}."))
    elif draw < 0.85:
        guess = rng.choice([other for _, other in RIDDLES if other != answer])
        turns.append(Turn(capitalise(spin(rng, "{Is it |It is |I think it is |Maybe |}<a>{?|.|}", a=guess)), f"No, sorry. It is {answer}."))
    return turns
