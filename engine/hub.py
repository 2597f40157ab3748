"""Fetches one GGUF file from the Hugging Face hub into its usual cache, and shows how far it is.

Knows: the hub's client library, its cache, its failures.
Knows nothing of: which model is wanted and what happens without it.

The token in HF_TOKEN, if any, is read by the client library and goes to the hub alone.
"""

import re
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engine.progress import Progress

# The hub must answer its first question in this time, else it counts as out of reach.
REACH_SECONDS = 3.0
_DEFAULT_QUANT = "Q4_K_M"
_LICENCE = (
    "This model is Llama 3.2 and comes under the Llama 3.2 Community License, Copyright (c) Meta Platforms, "
    "Inc. All Rights Reserved. By using it you accept https://www.llama.com/llama3_2/license and its "
    "acceptable use policy. Built with Llama."
)

Say = Callable[[str], None]


class HubFailed(Exception):
    """The file cannot be had from the hub; the text is one sentence that says why."""


@dataclass(frozen=True, slots=True)
class Fetched:
    """A file in the cache, and the commit it belongs to."""

    path: Path
    sha: str | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A repository, and the file or quantisation wanted of it."""

    repository: str
    choice: str

    @property
    def is_file(self) -> bool:
        """Say whether the choice is a file name."""
        return self.choice.lower().endswith(".gguf")


def parse(model_id: str) -> Wanted:
    """Read `owner/name`, `owner/name:file.gguf` or `owner/name:QUANT`.

    Raises: HubFailed where it is none of these.
    """
    repository, _, choice = model_id.partition(":")
    if not re.fullmatch(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*", repository, re.ASCII):
        raise HubFailed(
            "a hub model is named owner/name, with :file.gguf or :quantisation behind it at will."
        )
    return Wanted(repository, choice or _DEFAULT_QUANT)


def pick(files: list[str], wanted: Wanted) -> str:
    """Choose the file of a repository that was asked for.

    Raises: HubFailed where there is none, or the model is split.
    """
    if wanted.is_file:
        found = [name for name in files if name == wanted.choice]
    else:
        ending = wanted.choice.lower() + ".gguf"
        found = sorted(
            (name for name in files if name.lower().endswith(ending)),
            key=lambda name: (name.count("/"), len(name)),
        )
    if found:
        return found[0]
    split = [name for name in files if wanted.choice.lower() in name.lower() and "-of-" in name]
    if split:
        raise HubFailed(
            f"its {wanted.choice} file is split; join the parts and name the result in MODEL_PATH."
        )
    if not any(name.lower().endswith(".gguf") for name in files):
        raise HubFailed("the repository has no GGUF file; the embedded engine needs one.")
    raise HubFailed(f"the repository has no file {wanted.choice}.")


class Hub:
    """The hub and its cache on this machine.

    told: the file in which a download tells the gateway how far it is; None for none.
    """

    def __init__(
        self, is_offline: bool, is_terminal: bool, endpoint: str | None = None, told: Path | None = None
    ) -> None:
        self._is_offline = is_offline
        self._is_terminal = is_terminal
        self._endpoint = endpoint
        self._told = told

    def fetch(self, model_id: str, say: Say, revision: str | None = None) -> Fetched:
        """Give the file of a model, from the cache without asking anyone, else from the hub.

        revision: a branch, tag or commit; None is main, or the newest that is cached.

        Raises: HubFailed.
        """
        wanted = parse(model_id)
        cached = self._cached(wanted, revision)
        if cached is not None:
            return cached
        if self._is_offline:
            raise HubFailed("it is not in the cache, and HF_HUB_OFFLINE forbids to ask the hub.")
        with _plain_words():
            return self._download(wanted, revision, say)

    def _cached(self, wanted: Wanted, asked: str | None) -> Fetched | None:
        from huggingface_hub import constants, scan_cache_dir
        from huggingface_hub.errors import CacheNotFound

        if not Path(constants.HF_HUB_CACHE).is_dir():
            return None
        try:
            repositories = scan_cache_dir(constants.HF_HUB_CACHE).repos
        except (CacheNotFound, OSError):
            return None
        for repository in repositories:
            if repository.repo_id != wanted.repository or repository.repo_type != "model":
                continue
            for revision in sorted(repository.revisions, key=_freshness, reverse=True):
                if asked is not None and asked not in {revision.commit_hash, *revision.refs}:
                    continue
                files = {
                    file.file_path.relative_to(revision.snapshot_path).as_posix(): file.file_path
                    for file in revision.files
                }
                try:
                    return Fetched(files[pick(list(files), wanted)], revision.commit_hash)
                except HubFailed:
                    continue
        return None

    def _download(self, wanted: Wanted, revision: str | None, say: Say) -> Fetched:
        from huggingface_hub import HfApi, constants, get_hf_file_metadata, hf_hub_download, hf_hub_url
        from huggingface_hub.utils.tqdm import disable_progress_bars

        facts = _within(
            REACH_SECONDS,
            lambda: HfApi(endpoint=self._endpoint).model_info(
                wanted.repository, revision=revision, timeout=REACH_SECONDS
            ),
        )
        files = [sibling.rfilename for sibling in facts.siblings or []]
        name = pick(files, wanted)
        metadata = get_hf_file_metadata(
            hf_hub_url(wanted.repository, name, revision=revision, endpoint=self._endpoint),
            timeout=REACH_SECONDS,
        )
        size = metadata.size or 0
        say(f"downloading {name} of {wanted.repository}: {size / 1e6:.0f} MB.")
        if "llama-3.2" in f"{wanted.repository}/{name}".lower():
            say(_LICENCE)
        disable_progress_bars()
        # The other transfer library writes a file out of order, so that its size would tell nothing.
        constants.HF_HUB_DISABLE_XET = True
        # Written to the file in pieces of this size, so that the file's size tells how far it is.
        constants.DOWNLOAD_CHUNK_SIZE = 1024 * 1024
        folder = _incomplete_files(wanted.repository)
        progress = Progress(folder, size, say, self._is_terminal, self._told)
        try:
            with _plain_words(), progress:
                path = hf_hub_download(
                    wanted.repository, name, revision=revision, endpoint=self._endpoint
                )
        except HubFailed as failure:
            progress.fail(f"{wanted.repository} cannot be had: {failure}")
            raise
        return Fetched(Path(path), metadata.commit_hash)


def _freshness(revision: Any) -> tuple[bool, float]:
    return "main" in revision.refs, revision.last_modified


def _within(seconds: float, ask: Callable[[], Any]) -> Any:
    """Ask in a thread, because looking up a name may take far longer than any time limit of the asker.

    Raises: TimeoutError after that time; whatever the question raises.
    """
    answer: Future[Any] = Future()

    def run() -> None:
        try:
            answer.set_result(ask())
        except Exception as error:  # noqa: BLE001 - handed to who waits
            answer.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return answer.result(timeout=seconds)


def _incomplete_files(repository: str) -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE) / f"models--{repository.replace('/', '--')}" / "blobs"


@contextmanager
def _plain_words() -> Iterator[None]:
    """Turn the client library's exceptions into one sentence each.

    Raises: HubFailed.
    """
    import requests
    from huggingface_hub import errors

    try:
        yield
    except HubFailed:
        raise
    except errors.GatedRepoError:
        raise HubFailed(
            "its licence must be accepted on its hub page first, and HF_TOKEN be a token of that account."
        ) from None
    except errors.RepositoryNotFoundError:
        raise HubFailed("the hub knows no such repository, or HF_TOKEN may not see it.") from None
    except errors.RevisionNotFoundError:
        raise HubFailed("the repository has no revision of that name: correct MODEL_REVISION.") from None
    except errors.EntryNotFoundError:
        raise HubFailed("the repository has no such file.") from None
    except errors.HfHubHTTPError as error:
        status = error.response.status_code if error.response is not None else "an error"
        if status == 401:
            raise HubFailed("the repository needs a valid HF_TOKEN.") from None
        raise HubFailed(f"the hub answered {status}.") from None
    except (requests.exceptions.RequestException, TimeoutError):
        raise HubFailed("the hub cannot be reached.") from None
    except OSError as error:
        raise HubFailed(f"the cache cannot be written: {error.strerror or error}.") from None
