"""The tokens that each key used today, kept in a file, so that a restart gives nobody a new day.

Knows names, days and a file. Knows nothing of limits.
"""

import contextlib
import json
import logging
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path

_LOG = logging.getLogger(__name__)


def beside(keys_file: Path) -> Path:
    """Give where use is kept if nobody says: beside the keys, as keys.use.json."""
    return keys_file.with_name(f"{keys_file.stem}.use.json")


def read_spent(path: Path, day: int) -> dict[str, int]:
    """Give the tokens of a day by name; nothing if the file is missing, of another day or not ours.

    Units: day counts from 1970, in UTC. Raises: OSError, ValueError, if it is there and says nothing.
    """
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    if not isinstance(told, dict) or not isinstance(told.get("tokens"), dict):
        raise ValueError("it has no tokens")
    known = {name: count for name, count in told["tokens"].items() if type(count) is int and count >= 0}
    return known if told.get("day") == day else {}


class Spent:
    """The file. What cannot be read or written is said once in the log, and nothing stops for it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._is_told = False
        if not os.access(path.parent, os.W_OK | os.X_OK):
            self._tell(f"{path.parent} cannot be written")

    def read(self, day: int) -> dict[str, int]:
        """Give the tokens of a day by name, as far as they are known."""
        try:
            return read_spent(self._path, day)
        except (OSError, ValueError, RecursionError) as error:
            _LOG.warning("what keys used today is not known: %s cannot be read: %s", self._path, error)
            return {}

    def write(self, day: int, tokens: Mapping[str, int]) -> None:
        """Replace the file at once, so that whoever reads it finds all or what was there before."""
        text = json.dumps({"day": day, "tokens": tokens})
        name = ""
        try:
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=".use-")
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(text)
            # As the keys' file: for scripts/keys of another user of the same group.
            Path(name).chmod(0o640)
            Path(name).replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            self._tell(f"{self._path} cannot be written: {error.strerror}")
        else:
            self._is_told = False

    def _tell(self, why: str) -> None:
        if not self._is_told:
            _LOG.warning("what keys use today is forgotten at a restart (GATEWAY_USE_FILE): %s", why)
        self._is_told = True
