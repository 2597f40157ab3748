"""What a model consists of on the hub, and which of its files TGI needs.

Knows: file names, sizes, hashes. Knows nothing of: the network and the disk's layout.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from gateway.download.errors import ModelUnusable

WEIGHTS = "*.safetensors"
INDEX = "*.safetensors.index.json"
# All that TGI and its router read when they start offline, at the top of the repository only: Llama 3
# repositories hold the same weights again under original/, which would double the download. The two
# quantisation files are read where config.json does not describe a GPTQ or AWQ checkpoint.
NEEDED = (
    WEIGHTS,
    INDEX,
    "config.json",
    "generation_config.json",
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "chat_template.json",
    "chat_template.jinja",
    "tokenizer.model",
    "preprocessor_config.json",
    "processor_config.json",
    "quantize_config.json",
    "quant_config.json",
)
# Read this much at a time while hashing: large enough that the hash, not Python, is the cost.
_READ_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class RemoteFile:
    """One file of a commit, as the hub's metadata describes it.

    sha256 is set for files in LFS or Xet storage, git_sha1 for those in git itself.
    """

    name: str
    size: int
    sha256: str | None
    git_sha1: str | None

    @property
    def is_weight(self) -> bool:
        """Say whether the file holds weights."""
        return fnmatchcase(self.name, WEIGHTS)

    @property
    def etag(self) -> str:
        """Give the name under which the hub's client keeps the content."""
        return self.sha256 or self.git_sha1 or ""

    def matches(self, path: Path) -> bool:
        """Say whether a file on disk has this size and this hash.

        Raises: OSError where it cannot be read.
        """
        if path.stat().st_size != self.size:
            return False
        # SHA-1 is git's name for a small file, no protection against an attacker.
        digest = hashlib.sha256() if self.sha256 else hashlib.sha1(usedforsecurity=False)
        if not self.sha256:
            digest.update(b"blob %d\0" % self.size)
        with path.open("rb", buffering=0) as content:
            while block := content.read(_READ_BYTES):
                digest.update(block)
        return digest.hexdigest() == self.etag


@dataclass(frozen=True, slots=True)
class Listing:
    """The needed files of one commit of a model."""

    model: str
    commit: str
    files: tuple[RemoteFile, ...]

    @property
    def size(self) -> int:
        """Give the bytes of all needed files."""
        return sum(file.size for file in self.files)


def needed(names: Iterable[str]) -> list[str]:
    """Pick what TGI needs from a repository's file names.

    Raises: ModelUnusable where the weights or the configuration are not among them.
    """
    names = list(names)
    picked = [name for name in names if "/" not in name and any(fnmatchcase(name, one) for one in NEEDED)]
    if not any(fnmatchcase(name, WEIGHTS) for name in picked):
        if any(name.endswith(".gguf") for name in names):
            reason = "it holds GGUF files for other engines, and TGI's own format, safetensors, is missing"
        else:
            reason = "it has no *.safetensors file, and TGI would have to convert its weights"
        raise ModelUnusable(f"This model cannot be served: {reason}; choose another MODEL_ID.")
    if "config.json" not in picked:
        raise ModelUnusable("This model cannot be served: it has no config.json; choose another MODEL_ID.")
    return picked


def check_index(path: Path, names: Iterable[str]) -> None:
    """Check that every shard which an index file names is among the files.

    Raises: ModelUnusable.
    """
    try:
        shards = set(json.loads(path.read_bytes())["weight_map"].values())
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ModelUnusable(f"This model cannot be served: its {path.name} is not a weight index.") from None
    missing = sorted(shards - set(names))
    if missing:
        raise ModelUnusable(
            f"This model cannot be served: its index names {len(missing)} shards that the repository does "
            f"not have, {missing[0]} first."
        )
