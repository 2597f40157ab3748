"""Lists of n things without repeats.

Every kind has one fixed circular order and a list is a walk along it from a random start, so the next item
depends on the last one only: a tiny model can follow that without repeating itself.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.counting import NUMBER_WORDS
from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.geography import COUNTRIES, FAMILIAR
from engine.demo.corpus.phrasing import capitalise, join, spin
from engine.demo.corpus.words import DAYS, MONTHS, PLANETS, SEASONS

LONGEST = 10
KINDS: dict[str, tuple[str, ...]] = {
    "animals": tuple("fox rabbit bear mouse owl turtle frog cat dog duck hedgehog squirrel lion elephant penguin horse sheep goat cow wolf deer tiger".split()),
    "fruits": tuple("apple banana cherry grape orange lemon pear peach plum mango kiwi melon strawberry pineapple fig apricot".split()),
    "vegetables": tuple("carrot potato onion cabbage pea spinach broccoli pumpkin cucumber leek radish celery garlic beetroot".split()),
    "colours": tuple("red blue green yellow orange purple pink brown black white grey gold silver turquoise violet".split()),
    "musical instruments": tuple("piano guitar violin flute drum trumpet harp cello clarinet saxophone accordion organ".split()),
    "sports": tuple("football tennis basketball swimming running cycling skiing golf hockey volleyball rowing boxing judo climbing".split()),
    "tools": tuple("hammer saw drill wrench screwdriver pliers shovel rake ladder axe file spade".split()),
    "jobs": tuple("teacher doctor baker farmer pilot nurse carpenter cook driver painter writer singer gardener engineer".split()),
    "countries": tuple("France Japan Brazil Egypt Canada Italy India Norway Kenya Spain China Peru Germany Mexico Greece Poland Chile".split()),
    "cities": tuple("Paris Tokyo London Rome Cairo Berlin Madrid Vienna Lisbon Athens Oslo Lima Prague Dublin Seoul".split()),
    "names": tuple("Anna Ben Clara David Emma Felix Grace Hugo Ida Jack Lena Max Nora Oscar".split()),
    "drinks": (*"water tea coffee milk juice lemonade cocoa soda cider smoothie".split(), "iced tea", "hot chocolate"),
    "foods": tuple("bread cheese soup rice pasta salad pizza eggs beans noodles pancakes curry stew toast".split()),
    "birds": tuple("sparrow crow robin eagle owl swan duck parrot pigeon gull stork penguin".split()),
    "flowers": tuple("rose tulip daisy lily sunflower violet poppy iris orchid daffodil".split()),
    "trees": tuple("oak pine birch maple willow beech ash elm cedar fir".split()),
    "insects": tuple("ant bee beetle butterfly fly wasp cricket moth grasshopper ladybird".split()),
    "clothes": tuple("shirt coat hat sock shoe scarf glove dress skirt jacket sweater belt".split()),
    "programming languages": ("Python", "JavaScript", "C", "Java", "Rust", "Go", "Ruby", "Swift", "Kotlin", "Haskell", "PHP", "Lua"),
    "languages": tuple("English Spanish French German Italian Chinese Japanese Arabic Hindi Russian Greek Dutch".split()),
    "hobbies": ("reading", "painting", "cooking", "gardening", "hiking", "chess", "singing", "photography", "dancing", "fishing", "knitting"),
    "things in a kitchen": tuple("spoon fork knife plate pot pan cup bowl oven fridge kettle sink".split()),
    "shapes": tuple("circle square triangle rectangle oval star heart hexagon pentagon diamond".split()),
    "body parts": tuple("head arm leg hand foot eye ear nose mouth knee elbow shoulder".split()),
    "vehicles": tuple("car bus train bicycle truck boat plane tram scooter van ship tractor".split()),
    "metals": tuple("iron gold silver copper tin lead zinc nickel aluminium titanium".split()),
    "facts": (
        "Honey can stay good for a very long time.", "An octopus has three hearts.", "A snail can sleep for many months.",
        "Light from the sun takes about eight minutes to reach us.", "Cats sleep for most of the day.",
        "Penguins cannot fly, but they swim very well.", "The giraffe is the tallest animal on land.",
        "Water covers most of the earth.", "Bees dance to tell each other where flowers are.",
        "Bamboo is one of the fastest growing plants.", "Sharks lived on earth before trees did.",
        "Venus is hotter than Mercury.", "Sound travels faster in water than in air.", "Ice floats because it is lighter than water.",
    ),
}  # fmt: skip
_SAID = {
    "colours": ("colors", "colours"), "facts": ("facts", "fun facts", "interesting facts", "random facts"), "foods": ("foods", "things to eat", "kinds of food"),
    "drinks": ("drinks", "things to drink", "beverages"), "jobs": ("jobs", "professions"), "clothes": ("clothes", "pieces of clothing", "things to wear"),
    "musical instruments": ("musical instruments", "instruments"), "names": ("names", "first names"), "fruits": ("fruits", "kinds of fruit"),
    "vegetables": ("vegetables", "veggies"), "birds": ("birds", "kinds of birds"), "trees": ("trees", "kinds of trees"),
    "body parts": ("body parts", "parts of the body"), "cities": ("cities", "big cities"), "hobbies": ("hobbies", "things to do for fun"),
}  # fmt: skip
_ASK = (
    "{List|Name|Give me|Tell me|Write down|Show me|Write|Say|Can you name|Can you list|Please list|Could you list|I need|I want} <n> <k>{.|?|}",
    "{Make|Give me|Write|Create|I need|Can you make} a list of <n> <k>{.|}",
    "{What are|Which are} <n> <k>?",
    "<n> <k>{ please|}{.|}",
    "{Which <n> <k> can you name|Which <n> <k> do you know|What would be <n> <k>|May I have <n> <k>|Can I get <n> <k>|Let me have <n> <k>|Find me <n> <k>|Tell me about <n> <k>|Provide <n> <k>|Please find <n> <k>|I want to know <n> <k>|Pick <n> <k>|Choose <n> <k>|Examples of <k>: <n>, please}{?|.|}",
    "{Do you know|Can you think of|Can you give me|Could you name} <n> <k>?",
    "{Help me think of|I am looking for|Suggest|Think of|Come up with} <n> <k>{.|}",
)
_TOO_LONG = (
    "That is a long list for me: I give up to 10 things at a time. Ask me for 10 and then for more.",
    "I only make lists of up to 10 things. Please ask for fewer.",
)


def walk(kind: str, start: int, count: int) -> list[str]:
    """Take `count` items of a kind along its circle, from position `start`."""
    items = KINDS[kind]
    return [items[(start + step) % len(items)] for step in range(count)]


def _laid_out(items: list[str], form: str, kind: str) -> str:
    shown = [capitalise(item) for item in items]
    if form == "numbered":
        return "\n".join(f"{place}. {item}" for place, item in enumerate(shown, 1))
    if form == "bullets":
        return "\n".join(f"- {item}" for item in shown)
    return capitalise(join(items)) + ("" if kind == "facts" else ".")


def lists(rng: Random) -> list[Turn]:
    """Give n different things of one kind, and sometimes more of them afterwards."""
    kind = rng.choice(tuple(KINDS))
    said = rng.choice(_SAID.get(kind, (kind,)))
    if rng.random() < 0.04:
        too_many = rng.choice((rng.randint(11, 99), rng.randint(100, 1000)))
        return [Turn(spin(rng, rng.choice(_ASK), n=too_many, k=said), rng.choice(_TOO_LONG), "No")]
    longest = min(LONGEST, len(KINDS[kind]))
    count = rng.choice((rng.randint(2, longest), rng.randint(2, 6), 3, 5))
    start = rng.randrange(len(KINDS[kind]))
    shown_count = rng.choice((str(count), NUMBER_WORDS[count]))
    user = capitalise(spin(rng, rng.choice(_ASK), n=shown_count, k=said))
    form = rng.choice(("numbered", "numbered", "numbered", "prose"))
    if kind == "facts":
        form = "numbered"
    extra = rng.random()
    if extra < 0.08:
        user, form = user.rstrip(".?") + spin(rng, "{ as bullets| as a bullet list| with bullet points| as bullet points}."), "bullets"
    elif extra < 0.14 and kind != "facts":
        user, form = user.rstrip(".?") + spin(rng, "{ separated by commas| in one sentence| in one line| with commas}."), "prose"
    lead = spin(rng, "{Here are <n> <k>:|Here are <n> <k>:|Sure! Here are <n> <k>:}", n=NUMBER_WORDS[count], k=kind)
    items = walk(kind, start, count)
    body = _laid_out(items, form, kind)
    turns = [Turn(user, body if form == "prose" else f"{lead}\n\n{body}")]
    left = len(KINDS[kind]) - count
    if rng.random() < 0.25 and left >= 1:
        more = rng.randint(1, min(left, 5))
        many = rng.choice((str(more), NUMBER_WORDS[more]))
        follow = spin(rng, "{<n> more|Give me <n> more|And <n> more|Another <n>|Can you name <n> more|<n> others}{.|?| please.}", n=many)
        body = _laid_out(walk(kind, start + count, more), form, kind)
        lead = spin(rng, "{Here are <n> more:|<N> more:}", n=NUMBER_WORDS[more], N=capitalise(NUMBER_WORDS[more]))
        if more == 1:
            lead = "Here is one more:"
        turns.append(Turn(capitalise(follow), body if form == "prose" else f"{lead}\n\n{body}"))
    return turns


def one_of(rng: Random) -> list[Turn]:
    """Name a single thing of a kind."""
    kind, said = rng.choice(
        (("animals", "animal"), ("fruits", "fruit"), ("colours", "color"), ("colours", "colour"), ("countries", "country"), ("sports", "sport"),
         ("vegetables", "vegetable"), ("birds", "bird"), ("flowers", "flower"), ("tools", "tool"), ("jobs", "job"), ("cities", "city"), ("metals", "metal"))
    )  # fmt: skip
    item = rng.choice(KINDS[kind])
    user = spin(rng, "{Name|Tell me|Give me|Say|Pick|Choose|Think of} {a|one|any|a random} <k>{.|}", k=said).replace(" a animal", " an animal")
    return [Turn(user, f"{capitalise(item)}.", capitalise(item))]


FIXED: tuple[tuple[str, str], ...] = (
    ("{What are the|List the|Name the|Tell me the|Give me the|Which are the|Say the} {seven |}days of the week{?|.|}", "The days of the week are " + join(DAYS) + "."),
    ("{What are the|List the|Name the|Tell me the|Give me the|Which are the|Say the} {twelve |}months{ of the year|}{?|.|}", "The months are " + join(MONTHS) + "."),
    ("{What are the|List the|Name the|Tell me the|Give me the|Which are the} {four |}seasons{?|.|}", "The four seasons are " + join(SEASONS) + "."),
    ("{What are the|List the|Name the|Name all|List all|Tell me the|Give me the|Which are the} {eight |}planets{?|.|}", "The planets are " + join(PLANETS) + "."),
    ("{Say|Recite|Write|Tell me|Give me|List the letters of|Can you say|What is} the alphabet{.|?|}", ", ".join("ABCDEFGHIJKLMNOPQRSTUVWXYZ") + "."),
    ("{What are the|List the|Name the|Tell me the} {seven |}continents{?|.|}", "The continents are Africa, Antarctica, Asia, Australia, Europe, North America and South America."),
    ("{What are the|List the|Name the|Tell me the} {five |}oceans{?|.|}", "The oceans are the Pacific, the Atlantic, the Indian, the Arctic and the Southern Ocean."),
    ("{What are the|List the|Name the|Tell me the} {five |}senses{?|.|}", "The five senses are sight, hearing, smell, taste and touch."),
    ("{What are the|List the|Name the} {colors|colours} of {the|a} rainbow{?|.|}", "The colours of the rainbow are red, orange, yellow, green, blue, indigo and violet."),
)  # fmt: skip


def fixed(rng: Random) -> list[Turn]:
    """Give a list that everybody knows by heart, such as the days of the week."""
    questions, answer = rng.choice(FIXED)
    return [Turn(spin(rng, questions), answer)]


def tables(rng: Random) -> list[Turn]:
    """Write a Markdown table of countries with their capitals, continents or languages."""
    count = rng.randint(2, 5)
    start = rng.randrange(len(FAMILIAR))
    names = [FAMILIAR[(start + step) % len(FAMILIAR)] for step in range(count)]
    column = rng.choice(("capital", "continent"))
    user = spin(
        rng,
        "{Make|Write|Give me|Show me|Create|Can you make|Draw} a {Markdown |}table {of|with} <n> countries and their <c>s{.|}",
        n=rng.choice((str(count), NUMBER_WORDS[count])), c=column,
    )  # fmt: skip
    rows = [f"| {capitalise(name)} | {getattr(COUNTRIES[name], column)} |" for name in names]
    table = "\n".join([f"| Country | {capitalise(column)} |", "| --- | --- |", *rows])
    return [Turn(user, f"Here is a table:\n\n{table}")]
