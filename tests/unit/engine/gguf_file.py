"""Writes small GGUF files for tests, independently of the reader under test."""

import struct
from pathlib import Path
from typing import Any

_SCALARS = {
    "u8": (0, "B"),
    "u32": (4, "I"),
    "i32": (5, "i"),
    "f32": (6, "f"),
    "bool": (7, "?"),
    "u64": (10, "Q"),
}


def text(value: str) -> bytes:
    """Write a GGUF string."""
    return struct.pack("<Q", len(value.encode())) + value.encode()


def typed(kind: str, value: Any) -> bytes:
    """Write a typed value: a scalar's type name, `str`, or `[scalar]` and `[str]` for lists."""
    if kind == "str":
        return struct.pack("<I", 8) + text(value)
    if kind == "[str]":
        return struct.pack("<IIQ", 9, 8, len(value)) + b"".join(text(item) for item in value)
    if kind.startswith("["):
        number, code = _SCALARS[kind[1:-1]]
        return struct.pack("<IIQ", 9, number, len(value)) + struct.pack(f"<{len(value)}{code}", *value)
    number, code = _SCALARS[kind]
    return struct.pack("<I", number) + struct.pack("<" + code, value)


def content(pairs: dict[str, tuple[str, Any]], tensors: int = 0, version: int = 3) -> bytes:
    """Write a header with metadata and some one-dimensional tensors of 32 bytes each, then the tensors."""
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, len(pairs))
    for key, (kind, value) in pairs.items():
        head += text(key) + typed(kind, value)
    for place in range(tensors):
        head += text(f"t{place}") + struct.pack("<IQIQ", 1, 8, 0, 32 * place)
    head += bytes(-len(head) % 32)
    return head + bytes(32 * tensors)


LLAMA: dict[str, tuple[str, Any]] = {
    "general.architecture": ("str", "llama"),
    "general.name": ("str", "tiny"),
    "llama.context_length": ("u32", 4096),
    "llama.block_count": ("u32", 16),
    "llama.embedding_length": ("u32", 2048),
    "llama.attention.head_count": ("u32", 32),
    "llama.attention.head_count_kv": ("u32", 8),
    "llama.rope.freq_base": ("f32", 500000.0),
    "tokenizer.ggml.model": ("str", "gpt2"),
    "tokenizer.ggml.tokens": ("[str]", ["a", "Ġb", "<|eot_id|>"]),
    "tokenizer.ggml.token_type": ("[i32]", [1, 1, 3]),
    "tokenizer.ggml.add_bos_token": ("bool", True),
}


def write(path: Path, data: bytes) -> Path:
    """Write a file and give its path."""
    path.write_bytes(data)
    return path
