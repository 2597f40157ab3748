"""The network: a small Llama, with attention that never crosses from one packed document to the next.

Knows:            shapes, RoPE (the interleaved kind that GGUF's llama architecture expects), tied embeddings.
Knows nothing of: text, training, files.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as functional
from torch import Tensor, nn
from torch.nn.attention.flex_attention import BlockMask, create_block_mask, flex_attention

# Where one document of a packed row begins and ends: (row, start, end).
Spans = list[tuple[int, int, int]]


@dataclass(frozen=True)
class Shape:
    """Hold the sizes of the network; the defaults are the shipped model."""

    vocabulary: int = 4096
    width: int = 256
    layers: int = 10
    heads: int = 8
    key_heads: int = 4
    hidden: int = 704
    context: int = 2048
    rope_base: float = 10_000.0
    epsilon: float = 1e-5

    @property
    def head_width(self) -> int:
        """Width of one attention head."""
        return self.width // self.heads


def spans_of(documents: Tensor) -> Spans:
    """List where each document begins and ends.

    Shape: documents [rows, length], numbers that change where a new document begins.
    """
    spans: Spans = []
    for row, numbers in enumerate(documents.tolist()):
        start = 0
        for place in range(1, len(numbers) + 1):
            if place == len(numbers) or numbers[place] != numbers[start]:
                spans.append((row, start, place))
                start = place
    return spans


def block_mask(documents: Tensor) -> BlockMask:
    """Build the causal mask of packed documents for the GPU kernel."""
    rows, length = documents.shape

    def visible(row: Tensor, head: Tensor, query: Tensor, key: Tensor) -> Tensor:
        return (query >= key) & (documents[row, query] == documents[row, key])

    return create_block_mask(visible, rows, None, length, length, device=documents.device.type)


# Where torch is not installed its classes have no type, and mypy would complain of the base classes below.
class RMSNorm(nn.Module):  # type: ignore[misc,unused-ignore]
    """Scale a vector to unit root mean square, then by learned weights."""

    def __init__(self, width: int, epsilon: float) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))
        self.epsilon = epsilon

    def forward(self, x: Tensor) -> Tensor:
        """Normalise in float32, whatever the surrounding precision."""
        x = x.float()
        return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + self.epsilon) * self.weight


def rotate(x: Tensor, cosine: Tensor, sine: Tensor) -> Tensor:
    """Turn neighbouring pairs of channels by their position's angle.

    Shape: x [rows, heads, length, head width]; cosine and sine [length, head width / 2].
    """
    first, second = x.float()[..., 0::2], x.float()[..., 1::2]
    turned = torch.stack((first * cosine - second * sine, first * sine + second * cosine), -1)
    return turned.flatten(-2).type_as(x)


def attend(query: Tensor, key: Tensor, value: Tensor, mask: BlockMask | Spans) -> Tensor:
    """Attend within documents: one kernel with a block mask, or document by document with spans."""
    if isinstance(mask, BlockMask):
        mixed: Tensor = flex_attention(query, key, value, block_mask=mask, enable_gqa=True)
        return mixed
    out = torch.zeros_like(query)
    for row, start, end in mask:
        part = (slice(row, row + 1), slice(None), slice(start, end))
        out[part] = functional.scaled_dot_product_attention(
            query[part], key[part], value[part], is_causal=True, enable_gqa=True
        )
    return out


class Block(nn.Module):  # type: ignore[misc,unused-ignore]
    """One layer: attention, then a gated feed-forward, each behind a norm and added to its input."""

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        key_width = shape.key_heads * shape.head_width
        self.attn_norm = RMSNorm(shape.width, shape.epsilon)
        self.attn_q = nn.Linear(shape.width, shape.width, bias=False)
        self.attn_k = nn.Linear(shape.width, key_width, bias=False)
        self.attn_v = nn.Linear(shape.width, key_width, bias=False)
        self.attn_output = nn.Linear(shape.width, shape.width, bias=False)
        self.ffn_norm = RMSNorm(shape.width, shape.epsilon)
        self.ffn_gate = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_up = nn.Linear(shape.width, shape.hidden, bias=False)
        self.ffn_down = nn.Linear(shape.hidden, shape.width, bias=False)

    def forward(self, x: Tensor, cosine: Tensor, sine: Tensor, mask: BlockMask | Spans) -> Tensor:
        """Run the layer. Shape: x [rows, length, width]."""
        rows, length, _ = x.shape

        def split(projected: Tensor) -> Tensor:
            return projected.view(rows, length, -1, self.shape.head_width).transpose(1, 2)

        normed = self.attn_norm(x)
        query = rotate(split(self.attn_q(normed)), cosine, sine)
        key = rotate(split(self.attn_k(normed)), cosine, sine)
        value = split(self.attn_v(normed))
        mixed = attend(query, key, value, mask).transpose(1, 2).reshape(rows, length, -1)
        x = x + self.attn_output(mixed)
        normed = self.ffn_norm(x)
        down: Tensor = self.ffn_down(functional.silu(self.ffn_gate(normed)) * self.ffn_up(normed))
        return x + down


class Llama(nn.Module):  # type: ignore[misc,unused-ignore]
    """The whole network; parameter names are GGUF's, so that converting is copying."""

    cosine: Tensor
    sine: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.shape = shape
        self.token_embd = nn.Embedding(shape.vocabulary, shape.width)
        self.blk = nn.ModuleList(Block(shape) for _ in range(shape.layers))
        self.output_norm = RMSNorm(shape.width, shape.epsilon)
        frequency = shape.rope_base ** (-torch.arange(0, shape.head_width, 2).float() / shape.head_width)
        angle = torch.outer(torch.arange(shape.context).float(), frequency)
        self.register_buffer("cosine", angle.cos(), persistent=False)
        self.register_buffer("sine", angle.sin(), persistent=False)
        for name, parameter in self.named_parameters():
            if parameter.dim() == 2:
                # Layers that write into the sum start smaller, so that depth does not blow it up.
                narrow = name.endswith(("attn_output.weight", "ffn_down.weight"))
                nn.init.normal_(parameter, 0.0, 0.02 / math.sqrt(2 * shape.layers) if narrow else 0.02)

    def forward(self, ids: Tensor, mask: BlockMask | Spans) -> Tensor:
        """Compute logits. Shape: ids [rows, length] -> [rows, length, vocabulary]."""
        x: Tensor = self.token_embd(ids)
        cosine, sine = self.cosine[: ids.shape[1]], self.sine[: ids.shape[1]]
        for block in self.blk:
            x = block(x, cosine, sine, mask)
        return functional.linear(self.output_norm(x), self.token_embd.weight)

    def loss(self, ids: Tensor, targets: Tensor, mask: BlockMask | Spans) -> Tensor:
        """Mean cross entropy over the tokens that carry a target, in nats."""
        logits = self(ids, mask)
        return functional.cross_entropy(logits.flatten(0, 1).float(), targets.flatten())
