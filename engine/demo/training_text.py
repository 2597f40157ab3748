"""The text that training reads: the corpus without any dialogue that happens to hold a held-out wording.

The corpus's templates never contain one, but typing errors and chat English can make one by chance.

Knows nothing of: tokens, the network.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from engine.demo import heldout, heldout_fresh
from engine.demo.corpus.dialogue import Dialogue
from engine.demo.corpus.mixture import dialogues


def bare(text: str) -> str:
    """Leave letters, digits and single spaces: case and punctuation do not make a wording new."""
    return " ".join(re.sub(r"[^\w ]", " ", text.lower()).split())


def held_out() -> frozenset[str]:
    """List every wording that training must never read, bare."""
    return frozenset(bare(wording) for wording in heldout.wordings() + heldout_fresh.fresh_wordings())


def holds_one(dialogue: Dialogue, wordings: frozenset[str]) -> bool:
    """Tell whether a dialogue asks in a held-out wording or has a held-out system prompt."""
    asked = [turn.user for turn in dialogue.turns] + ([dialogue.system] if dialogue.system else [])
    return any(bare(text) in wordings for text in asked)


def training_dialogues(seed: int) -> Iterator[Dialogue]:
    """Write dialogues without end, none of them with a held-out wording."""
    wordings = held_out()
    return (dialogue for dialogue in dialogues(seed) if not holds_one(dialogue, wordings))
