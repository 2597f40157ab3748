"""Short stories with slots: a hero, a place, a friend, a plot with a moral, and questions about them.

The hero may be anything the user names, so the model learns to copy it from the question.
"""

from __future__ import annotations

from random import Random
from typing import NamedTuple

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.fables import moral_question, summary_question
from engine.demo.corpus.phrasing import article, invented, mend_articles, spin, spliced
from engine.demo.corpus.vocabulary import FIGURES, NOUNS, first_name, noun_phrase

ANIMALS = tuple(
    "fox rabbit bear mouse owl turtle frog cat dog duck hedgehog squirrel lion elephant penguin horse sheep goat cow pig hen wolf deer "
    "monkey tiger whale dolphin crab bee ant butterfly snail swan crow sparrow parrot donkey kitten puppy badger beaver otter seal "
    "zebra giraffe camel lizard dragon unicorn llama koala panda kangaroo".split()
)
HEROES = ANIMALS + tuple(
    "robot knight princess prince king queen wizard witch pirate farmer baker sailor child boy girl teacher doctor giant dwarf ghost "
    "snowman toaster pencil cloud star teapot boat train lamp clock shoe spoon umbrella tree stone leaf balloon bicycle tractor "
    "computer kite candle mountain river pumpkin cookie piano drummer painter gardener hero monster alien astronaut detective "
    "fisherman shepherd tailor musician dancer cook soldier grandmother grandfather brother sister car rocket chair".split()
)
NAMES = tuple(
    "Pip Momo Luna Bibi Rusty Nala Toto Coco Milo Daisy Ruby Otis Poppy Teddy Willow Biscuit Pepper Hazel Ollie Fern Bramble Dot Juno "
    "Maple Nibbles Sunny Tuck Wren Ziggy Button Max Bella Oscar Lily Charlie Rosie Sam Molly Felix Tom Anna Leo Mia Ben".split()
)
_ADJECTIVES = tuple(
    "little brave curious shy clever gentle lazy cheerful quiet young old kind proud sleepy hungry happy funny small sad lonely "
    "wise grumpy tiny lost magic friendly blue red green tired".split()
)
PLACES = (
    "in the forest", "in a green valley", "in a small village", "in the mountains", "by a quiet lake", "by the big river", "in an old garden",
    "by the sea", "in a sunny meadow", "in the desert", "on a snowy hill", "on a busy farm", "in a deep cave", "in the old mill", "in a big city",
)  # fmt: skip
_FOODS = tuple("apple pear banana cherry carrot pie loaf cake pumpkin cheese nut melon".split())


class Plot(NamedTuple):
    """Hold one plot: the text with slots N (hero), B (friend) and F (food), the moral, a summary."""

    text: str
    moral: str
    summary: str


PLOTS: tuple[Plot, ...] = (
    Plot("One {sunny|windy|cold} {morning|day}, <N> lost {a favourite red ball|a blue hat|a little bell|a warm scarf}. <N> looked {under the leaves|behind the stones} and {by the water|near the old fence}, but it was not there. A {kind|friendly} <B> saw that <N> was sad and said, \"Do not worry, we will look together.\" They {searched all day|walked a long way}, and {at last|just before dark} they found it {in a bush|under a tree}. <N> was so happy that {the two danced|they sang all the way home}.", "Things are easier with a friend.", "loses something dear and finds it with the help of a <B>"),
    Plot("<N> was afraid of {the dark|deep water|loud thunder|high places}. Again and again the others called <N>, but <N> always stayed home. One {night|day}, a small <B> {got lost|cried for help}. <N> was scared, but went out all the same. Step by step, <N> found the <B> and brought the little one home. {From that day on|After that}, <N> was not so afraid anymore.", "Being brave means doing it even when you are scared.", "is afraid but still goes out to help a <B>"),
    Plot("One {winter|autumn} there was very little to eat. <N> had found a {big|round} <F> and wanted to keep it. Then a hungry <B> came by and looked at it with {big eyes|sad eyes}. <N> thought for a moment and shared it. \"Thank you,\" said the <B>. {A few days later|The next week}, the <B> came back with {a whole basket of food|more food than they could eat}, and they {had a feast|ate together}.", "Sharing makes everyone richer.", "shares a <F> with a hungry <B> and is thanked for it later"),
    Plot("{One day|In spring}, there was a {race|singing contest|kite contest}. <N> wanted to win and {practised every day|trained from morning to night}. {On the big day|When the day came}, a <B> {fell and hurt a foot|began to cry} right beside <N>. <N> stopped to help, {and the others rushed past|and lost the lead}. <N> came in last, but everybody cheered. They gave <N> a {golden leaf|crown of flowers} for having the {kindest|biggest} heart.", "Kindness is worth more than winning.", "gives up first place to help a <B>"),
    Plot("A {great|big} storm came and {blew away|broke} the house of <N>. <N> did not know what to do. Then a <B> came by with {some wood|a hammer and nails}. Soon more friends came to help. {Some carried stones and some carried straw.|Everyone did a small part.} By {evening|sunset} there was a new house, {stronger and prettier than before|warm and dry}. <N> made soup for everyone.", "Many hands make light work.", "loses a house in a storm and builds a new one with a <B> and other friends"),
    Plot("<N> felt {lonely|very alone} because there was nobody to play with. One {evening|day}, <N> met a <B> who {spoke in a strange way|looked very different}. At first they were both {shy|a little afraid}. Then the <B> {made a funny face|told a joke}, and <N> laughed. They {played until the stars came out|talked until the moon was high}. {Since then|From then on} they meet every day.", "A friend may look very different from you.", "is lonely and makes friends with a <B>"),
    Plot("One clear night, <N> saw a {falling star|bright star} and made a wish. \"I wish I could {fly|see the world|reach the moon},\" <N> said. The next day a <B> came and said, \"{Wishes need work|You can start with one step}.\" So <N> {packed a small bag|began to practise}, and {day after day|little by little} <N> {got better|went further}. {One year later|In the end} the wish came true.", "Big dreams begin with small steps.", "makes a wish and works hard until it comes true"),
    Plot("<N> broke the {pot|lamp|window} of old <B> while playing. <N> wanted to run away, because {nobody had seen it|it was an accident}. But that night <N> could not sleep. In the morning <N> {knocked at the door|went back} and told the truth. Old <B> {smiled|was quiet for a moment} and said, \"Thank you for being honest.\" {Together they mended it.|Then they had tea together.}", "Honesty is always the best way.", "breaks something, tells the truth and is forgiven by a <B>"),
    Plot("One morning <N> found an old map {in a bottle|under a stone}. It showed a treasure. <N> and a <B> followed it {over hills and bridges|through the woods} until they found a wooden box. Inside was {no gold, but a book full of songs|no gold, but seeds of a hundred flowers}. They laughed, and {soon the whole place was full of singing|by summer the whole place was in bloom}.", "The best treasures can be shared.", "follows an old map with a <B> and finds a surprising treasure"),
    Plot("<N> wanted to learn {to swim|to play the flute|to climb}, but {everyone said it was too hard|it went wrong every time}. A patient <B> said, \"Try once more, and then once more.\" So <N> tried {every morning|every evening}. After {a week|a month} it went a little better, and {one fine day|at the end of summer} it went very well. The <B> clapped, and <N> {took a bow|smiled for hours}.", "Practice makes hard things easy.", "learns something hard with the help of a patient <B>"),
)  # fmt: skip

_OPENERS = (
    "{Tell me|Write|Can you tell me|Give me|I want|I would like|Write me|Could you tell me|Please tell me|Make up|Can you write|Can you make up|Invent|Create|Please write|I'd love|Tell us|I want to hear|Let me hear|Let us have|How about|Can I have|Could you make up|Would you write|Do you have|Time for|Please start|Read me}"
    " {a|a short|a little|a bedtime|another|a nice|a new|a quick|a fun} {story|story|tale}"
)
_ENDS = ("", "The end.", "And they lived happily ever after.")


def _hero(rng: Random) -> str:
    draw = rng.random()
    if draw < 0.22:
        return rng.choice(ANIMALS)
    if draw < 0.40:
        return rng.choice(HEROES)
    if draw < 0.58:
        return rng.choice(FIGURES)
    if draw < 0.82:
        return noun_phrase(rng)
    # Words never seen before can only be copied, piece by piece.
    return invented(rng) if draw < 0.88 else spliced(rng, NOUNS)


def stories(rng: Random) -> list[Turn]:
    """Tell one story about the asked hero, then perhaps answer a question about it."""
    hero = _hero(rng)
    friend = rng.choice([animal for animal in ANIMALS if animal != hero])
    name = rng.choice(NAMES) if rng.random() < 0.75 else first_name(rng)
    adjective, place, food = rng.choice(_ADJECTIVES), rng.choice(PLACES), rng.choice(_FOODS)
    plot = rng.choice(PLOTS)

    user = spin(rng, _OPENERS)
    draw = rng.random()
    if draw < 0.35:
        user += f" {rng.choice(('about', 'about', 'about', 'with', 'starring', 'in which the hero is', 'that is about', 'for my child about', 'involving', 'and the main figure is', 'in which the star is', 'where the lead is', 'whose hero is', 'where the one who has the adventure is', 'in which the main role has', 'where the hero is', 'which tells of', 'featuring', 'on', 'around'))} {article(hero)}"
    elif draw < 0.60:
        user += f" about {article(adjective)} {hero}"
    elif draw < 0.70:
        user += f" about {article(hero)} and {article(friend)}"
    elif draw < 0.90:
        user = spin(rng, "{Once upon a time there was <a>. How does it go on|Is there a story about <a>|Do you know a story about <a>|Story about <a>|A story about <a>, please|My child wants a story about <a>|Story: <a>|I like stories about <a>. Tell me one|Something about <a>, as a story|What story do you know about <a>|The hero of the story should be <a>|Tell the kids about <a>, in a story|Narrate a tale about <a>|A bedtime story with <a>|My kids want to hear about <a>. A story, please|Write a tale. It should be about <a>|The story should have <a> in it|Let the story be about <a>|Make a story and put <a> into it|Can you put <a> in a story|A story, and <a> should appear in it|Spin a tale about <a>|Tell us a yarn about <a>|Let me have a tale with <a> in it|Another story, now with <a>|One more story, with <a> please|A different story, with <a> in it|Let's hear a story that has <a> in it|Now a story with <a> in it|Let's do a story. It needs <a>|I fancy a story about <a>|Give us a yarn with <a>|We would like a tale about <a>|Story time! It should have <a>}{?|.|}", a=article(hero))
    if draw < 0.70 and rng.random() < 0.25:
        user += rng.choice((" named", " called", " named", ", his name is", ", her name is")) + " " + name
    if draw < 0.6 and rng.random() < 0.12:
        user += f" {place}"
    if user[-1] != "?":
        user += rng.choice((".", ".", ""))

    intro = spin(rng, "{Once upon a time, there was|Long ago, there lived|Once, there was} <h> named <n> <p>.", h=f"{article(adjective)} {hero}", n=name, p=place)
    habit = spin(rng, "{<N> loved to {play by the water|sing in the morning|look at the stars|sit in the sun|collect shiny stones}.|Everyone liked <N>.|}", N=name)
    body = mend_articles(spin(rng, plot.text, N=name, B=friend, F=food))
    answer = f"{intro} {habit}".strip() + f"\n\n{body}"
    draw = rng.random()
    answer += f"\n\nMoral: {plot.moral}" if draw < 0.4 else ("\n\n" + rng.choice(_ENDS[1:]) if draw < 0.7 else "")
    turns = [Turn(user, answer)]

    draw = rng.random()
    if draw < 0.15:
        turns.append(Turn(moral_question(rng), f"The moral is: {plot.moral}"))
    elif draw < 0.25:
        about = spin(rng, plot.summary, B=friend, F=food)
        turns.append(Turn(summary_question(rng), f"It is about {article(hero)} named {name} who {mend_articles(about)}."))
    elif draw < 0.38:
        asked = spin(rng, "{What was the name of the <a>|What was the <a> called|Who was the story about|What was the name again|What was the name of the hero}?", a=hero)
        turns.append(Turn(asked, f"The {hero} was called {name}."))
    elif draw < 0.48:
        turns.append(Turn(spin(rng, "{Where did <n> live|Where did the <a> live|Where was that}?", n=name, a=hero), f"{name} lived {place}."))
    elif draw < 0.56:
        praise = spin(rng, "{Nice story|I like that story|That was a nice story|Good story|Lovely story|Beautiful|What a nice story}{!|.|}")
        turns.append(Turn(praise, spin(rng, "{Thank you! I am glad you liked it.|I am happy that you liked it!} {Shall I tell you another one?|}")))
    return turns
