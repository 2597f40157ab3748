"""The Llama 3 prompt: a chat written in header format.

Knows the format and its special tokens. Knows nothing of token ids, limits or who asks.
"""

import re
from dataclasses import dataclass

from gateway.chat import Chat, Message

# U+2060 WORD JOINER: no width and no line break, so a reader sees the text as it was, while the
# tokenizer's special-token split, which compares exact text, no longer does.
MARK = "\u2060"

# Every special token of the Llama 3 family has this form (128000-128255 are all "<|word|>"; words hold
# letters, digits and underscores). Any such text is broken, known name or not: a later vocabulary may
# give the name a meaning.
_SPECIAL = re.compile(r"<\|(?=\w+\|>)")


@dataclass(frozen=True, slots=True)
class Prompt:
    """The rendered text and how many special-token texts were neutralised in it."""

    text: str
    neutralised: int


def neutralise(text: str) -> tuple[str, int]:
    """Break every special-token text so that no tokenizer reads it as a control token.

    A word joiner is put behind its "<|". Nothing is removed, so breaking one cannot form another.
    """
    return _SPECIAL.subn("<" + MARK + "|", text)


def render(chat: Chat) -> Prompt:
    """Write a chat in Llama 3's header format, open for the assistant's reply.

    The begin-of-text token is left out: TGI's tokenizer adds it, and would double a written one.

    Shape:   one header and one end-of-turn per message, then an open assistant header; a last
             message by the assistant is left open instead, so that the answer continues it.
    Source:  the chat template published with Meta-Llama-3-8B-Instruct: content is trimmed.
    """
    parts: list[str] = []
    total = 0
    for position, message in enumerate(chat.messages):
        is_open = chat.is_continued and position == len(chat.messages) - 1
        text, count = neutralise(message.content)
        total += count
        # The right end of an open message is where the answer goes on: its space is the caller's.
        parts.append(_header(message) + (text.lstrip() if is_open else text.strip() + "<|eot_id|>"))
    if not chat.is_continued:
        parts.append("<|start_header_id|>assistant<|end_header_id|>\n\n")
    return Prompt("".join(parts), total)


def _header(message: Message) -> str:
    return f"<|start_header_id|>{message.role}<|end_header_id|>\n\n"
