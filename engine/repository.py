"""What a model is and how large, from a folder, the cache, the hub, or the built-in table.

Knows: the hub's HTTP API for reading, the cache's layout, the head of a safetensors file.
Knows nothing of: GPUs and what fits. Standard library only, so that it runs before anything is installed.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Literal, cast
from urllib.parse import quote, urlsplit

from engine.catalogue import look_up
from engine.sizing import ConfigInvalid, Shape, read_shape

Source = Literal["folder", "cache", "hub", "built-in table"]
ENDPOINT = "https://huggingface.co"
# A plan or a check is for somebody who waits; the hub answers in well under a second.
ANSWER_SECONDS = 5.0


class ModelUnreadable(Exception):
    """Nothing is known about the model; the text is one sentence that says why."""


@dataclass(frozen=True)
class Answer:
    """What the hub said: status 0 means that it was not reached, and problem says why."""

    status: int
    code: str
    body: bytes
    problem: str = ""


@dataclass(frozen=True)
class Found:
    """A model's shape and the bytes of its weights on the disk, None where the source cannot tell."""

    model: str
    shape: Shape
    stored: int | None
    source: Source
    note: str = ""


Ask = Callable[[str, str], Answer]


class _OtherHost(urllib.request.HTTPRedirectHandler):
    """Follows a redirect, and leaves the token behind when it leads to another host."""

    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str) -> Any:
        following = super().redirect_request(req, fp, code, msg, headers, newurl)
        if following is not None and urlsplit(newurl).netloc != urlsplit(req.full_url).netloc:
            following.remove_header("Authorization")
        return following


def hub(environment: Mapping[str, str]) -> Ask:
    """Give a way to ask the hub of this environment: a method and a path in, an answer out."""
    endpoint = (environment.get("HF_ENDPOINT") or ENDPOINT).rstrip("/")
    token = read_token(environment)
    opener = urllib.request.build_opener(_OtherHost)

    def ask(method: str, path: str) -> Answer:
        if not endpoint.startswith(("http://", "https://")):
            return Answer(0, "", b"", "HF_ENDPOINT must start with https://")
        if token and not (token.isascii() and token.isprintable() and " " not in token):
            return Answer(0, "", b"", "HF_TOKEN holds characters that no token has: copy it again")
        try:
            request = urllib.request.Request(endpoint + path, method=method)  # noqa: S310 - looked at above
            if token:
                request.add_header("Authorization", f"Bearer {token}")
            with opener.open(request, timeout=ANSWER_SECONDS) as answer:
                return Answer(answer.status, "", answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return Answer(refusal.code, refusal.headers.get("X-Error-Code") or "", refusal.read())
        except (OSError, HTTPException, ValueError) as failure:
            reason = getattr(failure, "reason", failure)
            return Answer(0, "", b"", str(getattr(reason, "strerror", None) or reason))

    return ask


def read_token(environment: Mapping[str, str]) -> str | None:
    """Read the token as the download job does: the secret file, else the variable."""
    text = ""
    if environment.get("HF_TOKEN_FILE"):
        try:
            text = Path(environment["HF_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            text = ""
    return text or (environment.get("HF_TOKEN") or "").strip() or None


def find(model: str, revision: str, environment: Mapping[str, str], ask: Ask | None = None) -> Found:
    """Learn a model's shape from the nearest place that knows it.

    1. A folder of that name. 2. The cache. 3. The hub. 4. The built-in table, with the reason as note.
    Raises: ModelUnreadable.
    """
    if Path(model).is_dir():
        return from_folder(model, Path(model), "folder")
    snapshot = cached(model, revision, environment)
    if snapshot is not None:
        return from_folder(model, snapshot, "cache")
    try:
        return from_hub(model, revision, ask or hub(environment))
    except ModelUnreadable as reason:
        shape = look_up(model)
        if shape is None:
            raise
        return Found(model, shape, 2 * shape.parameters, "built-in table", str(reason))


def cached(model: str, revision: str, environment: Mapping[str, str]) -> Path | None:
    """Find the folder of a model in the hub cache, or None."""
    # Not Path's, which raises for a user without a home.
    home = Path(os.path.expanduser(environment.get("HF_HOME") or "~/.cache/huggingface"))  # noqa: PTH111
    folder = home / "hub" / f"models--{model.replace('/', '--')}"
    ref = folder / "refs" / revision
    commit = ref.read_text().strip() if ref.is_file() else revision
    snapshot = folder / "snapshots" / commit
    return snapshot if (snapshot / "config.json").is_file() else None


def from_folder(model: str, folder: Path, source: Source) -> Found:
    """Read a folder's config.json, and the bytes of the tensors from its files' heads.

    Raises: ModelUnreadable.
    """
    try:
        config = json.loads((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        raise ModelUnreadable(f"{folder} has no readable config.json") from None
    files = sorted(folder.glob("*.safetensors"))
    stored = sum(tensor_bytes(file) for file in files)
    index = folder / "model.safetensors.index.json"
    note = ""
    if index.is_file():
        try:
            wanted = {str(name) for name in json.loads(index.read_bytes())["weight_map"].values()}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            raise ModelUnreadable(f"{index} cannot be read: download the model again") from None
        missing = wanted - {file.name for file in files}
        if missing:
            stored, note = 0, f"{len(missing)} of its shards are not there yet"
    return Found(model, _shape(model, config), stored or None, source, note)


def tensor_bytes(path: Path) -> int:
    """Sum the tensors of a safetensors file: eight bytes of length, then JSON with offsets.

    Raises: ModelUnreadable where the head is not that of such a file.
    """
    try:
        with path.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if length > os.fstat(opened.fileno()).st_size:
                raise ValueError
            head = json.loads(opened.read(length))
        tensors = (entry for name, entry in head.items() if name != "__metadata__")
        return max((entry["data_offsets"][1] for entry in tensors), default=0)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise ModelUnreadable(f"{path.name} is no safetensors file, or not all of it is there") from None


def from_hub(model: str, revision: str, ask: Ask) -> Found:
    """Ask the hub for a model's config.json and the sizes of its weights.

    Raises: ModelUnreadable with the reason.
    """
    config = ask("GET", f"/{quote(model)}/resolve/{quote(revision, safe='')}/config.json")
    if config.status != 200:
        raise ModelUnreadable(refusal(model, config))
    listing = ask("GET", f"/api/models/{quote(model)}/revision/{quote(revision, safe='')}?blobs=true")
    try:
        shape = _shape(model, json.loads(config.body))
        files = cast("list[dict[str, Any]]", json.loads(listing.body)["siblings"])
        weights = [file["size"] for file in files if "/" not in file["rfilename"]
                   and file["rfilename"].endswith(".safetensors")]
    except (ValueError, KeyError, TypeError):
        raise ModelUnreadable(f"the hub's description of {model} cannot be read") from None
    return Found(model, shape, sum(weights) or None, "hub", "" if weights else "it has no safetensors files")


def refusal(model: str, answer: Answer) -> str:
    """Say in a clause why the hub did not give what was asked."""
    if answer.status == 0:
        return f"the hub cannot be reached ({answer.problem})"
    if answer.code == "GatedRepo":
        return f"{model} is gated and HF_TOKEN does not open it"
    if answer.code == "RevisionNotFound":
        return f"{model} has no such revision"
    if answer.status in (401, 404):
        return f"the hub shows no model {model}"
    return f"the hub answered {answer.status}"


def _shape(model: str, config: Any) -> Shape:
    if not isinstance(config, dict):
        raise ModelUnreadable(f"the config.json of {model} is not one")
    try:
        return read_shape(config)
    except ConfigInvalid as reason:
        raise ModelUnreadable(f"{model} cannot be planned: {reason}") from None
