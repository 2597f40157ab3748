"""The Llama 3 models that Meta published, as their config.json describes them.

Used where neither the hub nor a copy can be asked; a name that none of them fits is unknown.
Knows nothing of: files and the network.
"""

from __future__ import annotations

import re

from engine.sizing import Shape

_VOCABULARY = 128_256


def _shape(
    layers: int, hidden: int, heads: int, intermediate: int, context: int, *, is_tied: bool = False
) -> Shape:
    """All have eight key-value heads; the head size is hidden / heads."""
    return Shape(layers, hidden, heads, 8, hidden // heads, intermediate, _VOCABULARY, context, is_tied)


# Generation and size, the shape. 3.1 to 3.3 differ from 3 in context alone.
KNOWN: dict[tuple[str, str], Shape] = {
    ("3", "8B"): _shape(32, 4096, 32, 14336, 8192),
    ("3", "70B"): _shape(80, 8192, 64, 28672, 8192),
    ("3.1", "8B"): _shape(32, 4096, 32, 14336, 131072),
    ("3.1", "70B"): _shape(80, 8192, 64, 28672, 131072),
    ("3.1", "405B"): _shape(126, 16384, 128, 53248, 131072),
    ("3.2", "1B"): _shape(16, 2048, 32, 8192, 131072, is_tied=True),
    ("3.2", "3B"): _shape(28, 3072, 24, 8192, 131072, is_tied=True),
    ("3.3", "70B"): _shape(80, 8192, 64, 28672, 131072),
}
_NAME = re.compile(r"llama[-_ ]?(3(?:\.[123])?)(?:[-_].*?)?[-_ ](\d+B)(?![0-9a-z])", re.IGNORECASE)
# A quantised copy has the same shape but another size on the disk, which its name does not tell.
_QUANTIZED = re.compile(r"awq|gptq|int4|int8|w4a16|w8a8|fp8|bnb|4bit|8bit|gguf|exl2|nf4", re.IGNORECASE)


def look_up(model: str) -> Shape | None:
    """Find a published model by the name of its repository, or None."""
    name = model.rpartition("/")[2]
    found = _NAME.search(name)
    if found is None or _QUANTIZED.search(name):
        return None
    return KNOWN.get((found[1], found[2].upper()))
