"""Bring the model of MODEL_ID into the cache that the engine reads; `python -m gateway.download`.

Settings: MODEL_ID, MODEL_REVISION, HF_HOME, HF_TOKEN or HF_TOKEN_FILE, DOWNLOAD_WORKERS, and the hub
client's own HF_ENDPOINT and proxy variables. Safe to run at any time and again: a complete model ends the
job at once and without the network, a part of one is gone on with.

usage: python -m gateway.download           end when the model is complete
       python -m gateway.download --stay    then sleep, in less than a megabyte, until told to end:
                                            Compose takes a service that has ended for one that failed

exit: 0 complete; each cause of failure has its own status, listed in gateway/download/errors.py
"""

import contextlib
import errno
import os
import signal
import sys
import time
import traceback
import warnings
from collections.abc import Mapping
from pathlib import Path
from types import FrameType

from gateway.download.cache import Cache
from gateway.download.errors import (
    CacheUnwritable,
    DownloadError,
    JobDefect,
    NetworkUnreachable,
    SpaceMissing,
    Stopped,
)
from gateway.download.hub import Hub, TransferBroken
from gateway.download.listing import INDEX, Listing, check_index
from gateway.download.progress import Progress, duration, gigabytes
from gateway.download.settings import Settings, read_settings
from gateway.download.transfer import Transfer

# Left on the disk when the model is there: a full disk stops more than this download.
SPARE_BYTES = 256 * 1024**2
# The hub's first answer may be asked for this often, this far apart.
LOOKS, LOOK_AGAIN_SECONDS = 3, 0.5


def main(environment: Mapping[str, str]) -> int:
    """Run the job; return the exit status."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _stop)
    try:
        run(read_settings(environment))
    except DownloadError as error:
        sys.stderr.write(f"download: {error}\n")
        return error.exit_status
    return 0


def run(settings: Settings) -> None:
    """Make the model complete, alone in the cache, or leave the reason in the progress file.

    Raises: DownloadError.
    """
    started = time.monotonic()
    cache = Cache(settings.home, settings.model)
    progress = Progress(settings.model, cache.own / "progress.json", sys.stdout)
    try:
        cache.prepare()
        with cache.alone(lambda: progress.say("another download uses this cache; waiting for it to end.")):
            bring(settings, cache, progress, started)
    except Exception as error:  # noqa: BLE001 - the one boundary: people get a sentence, never a traceback
        _ignore_signals()
        failure = _plain(error, settings)
        with contextlib.suppress(OSError):  # a full or read-only disk may be the very reason
            progress.fail(failure)
        raise failure from None


def _plain(error: Exception, settings: Settings) -> DownloadError:
    if isinstance(error, DownloadError):
        return error
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpaceMissing(f"The disk of {settings.home} is full: make room, then run this again.")
    if isinstance(error, OSError):
        return CacheUnwritable(
            f"The cache {settings.home} cannot be written ({error.strerror}): give it to this job's user."
        )
    place = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(place.filename).name}:{place.lineno}"
    return JobDefect(f"This job has a defect: {type(error).__name__} in {where}; please report it.")


def bring(settings: Settings, cache: Cache, progress: Progress, started: float) -> None:
    """Make the model complete. Raises: DownloadError, OSError."""
    marker = cache.complete(settings.revision)
    if marker is not None:
        progress.complete(len(marker.files), marker.bytes)
        progress.say(
            f"{settings.model} is complete, {gigabytes(marker.bytes)} of commit {marker.commit[:12]}."
        )
        return
    progress.enter("checking")
    progress.say(f"asking the hub for {settings.model}, revision {settings.revision}.")
    hub = Hub(settings.token)
    listing = _look(hub, settings)
    check_space(cache, listing)
    files, size = len(listing.files), gigabytes(listing.size)
    progress.say(f"{settings.model} at commit {listing.commit[:12]}: {files} files, {size}.")
    fetch(Transfer(hub, cache, listing, settings.workers), cache, listing, progress)
    seconds = time.monotonic() - started
    cache.finish(listing, settings.revision, seconds)
    progress.complete(len(listing.files), listing.size)
    progress.say(f"{settings.model} is complete after {duration(seconds)}, every file verified.")


def check_space(cache: Cache, listing: Listing) -> None:
    """Compare what is still to come with what is free. Raises: SpaceMissing, OSError."""
    missing = sum(file.size - cache.have(file) for file in listing.files)
    free = cache.free_bytes()
    if missing and missing + SPARE_BYTES > free:
        raise SpaceMissing(
            f"{listing.model} needs {gigabytes(missing)} more and {gigabytes(SPARE_BYTES)} to spare, "
            f"{cache.home} has {gigabytes(free)} free: make room or set HF_HOME to a larger disk."
        )


def fetch(transfer: Transfer, cache: Cache, listing: Listing, progress: Progress) -> None:
    """Fetch the small files, check the index against the repository, then fetch the weights.

    Raises: DownloadError, OSError.
    """

    def look() -> None:
        have = sum(cache.have(file) for file in listing.files)
        progress.show(have, listing.size, len(transfer.verified), len(listing.files))

    look()
    transfer.run([file for file in listing.files if not file.is_weight], look)
    for file in listing.files:
        if file.name.endswith(INDEX[1:]):
            check_index(cache.pointer(listing.commit, file.name), [one.name for one in listing.files])
    transfer.run([file for file in listing.files if file.is_weight], look)


def _look(hub: Hub, settings: Settings) -> Listing:
    for attempt in range(1, LOOKS + 1):
        try:
            return hub.look(settings.model, settings.revision)
        except TransferBroken as broken:
            if attempt == LOOKS:
                raise broken.final from None
            time.sleep(LOOK_AGAIN_SECONDS)
    raise NetworkUnreachable("The hub was not asked.")


def _stop(number: int, _: FrameType | None) -> None:
    _ignore_signals()
    raise Stopped(number)


def _ignore_signals() -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


if __name__ == "__main__":
    # The client warns of what our own checks have said already.
    warnings.simplefilter("ignore")
    # Compose writes empty variables; the client would take HF_ENDPOINT= for an address.
    for name in [name for name, value in os.environ.items() if not value.strip()]:
        del os.environ[name]
    status = main(os.environ)
    sys.stdout.flush()
    sys.stderr.flush()
    if status == 0 and sys.argv[1:] == ["--stay"]:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.execlp("sleep", "sleep", "infinity")  # noqa: S606, S607 - the image's own
    # Not sys.exit: workers may sit in a read that takes seconds to end, and nothing waits for them.
    os._exit(status)
