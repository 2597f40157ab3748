"""Old fables told in our own words, with their morals and summaries.

Source: the plots are ancient and free; every sentence is written for this project.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin


class Fable(NamedTuple):
    """Hold one fable: other ways to name it, the text as a template, the moral and a summary."""

    names: tuple[str, ...]
    text: str
    moral: str
    summary: str


FABLES: dict[str, Fable] = {
    "the fox and the grapes": Fable(
        ("the fox and the grapes", "the fox and the grapes", "the fox and grapes", "the fox who wanted grapes", "a fox and some grapes", "the sour grapes"),
        "A {hungry|thirsty} fox was walking past a garden {on a hot day|one afternoon} when he saw a bunch of ripe grapes hanging from a high vine. {\"Those are just what I need,\" he said.|His mouth began to water.}\n\nHe stepped back, ran and jumped, but he could not reach them. He tried again and again, {and each time he missed|until his legs were tired}. At last he turned away with his nose in the air. \"I did not want them anyway,\" he said. \"They are surely sour.\"",
        "It is easy to despise what you cannot have.",
        "It is about a fox who wants some grapes, cannot reach them, and then says that they are sour.",
    ),
    "the tortoise and the hare": Fable(
        ("the tortoise and the hare", "the hare and the tortoise", "the turtle and the rabbit", "the tortoise who raced a hare", "the race of the hare and the tortoise"),
        "A hare made fun of a tortoise because she was so slow. {\"Let us have a race,\" said the tortoise.|The tortoise smiled and asked for a race.}\n\nThe hare ran off like the wind and was soon far ahead. {Sure that he would win, he lay down for a nap.|He felt so safe that he fell asleep under a tree.} The tortoise kept walking, step by step. When the hare woke up, he ran as fast as he could, but the tortoise was already at the finish line.",
        "Slow and steady wins the race.",
        "It is about a slow tortoise who beats a fast hare, because he falls asleep during the race.",
    ),
    "the lion and the mouse": Fable(
        ("the lion and the mouse", "the mouse and the lion", "the mouse who saved a lion", "the lion in the net"),
        "A {tiny|little} mouse ran over the paws of a sleeping lion and woke him up. The lion was angry and caught her. \"Please let me go,\" she begged, \"and one day I will help you.\" The lion laughed, but he let her go.\n\n{Some days|A week} later the lion was caught in a hunter's net. The mouse heard him roar, came running and chewed through the ropes until he was free.",
        "No act of kindness is ever wasted.",
        "It is about a lion who spares a mouse, and later the mouse frees the lion from a net.",
    ),
    "the crow and the pitcher": Fable(
        ("the crow and the pitcher", "the thirsty crow", "the crow and the jug", "the crow who dropped stones"),
        "A thirsty crow found a tall pitcher with a little water at the bottom. {Her beak was too short to reach it.|She could not reach the water.} She thought for a while and had an idea.\n\nOne by one she dropped small stones into the pitcher. {With each stone the water rose a little.|The water came up higher and higher.} At last she could drink as much as she wanted.",
        "A good idea can do more than strength.",
        "It is about a thirsty crow who drops stones into a pitcher until the water rises.",
    ),
    "the ant and the grasshopper": Fable(
        ("the ant and the grasshopper", "the grasshopper and the ant", "the ants and the grasshopper", "the lazy grasshopper"),
        "All summer long an ant carried grain to her nest while a grasshopper {sang in the sun|played his fiddle}. {\"Why do you work so much?\" he asked.|He laughed at the ant for working.} \"I am saving food for winter,\" said the ant.\n\nWhen the snow came, the grasshopper had nothing to eat. Cold and hungry, he went to the ant. She shared some of her food with him, and he promised to be wiser next summer.",
        "It is wise to prepare today for tomorrow.",
        "It is about an ant who saves food for winter while a grasshopper only sings.",
    ),
    "the boy who cried wolf": Fable(
        ("the boy who cried wolf", "the boy and the wolf", "the shepherd boy and the wolf", "the shepherd who lied"),
        "A shepherd boy was tired of watching his sheep. For fun he cried, \"Wolf! Wolf!\" {The people of the village came running|All the neighbours ran up the hill}, but there was no wolf, and the boy laughed. The next day he did it again.\n\nThen a real wolf came. The boy shouted as loud as he could, but {nobody believed him|no one came}, and the wolf scattered the sheep.",
        "Nobody believes a liar, even when he tells the truth.",
        "It is about a boy who lies about a wolf so often that nobody believes him when it is true.",
    ),
    "the town mouse and the country mouse": Fable(
        ("the town mouse and the country mouse", "the country mouse and the town mouse", "the city mouse and the country mouse", "the two mice"),
        "A town mouse visited her cousin in the country and was given beans and bread. \"Come to town,\" she said, \"and eat like a queen.\" So the country mouse went along.\n\nThey sat down to cake and cheese on a fine table. {Suddenly a cat sprang at them|Then a big dog burst in}, and they had to run for their lives. \"Goodbye,\" said the country mouse. \"I would rather eat beans in peace than cake in fear.\"",
        "A simple life in peace is better than riches in fear.",
        "It is about a country mouse who finds rich food in town, but would rather live in peace at home.",
    ),
    "the dog and his shadow": Fable(
        ("the dog and his shadow", "the dog and the bone", "the greedy dog", "the dog and his reflection"),
        "A dog was carrying a {fine|big} bone across a bridge. When he looked down into the water, he saw another dog with another bone. It was only his own reflection, but he did not know that.\n\nHe wanted that bone too, so he opened his mouth to snap at it. His own bone fell into the river and was gone.",
        "Whoever wants everything may lose what he has.",
        "It is about a greedy dog who snaps at his own reflection and loses his bone.",
    ),
    "the goose with the golden eggs": Fable(
        ("the goose with the golden eggs", "the goose that laid golden eggs", "the golden eggs", "the golden goose"),
        "A farmer had a goose that laid one golden egg every morning. He {became rich|sold the eggs and became rich}, but soon one egg a day was not enough for him.\n\n\"There must be a heap of gold inside her,\" he thought. So he cut the goose open. There was nothing inside, and now there were no more eggs.",
        "Greed can destroy the source of good things.",
        "It is about a greedy farmer who kills the goose that lays golden eggs.",
    ),
    "the wind and the sun": Fable(
        ("the wind and the sun", "the north wind and the sun", "the sun and the wind", "the contest of the wind and the sun"),
        "The wind and the sun quarrelled about who was stronger. \"Let us see who can make that traveller take off his coat,\" said the sun.\n\nThe wind blew as hard as it could, but the man only held his coat tighter. Then the sun began to shine, {gently and warmly|warmer and warmer}. The man smiled, wiped his brow and took off his coat.",
        "Gentleness can do more than force.",
        "It is about the wind and the sun, who try to make a man take off his coat, and the gentle sun wins.",
    ),
}  # fmt: skip
UNKNOWN_TALES = tuple(
    "Cinderella|Snow White|Little Red Riding Hood|the three little pigs|Hansel and Gretel|Peter Pan|Alice in Wonderland|Robin Hood|"
    "Romeo and Juliet|Pinocchio|the ugly duckling|the little mermaid|Sleeping Beauty|Harry Potter|King Arthur|Moby Dick|Don Quixote|"
    "Star Wars|the Odyssey|Aladdin|Jack and the beanstalk|Rapunzel|the lord of the rings|Frankenstein|Dracula|Robinson Crusoe|"
    "the three bears|Goldilocks|Rumpelstiltskin|the frog prince|Beauty and the Beast|the princess and the pea|Puss in Boots".split("|")
)
_NO_TALE = (
    "I do not know that tale. I am only a tiny demo model. Shall I tell you the fable of the fox and the grapes instead?",
    "Sorry, I do not know that story. I know some fables, for example the fox and the grapes.",
)
_ASK = (
    "{Tell me|Can you tell me|Please tell me|Could you tell me|I want to hear|I would like to hear|Let me hear} the {story|fable|tale} {of|about} <k>{.|?|}",
    "{What is|What's} the {story|fable|tale} {about|of} <k>?",
    "{Do you know|Have you heard|Can you tell} the {story|fable|tale} {of|about} <k>?",
    "{Tell me|Write|Can you write|Give me} {a|the|a short} {story|fable} {about|of} <k>{.|}",
    "{Tell me about|What happens in|What happens in the fable of|What happens in the story of|How does the story go with|How goes the story of|Please tell} <k>{?|.|}",
    "{<K>|The fable of <k>|The story of <k>|<K>, please|<K>, the story}{.|?|}",
    "{Retell|Narrate|Share|Read me|Recount} {the fable of |the story of |}<k>{.|}",
)
_MORAL = (
    "{What is the moral{ of the story| of the fable| of it|}|What do we learn from it|What is the lesson|So what is the moral|What can we learn from this|And the moral|What does the story teach us|What's the point of the story}{?|}"
)
_SUMMARY = "{Make it shorter|Summarize the story|Can you summarize it|In one sentence please|Shorter please|What is the story about|Summarise it|Sum it up|Give me a summary|Short version please|What was it about}{.|?|}"


def summary_question(rng: Random) -> str:
    """Ask for a short version of the story before."""
    return spin(rng, _SUMMARY)


def moral_question(rng: Random) -> str:
    """Ask for the lesson of the story before."""
    return spin(rng, _MORAL)


def fables(rng: Random) -> list[Turn]:
    """Tell one fable, then perhaps its moral or a summary."""
    if rng.random() < 0.08:
        tale = rng.choice(UNKNOWN_TALES)
        return [Turn(capitalise(spin(rng, rng.choice(_ASK), k=tale, K=capitalise(tale))), rng.choice(_NO_TALE))]
    draw = rng.random()
    name = "the fox and the grapes" if draw < 0.25 else rng.choice(tuple(FABLES))
    fable = FABLES[name]
    if draw > 0.9:
        user = f"What is the moral of {rng.choice(fable.names[:2])}?"
        return [Turn(user, f"The moral of {name} is: {fable.moral}")]
    said = rng.choice(fable.names)
    template = rng.choice(_ASK)
    if name == "the fox and the grapes" and rng.random() < 0.15:
        user = "What is the story about the fox and the grapes?"
    elif rng.random() < 0.05:
        user = spin(rng, "{Tell me a fable|Do you know a fable|A fable please|Tell me an old fable|I want to hear a fable}{.|?}")
    else:
        user = capitalise(spin(rng, template, k=said, K=capitalise(said)))
    answer = f"**{capitalise(name)}**\n\n{spin(rng, fable.text)}\n\nMoral: {fable.moral}"
    turns = [Turn(user, answer)]
    draw = rng.random()
    if draw < 0.25:
        turns.append(Turn(moral_question(rng), f"The moral is: {fable.moral}"))
    elif draw < 0.45:
        turns.append(Turn(summary_question(rng), fable.summary))
    return turns
