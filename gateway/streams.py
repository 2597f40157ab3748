"""Stream logs: the frames of one generation, and the readers who follow them.

Knows frames as bytes and cursors as counts of frames. Knows nothing of what a frame says.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence


class Log:
    """The frames of one generation, appended by it and followed by any number of readers.

    A cursor is the number of frames a reader has had. A log that keeps its frames can be read again
    from any cursor, and its frames say theirs as the event's id; one that does not forgets what its
    single reader was given, so that an open stream of a plain client holds no more than is under way.

    States: open -> closed. A closed log takes no frames; its readers end after the last one.
    """

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.is_closed = False
        self._frames: list[bytes] = []
        self._forgotten = 0
        self._held_bytes = 0
        self._readers: list[asyncio.Future[None]] = []

    @property
    def length(self) -> int:
        """Count the frames ever appended."""
        return self._forgotten + len(self._frames)

    @property
    def held_bytes(self) -> int:
        """Add up the bytes that the log holds now."""
        return self._held_bytes

    def append(self, frames: Sequence[bytes]) -> None:
        """Add frames and wake every reader once, whatever their number."""
        if self.is_closed:
            raise ValueError("the log is closed")
        if not frames:
            return
        if self.keeps:
            frames = [b"id: %d\n%b" % (n, frame) for n, frame in enumerate(frames, self.length + 1)]
            self._held_bytes += sum(map(len, frames))
        self._frames.extend(frames)
        self._wake()

    def close(self) -> None:
        """End the log. Any number of calls has the effect of one."""
        self.is_closed = True
        self._wake()

    async def opened(self) -> None:
        """Wait until there is a first frame, or the log closed without one."""
        while self.length == 0 and not self.is_closed:
            await self._next()

    async def closed(self) -> None:
        """Wait until the log is closed."""
        while not self.is_closed:
            await self._next()

    async def read(self, after: int = 0) -> AsyncGenerator[bytes]:
        """Yield all frames behind a cursor, then new ones as they come, joined when several are ready.

        Waits on: the generation.  Cancel: only this reader ends.
        Raises:   ValueError if frames behind the cursor were forgotten.
        """
        cursor = after
        while True:
            if cursor < self._forgotten:
                raise ValueError(f"frames before {self._forgotten} are gone")
            fresh = self._frames[cursor - self._forgotten :]
            if fresh:
                cursor += len(fresh)
                if not self.keeps:
                    self._frames.clear()
                    self._forgotten = cursor
                yield fresh[0] if len(fresh) == 1 else b"".join(fresh)
            elif self.is_closed:
                return
            else:
                await self._next()

    def _wake(self) -> None:
        waiting, self._readers = self._readers, []
        for reader in waiting:
            if not reader.done():
                reader.set_result(None)

    async def _next(self) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._readers.append(future)
        await future
