"""The hub cache on disk in the layout that TGI reads, and the marker that says a model is complete.

    HF_HOME/hub/models--OWNER--NAME/blobs/HASH              content; HASH.incomplete while it comes
    HF_HOME/hub/models--OWNER--NAME/snapshots/COMMIT/FILE   link into blobs
    HF_HOME/hub/models--OWNER--NAME/refs/REVISION           the commit, no newline
    HF_HOME/paddock/OWNER--NAME.complete.json               the marker

A marker speaks for the model, revision and commit written in it and for no others.
Knows nothing of: the network.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from gateway.download.listing import Listing, RemoteFile


@dataclass(frozen=True, slots=True)
class Marker:
    """What a complete model consists of. Units: bytes, and seconds that the finishing run took."""

    model: str
    revision: str
    commit: str
    files: dict[str, int]
    bytes: int
    seconds: float


class Cache:
    """One model's place in the cache."""

    def __init__(self, home: Path, model: str) -> None:
        slug = model.replace("/", "--")
        self.home = home
        self.hub = home / "hub"
        self.own = home / "paddock"
        self.folder = self.hub / f"models--{slug}"
        self.marker_path = self.own / f"{slug}.complete.json"
        self._model = model

    def prepare(self) -> None:
        """Make the folders. Raises: OSError."""
        for folder in (self.hub, self.own):
            folder.mkdir(parents=True, exist_ok=True)

    @contextmanager
    def alone(self, on_wait: Callable[[], None]) -> Iterator[None]:
        """Hold the cache against a second job; calls on_wait if another one has to be waited for.

        Waits on: the other job. Raises: OSError.
        """
        with (self.own / "download.lock").open("wb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                on_wait()
                fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def pointer(self, commit: str, name: str) -> Path:
        """Give the path under which TGI opens a file."""
        return self.folder / "snapshots" / commit / name

    def have(self, file: RemoteFile) -> int:
        """Count the bytes of a file that have come, whole or in part."""
        # Order: the partial file first, for it becomes the whole one while we look.
        return min(file.size, max(_size(self.partial(file)), _size(self.folder / "blobs" / file.etag)))

    def partial(self, file: RemoteFile) -> Path:
        """Give the path where the hub's client collects a file."""
        return self.folder / "blobs" / f"{file.etag}.incomplete"

    def drop(self, commit: str, file: RemoteFile) -> None:
        """Remove a file's content and its link, so that it is fetched anew."""
        pointer = self.pointer(commit, file.name)
        pointer.resolve().unlink(missing_ok=True)
        pointer.unlink(missing_ok=True)
        self.partial(file).unlink(missing_ok=True)

    def free_bytes(self) -> int:
        """Count the bytes that may still be written. Raises: OSError."""
        return shutil.disk_usage(self.hub).free

    def complete(self, revision: str) -> Marker | None:
        """Give the marker of a complete revision, or remove it and give None.

        Whoever sees a marker may start: one that speaks for another revision, or whose files are gone,
        must not stay while this revision is fetched. Refs that are gone are written again.
        Raises: OSError.
        """
        marker = self._believed(revision)
        if marker is None:
            self.marker_path.unlink(missing_ok=True)
        else:
            self._write_refs(marker.revision, marker.commit)
        return marker

    def _believed(self, revision: str) -> Marker | None:
        try:
            marker = Marker(**json.loads(self.marker_path.read_bytes()))
            if marker.model != self._model or revision not in (marker.revision, marker.commit):
                return None
            sizes = {name: self.pointer(marker.commit, name).stat().st_size for name in marker.files}
        except (FileNotFoundError, ValueError, TypeError, AttributeError):
            return None
        return marker if sizes and sizes == marker.files else None

    def finish(self, listing: Listing, revision: str, seconds: float) -> Marker:
        """Write the refs, then the marker: the model is complete. Raises: OSError.

        Order: the marker comes last and after all content is on the disk, for it is what the engine trusts.
        """
        marker = Marker(
            self._model,
            revision,
            listing.commit,
            {file.name: file.size for file in listing.files},
            listing.size,
            round(seconds, 1),
        )
        self._write_refs(revision, listing.commit)
        write_whole(self.marker_path, json.dumps(asdict(marker), indent=1) + "\n", is_synced=True)
        return marker

    def _write_refs(self, revision: str, commit: str) -> None:
        # TGI's launcher and router look up refs/REVISION even for a full commit, and the hub's client
        # writes none for a commit: without it the chat template is lost when offline.
        for name in {revision, commit}:
            path = self.folder / "refs" / name
            if not path.is_file() or path.read_text() != commit:
                path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(path, commit, is_synced=True)


def write_whole(path: Path, text: str, *, is_synced: bool = False) -> None:
    """Replace a file in one step, so that a reader sees the old or the new text. Raises: OSError."""
    new = path.with_name(f".{path.name}.new")  # one name is enough: the job is alone in the cache
    try:
        with new.open("w", encoding="utf-8") as opened:
            opened.write(text)
            if is_synced:
                opened.flush()
                os.fsync(opened.fileno())
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
