"""The file of API keys: each kept as its hash, with its limits.

Written by scripts/keys, read by the gateway. Knows names, hashes and limits. Knows nothing of use.
"""

import hashlib
import json
import os
import re
import secrets
import tempfile
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path

# 256 random bits: nothing to guess and nothing to gain by a slow hash, so SHA-256 is enough.
_KEY_BYTES = 32
_PREFIX = "pk-"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)
# More than one gateway can serve: what is beyond is a slip of the finger, and none is said by leaving it out.
MOST = {"requests_per_minute": 1_000_000, "concurrent": 100_000, "tokens_per_day": 10**12}


class KeysUnreadable(Exception):
    """The file is missing or not what scripts/keys writes."""


@dataclass(frozen=True, slots=True)
class Key:
    """One key's record. Units: limits count per minute, at once, and tokens per day; None is no limit."""

    name: str
    sha256: str
    created: str
    requests_per_minute: int | None = None
    concurrent: int | None = None
    tokens_per_day: int | None = None
    is_batch: bool = False


def make_key() -> str:
    """Make a new key; it is shown once and kept only as its hash."""
    return _PREFIX + secrets.token_urlsafe(_KEY_BYTES)


def hash_key(key: str) -> str:
    """Hash a key as the file holds it."""
    return hashlib.sha256(key.encode()).hexdigest()


def read_keys(path: Path) -> list[Key]:
    """Read the file. Raises: KeysUnreadable in one sentence."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        keys = [Key(**entry) for entry in told["keys"]]
    except OSError as error:
        raise KeysUnreadable(f"{path} cannot be read: {error.strerror}") from None
    except (ValueError, TypeError, KeyError) as error:
        raise KeysUnreadable(f"{path} is not a key file: {error}") from None
    except RecursionError:
        raise KeysUnreadable(f"{path} is not a key file: nested too deep") from None
    for key in keys:
        check_key(key)
        if not isinstance(key.sha256, str) or not _HASH.fullmatch(key.sha256):
            raise KeysUnreadable(f"{path}: sha256 of {key.name!r} is no SHA-256 in lower-case hexadecimal")
    for what in ("name", "sha256"):
        twice = [one for one, count in Counter(getattr(key, what) for key in keys).items() if count > 1]
        if twice:
            raise KeysUnreadable(f"{path}: two keys have the {what} {twice[0]!r}")
    return keys


def write_keys(path: Path, keys: list[Key]) -> None:
    """Write the file, readable by its owner and group only.

    One that is there keeps its inode: a container that it is mounted into sees that, not the name. Half a
    file is no JSON, which a gateway takes for no change; after a crash in between the copy has all.
    """
    text = json.dumps({"keys": [asdict(key) for key in keys]}, indent=2) + "\n"
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".keys-")
    copy = Path(name)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        file.write(text)
    # The gateway's container reads it as another user of the same group.
    copy.chmod(0o640)
    try:
        with path.open("r+", encoding="utf-8") as file:
            file.write(text)
            file.truncate()
            path.chmod(0o640)
    except FileNotFoundError:
        copy.replace(path)
        return
    except PermissionError:
        copy.unlink()
        raise
    copy.unlink()


def check_key(key: Key) -> None:
    """Make sure that a key can be logged and listed, and its limits kept. Raises: KeysUnreadable."""
    if not isinstance(key.name, str) or not _NAME.fullmatch(key.name):
        raise KeysUnreadable(f"{key.name!r} is no key name: up to 64 letters, digits, dots, - and _")
    for limit, most in MOST.items():
        value = getattr(key, limit)
        if value is not None and not (type(value) is int and 1 <= value <= most):
            raise KeysUnreadable(
                f"{limit} of {key.name!r} is no whole number from 1 to {most:,}; without a limit leave it out"
            )
