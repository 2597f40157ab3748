"""The Llama 3 prompt: a chat written in header format, as each family of models expects it.

Knows the format, its families and special tokens. Knows nothing of token ids, limits or who asks.
"""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any

from gateway.chat import Chat, Message, Tool
from gateway.errors import ChatUnsupported

# U+2060 WORD JOINER: no width and no line break, so a reader sees the text as it was, while the
# tokenizer's special-token split, which compares exact text, no longer does.
MARK = "\u2060"

# Every special token of the Llama 3 family has this form (128000-128255 are all "<|word|>"; words hold
# letters, digits and underscores). Any such text is broken, known name or not: a later vocabulary may
# give the name a meaning.
_SPECIAL = re.compile(r"<\|(?=\w+\|>)")
# A text's end that another text could make one.
_BEGUN = re.compile(r"<(?:\|(?:\w+\|?)?)?\Z")

# The control token that TGI's tokenizer puts before every prompt.
BEGIN = "<|begin_of_text|>"
# The control tokens that end an assistant's turn, whatever a model's generation_config.json lists:
# eom_id ends one that waits for a tool (Llama 3.1 and newer).
ENDS = ("<|eot_id|>", "<|eom_id|>")

# What the published templates write where no date is given.
REFERENCE_DATE = date(2024, 7, 26)
# By hand, because the locale must not change a prompt.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


class Family(StrEnum):
    """The prompt formats of Llama 3: the first is plain, the later ones have dates and tools."""

    LLAMA3 = "llama3"
    LLAMA3_1 = "llama3.1"
    LLAMA3_2 = "llama3.2"
    LLAMA3_3 = "llama3.3"


_NAMED = re.compile(r"llama[\s_-]*(?:v)?3\.([123])(?![0-9])", re.IGNORECASE)


def family_of(model: str | None) -> Family:
    """Read a model's family from its id; plain Llama 3 where the id does not say."""
    found = _NAMED.search(model or "")
    return Family(f"llama3.{found[1]}") if found else Family.LLAMA3


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


def resume(prompt: str, text: str) -> str:
    """Put the text that a model has written so far behind its prompt, to be tokenised as one.

    What looks like a special token there was spelled with others, so it is neutralised, also where it began
    at the prompt's end.
    """
    begun = _BEGUN.search(prompt)
    if begun is not None:
        prompt, text = prompt[: begun.start()], begun[0] + text
    return prompt + neutralise(text)[0]


def render(chat: Chat, family: Family = Family.LLAMA3, today: date = REFERENCE_DATE) -> Prompt:
    """Write a chat in Llama 3's header format, open for the assistant's reply.

    The begin-of-text token is left out: TGI's tokenizer adds it, and would double a written one.

    Shape:   one header and one end-of-turn per message, then an open assistant header; a last
             message by the assistant is left open instead, so that the answer continues it. From
             Llama 3.1 on a system turn with two dates comes first, and tools are described in the
             first turn of the user.
    Raises:  ChatUnsupported for what the family's format cannot hold.
    Source:  the chat templates published with Meta-Llama-3-8B-Instruct, Llama-3.1-8B-Instruct,
             Llama-3.2-3B-Instruct and Llama-3.3-70B-Instruct; the latter three are given today's date.
    """
    messages = chat.messages
    turns: list[tuple[str, str]] = []
    if family is Family.LLAMA3:
        _check_plain(chat)
    else:
        system = messages[0].content if messages and messages[0].role == "system" else ""
        messages = messages[1:] if messages and messages[0].role == "system" else messages
        turns.append(("system", _system(system, today, has_tools=bool(chat.tools))))
        if chat.tools:
            turns.append(("user", _described(chat, messages)))
            messages = messages[1:]
    turns.extend((_header(message), _content(message)) for message in messages)
    if chat.is_continued:
        # The right end of an open message is where the answer goes on: its space is the caller's.
        turns[-1] = ("assistant", messages[-1].content.lstrip())
    parts: list[str] = []
    total = 0
    for role, content in turns:
        text, count = neutralise(content)
        total += count
        parts.append(f"<|start_header_id|>{role}<|end_header_id|>\n\n{text}<|eot_id|>")
    if chat.is_continued:
        parts[-1] = parts[-1].removesuffix("<|eot_id|>")
    else:
        parts.append("<|start_header_id|>assistant<|end_header_id|>\n\n")
    return Prompt("".join(parts), total)


def _check_plain(chat: Chat) -> None:
    """Refuse what plain Llama 3 has no form for. Raises: ChatUnsupported."""
    hint = "Llama 3's prompt format has no tools, that of Llama 3.1 and newer has (MODEL_PROMPT_FAMILY)"
    if chat.tools:
        raise ChatUnsupported(f"tools: {hint}", param="tools")
    for position, message in enumerate(chat.messages):
        if message.role == "tool":
            raise ChatUnsupported(f"messages[{position}].role: {hint}", param=f"messages[{position}].role")
        if message.call is not None:
            where = f"messages[{position}].tool_calls"
            raise ChatUnsupported(f"{where}: {hint}", param=where)


def _system(content: str, today: date, *, has_tools: bool) -> str:
    # The cut-off is in the templates of all three families, word for word.
    return (
        ("Environment: ipython\n" if has_tools else "")
        + "Cutting Knowledge Date: December 2023\n"
        + f"Today Date: {today.day:02} {_MONTHS[today.month - 1]} {today.year}\n\n"
        + content.strip()
    )


def _described(chat: Chat, messages: Sequence[Message]) -> str:
    """Write the tools and the first user message as one turn. Raises: ChatUnsupported."""
    if not messages or messages[0].role != "user":
        where = f"messages[{len(chat.messages) - len(messages)}].role"
        raise ChatUnsupported(
            f"{where}: with tools the first message, or the one behind the system's, must be the user's",
            param=where,
        )
    return (
        "Given the following functions, please respond with a JSON for a function call "
        "with its proper arguments that best answers the given prompt.\n\n"
        'Respond in the format {"name": function name, "parameters": '
        "dictionary of argument name and its value}.Do not use variables.\n\n"
        + "".join(_tool(tool) + "\n\n" for tool in chat.tools)
        + messages[0].content.strip()
    )


def _tool(tool: Tool) -> str:
    return _json(tool.described, "tools", indent=4)


def _header(message: Message) -> str:
    return "ipython" if message.role == "tool" else message.role


def _content(message: Message) -> str:
    if message.call is not None:
        arguments = _json(message.call.arguments, "messages")
        return f'{{"name": "{message.call.name}", "parameters": {arguments}}}'
    # The templates write a tool's answer as a JSON string: a text is "iterable" to them.
    return _json(message.content, "messages") if message.role == "tool" else message.content.strip()


def _json(value: Any, field: str, indent: int | None = None) -> str:
    """Write JSON as the templates' tojson does. Raises: ChatUnsupported naming a field nested too deeply."""
    try:
        return json.dumps(value, ensure_ascii=False, indent=indent)
    except RecursionError:
        raise ChatUnsupported(f"{field}: hold an object that is nested too deeply", param=field) from None
