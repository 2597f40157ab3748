"""Slots are given in order, and never lost."""

import asyncio
import contextlib

from engine.slots import Slots


async def settled() -> None:
    """Let every task run as far as it can."""
    for _ in range(5):
        await asyncio.sleep(0)


async def test_slots_are_given_in_order_of_arrival() -> None:
    """Who came first goes first."""
    slots, order = Slots(1), list[int]()

    async def work(number: int) -> None:
        await slots.take()
        order.append(number)

    tasks = [asyncio.create_task(work(number)) for number in range(4)]
    await settled()

    assert ([0], 3) == (order, slots.waiting)
    for _ in range(3):
        slots.give_back()
        await settled()

    assert [0, 1, 2, 3] == order
    await asyncio.gather(*tasks)
    slots.give_back()

    assert (0, 0) == (slots.running, slots.waiting)


async def test_a_cancelled_waiter_leaves_the_line() -> None:
    """The one behind moves up."""
    slots = Slots(1)
    await slots.take()
    first, second = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
    await settled()
    first.cancel()
    await settled()

    assert 1 == slots.waiting
    slots.give_back()
    await second

    assert "<Slots 1/1 running, 0 waiting>" == repr(slots)


async def test_a_slot_granted_to_a_cancelled_waiter_is_passed_on() -> None:
    """Grant and cancel in the same turn of the loop lose nothing."""
    slots = Slots(1)
    await slots.take()
    first, second = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
    await settled()
    slots.give_back()
    first.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await second

    assert (1, 0) == (slots.running, slots.waiting)


async def test_a_waiter_cancelled_before_the_grant_is_skipped() -> None:
    """Cancel and grant in the same turn of the loop lose nothing either."""
    slots = Slots(1)
    await slots.take()
    first, second = asyncio.create_task(slots.take()), asyncio.create_task(slots.take())
    await settled()
    first.cancel()
    slots.give_back()
    with contextlib.suppress(asyncio.CancelledError):
        await first
    await second

    assert (1, 0) == (slots.running, slots.waiting)
