"""Counting up, down and in steps, always to a stated end; far ends are refused."""

from __future__ import annotations

from random import Random

from engine.demo.corpus.dialogue import Turn
from engine.demo.corpus.phrasing import spin

LARGEST_END = 50
NUMBER_WORDS = tuple(
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen twenty".split()
)
REFUSALS = (
    "That is too far for me: I count up to 50 at most. Shall I count to 20 instead?",
    "That would be a very long answer, and I only count up to 50. Try: count to 20.",
)
_UP = (
    "{Count|Please count|Can you count|Could you count|Count up|Start counting|Let us count|Count out loud|Keep counting} {to|up to|until|till} <n>{.|?|}",
    "{Count|Please count|Can you count|Could you count} from {1|one} {to|up to|until} <n>{.|?|}",
    "{Say|List|Give me|Write|Write down|Tell me|Name|Print|Show me|Type|Recite} {the|all the|all|the whole} numbers {from 1 to|up to|from one to|1 to|between 1 and} <n>{.|}",
    "{I want you to|Would you|I would like you to} count {to|up to} <n>{.|}",
    "{Begin with 1 and count up to|Start at 1 and stop at|Count until you get to|Count from 1, and stop at|Go from 1 to|How do you count to|Show me how you count to|Can you count as far as|Count on your fingers to|Count everything up to} <n>{.|?|}",
    "{Can you|Could you|Will you|Please|I'd like you to|Try to|Now|Let me see you|Help my child|Show me how you} count {slowly |quickly |aloud |carefully |nicely |on |straight |along |normally |in order |one by one |}{all the way |right |}{up |}{to|till|until|up to|as far as} <n>{ in order| one by one| slowly| without a break| and stop there| then stop|}{.|?|!|}",
    "{All|The|Every|Each of the|All the|The first|Just the|Only the} {number|numbers} {up to|until|to|through|till|between one and|from one to|that go up to} <n>{, in order| in order|, one after the other|, one by one|, starting with 1|, beginning at one| in the right order|}{.|?| please.|}",
    "{Count up|Count upwards|Start counting|Begin to count|Begin counting|Counting up|Count|Count loudly|Count for us} {and end at|and stop at|, stop at|and finish with|, the last number is|until you reach|until it is|until you are at|and reach} <n>{.|!|}",
    "{Count 1 to|Numbers 1 to|Numbers from 1 to|1 to|Counting to} <n>{.|}",
)
_DOWN = (
    "{Count|Please count|Can you count} {down|backwards|backward} from <n>{ to 1| to one|}{.|?|}",
    "{Count|Please count} from <n> {down |back |}to {1|one}{.|}",
    "{Do|Give me|Start} a countdown {from|of} <n>{.|}",
    "Countdown from <n>{.|}",
    "{Say|List|Write} the numbers from <n> {down|back} to 1{.|}",
)
_STEPS = {
    2: ("twos", "2s", "two", "2"),
    3: ("threes", "3s", "three", "3"),
    5: ("fives", "5s", "five", "5"),
    10: ("tens", "10s", "ten", "10"),
}
_LEAD = ("", "", "", "Sure: ", "Here you go: ", "Here we go: ")


def _shown(numbers: range) -> str:
    return ", ".join(map(str, numbers))


def _word_or_digits(rng: Random, number: int) -> str:
    if number < len(NUMBER_WORDS) and rng.random() < 0.3:
        return NUMBER_WORDS[number]
    return str(number)


def counts(rng: Random) -> list[Turn]:
    """Count between two numbers, every one exactly once, then stop."""
    draw = rng.random()
    if draw < 0.12:
        far = rng.choice((rng.randint(LARGEST_END + 1, 999), rng.randint(1000, 10**6), 100, 1000, 10**6))
        shown = rng.choice((str(far), "a hundred", "a million", "one thousand", "infinity", "a billion", f"{far:,}", "one hundred"))
        template = rng.choice(_UP + _DOWN[:2])
        return [Turn(spin(rng, template, n=shown), rng.choice(REFUSALS), "No")]
    lead = rng.choice(_LEAD)
    if draw < 0.56:
        end = rng.choice((rng.randint(2, 20), rng.randint(2, 20), rng.randint(2, LARGEST_END), 10, 20))
        user = spin(rng, rng.choice(_UP), n=_word_or_digits(rng, end))
        if rng.random() < 0.12 and end <= 20:
            words = ", ".join(NUMBER_WORDS[1 : end + 1])
            return [Turn(user.rstrip(".?") + rng.choice((" in words.", " using words.", " as words.")), f"{lead}{words}.")]
        turns = [Turn(user, f"{lead}{_shown(range(1, end + 1))}.")]
        if rng.random() < 0.15:
            turns.append(
                Turn(spin(rng, "{And backwards|Now backwards|Now count down|And back again|In reverse}{.|?}"), f"{_shown(range(end, 0, -1))}.")
            )
        return turns
    if draw < 0.72:
        start = rng.choice((rng.randint(2, 20), rng.randint(2, 30), 10))
        return [Turn(spin(rng, rng.choice(_DOWN), n=_word_or_digits(rng, start)), f"{lead}{_shown(range(start, 0, -1))}.")]
    if draw < 0.84:
        start = rng.randint(2, 40)
        end = min(start + rng.randint(2, 15), LARGEST_END)
        user = spin(
            rng,
            "{{Count from|Please count from|List the numbers from|Can you count from|Give me the numbers from|Say the numbers from} <a> to <b>"
            "|Start counting at <a> and stop at <b>|Count <a> to <b>}{.|?|}",
            a=start,
            b=end,
        )
        return [Turn(user, f"{lead}{_shown(range(start, end + 1))}.")]
    step = rng.choice((2, 2, 2, 3, 5, 5, 10))
    end = step * rng.randint(3, 10 if step < 10 else 5)
    numbers = range(step, end + 1, step)
    if step == 2 and rng.random() < 0.4:
        if rng.random() < 0.5:
            numbers = range(1, end, 2)
            user = spin(rng, "{List|Give me|Count|Name|Write|What are} the odd numbers {up to|until|below|to} <n>{.|?|}", n=end)
        else:
            user = spin(rng, "{List|Give me|Count|Name|Write|What are} the even numbers {up to|until|to} <n>{.|?|}", n=end)
        return [Turn(user, f"{lead}{_shown(numbers)}.")]
    name = rng.choice(_STEPS[step][:2])
    user = spin(
        rng,
        "{Count by <s> {to|up to|until} <n>|Count {to|up to} <n> by <s>|Count in <s> {to|up to} <n>|Can you count by <s> to <n>"
        "|Count {to|up to} <n> in <s>|Count in steps of <k> {to|up to} <n>|Skip count by <s> to <n>}{.|?|}",
        s=name, n=end, k=rng.choice(_STEPS[step][2:]),
    )  # fmt: skip
    return [Turn(user, f"{lead}{_shown(numbers)}.")]
