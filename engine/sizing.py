"""How much memory a Llama model needs on GPUs under TGI, and what fits.

Knows: the Llama architecture's arithmetic, TGI's memory rules; docs/sizing.md explains both.
Knows nothing of: where a configuration or a GPU comes from. Standard library only, no I/O.

Units: bytes, unless a name says otherwise. ESTIMATE marks numbers that are neither computed from the
model nor read in TGI's source.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

GIB = 1 << 30
# TGI leaves a tenth of what is free after warm-up. Source: TGI_WIGGLE_ROOM in its models/globals.py.
WIGGLE_ROOM = 0.90
# Tokens of the warm-up prefill on cards that TGI's launcher has no compute figures for. Source: its main.rs.
PREFILL_TOKENS = 4096
# ESTIMATE: a CUDA context (526 MiB on an H100, measured bare) with cuBLAS and attention workspaces.
CONTEXT_BYTES = 768 << 20
# ESTIMATE: NCCL's buffers on each GPU of a sharded model.
NCCL_BYTES = 512 << 20
# No number in a model's configuration comes near this; in a damaged one anything may stand.
MOST = 100_000_000
# Shards that TGI can cut a Llama into; each must divide the heads and the key-value heads.
SHARDS = (1, 2, 4, 8)


class ConfigInvalid(Exception):
    """The configuration is not that of a Llama; the text says which part."""


@dataclass(frozen=True)
class Shape:
    """What config.json says of a model's size."""

    layers: int
    hidden: int
    heads: int
    kv_heads: int
    head_size: int
    intermediate: int
    vocabulary: int
    context: int
    is_tied: bool
    quantization: str | None = None

    @property
    def embedding(self) -> int:
        """Count the numbers of the embedding table, and of the output head, which has the same shape."""
        return self.vocabulary * self.hidden

    @property
    def linear(self) -> int:
        """Count the numbers in all attention and MLP matrices: what quantisation makes smaller."""
        attention = 2 * self.hidden * (self.heads + self.kv_heads) * self.head_size
        return self.layers * (attention + 3 * self.hidden * self.intermediate)

    @property
    def norms(self) -> int:
        """Count the numbers in the norms: two in each layer and the last."""
        return (2 * self.layers + 1) * self.hidden

    @property
    def parameters(self) -> int:
        """Count the model's parameters as published; a tied head is the embedding and counts once."""
        return self.linear + self.norms + self.embedding * (1 if self.is_tied else 2)

    @property
    def kv_bytes(self) -> int:
        """Give one token's cache at 16 bit: a key and a value for each layer and key-value head."""
        return 2 * self.layers * self.kv_heads * self.head_size * 2


def read_shape(config: Mapping[str, Any]) -> Shape:
    """Read a shape from a config.json.

    Raises: ConfigInvalid for another architecture or a missing field.
    """
    if config.get("model_type") != "llama":
        raise ConfigInvalid(f"its model_type is {config.get('model_type')!r}, and only llama is supported")
    try:
        heads = _count(config, "num_attention_heads")
        hidden = _count(config, "hidden_size")
        return Shape(
            layers=_count(config, "num_hidden_layers"),
            hidden=hidden,
            heads=heads,
            kv_heads=_count(config, "num_key_value_heads", heads),
            head_size=_count(config, "head_dim", max(1, hidden // heads)),
            intermediate=_count(config, "intermediate_size"),
            vocabulary=_count(config, "vocab_size"),
            context=_count(config, "max_position_embeddings"),
            is_tied=bool(config.get("tie_word_embeddings", False)),
            quantization=(config.get("quantization_config") or {}).get("quant_method"),
        )
    except (KeyError, AttributeError) as wrong:
        what = wrong if isinstance(wrong, KeyError) else "'quantization_config'"
        raise ConfigInvalid(f"its field {what} is missing or wrong") from None


def _count(config: Mapping[str, Any], name: str, default: int | None = None) -> int:
    """Read a number of things; KeyError where there is none that a model could have."""
    value = config.get(name) or default
    if type(value) is not int or not 0 < value <= MOST:
        raise KeyError(name)
    return value


@dataclass(frozen=True)
class Format:
    """One way to hold the matrices in memory. quantize is TGI's QUANTIZE, None for none."""

    name: str
    quantize: str | None
    number_bytes: float


# From the most faithful to the smallest. NF4 holds half a byte and a 4-byte scale for each 64 numbers.
# EETQ and bitsandbytes (8 bit) take the same room as fp8.
FORMATS = (
    Format("16 bit", None, 2.0),
    Format("fp8", "fp8", 1.0),
    Format("nf4", "bitsandbytes-nf4", 0.5 + 4 / 64),
)


def formats(shape: Shape) -> tuple[Format, ...]:
    """Give the formats to choose from: a checkpoint that is quantised already has only its own."""
    if shape.quantization is None:
        return FORMATS
    return (Format(f"as stored ({shape.quantization})", None, 0.0),)


def weights_bytes(shape: Shape, form: Format, shards: int, stored: int | None = None) -> int:
    """Give the weights on each GPU.

    Embedding and head stay at 16 bit and are sharded like the matrices; norms are on every GPU. TGI loads a
    tied head as a second copy. stored is the checkpoint's size, used where it is quantised already.
    Source: TGI's layers/tensor_parallel.py (TensorParallelHead, TensorParallelEmbedding).
    """
    if shape.quantization is not None:
        extra = 2 * shape.embedding if shape.is_tied else 0
        return ((stored or 2 * shape.parameters) + extra) // shards
    return int((shape.linear * form.number_bytes + 4 * shape.embedding) / shards) + 2 * shape.norms


def prefill_bytes(shape: Shape, shards: int, tokens: int = PREFILL_TOKENS) -> int:
    """ESTIMATE a prefill's workspace: per token four hidden states, and gate, up and product of the MLP."""
    return 2 * tokens * (4 * shape.hidden + 3 * shape.intermediate // shards)


@dataclass(frozen=True)
class Fit:
    """What one layout holds: shards GPUs for each of replicas engines.

    Units: weights and needed are bytes on each GPU, needed the least that an engine starts with; tokens is
    the cache of each engine, 0 where it does not fit.
    """

    form: Format
    shards: int
    replicas: int
    weights: int
    needed: int
    tokens: int

    @property
    def fits(self) -> bool:
        """Say whether an engine starts at all."""
        return self.tokens > 0

    def chats(self, context: int) -> int:
        """Count the chats of a length that all engines together hold at once."""
        return self.replicas * (self.tokens // context)

    def max_total_tokens(self, shape: Shape) -> int:
        """Give the longest chat that an engine can take."""
        return min(self.tokens, shape.context)


def fit(shape: Shape, form: Format, shards: int, free: Sequence[int], stored: int | None = None) -> Fit:
    """Say what `shards` GPUs for each engine hold; free is each GPU's free memory.

    1. Engines get the GPUs in order of free memory; one is as good as its smallest GPU.
    2. Free after warm-up = free - context - NCCL - weights - prefill workspace - cache of the prefill.
    3. Cache tokens = 0.90 of that / cache bytes of a token on one GPU + tokens of the prefill.
    Source: TGI's models/flash_causal_lm.py, warmup: num_blocks.
    """
    ordered = sorted(free, reverse=True)
    replicas = len(ordered) // shards
    smallest = ordered[replicas * shards - 1] if replicas else 0
    weights = weights_bytes(shape, form, shards, stored)
    token = shape.kv_bytes / shards
    prefill = min(PREFILL_TOKENS, shape.context)
    fixed = CONTEXT_BYTES + (NCCL_BYTES if shards > 1 else 0) + prefill_bytes(shape, shards, prefill)
    needed = fixed + weights + int(prefill * token)
    tokens = int(WIGGLE_ROOM * (smallest - needed) / token) + prefill if smallest >= needed else 0
    return Fit(form, shards, replicas, weights, needed, tokens)


def layouts(shape: Shape, free: Sequence[int], stored: int | None = None) -> list[Fit]:
    """Give every layout of the GPUs in every format, the most faithful format and fewest shards first."""
    return [
        fit(shape, form, shards, free, stored)
        for form in formats(shape)
        for shards in SHARDS
        if shards <= len(free) and shape.heads % shards == 0 and shape.kv_heads % shards == 0
    ]


def best(fits: Sequence[Fit], context: int, slots: int) -> Fit | None:
    """Choose a layout for chats of a length.

    1. The most faithful format that holds such a chat at all.
    2. In it the fewest GPUs for each engine that still fill the gateway's slots, for shards wait for each
       other at every layer and engines do not.
    3. If none fills them, the layout that holds most chats.
    """
    for form in dict.fromkeys(one.form for one in fits):
        able = [one for one in fits if one.form == form and one.chats(context) > 0]
        full = [one for one in able if one.tokens // context >= slots]
        if full:
            return min(full, key=lambda one: one.shards)
        if able:
            return max(able, key=lambda one: (one.chats(context), -one.shards))
    return None
