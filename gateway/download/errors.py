"""Every way a download can end without a model, as one tree.

    DownloadError
    ├── JobDefect             exit   1  a mistake in this program
    ├── SettingsInvalid       exit   2  a variable is missing or wrong
    ├── TokenMissing          exit  10  the model is gated and there is no token
    ├── TokenInvalid          exit  11  the hub does not know the token, or it may not read this model
    ├── LicenceNotAccepted    exit  12  the token's owner has not been granted the licence
    ├── ModelUnknown          exit  13  no such model, or a private one
    ├── RevisionUnknown       exit  14  the model has no such branch, tag or commit
    ├── ModelUnusable         exit  15  the repository lacks what TGI needs
    ├── SpaceMissing          exit  16  the disk is too full
    ├── NetworkUnreachable    exit  17  the hub cannot be reached
    ├── HashMismatch          exit  18  a file came with the wrong content, twice
    ├── CacheUnwritable       exit  19  the cache folder cannot be written
    ├── HubFailed             exit  20  the hub answered something else
    └── Stopped               exit 143  SIGTERM (130 for Ctrl-C); what has come is kept

The code goes into the progress file, the exit status to Compose, the sentence to people.
Knows nothing of HTTP.
"""

from typing import ClassVar


class DownloadError(Exception):
    """The model is not complete; the text is one sentence that says why and what to do."""

    code: ClassVar[str]
    exit_status: int


class JobDefect(DownloadError):
    """The job met something that it was not written for."""

    code = "job_defect"
    exit_status = 1


class SettingsInvalid(DownloadError):
    """A variable is missing or wrong; problems has one sentence for each."""

    code = "settings_invalid"
    exit_status = 2

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems) + ".")
        self.problems = problems


class TokenMissing(DownloadError):
    """The model is gated and no token was given."""

    code = "token_missing"
    exit_status = 10


class TokenInvalid(DownloadError):
    """The hub does not know the token, or the token may not read this model."""

    code = "token_invalid"
    exit_status = 11


class LicenceNotAccepted(DownloadError):
    """The token is good, but its owner has no access to this model yet."""

    code = "licence_not_accepted"
    exit_status = 12


class ModelUnknown(DownloadError):
    """The hub shows no such model."""

    code = "model_unknown"
    exit_status = 13


class RevisionUnknown(DownloadError):
    """The model has no such branch, tag or commit."""

    code = "revision_unknown"
    exit_status = 14


class ModelUnusable(DownloadError):
    """The repository lacks files that TGI cannot start without."""

    code = "model_unusable"
    exit_status = 15


class SpaceMissing(DownloadError):
    """The disk has less room than the rest of the model needs."""

    code = "space_missing"
    exit_status = 16


class NetworkUnreachable(DownloadError):
    """The hub cannot be reached, or went away and stayed away."""

    code = "network_unreachable"
    exit_status = 17


class HashMismatch(DownloadError):
    """A file's content is not what the hub's metadata says, even when fetched again."""

    code = "hash_mismatch"
    exit_status = 18


class CacheUnwritable(DownloadError):
    """The cache folder cannot be written."""

    code = "cache_unwritable"
    exit_status = 19


class HubFailed(DownloadError):
    """The hub answered with an error that none of the others explains."""

    code = "hub_failed"
    exit_status = 20


class Stopped(DownloadError):
    """A signal ended the job; partial files stay and the next run goes on from them."""

    code = "stopped"

    def __init__(self, signal_number: int) -> None:
        super().__init__("stopped; what has come is kept, and the next run goes on from there.")
        self.exit_status = 128 + signal_number
