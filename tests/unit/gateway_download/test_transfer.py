"""When a file is tried again, and when not."""

import hashlib
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from gateway.download.cache import Cache
from gateway.download.errors import HashMismatch, NetworkUnreachable, RevisionUnknown
from gateway.download.hub import TransferBroken
from gateway.download.listing import Listing, RemoteFile
from gateway.download.transfer import FIRST_WAIT_SECONDS, MAX_FAILURES, Transfer

CONTENT = b"0123456789"
FILE = RemoteFile("shard", 10, hashlib.sha256(CONTENT).hexdigest(), None)
BROKEN = TransferBroken(NetworkUnreachable("The hub is gone."))


class Script:
    """A source that plays one act for each fetch: bytes kept, then an error or the file."""

    def __init__(self, cache: Cache, *acts: bytes | Exception | tuple[bytes, Exception]) -> None:
        self.cache = cache
        self.acts = list(acts)

    def fetch(self, model: str, commit: str, name: str, folder: Path) -> Path:
        """Play the next act."""
        act = self.acts.pop(0)
        kept, failure = act if isinstance(act, tuple) else (b"", act)
        if isinstance(failure, Exception):
            self.cache.partial(FILE).write_bytes(kept)
            raise failure
        path = self.cache.pointer(commit, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(failure)
        return path


Play = Callable[..., tuple[Transfer, list[float], Script]]


@pytest.fixture
def play(tmp_path: Path) -> Play:
    """Make a transfer of one file whose waits are noted instead of waited."""

    def make(*acts: bytes | Exception | tuple[bytes, Exception]) -> tuple[Transfer, list[float], Script]:
        cache = Cache(tmp_path, "fox/fable")
        cache.prepare()
        (cache.folder / "blobs").mkdir(parents=True)
        source = Script(cache, *acts)
        waits: list[float] = []

        def wait(seconds: float) -> bool:
            waits.append(seconds)
            return False

        transfer = Transfer(source, cache, Listing("fox/fable", "c" * 40, (FILE,)), 2, wait)
        return transfer, waits, source

    return make


def test_a_break_that_got_further_is_gone_on_with_at_once(play: Play) -> None:
    """However often it breaks, a file that grows is never given up and never waited for."""
    grows: list[bytes | tuple[bytes, Exception]] = [(CONTENT[:n], BROKEN) for n in range(1, 10)]
    transfer, waits, _ = play(*grows, CONTENT)
    transfer.bring(FILE)
    assert (waits, transfer.verified) == ([], {"shard"})


def test_breaks_that_get_no_further_are_waited_out_and_then_given_up(play: Play) -> None:
    """The waits double, and the last break's cause is the one that people read."""
    transfer, waits, _ = play(*[BROKEN] * MAX_FAILURES)
    with pytest.raises(NetworkUnreachable, match=r"The hub is gone\."):
        transfer.bring(FILE)
    assert waits == [FIRST_WAIT_SECONDS * factor for factor in (1, 2, 4, 8)]


def test_a_cause_that_time_does_not_mend_ends_at_once(play: Play) -> None:
    """A refusal is not tried again."""
    transfer, waits, source = play(RevisionUnknown("No such revision."), CONTENT)
    with pytest.raises(RevisionUnknown):
        transfer.bring(FILE)
    assert (waits, len(source.acts)) == ([], 1)


def test_a_wrong_content_is_dropped_and_fetched_once_more(play: Play) -> None:
    """One accident is mended, and the wrong file is gone before the second fetch."""
    transfer, _, _ = play(b"9876543210", CONTENT)
    transfer.bring(FILE)
    assert transfer.verified == {"shard"}


def test_a_content_that_stays_wrong_is_named(play: Play) -> None:
    """The second time it is the hub's, the line's or the disk's fault."""
    transfer, _, source = play(b"9876543210", b"too short")
    with pytest.raises(HashMismatch, match="shard of fox/fable came twice"):
        transfer.bring(FILE)
    assert not source.cache.pointer("c" * 40, "shard").exists()


def test_the_first_failure_of_any_worker_is_the_transfers(play: Play) -> None:
    """What happens in a thread reaches the caller."""
    transfer, _, _ = play(RevisionUnknown("No such revision."))
    with pytest.raises(RevisionUnknown):
        transfer.run([FILE], lambda: None)


def test_nothing_to_fetch_is_nothing_to_do(play: Play) -> None:
    """An empty list ends at once."""
    transfer, _, _ = play()
    transfer.run([], lambda: os._exit(3))
    assert transfer.verified == set()
