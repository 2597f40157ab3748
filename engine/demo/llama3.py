"""Llama 3's chat format: special tokens, header layout and the template that goes into the model file.

Knows nothing of: token ids, training.
Source:           meta-llama/llama3 tokenizer.py, ChatFormat.
"""

from __future__ import annotations

from collections.abc import Iterable

BEGIN_OF_TEXT = "<|begin_of_text|>"
END_OF_TEXT = "<|end_of_text|>"
PADDING = "<|finetune_right_pad_id|>"
START_HEADER = "<|start_header_id|>"
END_HEADER = "<|end_header_id|>"
END_OF_TURN = "<|eot_id|>"

# Llama 3's order, with fewer reserved places.
SPECIAL_TOKENS = (
    BEGIN_OF_TEXT, END_OF_TEXT, "<|reserved_special_token_0|>", "<|reserved_special_token_1|>", PADDING,
    "<|reserved_special_token_2|>", START_HEADER, END_HEADER, "<|eom_id|>", END_OF_TURN, "<|python_tag|>",
    *(f"<|reserved_special_token_{number}|>" for number in range(3, 8)),
)  # fmt: skip

ROLES = ("system", "user", "assistant")

# Llama 3's pre-tokenizer. Numbers are split into groups of three there; this vocabulary has no digit merges,
# so every digit is its own token either way.
SPLIT_PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|"
    r" ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)

CHAT_TEMPLATE = (
    "{% set loop_messages = messages %}{% for message in loop_messages %}"
    "{% set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'"
    "+ message['content'] | trim + '<|eot_id|>' %}"
    "{% if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}{{ content }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)


def message(role: str, content: str) -> str:
    """Write one finished message."""
    return f"{START_HEADER}{role}{END_HEADER}\n\n{content.strip()}{END_OF_TURN}"


def conversation(messages: Iterable[tuple[str, str]]) -> str:
    """Write messages as one text, begin-of-text first.

    Shape: `(role, content)` pairs in order.
    """
    return BEGIN_OF_TEXT + "".join(message(role, content) for role, content in messages)


def open_prompt(messages: Iterable[tuple[str, str]]) -> str:
    """Write messages and an open header, ready for the assistant's answer."""
    return f"{conversation(messages)}{START_HEADER}assistant{END_HEADER}\n\n"
