"""How late the event loop is: what every token of every stream waits behind.

Knows the loop. Knows nothing of what runs in it.
"""

import asyncio
from collections.abc import Callable

# Often enough that a stall of a second is seen several times; rare enough to cost nothing.
LOOK_SECONDS = 0.25


async def watch(observe: Callable[[float], None], pause_seconds: float = LOOK_SECONDS) -> None:
    """Report by how many seconds the loop wakes a sleeper late, again and again, until cancelled."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + pause_seconds
        await asyncio.sleep(pause_seconds)
        observe(max(0.0, loop.time() - due))
