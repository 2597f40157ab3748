"""Estimates: from releases that were measured, with an interval that holds."""

import random

from gateway.estimate import KINDS_KEPT, Pacer
from tests.unit.gateway.clock import Clock


def test_nothing_measured_is_nothing_said() -> None:
    """No figure is better than a made-up one."""
    assert None is Pacer(Clock()).estimate(1, 4)


def test_a_first_answer_gives_a_first_guess() -> None:
    """Slots held for eight seconds each, four of them: one comes free every two."""
    clock = Clock()
    pacer = Pacer(clock)
    clock.pass_by(8)
    pacer.release(8.0, others_wait=False)
    guess = pacer.estimate(3, 4)

    assert guess is not None
    assert 6.0 == guess.likely


def test_gaps_under_load_are_what_counts() -> None:
    """Every two seconds a slot: place five waits ten, and more are surer."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    for _ in range(20):
        clock.pass_by(2)
        pacer.release(8.0, others_wait=True)
    guess = pacer.estimate(5, 4)

    assert guess is not None
    assert (10.0, 10.0, 10.0) == (guess.low, guess.likely, guess.high)


def test_idle_time_is_no_gap() -> None:
    """An hour in which nobody waited does not make the next wait an hour."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    clock.pass_by(2)
    pacer.release(2.0, others_wait=False)
    clock.pass_by(3600)
    pacer.saturate()
    clock.pass_by(2)
    pacer.release(2.0, others_wait=True)
    guess = pacer.estimate(1, 1)

    assert guess is not None
    assert 2.0 == guess.likely


def test_the_interval_holds_four_times_out_of_five() -> None:
    """Slots that come free at random (a hard case): 70 to 97 of 100 waits lie within."""
    chance = random.Random(7)
    within = asked = 0
    for _ in range(300):
        clock = Clock()
        pacer = Pacer(clock)
        pacer.saturate()
        for _ in range(40):
            clock.pass_by(chance.expovariate(0.5))
            pacer.release(4.0, others_wait=True)
        for place in (1, 4, 12):
            guess = pacer.estimate(place, 4)
            assert guess is not None
            waited = sum(chance.expovariate(0.5) for _ in range(place))
            within += guess.low <= waited <= guess.high
            asked += 1

    assert 0.70 <= within / asked <= 0.97


def test_waits_that_are_stretched_are_told_as_they_are() -> None:
    """A slot every two seconds, and those five turns away waited for fifteen: three times as long."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    for _ in range(40):
        wait = pacer.begin(5, 4)
        for _ in range(15):
            clock.pass_by(2)
            pacer.release(8.0, others_wait=True)
        if wait is not None:
            pacer.grant(wait)
    stretched, plain = pacer.estimate(5, 4), pacer.estimate(1, 4)

    assert stretched is not None
    assert plain is not None
    assert (30.0, 30.0, 30.0) == (stretched.low, stretched.likely, stretched.high)
    assert 2.0 == plain.likely


def test_a_few_waits_say_nothing_yet() -> None:
    """Until there are enough of a kind to cut a tenth off, slots alone say how long it will be."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    for _ in range(15):
        clock.pass_by(2)
        pacer.release(8.0, others_wait=True)
    for _ in range(5):
        wait = pacer.begin(5, 4)
        assert wait is not None
        clock.pass_by(100)
        pacer.grant(wait)
    guess = pacer.estimate(5, 4)

    assert guess is not None
    assert 10.0 == guess.likely


def test_what_is_learned_is_bounded() -> None:
    """Only the last waits count, so that a change is followed."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    for seconds in (*[100] * 500, *[10] * 500):
        clock.pass_by(2)
        pacer.release(8.0, others_wait=True)
        wait = pacer.begin(5, 4)
        assert wait is not None
        clock.pass_by(seconds)
        pacer.grant(wait)
        pacer.saturate()
        clock.pass_by(-seconds)
    guess = pacer.estimate(5, 4)

    assert guess is not None
    assert (10.0, 10.0, 10.0) == (guess.low, guess.likely, guess.high)


def test_a_chat_is_told_what_its_own_group_waited() -> None:
    """The first group of which enough is known: its client's chats, else all of its class."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    clock.pass_by(2)
    pacer.release(8.0, others_wait=True)
    for client, seconds in (("slow", 40), ("fast", 20)):
        for _ in range(30):
            wait = pacer.begin(5, 4, (client, "all"))
            assert wait is not None
            clock.pass_by(seconds)
            pacer.grant(wait)
    told = [pacer.estimate(5, 4, (client, "all")) for client in ("slow", "fast", "new")]

    assert [40.0, 20.0] == [guess.likely for guess in told[:2] if guess is not None]
    assert told[2] is not None
    assert (20.0, 40.0) == (told[2].low, told[2].high)


def test_a_flood_of_groups_is_forgotten() -> None:
    """So many are kept and no more, and the one that all are of stays."""
    clock = Clock()
    pacer = Pacer(clock)
    pacer.saturate()
    clock.pass_by(2)
    pacer.release(8.0, others_wait=True)

    def learn(client: str, seconds: float) -> None:
        for _ in range(30):
            wait = pacer.begin(5, 4, (client, "all"))
            assert wait is not None
            clock.pass_by(seconds)
            pacer.grant(wait)

    learn("first", 80)
    for number in range(KINDS_KEPT):
        learn(f"client {number}", 20)
    guess = pacer.estimate(5, 4, ("first", "all"))

    assert guess is not None
    assert (20.0, 20.0) == (guess.low, guess.high)
