"""Stream logs: the frames of one generation, and the readers who follow them.

Where frames are kept is a log's own matter: in memory here, elsewhere in one that outlives the process.

Knows frames as bytes and cursors as counts of frames. Knows nothing of what a frame says.
"""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol


class Journal(ABC):
    """The frames of one generation, appended by it and followed by any number of readers.

    A cursor is the number of frames a reader has had. A log that keeps its frames can be read again
    from any cursor, and its frames say theirs as the event's id. Whoever stores frames gives four things:
    length, held_bytes, _store and since.

    States: open -> closed. A closed log takes no frames; its readers end after the last one.
    """

    def __init__(self, *, keeps: bool) -> None:
        self.keeps = keeps
        self.is_closed = False
        self._followers: tuple[Callable[[], None], ...] = ()

    @property
    @abstractmethod
    def length(self) -> int:
        """Count the frames ever appended."""

    @property
    @abstractmethod
    def held_bytes(self) -> int:
        """Add up the bytes of memory that the log's frames take now."""

    @abstractmethod
    def since(self, cursor: int) -> list[bytes]:
        """Give all frames behind a cursor; a log that does not keep them forgets them now.

        Raises: ValueError if frames behind the cursor were forgotten.
        """

    @abstractmethod
    def _store(self, frames: Sequence[bytes]) -> None:
        """Put frames, which say their ids where they are kept, behind the others."""

    def append(self, frames: Sequence[bytes], *, is_last: bool = False) -> None:
        """Add frames and tell every follower once, whatever their number.

        Of the last ones they hear when the log is closed, so that these and the end are one piece.
        """
        if self.is_closed:
            raise ValueError("the log is closed")
        if not frames:
            return
        if self.keeps:
            frames = [b"id: %d\n%b" % (n, frame) for n, frame in enumerate(frames, self.length + 1)]
        self._store(frames)
        if not is_last:
            for tell in self._followers:
                tell()

    def close(self) -> None:
        """End the log. Any number of calls has the effect of one."""
        self.is_closed = True
        for tell in self._followers:
            tell()

    @contextmanager
    def followed(self, tell: Callable[[], None]) -> Iterator[None]:
        """For the length of a block, call something when frames came and when the log is closed.

        Order: the call is made right where the frames are appended, so it must be quick and must not
        raise; a follower that goes in the middle of a round is still called in that round.
        """
        self._followers += (tell,)
        try:
            yield
        finally:
            left = list(self._followers)
            left.remove(tell)
            self._followers = tuple(left)

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
            if fresh := self.since(cursor):
                cursor += len(fresh)
                yield fresh[0] if len(fresh) == 1 else b"".join(fresh)
            elif self.is_closed:
                return
            else:
                await self._next()

    async def _next(self) -> None:
        came: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def wake() -> None:
            if not came.done():
                came.set_result(None)

        with self.followed(wake):
            await came


class Log(Journal):
    """A log in memory.

    One that does not keep its frames forgets what its single reader was given, so that an open stream of a
    plain client holds no more than is under way.
    """

    def __init__(self, *, keeps: bool) -> None:
        super().__init__(keeps=keeps)
        self._frames: list[bytes] = []
        self._forgotten = 0
        self._held_bytes = 0

    @property
    def length(self) -> int:
        """Count the frames ever appended."""
        return self._forgotten + len(self._frames)

    @property
    def held_bytes(self) -> int:
        """Add up the bytes that the log keeps."""
        return self._held_bytes

    def since(self, cursor: int) -> list[bytes]:
        """Give all frames behind a cursor. Raises: ValueError if some of them were forgotten."""
        if cursor < self._forgotten:
            raise ValueError(f"frames before {self._forgotten} are gone")
        if self.keeps:
            return self._frames[cursor - self._forgotten :]
        fresh, self._frames = self._frames, []
        self._forgotten += len(fresh)
        return fresh

    def _store(self, frames: Sequence[bytes]) -> None:
        if self.keeps:
            self._held_bytes += sum(map(len, frames))
        self._frames.extend(frames)


class OpenLog(Protocol):
    """What makes a log for one generation."""

    def __call__(self, *, keeps: bool) -> Journal:
        """Make it."""
