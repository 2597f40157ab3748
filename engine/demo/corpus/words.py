"""Facts about English words: opposites, plurals, past tenses, spelling, order of days and months.

Knows nothing of: other languages (see translation.py).
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin


def _pairs(table: str) -> dict[str, str]:
    pairs = (entry.partition(":") for entry in table.split())
    return {key: value for key, _, value in pairs}


OPPOSITES = _pairs(
    "hot:cold big:small up:down left:right day:night happy:sad fast:slow old:young light:dark open:closed full:empty hard:soft "
    "rich:poor high:low long:short early:late strong:weak wet:dry clean:dirty loud:quiet near:far good:bad black:white love:hate "
    "begin:end buy:sell win:lose push:pull true:false inside:outside thick:thin sweet:sour brave:afraid awake:asleep "
    "easy:difficult cheap:expensive heavy:light always:never first:last on:off yes:no front:back top:bottom north:south east:west "
    "summer:winter friend:enemy question:answer sharp:blunt smooth:rough warm:cool wide:narrow deep:shallow new:old tall:short "
    "start:stop give:take laugh:cry remember:forget safe:dangerous polite:rude right:wrong alive:dead over:under before:after "
    "cold:hot small:big down:up night:day sad:happy slow:fast young:old dark:light empty:full soft:hard poor:rich low:high "
    "short:long late:early weak:strong dry:wet dirty:clean quiet:loud far:near bad:good white:black lose:win"
)
PLURALS = _pairs(
    "cat:cats dog:dogs mouse:mice child:children foot:feet tooth:teeth man:men woman:women goose:geese box:boxes city:cities "
    "leaf:leaves wolf:wolves fish:fish sheep:sheep baby:babies knife:knives person:people house:houses bus:buses berry:berries "
    "tomato:tomatoes potato:potatoes story:stories key:keys toy:toys watch:watches fox:foxes ox:oxen life:lives wife:wives "
    "half:halves shelf:shelves deer:deer hero:heroes photo:photos piano:pianos church:churches dish:dishes fly:flies day:days"
)
PASTS = _pairs(
    "go:went eat:ate run:ran see:saw sing:sang swim:swam write:wrote take:took give:gave come:came buy:bought think:thought "
    "know:knew fly:flew drink:drank sleep:slept walk:walked play:played jump:jumped make:made find:found say:said tell:told "
    "begin:began break:broke drive:drove bring:brought catch:caught teach:taught feel:felt leave:left lose:lost keep:kept "
    "meet:met read:read sit:sat stand:stood speak:spoke wear:wore win:won grow:grew draw:drew fall:fell hear:heard build:built"
)
SPELLED = tuple(
    "cat dog bird house tree water apple banana orange lemon cherry school friend mother father sister brother garden flower "
    "river mountain window kitchen table chair book paper pencil letter number computer language animal elephant giraffe tiger "
    "lion monkey rabbit mouse horse sheep yellow green purple black white morning evening night summer winter spring autumn "
    "Monday Tuesday Wednesday Thursday Friday Saturday Sunday January February music guitar piano beautiful because people "
    "hello goodbye please thanks birthday chocolate cheese bread butter sugar coffee island ocean planet star moon sun rain snow "
    "cloud wind storm castle bridge train plane bicycle doctor teacher baker farmer python token stream engine queue model".split()
)
DAYS = tuple("Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split())
MONTHS = tuple("January February March April May June July August September October November December".split())
SEASONS = tuple("spring summer autumn winter".split())
PLANETS = tuple("Mercury Venus Earth Mars Jupiter Saturn Uranus Neptune".split())
_CYCLES = ((DAYS, "day"), (MONTHS, "month"), (SEASONS, "season"))


def _asked(rng: Random, noun: str, word: str) -> str:
    return spin(
        rng,
        "{What is the <n> of <q>|What's the <n> of <q>|Tell me the <n> of <q>|Give me the <n> of <q>|<N> of <q>"
        "|The <n> of <q> is what|Which word is the <n> of <q>|I need the <n> of <q>|Name the <n> of <q>"
        "|Do you know the <n> of <q>|What would be the <n> of <q>}?",
        n=noun,
        N=capitalise(noun),
        q=word if rng.random() < 0.55 else f'"{word}"',
    )


def forms(rng: Random) -> list[Turn]:
    """Ask for an opposite, a plural or a past tense."""
    draw = rng.random()
    if draw < 0.45:
        word, answer = rng.choice(tuple(OPPOSITES.items()))
        user = _asked(rng, "opposite", word)
        if rng.random() < 0.15:
            user = spin(rng, "{What is not <w>, but the opposite|Say the opposite of <w>|What is the antonym of <w>}?", w=word)
        return [Turn(user, f'The opposite of "{word}" is "{answer}".', capitalise(answer))]
    if draw < 0.75:
        word, answer = rng.choice(tuple(PLURALS.items()))
        user = _asked(rng, "plural", word)
        if rng.random() < 0.2:
            user = spin(rng, "{One <w>, two what|How do you write more than one <w>|What do you call more than one <w>}?", w=word)
        return [Turn(user, f'The plural of "{word}" is "{answer}".', capitalise(answer))]
    word, answer = rng.choice(tuple(PASTS.items()))
    user = _asked(rng, rng.choice(("past tense", "past", "past form", "simple past")), word)
    return [Turn(user, f'The past tense of "{word}" is "{answer}".', capitalise(answer))]


def spelling(rng: Random) -> list[Turn]:
    """Spell a known word, count its letters or name its first letter."""
    word = rng.choice(SPELLED)
    draw = rng.random()
    if draw < 0.6:
        user = spin(
            rng,
            "{How do you spell <q>|Spell <q>|Spell the word <q>|Can you spell <q>|How is <q> spelled|What is the spelling of <q>"
            "|Please spell <q> for me}{?|.}",
            q=word if rng.random() < 0.6 else f'"{word}"',
        )
        return [Turn(user, f'"{word}" is spelled {"-".join(word.upper())}.')]
    if draw < 0.8:
        user = spin(rng, "{How many letters does <w> have|How many letters are in <w>|Count the letters in <w>}?", w=f'"{word}"')
        return [Turn(user, f'{"-".join(word.upper())}: "{word}" has {len(word)} letters.', str(len(word)))]
    user = spin(rng, "{What is the first letter of <w>|With which letter does <w> start|Which letter does <w> begin with}?", w=f'"{word}"')
    return [Turn(user, f'"{word}" starts with {word[0].upper()}.', word[0].upper())]


def order(rng: Random) -> list[Turn]:
    """Ask which day, month, season or planet comes next or before."""
    if rng.random() < 0.2:
        at = rng.randrange(len(PLANETS) - 1)
        first, second, kind = PLANETS[at], PLANETS[at + 1], "planet"
    else:
        cycle, kind = rng.choice(_CYCLES)
        at = rng.randrange(len(cycle))
        first, second = cycle[at], cycle[(at + 1) % len(cycle)]
    if rng.random() < 0.6:
        user = spin(
            rng,
            "{{What|Which} <k> {comes after|follows|is after|comes next after|comes right after} <x>|What comes after <x>"
            "|What is the <k> after <x>|Which <k> comes next if it is <x> now|After <x> comes which <k>}?",
            k=kind,
            x=first,
        )
        return [Turn(user, f"{capitalise(second)} comes after {first}.", capitalise(second))]
    user = spin(
        rng,
        "{{What|Which} <k> {comes before|is before|comes right before} <x>|What comes before <x>|What is the <k> before <x>}?",
        k=kind,
        x=second,
    )
    return [Turn(user, f"{capitalise(first)} comes before {second}.", capitalise(first))]
