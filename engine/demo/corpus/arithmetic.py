"""Small sums, taught only in a range that a tiny model learns for certain; beyond it the answer says so.

Range: sums and differences of whole numbers from 0 to 99 (no negative results), the tables up to 12 times 12
       and the divisions that undo them.
"""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import capitalise, spin

LARGEST_TERM = 99
LARGEST_FACTOR = 12

REFUSALS = (
    "That is too hard for me. I only do small sums: adding and subtracting up to 99, and the tables up to 12.",
    "I cannot calculate that reliably. I am a tiny demo model and only know sums up to 99 and the tables up to 12.",
)
BELOW_ZERO = "That goes below zero. I only do sums with results from 0 upwards."
UNEVEN = "That does not come out even, and I only know divisions without a remainder."
BY_ZERO = "Nobody can divide by zero."
_NUMBER_WORDS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen twenty"
).split()
_ASK = (
    "{What is|What's|How much is|Calculate|Compute|Work out|Solve|Whats|Can you solve|Tell me|What does|Add this up:} <e>{?|?|.|}",
    "<e>{?| = ?| =||.}",
    "{What is|What's|Give me} the {result|answer|value} of <e>?",
    "{I need|I want|I would like} to know <e>.",
    "What do I get {for|from|if I calculate} <e>?",
    "How {much|many} {is|are|does} <e>{ make| give|}?",
    "{Do|Could you do|Can you do} this sum: <e>{?|.}",
)
_SPOKEN = {
    "+": (
        "{What is|Tell me|Calculate} the sum of <a> and <b>?",
        "{Add|Please add|Can you add} <a> and <b>.",
        "{Add|Plus} <b> to <a>.",
        "If I add <b> to <a>, what {do I get|is it}?",
        "<a> and <b>{ together|} {is|makes} what?",
    ),
    "-": (
        "{Subtract|Take|Take away} <b> from <a>.",
        "{What is|Tell me} the difference between <a> and <b>?",
        "What is <a> less <b>?",
        "What is left if I take <b> from <a>?",
    ),
    "*": (
        "{Multiply|Please multiply} <a> by <b>.",
        "{What is|Tell me} the product of <a> and <b>?",
        "What is <a> multiplied by <b>?",
    ),
    "/": ("{Divide|Please divide} <a> by <b>.", "How many times does <b> go into <a>?", "What is <a> over <b>?"),
}
_SIGNS = {"+": ("+", "plus"), "-": ("-", "minus"), "*": ("*", "times", "x", "×"), "/": ("/", "divided by", "÷", ":")}


def _ask(rng: Random, first: int, sign: str, second: int) -> str:
    if max(first, second) <= 20 and rng.random() < 0.08:
        spoken = rng.choice([name for name in _SIGNS[sign] if name.isalpha() or " " in name])
        return spin(rng, rng.choice(_ASK), e=f"{_NUMBER_WORDS[first]} {spoken} {_NUMBER_WORDS[second]}")
    if rng.random() < 0.2:
        return spin(rng, rng.choice(_SPOKEN[sign]), a=first, b=second)
    written = rng.choice(_SIGNS[sign])
    gap = "" if len(written) == 1 and rng.random() < 0.25 else " "
    return spin(rng, rng.choice(_ASK), e=f"{first}{gap}{written}{gap}{second}")


def _taught(rng: Random) -> tuple[int, str, int, int]:
    """Draw a sum of the taught range: first number, sign, second number, result."""
    draw = rng.random()
    if draw < 0.65:
        top = rng.choice((10, 20, LARGEST_TERM, LARGEST_TERM))
        first, second = rng.randint(0, top), rng.randint(0, top)
        if draw < 0.38:
            return first, "+", second, first + second
        first, second = max(first, second), min(first, second)
        return first, "-", second, first - second
    first, second = rng.randint(0, LARGEST_FACTOR), rng.randint(0, LARGEST_FACTOR)
    if draw < 0.88:
        return first, "*", second, first * second
    second = max(second, 1)
    return first * second, "/", second, first


def _answer(rng: Random, first: int, sign: str, second: int, result: int) -> str:
    equation = f"{first} {sign} {second} = {result}"
    return spin(rng, "{<e>.|<e>.|<e>.|That is easy: <e>.|<e>, so the answer is **<r>**.}", e=equation, r=result)


def _too_big(rng: Random) -> str:
    sign = rng.choice("+-**/^")
    if sign == "^":
        base = rng.randint(2, 99)
        return spin(
            rng,
            "{What is|Calculate|Tell me} {the square root of <b>|<b> squared|<b> to the power of <n>|<b> cubed|<n> percent of <b>"
            "|the factorial of <b>|the logarithm of <b>|<b> % of <n>|the integral of x|the <n>th root of <b>"
            "|<a> + <b> + <n>|<a> * <n> - <b>|<b>.5 + <n>.2|1/<n> + 1/<b>}?",
            b=base, n=rng.randint(2, 20), a=rng.randint(2, 50),
        )  # fmt: skip
    big = rng.choice((rng.randint(100, 999), rng.randint(1000, 9999), rng.randint(100, 9_999_999)))
    other = rng.choice((rng.randint(1, 99), rng.randint(100, 999), rng.randint(1000, 99999)))
    if sign == "*" and rng.random() < 0.5:
        big, other = rng.randint(13, 99), rng.randint(2, 99)
    if rng.random() < 0.4 and sign in "+*":
        big, other = other, big
    return _ask(rng, big, sign, other)


def _without_result(rng: Random) -> Turn:
    """Ask for a sum that has no result in the taught numbers."""
    draw = rng.random()
    if draw < 0.5:
        first = rng.randint(0, 98)
        return Turn(_ask(rng, first, "-", rng.randint(first + 1, 99)), BELOW_ZERO, "Unknown")
    if draw < 0.6:
        return Turn(_ask(rng, rng.randint(0, 99), "/", 0), BY_ZERO, "Unknown")
    second = rng.randint(2, 12)
    first = second * rng.randint(0, 11) + rng.randint(1, second - 1)
    return Turn(_ask(rng, first, "/", second), UNEVEN, "Unknown")


def sums(rng: Random) -> list[Turn]:
    """Do one sum, sometimes with "and plus 5?" after it, sometimes one that is too big."""
    draw = rng.random()
    if draw < 0.12:
        return [Turn(_too_big(rng), rng.choice(REFUSALS), "Unknown")]
    if draw < 0.15:
        return [_without_result(rng)]
    first, sign, second, result = _taught(rng)
    turns = [Turn(_ask(rng, first, sign, second), _answer(rng, first, sign, second, result), str(result))]
    while rng.random() < 0.25 and len(turns) < 4 and result <= LARGEST_TERM:
        more = rng.randint(1, 10)
        if rng.random() < 0.6 or result < more:
            step, after = "+", result + more
            user = spin(rng, "{And plus <m>|Now add <m>|Plus <m>|And add <m>|Add <m> more|And if you add <m>|+ <m>}{?|.|}", m=more)
        else:
            step, after = "-", result - more
            user = spin(rng, "{And minus <m>|Now subtract <m>|Minus <m>|Take away <m>|And if you take away <m>|- <m>}{?|.|}", m=more)
        turns.append(Turn(user, f"{result} {step} {more} = {after}.", str(after)))
        result = after
    return turns


_THINGS = "apple book ball coin egg pen cookie flower stone pear cake shell card stamp sweet balloon button".split()
_PEOPLE = "I Anna Ben Tom Mia Sara Omar Lucy Peter Nina Leo Ravi Mei".split()


def word_problems(rng: Random) -> list[Turn]:
    """Tell a one-step story with small numbers and ask how many there are."""
    first, second = rng.randint(2, 20), rng.randint(2, 12)
    person, things = rng.choice(_PEOPLE), rng.choice(_THINGS) + "s"
    has, ends = ("have", "") if person == "I" else ("has", "s")
    if rng.random() < 0.5:
        user = spin(
            rng,
            f"<p> {has} <a> <t>{{ and|. Then <p>|, then <p>}} {{buy{ends}|get{ends}|find{ends}}} <b> more. "
            "{How many <t> are there now|How many <t> is that|How many <t> are there in all|How many now}?",
            p=person, a=first, b=second, t=things,
        )  # fmt: skip
        total = first + second
        return [Turn(user, f"{first} + {second} = {total}, so there are {total} {things}.", str(total))]
    first, second = max(first, second) + 1, min(first, second)
    user = spin(
        rng,
        f"<p> {has} <a> <t> and {{lose{ends}|give{ends} away|sell{ends}|drop{ends}}} <b>. "
        "{How many are left|How many <t> are left|How many remain}?",
        p=person, a=first, b=second, t=things,
    )  # fmt: skip
    left = first - second
    return [Turn(user, f"{first} - {second} = {left}, so {left} are left.", str(left))]


def comparisons(rng: Random) -> list[Turn]:
    """Compare two numbers, tell even from odd, or name a number's neighbour."""
    first, second = rng.sample(range(100), 2)
    low, high = min(first, second), max(first, second)
    draw = rng.randrange(4)
    if draw == 0:
        user = spin(
            rng,
            "{{Which is {bigger|larger|more|greater}|Which number is {larger|bigger}|What is more}{, |: }<a> or <b>"
            "|<a> or <b>, which is {bigger|larger}|Is <a> bigger than <b>, or is <b> bigger}?",
            a=first,
            b=second,
        )
        return [Turn(user, f"{high} is bigger than {low}.", str(high))]
    if draw == 1:
        user = spin(rng, "{Which is {smaller|less}|Which number is smaller|What is less}{, |: }<a> or <b>?", a=first, b=second)
        return [Turn(user, f"{low} is smaller than {high}.", str(low))]
    if draw == 2:
        user = spin(rng, "{Is <a> {even or odd|odd or even|an even number|an odd number}|Even or odd: <a>}?", a=first)
        kind = "odd" if first % 2 else "even"
        return [Turn(user, f"{first} is {kind}.", capitalise(kind))]
    number = min(first, 98)
    user = spin(rng, "What number {comes after|is after|follows|comes next after} <a>?", a=number)
    return [Turn(user, f"{number + 1} comes after {number}.", str(number + 1))]
