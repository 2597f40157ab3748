"""A log: every reader sees the same bytes, and one that is read once keeps nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.streams import Log, OpenLog
from tests.unit.gateway.filelog import FileLog

# Both kinds of log that keep their frames.
kept_anywhere = pytest.mark.parametrize("open_log", [Log, FileLog])
FRAMES = st.lists(st.lists(st.binary(min_size=1, max_size=6), max_size=3), max_size=8)


def numbered(frames: list[bytes]) -> list[bytes]:
    """Give frames as a log that keeps them writes them, each with its cursor."""
    return [b"id: %d\n%b" % (number, frame) for number, frame in enumerate(frames, 1)]


async def collected(frames: AsyncIterator[bytes]) -> list[bytes]:
    """Read to the end."""
    return [frame async for frame in frames]


async def turns(count: int) -> None:
    """Let other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


@kept_anywhere
@given(FRAMES, st.lists(st.integers(0, 3), min_size=8, max_size=8), st.lists(st.integers(0, 12), max_size=5))
async def test_every_reader_sees_the_same_bytes(
    open_log: OpenLog, batches: list[list[bytes]], pauses: list[int], joins: list[int]
) -> None:
    """Readers that come at any time, from any cursor, get exactly the frames behind it, with their ids."""
    log = open_log(keeps=True)
    frames = [frame for batch in batches for frame in batch]
    kept = [b"id: %d\n%b" % (number, frame) for number, frame in enumerate(frames, 1)]
    readers: list[tuple[int, asyncio.Task[list[bytes]]]] = []
    for batch, pause in zip(batches, pauses, strict=False):
        for after in joins:
            cursor = min(after, log.length)
            readers.append((cursor, asyncio.create_task(collected(log.read(cursor)))))
        await turns(pause)
        log.append(batch)
    log.close()
    readers.append((0, asyncio.create_task(collected(log.read()))))

    in_memory = sum(map(len, kept)) if open_log is Log else 0
    assert (len(frames), in_memory) == (log.length, log.held_bytes)
    for cursor, reader in readers:
        assert b"".join(kept[cursor:]) == b"".join(await asyncio.wait_for(reader, 5))


@given(FRAMES, st.lists(st.integers(0, 3), min_size=8, max_size=8))
async def test_a_log_that_forgets_gives_its_reader_everything_once(
    batches: list[list[bytes]], pauses: list[int]
) -> None:
    """Forgetting changes nothing for the single reader."""
    log = Log(keeps=False)
    reader = asyncio.create_task(collected(log.read()))
    for batch, pause in zip(batches, pauses, strict=False):
        log.append(batch)
        await turns(pause)
    log.close()

    expected = b"".join(frame for batch in batches for frame in batch)
    assert expected == b"".join(await asyncio.wait_for(reader, 5))


async def test_a_log_that_forgets_holds_only_what_is_under_way() -> None:
    """After a thousand frames were read, none is kept."""
    log = Log(keeps=False)
    reader = log.read()
    for _ in range(1000):
        log.append([b"x" * 100])
        assert b"x" * 100 == await anext(reader)

    assert (1000, 0) == (log.length, log.held_bytes)
    assert [] == log._frames
    await reader.aclose()


async def test_a_forgotten_cursor_is_refused() -> None:
    """A second reader of a log that forgets is told so instead of being given less."""
    log = Log(keeps=False)
    log.append([b"a", b"b"])
    assert b"ab" == await anext(log.read())

    with pytest.raises(ValueError, match="frames before 2 are gone"):
        await anext(log.read(1))


@kept_anywhere
async def test_frames_that_are_ready_come_joined(open_log: OpenLog) -> None:
    """A reader that was away gets all that came in one piece."""
    log = open_log(keeps=True)
    log.append([b"a", b"b"])
    log.append([])
    log.append([b"c"])
    log.close()

    assert [b"id: 1\naid: 2\nbid: 3\nc"] == await collected(log.read())
    assert [b"id: 3\nc"] == await collected(log.read(2))
    assert [] == await collected(log.read(3))


@kept_anywhere
async def test_a_reader_may_wait_ahead_of_the_log(open_log: OpenLog) -> None:
    """A cursor at the end waits for the next frame."""
    log = open_log(keeps=True)
    log.append([b"a"])
    reader = asyncio.create_task(collected(log.read(1)))
    await turns(2)
    assert not reader.done()
    log.append([b"b"])
    log.close()

    assert [b"id: 2\nb"] == await asyncio.wait_for(reader, 5)


@kept_anywhere
async def test_close_wakes_all_who_wait(open_log: OpenLog) -> None:
    """Readers end; so do those who wait for the end."""
    log = open_log(keeps=True)
    waiting = [
        asyncio.ensure_future(collected(log.read())),
        asyncio.ensure_future(log.closed()),
    ]
    await turns(2)
    assert [False, False] == [one.done() for one in waiting]
    log.close()
    log.close()

    assert [[], None] == await asyncio.wait_for(asyncio.gather(*waiting), 5)


@kept_anywhere
def test_followers_are_told_where_frames_are_appended(open_log: OpenLog) -> None:
    """In the same call, once for a batch and once for the end; not for nothing, nor behind their block."""
    log = open_log(keeps=True)
    told: list[tuple[str, int]] = []
    with log.followed(lambda: told.append(("one", log.length))):
        log.append([b"a", b"b"])
        with log.followed(lambda: told.append(("other", log.length))):
            log.append([])
            log.append([b"c"])
        log.close()
    log.close()

    assert [("one", 2), ("one", 3), ("other", 3), ("one", 3)] == told


def test_the_last_frames_are_told_with_the_end() -> None:
    """So that a follower finds both at once."""
    log = Log(keeps=False)
    told: list[tuple[bool, list[bytes]]] = []
    with log.followed(lambda: told.append((log.is_closed, log.since(len(told))))):
        log.append([b"a"])
        log.append([b"z"], is_last=True)
        log.close()

    assert [(False, [b"a"]), (True, [b"z"])] == told


@kept_anywhere
def test_a_follower_may_go_while_it_is_told(open_log: OpenLog) -> None:
    """The others are told all the same."""
    log = open_log(keeps=True)
    told = []
    leaving = contextlib.ExitStack()
    leaving.enter_context(log.followed(leaving.close))
    with log.followed(lambda: told.append(log.length)):
        log.append([b"a"])
        log.append([b"b"])

    assert [1, 2] == told


@kept_anywhere
async def test_a_closed_log_takes_nothing(open_log: OpenLog) -> None:
    """A frame after the end is a defect, not lost in silence."""
    log = open_log(keeps=True)
    log.close()

    with pytest.raises(ValueError, match="the log is closed"):
        log.append([b"late"])


@kept_anywhere
async def test_a_reader_that_leaves_disturbs_nobody(open_log: OpenLog) -> None:
    """The others and the log go on."""
    log = open_log(keeps=True)
    stays, leaves = (asyncio.create_task(collected(log.read())) for _ in range(2))
    await turns(2)
    leaves.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await leaves
    log.append([b"a"])
    log.close()

    assert [b"id: 1\na"] == await asyncio.wait_for(stays, 5)
