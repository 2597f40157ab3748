"""What is asked of the hub; the cache as it lies on disk."""

from pathlib import Path

import pytest

from engine.hub import Fetched, Hub, HubFailed, Wanted, parse, pick

FILES = ["README.md", "M-Q8_0.gguf", "sub/M-Q4_K_M.gguf", "M-Q4_K_M.gguf", "M-F16-00001-of-00002.gguf"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a/b", Wanted("a/b", "Q4_K_M")),
        ("a/b:Q8_0", Wanted("a/b", "Q8_0")),
        ("a/b.c-d:x.gguf", Wanted("a/b.c-d", "x.gguf")),
    ],
)
def test_ids(text: str, wanted: Wanted) -> None:
    """A repository, and a file or quantisation."""
    assert wanted == parse(text)


@pytest.mark.parametrize("text", ["", "a", "a/b/c", "../x", "a b/c", "https://x/y"])
def test_what_is_no_id(text: str) -> None:
    """It never becomes part of an address."""
    with pytest.raises(HubFailed, match="is named owner/name"):
        parse(text)


@pytest.mark.parametrize(
    ("choice", "name"), [("Q4_K_M", "M-Q4_K_M.gguf"), ("q8_0", "M-Q8_0.gguf"), ("M-Q8_0.gguf", "M-Q8_0.gguf")]
)
def test_the_file_is_picked(choice: str, name: str) -> None:
    """The shortest path that ends in the quantisation, or the file itself."""
    assert name == pick(FILES, Wanted("a/b", choice))


@pytest.mark.parametrize(
    ("files", "choice", "words"),
    [
        (FILES, "Q2_K", "has no file Q2_K"),
        (FILES, "F16", "is split"),
        (FILES, "m-q8_0.gguf", "has no file"),
        (["model.safetensors"], "Q4_K_M", "has no GGUF file"),
    ],
)
def test_files_that_are_not_there(files: list[str], choice: str, words: str) -> None:
    """Each in one sentence."""
    with pytest.raises(HubFailed, match=words):
        pick(files, Wanted("a/b", choice))


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A hub cache with one model in two commits, the newer one last."""
    from huggingface_hub import constants

    for commit in ("old", "new"):
        folder = tmp_path / "models--a--b" / "snapshots" / commit
        folder.mkdir(parents=True)
        blob = tmp_path / "models--a--b" / "blobs" / commit
        blob.parent.mkdir(exist_ok=True)
        blob.write_bytes(b"GGUF")
        (folder / "M-Q4_K_M.gguf").symlink_to(blob)
    refs = tmp_path / "models--a--b" / "refs"
    refs.mkdir()
    (refs / "main").write_text("new")
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    return tmp_path


def silent(line: str) -> None:
    """Say nothing."""


def test_a_cached_file_is_used_without_asking(cache: Path) -> None:
    """Offline or not, and of the branch that was fetched last."""
    path = cache / "models--a--b" / "snapshots" / "new" / "M-Q4_K_M.gguf"

    assert Fetched(path, "new") == Hub(is_offline=True, is_terminal=False).fetch("a/b", silent)


def test_offline_what_is_not_cached_cannot_be_had(cache: Path) -> None:
    """The sentence names the switch."""
    with pytest.raises(HubFailed, match="HF_HUB_OFFLINE"):
        Hub(is_offline=True, is_terminal=False).fetch("a/b:Q8_0", silent)
