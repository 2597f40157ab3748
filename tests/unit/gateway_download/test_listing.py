"""Which files TGI needs, and whether one on disk is the hub's."""

import hashlib
import json
from pathlib import Path

import pytest

from gateway.download.errors import ModelUnusable
from gateway.download.listing import RemoteFile, check_index, needed


def test_the_files_of_a_llama_3_repository() -> None:
    """Of a published repository, TGI's files are taken and the duplicate under original/ is left."""
    repository = [
        ".gitattributes", "LICENSE", "README.md", "USE_POLICY.md", "config.json", "generation_config.json",
        "model-00001-of-00004.safetensors", "model-00004-of-00004.safetensors",
        "model.safetensors.index.json", "original/consolidated.00.pth",
        "original/params.json", "original/tokenizer.model",
        "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
    ]
    assert needed(repository) == [
        "config.json", "generation_config.json", "model-00001-of-00004.safetensors",
        "model-00004-of-00004.safetensors", "model.safetensors.index.json", "special_tokens_map.json",
        "tokenizer.json", "tokenizer_config.json",
    ]


@pytest.mark.parametrize(
    ("names", "words"),
    [
        (["config.json", "pytorch_model.bin"], "no \\*.safetensors file"),
        (["config.json", "a.gguf"], "GGUF files for other engines"),
        (["model.safetensors"], "no config.json"),
        (["config.json", "original/model.safetensors"], "no \\*.safetensors file"),
    ],
)
def test_a_repository_that_tgi_cannot_use_is_refused(names: list[str], words: str) -> None:
    """The reason is said before anything is fetched."""
    with pytest.raises(ModelUnusable, match=words):
        needed(names)


def test_a_large_file_is_known_by_its_sha_256(tmp_path: Path) -> None:
    """Size and hash must both be right."""
    path = tmp_path / "shard"
    path.write_bytes(b"weights")
    digest = hashlib.sha256(b"weights").hexdigest()
    assert RemoteFile("shard", 7, digest, None).matches(path)
    assert not RemoteFile("shard", 8, digest, None).matches(path)
    assert not RemoteFile("shard", 7, digest[::-1], None).matches(path)


def test_a_small_file_is_known_by_gits_name(tmp_path: Path) -> None:
    """`git hash-object` of these six bytes is a published constant."""
    path = tmp_path / "small"
    path.write_bytes(b"hello\n")
    assert RemoteFile("small", 6, None, "ce013625030ba8dba906f756967f9e9ca394464a").matches(path)
    path.write_bytes(b"hallo\n")
    assert not RemoteFile("small", 6, None, "ce013625030ba8dba906f756967f9e9ca394464a").matches(path)


def test_an_index_is_checked_against_the_files(tmp_path: Path) -> None:
    """Every shard that the index names must be there; the first missing one is named."""
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"weight_map": {"a": "one", "b": "two", "c": "one"}}))
    check_index(index, ["one", "two"])
    with pytest.raises(ModelUnusable, match=r"names 1 shards .*, two first"):
        check_index(index, ["one"])


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"weight_map": 3}'])
def test_what_is_no_index_is_named(tmp_path: Path, text: str) -> None:
    """A page of a proxy in place of the index is not followed."""
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(text)
    with pytest.raises(ModelUnusable, match="is not a weight index"):
        check_index(index, [])
