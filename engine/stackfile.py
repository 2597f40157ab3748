"""The settings as `docker compose up` would see them: the environment, then .env, then compose.yaml.

Knows: the two files' syntax, as far as the stack's own files use it. Knows nothing of: what a setting means.
Standard library only.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path


def read_settings(root: Path, environment: Mapping[str, str]) -> dict[str, str]:
    """Read all settings; an empty variable counts as unset."""
    settings = defaults(_text(root / "compose.yaml")) | read_file(root / ".env")
    settings |= {name: value for name, value in environment.items() if value.strip()}
    return {name: value for name, value in settings.items() if value.strip()}


def read_file(path: Path) -> dict[str, str]:
    """Read a file of NAME=VALUE lines; one that is missing or cannot be read is empty."""
    return variables(_text(path))


def variables(text: str) -> dict[str, str]:
    """Read NAME=VALUE lines; quotes around a value and a comment behind it are not part of it."""
    found = {}
    for row in text.splitlines():
        match = re.fullmatch(r"\s*(?:export\s+)?([A-Za-z_]\w*)\s*=\s*(.*?)\s*", row)
        if match:
            name, value = match.groups()
            quoted = re.match(r"""(["'])(.*?)\1""", value)
            found[name] = quoted[2] if quoted else re.split(r"\s+#", value)[0]
    return found


def defaults(text: str) -> dict[str, str]:
    """Read the defaults of ${NAME:-VALUE}, the first for each name."""
    found: dict[str, str] = {}
    for name, value in re.findall(r"\$\{([A-Za-z_]\w*):-([^}]*)\}", text):
        found.setdefault(name, value)
    return found


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
