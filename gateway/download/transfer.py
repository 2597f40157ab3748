"""Brings the files of a listing into the cache, several at once, and does not rest until they are right.

Knows: threads, when to try again, when to give up. Knows nothing of: HTTP.
"""

import os
import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from gateway.download.cache import Cache
from gateway.download.errors import CacheUnwritable, HashMismatch
from gateway.download.hub import TransferBroken
from gateway.download.listing import Listing, RemoteFile
from gateway.download.progress import LOOK_SECONDS

# A file may break off this often in a row without getting any further.
MAX_FAILURES = 5
# The waits between such attempts double from the first to the last: 1, 2, 4 and 8 s.
FIRST_WAIT_SECONDS = 1.0


class Source(Protocol):
    """Where files come from."""

    def fetch(self, model: str, commit: str, name: str, folder: Path) -> Path:
        """Bring one file into the folder and give its path. Raises: DownloadError, TransferBroken."""


class Transfer:
    """Fetches and verifies the files of one listing.

    Source of the rule for a wrong hash: a disk or a proxy may spoil a file once, so it is removed and
    fetched again; the second time the fault is not ours to mend.
    """

    def __init__(
        self,
        source: Source,
        cache: Cache,
        listing: Listing,
        workers: int,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._source = source
        self._cache = cache
        self._listing = listing
        self._workers = workers
        self._wait = wait
        self.verified: set[str] = set()

    def run(self, files: Sequence[RemoteFile], look: Callable[[], None]) -> None:
        """Fetch files; calls look, in the caller's thread, every half second and after each file.

        Raises: DownloadError of the first file that fails. The workers are daemons: they end with the
        process, and what they have written stays.
        """
        waiting: queue.SimpleQueue[RemoteFile] = queue.SimpleQueue()
        results: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()
        # Order: the largest first, so that the last worker is not left alone with a whole shard.
        for file in sorted(files, key=lambda file: -file.size):
            waiting.put(file)
        for _ in range(min(self._workers, len(files))):
            threading.Thread(target=self._work, args=(waiting, results), daemon=True).start()
        left = len(files)
        while left:
            try:
                failure = results.get(timeout=LOOK_SECONDS)
            except queue.Empty:
                look()
                continue
            if failure is not None:
                raise failure
            left -= 1
            look()

    def _work(
        self, waiting: "queue.SimpleQueue[RemoteFile]", results: "queue.SimpleQueue[Exception | None]"
    ) -> None:
        while True:
            try:
                file = waiting.get_nowait()
            except queue.Empty:
                return
            try:
                self.bring(file)
            except Exception as failure:  # noqa: BLE001 - a thread has nobody above it; run raises it again
                results.put(failure)
                return
            results.put(None)

    def bring(self, file: RemoteFile) -> None:
        """Fetch one file until it is whole and right.

        Raises: DownloadError: HashMismatch for the second wrong content, the cause of the last break after
        MAX_FAILURES breaks that got no further.
        """
        for _ in range(2):
            path = self._fetch(file)
            try:
                if file.matches(path):
                    _sync(path)
                    self.verified.add(file.name)
                    return
                self._cache.drop(self._listing.commit, file)
            except OSError as error:
                raise CacheUnwritable(
                    f"The cache cannot be read ({error.strerror}): check the disk."
                ) from None
        raise HashMismatch(
            f"{file.name} of {self._listing.model} came twice with a content that does not match the hub's "
            "hash: a proxy or the disk changes it; try again, on another network if need be."
        )

    def _fetch(self, file: RemoteFile) -> Path:
        failures, most = 0, self._cache.have(file)
        while True:
            partial = self._cache.partial(file)
            if partial.exists() and partial.stat().st_size > file.size:
                partial.unlink()
            try:
                return self._source.fetch(
                    self._listing.model, self._listing.commit, file.name, self._cache.hub
                )
            except TransferBroken as broken:
                have = self._cache.have(file)
                failures = 0 if have > most else failures + 1
                most = max(most, have)
                if failures >= MAX_FAILURES:
                    raise broken.final from None
                if failures:
                    self._wait(FIRST_WAIT_SECONDS * 2 ** (failures - 1))


def _sync(path: Path) -> None:
    """Bring a file's content to the disk, so that a marker never outlives it in a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
