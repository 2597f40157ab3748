"""The layout that TGI reads, and when a model counts as complete."""

import json
from pathlib import Path

import pytest

from gateway.download.cache import Cache
from gateway.download.listing import Listing, RemoteFile

COMMIT = "c" * 40
FILE = RemoteFile("config.json", 2, None, "ab" * 20)
LISTING = Listing("fox/fable", COMMIT, (FILE,))


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    """A cache with one complete model."""
    cache = Cache(tmp_path, "fox/fable")
    cache.prepare()
    blob = cache.folder / "blobs" / FILE.etag
    pointer = cache.pointer(COMMIT, FILE.name)
    for path in (blob, pointer):
        path.parent.mkdir(parents=True)
    blob.write_bytes(b"{}")
    pointer.symlink_to(blob)
    cache.finish(LISTING, "main", 1.25)
    return cache


def test_the_layout_is_tgis(cache: Cache, tmp_path: Path) -> None:
    """Folder and file names are what TGI's launcher, router and shard look up under HF_HOME."""
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if not path.is_dir()} == {
        f"hub/models--fox--fable/blobs/{FILE.etag}",
        f"hub/models--fox--fable/refs/{COMMIT}",
        "hub/models--fox--fable/refs/main",
        f"hub/models--fox--fable/snapshots/{COMMIT}/config.json",
        "paddock/fox--fable.complete.json",
    }


@pytest.mark.parametrize("revision", ["main", COMMIT])
def test_a_marker_speaks_for_its_revision_and_its_commit(cache: Cache, revision: str) -> None:
    """Pinning the commit that the branch brought needs no new download."""
    marker = cache.complete(revision)
    assert marker is not None
    assert (marker.commit, marker.files, marker.seconds) == (COMMIT, {"config.json": 2}, 1.2)


def test_a_marker_does_not_speak_for_another_revision(cache: Cache) -> None:
    """With a changed MODEL_REVISION nobody may start until that one is complete."""
    assert cache.complete("v2") is None
    assert not cache.marker_path.exists()


@pytest.mark.parametrize("content", [b"", b"{}}", None])
def test_a_marker_without_its_files_is_removed(cache: Cache, content: bytes | None) -> None:
    """A file that is gone or has another size ends the claim, so that the engine does not trust it."""
    blob = cache.folder / "blobs" / FILE.etag
    blob.unlink()
    if content is not None:
        blob.write_bytes(content)
    assert cache.complete("main") is None
    assert not cache.marker_path.exists()


@pytest.mark.parametrize("text", ["", "[]", "null", "{}", '{"model": "fox/fable"}'])
def test_a_marker_that_cannot_be_read_is_no_marker(cache: Cache, text: str) -> None:
    """Whatever lies there, the answer is no, not an exception, and it does not stay."""
    cache.marker_path.write_text(text)
    assert cache.complete("main") is None
    assert not cache.marker_path.exists()


def test_a_marker_holds_what_the_supervisor_needs(cache: Cache) -> None:
    """Model, revision, commit, file sizes, bytes and seconds, as JSON."""
    assert json.loads(cache.marker_path.read_text()) == {
        "model": "fox/fable", "revision": "main", "commit": COMMIT, "files": {"config.json": 2}, "bytes": 2,
        "seconds": 1.2,
    }


def test_bytes_that_have_come_are_counted_whole_or_in_part(cache: Cache) -> None:
    """A partial file counts as far as it goes, and never more than the file is long."""
    shard = RemoteFile("shard", 10, "e" * 64, None)
    assert (cache.have(FILE), cache.have(shard)) == (2, 0)
    cache.partial(shard).write_bytes(b"1234")
    assert cache.have(shard) == 4
    cache.partial(shard).write_bytes(b"12345678901")
    assert cache.have(shard) == 10
