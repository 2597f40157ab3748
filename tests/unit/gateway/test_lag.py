"""Lag: how late the event loop wakes a sleeper."""

import asyncio
import contextlib
import time

from gateway.lag import watch


async def test_a_blocked_loop_is_seen() -> None:
    """What blocks the loop for 50 ms is reported as that late, or later."""
    seen: list[float] = []
    first = asyncio.Event()

    def observe(seconds: float) -> None:
        seen.append(seconds)
        first.set()

    watcher = asyncio.create_task(watch(observe, pause_seconds=0.01))
    await asyncio.sleep(0)
    time.sleep(0.06)  # noqa: ASYNC251 - the blocking is the point
    await asyncio.wait_for(first.wait(), 5)
    watcher.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await watcher

    assert seen[0] >= 0.045
