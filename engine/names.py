"""The names of Paddock's settings, and what is set under another name that looks like one of them.

Knows: .env.example, which has every setting, and the prefixes that are ours.
Knows nothing of: what a setting means, who reads it. Standard library only.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

PREFIXES = ("GATEWAY_", "ENGINE_", "MODEL_", "UI_", "PADDOCK_")
# How alike a name without our prefix must be, in a file that others may use as well: IDLE_SECOND, NUM_SHARDS.
_ALIKE = 0.8


def known_names(root: Path) -> frozenset[str]:
    """Read the names of all settings; none where the example is missing."""
    try:
        text = (root / ".env.example").read_text(encoding="utf-8")
    except OSError:
        return frozenset()
    return frozenset(re.findall(r"^#?([A-Z][A-Z0-9_]*)=", text, re.MULTILINE))


def strangers(names: Iterable[str], known: Iterable[str]) -> list[str]:
    """List the names that begin as ours do and are none of ours."""
    settings = frozenset(known)
    return sorted(name for name in names if settings and name.startswith(PREFIXES) and name not in settings)


def warnings(environment: Mapping[str, str], file: Mapping[str, str], known: Iterable[str]) -> list[str]:
    """Write a sentence for each name that is no setting; file is .env, which is the stack's own.

    They are warnings: a name may be another program's. What is set to nothing is not set.
    """
    settings = sorted(known)
    own = _given(file)
    alike = [name for name in own if not name.startswith(PREFIXES) and name not in settings
             and difflib.get_close_matches(name, settings, 1, _ALIKE)]
    return [*(_sentence(name, settings, "") for name in strangers(_given(environment), settings)),
            *(_sentence(name, settings, " in .env") for name in sorted([*strangers(own, settings), *alike]))]


def _given(variables: Mapping[str, str]) -> list[str]:
    return [name for name, value in variables.items() if value.strip()]


def _sentence(name: str, settings: list[str], where: str) -> str:
    near = difflib.get_close_matches(name, settings, 1)
    return f"{name}{where} is no setting of Paddock" + (f"; did you mean {near[0]}?" if near else "")
