"""The Hugging Face hub, through its own client: what a model consists of, may we have it, fetch it.

Knows: huggingface_hub (the job's only importer of it and of requests), the hub's ways to say no.
Knows nothing of: retries, progress, verification.

Deliberate divergence from the client's defaults:
* Xet is off. A transfer over plain HTTP appends to one partial file, which survives kill -9 to the byte and
  shows its progress in its size; Xet starts a broken file again and needs a second store and more hosts.
  Plain HTTP ends at 50 GB for one file; Llama 3's shards are below 5 GB.
* Pieces of 1 MiB instead of 10: on a slow line progress is seen and kept every second, not every ten.
"""

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

from gateway.download.errors import (
    CacheUnwritable,
    DownloadError,
    HubFailed,
    LicenceNotAccepted,
    ModelUnknown,
    NetworkUnreachable,
    RevisionUnknown,
    SpaceMissing,
    TokenInvalid,
    TokenMissing,
)
from gateway.download.listing import Listing, RemoteFile, needed

# The hub answers metadata in well under a second; a silence longer than this is an outage.
ANSWER_SECONDS = 10.0
_PIECE_BYTES = 1 << 20


class TransferBroken(Exception):
    """A transfer ended early and may be gone on with; final is the error if it never gets further."""

    def __init__(self, final: DownloadError) -> None:
        super().__init__(str(final))
        self.final = final


class Hub:
    """The hub as the owner of one token, or of none, sees it."""

    def __init__(self, token: str | None) -> None:
        import huggingface_hub
        from huggingface_hub import constants
        from huggingface_hub.utils.tqdm import disable_progress_bars

        constants.HF_HUB_DISABLE_XET = True
        constants.HF_HUB_ENABLE_HF_TRANSFER = False
        constants.DOWNLOAD_CHUNK_SIZE = _PIECE_BYTES
        disable_progress_bars()
        # Its warnings repeat in many words what our one sentence says.
        logging.getLogger("huggingface_hub").setLevel(logging.CRITICAL)
        self._client = huggingface_hub
        self._token = token
        self.endpoint = str(constants.ENDPOINT)
        self._tokens = f"{self.endpoint}/settings/tokens"

    def page(self, model: str) -> str:
        """Give the address of a model's page, where its licence is accepted."""
        return f"{self.endpoint}/{model}"

    def look(self, model: str, revision: str) -> Listing:
        """Ask what a revision consists of, and whether this token may read it.

        Raises: DownloadError, TransferBroken if asking again may help.
        """
        with self._plain_words(model, revision):
            found = self._client.HfApi(token=self._token or False).model_info(
                model, revision=revision, files_metadata=True, timeout=ANSWER_SECONDS
            )
            siblings = {one.rfilename: one for one in found.siblings or []}
            names = needed(siblings)
            # The metadata of a gated model is public, its files are not: only a file tells.
            url = self._client.hf_hub_url(model, "config.json", revision=found.sha)
            self._client.get_hf_file_metadata(url, token=self._token or False, timeout=ANSWER_SECONDS)
        if not found.sha:
            raise HubFailed(f"The hub does not say which commit {revision} of {model} is.")
        return Listing(model, found.sha, tuple(_file(siblings[name]) for name in names))

    def fetch(self, model: str, commit: str, name: str, folder: Path) -> Path:
        """Bring one file of a commit into the cache folder, going on from what is there.

        Raises: DownloadError, TransferBroken.
        """
        with self._plain_words(model, commit):
            return Path(
                self._client.hf_hub_download(
                    model, name, revision=commit, cache_dir=folder, token=self._token or False
                )
            )

    @contextmanager
    def _plain_words(self, model: str, revision: str) -> Iterator[None]:
        import requests

        errors = self._client.errors
        try:
            yield
        except errors.LocalEntryNotFoundError as error:  # the client's wrapper of all that may pass
            cause = error.__cause__
            if isinstance(cause, errors.HfHubHTTPError):
                raise TransferBroken(self._answer(cause, model, revision)) from None
            raise TransferBroken(_network(cause or error, self.endpoint)) from None
        except errors.OfflineModeIsEnabled:
            raise NetworkUnreachable(
                "HF_HUB_OFFLINE forbids asking the hub, and the model is not complete: unset it for this job."
            ) from None
        except errors.HfHubHTTPError as error:
            final = self._answer(error, model, revision)
            raise (TransferBroken(final) if isinstance(final, HubFailed) else final) from None
        except requests.exceptions.SSLError:
            raise _network_certificate(self.endpoint) from None
        except requests.exceptions.RequestException as error:
            raise TransferBroken(_network(error, self.endpoint)) from None
        except OSError as error:
            raise _disk(error) from None

    def _answer(self, error: Any, model: str, revision: str) -> DownloadError:
        """Put the hub's refusal into one sentence."""
        errors = self._client.errors
        status = error.response.status_code if error.response is not None else 0
        words = f"{error} {getattr(error, 'server_message', '') or ''}".lower()
        page = self.page(model)
        if isinstance(error, errors.GatedRepoError):
            return self._gated(status, words, model)
        if isinstance(error, errors.RevisionNotFoundError):
            return RevisionUnknown(f"{model} has no revision {revision}: correct MODEL_REVISION, see {page}.")
        if isinstance(error, errors.DisabledRepoError):
            return ModelUnknown(f"The hub has disabled {model}: choose another MODEL_ID.")
        if status == 401 and self._token:
            return TokenInvalid(
                f"The hub does not know the token HF_TOKEN: make a new one at {self._tokens}."
            )
        if status == 401 or isinstance(error, errors.RepositoryNotFoundError):
            hint = "" if self._token else "; if it is private, set HF_TOKEN"
            return ModelUnknown(f"The hub shows no model {model}: check MODEL_ID{hint}.")
        if status == 403 and self._token:
            return TokenInvalid(f"The token in HF_TOKEN may not read {model}: allow it at {self._tokens}.")
        return HubFailed(f"The hub answered {status or 'nothing usable'} for {model}; try again later.")

    def _gated(self, status: int, words: str, model: str) -> DownloadError:
        page = self.page(model)
        if not self._token:
            return TokenMissing(
                f"{model} is gated: accept its licence at {page} and set HF_TOKEN to a token of that account."
            )
        if status == 401:
            return TokenInvalid(
                f"The hub does not know the token HF_TOKEN: make a new one at {self._tokens}."
            )
        if "fine-grained" in words:
            return TokenInvalid(
                "The token in HF_TOKEN may not read gated models: allow public gated repositories for it at "
                f"{self._tokens}."
            )
        if "awaiting" in words:
            return LicenceNotAccepted(
                f"Your request for {model} waits for its owner's answer: see {page}, then run this again."
            )
        return LicenceNotAccepted(
            f"The licence of {model} is not accepted by the account of HF_TOKEN: open {page} and accept it."
        )


def _file(sibling: Any) -> RemoteFile:
    size = sibling.lfs.size if sibling.lfs else sibling.size
    sha256 = sibling.lfs.sha256 if sibling.lfs else None
    if size is None or not (sha256 or sibling.blob_id):
        raise HubFailed(
            f"The hub tells no size or hash of {quote(sibling.rfilename)}: is HF_ENDPOINT a full mirror?"
        )
    return RemoteFile(sibling.rfilename, size, sha256, None if sha256 else sibling.blob_id)


def _network(error: BaseException, endpoint: str) -> DownloadError:
    text = str(error).lower()
    if "resolve" in text or "name or service" in text:
        why = "its name cannot be resolved"
    elif "proxy" in text:
        why = "the proxy does not let us through"
    elif "timed out" in text:
        why = "it does not answer"
    elif "refused" in text:
        why = "the connection is refused"
    else:
        why = "the connection broke"
    return NetworkUnreachable(f"The hub at {endpoint} cannot be reached, {why}: check network and proxy.")


def _network_certificate(endpoint: str) -> DownloadError:
    return NetworkUnreachable(
        f"The hub at {endpoint} shows a certificate that is not trusted here: name your network's authority "
        "in REQUESTS_CA_BUNDLE."
    )


def _disk(error: OSError) -> DownloadError | TransferBroken:
    """Put a failure of the disk into one sentence; the client reports a short file as one, too."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return SpaceMissing("The disk has become full while the model came: make room and run this again.")
    if error.errno is None:
        return TransferBroken(NetworkUnreachable("The hub ends its transfers early: try again later."))
    return CacheUnwritable(
        f"The cache cannot be written ({error.strerror}): give this job's user the folder HF_HOME."
    )
