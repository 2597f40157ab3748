"""What a hub holds and what may go wrong with it: models, files, accounts, faults.

Knows: how the hub names content. Knows nothing of: HTTP.
"""

import hashlib
import threading
from dataclasses import dataclass, field
from typing import Any

COMMIT = "a" * 39 + "1"
GOOD_TOKEN = "hf_goodTokenOfAnAccountWithLicence"
PENDING_TOKEN = "hf_goodTokenWhoseRequestIsPending"
FOREIGN_TOKEN = "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"
NARROW_TOKEN = "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"
KNOWN_TOKENS = (GOOD_TOKEN, PENDING_TOKEN, FOREIGN_TOKEN, NARROW_TOKEN)

_GATED = "Access to model {name} is restricted"
# What the hub says at the door of a gated model, by token; status, words.
GATE = {
    None: (401, _GATED + ". You must have access to it and be authenticated to access it. Please log in."),
    FOREIGN_TOKEN: (403, _GATED + " and you are not in the authorized list."),
    PENDING_TOKEN: (403, "Your request to access model {name} is awaiting a review from the repo authors."),
    NARROW_TOKEN: (
        403,
        "Please enable access to public gated repositories in your fine-grained token settings to view this "
        "repository.",
    ),
}


@dataclass
class File:
    """One file of a model; claimed_size lies about its size in the metadata."""

    content: bytes
    is_lfs: bool = False
    claimed_size: int | None = None

    @property
    def size(self) -> int:
        """Give the size that the metadata tells."""
        return len(self.content) if self.claimed_size is None else self.claimed_size

    @property
    def sha256(self) -> str:
        """Give the name of the content in the content store."""
        return hashlib.sha256(self.content).hexdigest()

    @property
    def git_sha1(self) -> str:
        """Give git's name of the content."""
        return hashlib.sha1(b"blob %d\0" % len(self.content) + self.content).hexdigest()


    @property
    def metadata(self) -> dict[str, Any]:
        """Give what the hub tells of the file when it is asked for blobs."""
        blob: dict[str, Any] = {"size": self.size, "blobId": self.git_sha1}
        if self.is_lfs:
            blob["lfs"] = {"sha256": self.sha256, "size": self.size, "pointerSize": 135}
        return blob


@dataclass
class Model:
    """One repository; revisions maps branch names to commits, and every commit has the same files."""

    files: dict[str, File]
    is_gated: bool = False
    is_private: bool = False
    revisions: dict[str, str] = field(default_factory=lambda: {"main": COMMIT})


@dataclass
class Faults:
    """What goes wrong. Counts are used up one by one; None and 0 mean that nothing does.

    cut_after:        bytes after which a content connection breaks, `cuts` times
    bytes_per_second: how fast content leaves one connection
    spoiled:          names of files whose content is wrong, and how often
    ignores_range:    answer 200 with the whole content where a range was asked for
    unavailable:      how many requests are answered 503
    is_held:          content stops after its first piece until released
    """

    cut_after: int = 0
    cuts: int = 0
    bytes_per_second: float = 0.0
    spoiled: dict[str, int] = field(default_factory=dict)
    ignores_range: bool = False
    unavailable: int = 0
    is_held: bool = False
    released: threading.Event = field(default_factory=threading.Event)


@dataclass(frozen=True)
class Request:
    """What a client asked: the path without its query, the range header, the token it showed."""

    method: str
    host: str
    path: str
    range: str | None
    token: str | None
