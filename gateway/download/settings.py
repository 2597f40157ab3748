"""The download job's settings: the only module of the job that reads the environment.

An empty variable counts as unset, because Compose writes empty ones; an empty secret file counts as no
token for the same reason. Knows nothing of: what is done with a setting.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gateway.download.errors import SettingsInvalid

# A Llama 3 8B has four shards; four connections also fill the lines of most workstations.
DEFAULT_WORKERS = 4
MAX_WORKERS = 32
_MODEL = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
_REVISION = re.compile(r"[A-Za-z0-9][\w./-]*")


@dataclass(frozen=True, slots=True)
class Settings:
    """What the job can be told.

    model:     MODEL_ID, the hub's owner/name
    revision:  MODEL_REVISION, a branch, tag or commit; main unless set
    home:      HF_HOME; the cache is its folder hub, as TGI's launcher expects
    token:     the text of HF_TOKEN_FILE, else HF_TOKEN; None without either
    workers:   DOWNLOAD_WORKERS, files fetched at once
    """

    model: str
    revision: str
    home: Path
    token: str | None = field(repr=False)
    workers: int


def read_settings(environment: Mapping[str, str]) -> Settings:
    """Read the settings from environment variables.

    Raises: SettingsInvalid with every problem at once; no problem ever repeats the token.
    """
    problems: list[str] = []
    given = {name: value.strip() for name, value in environment.items() if value.strip()}
    model = given.get("MODEL_ID", "")
    if not model:
        problems.append("MODEL_ID is not set: name a model of the hub, such as owner/name")
    elif not _MODEL.fullmatch(model) or "--" in model or ".." in model:
        problems.append(f"MODEL_ID={model!r}: must be the hub's owner/name")
    revision = given.get("MODEL_REVISION", "main")
    if not _REVISION.fullmatch(revision) or ".." in revision:
        problems.append(f"MODEL_REVISION={revision!r}: must be a branch, tag or commit")
    endpoint = given.get("HF_ENDPOINT", "https://")
    if not endpoint.startswith(("http://", "https://")):
        problems.append(f"HF_ENDPOINT={endpoint!r}: must start with https:// or http://")
    settings = Settings(
        model,
        revision,
        Path(given.get("HF_HOME", "~/.cache/huggingface")).expanduser().absolute(),
        _token(given, problems),
        _workers(given, problems),
    )
    if problems:
        raise SettingsInvalid(problems)
    return settings


def _token(given: Mapping[str, str], problems: list[str]) -> str | None:
    token = ""
    if "HF_TOKEN_FILE" in given:
        try:
            token = Path(given["HF_TOKEN_FILE"]).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError):
            problems.append(f"HF_TOKEN_FILE={given['HF_TOKEN_FILE']!r}: cannot be read as text")
    token = token or given.get("HF_TOKEN", "")
    if token and not re.fullmatch(r"[!-~]+", token):
        problems.append("HF_TOKEN holds characters that no token has, such as a space: copy it again")
        return None
    return token or None


def _workers(given: Mapping[str, str], problems: list[str]) -> int:
    text = given.get("DOWNLOAD_WORKERS", str(DEFAULT_WORKERS))
    if text.isdecimal() and 1 <= int(text) <= MAX_WORKERS:
        return int(text)
    problems.append(f"DOWNLOAD_WORKERS={text!r}: must be a whole number from 1 to {MAX_WORKERS}")
    return DEFAULT_WORKERS
