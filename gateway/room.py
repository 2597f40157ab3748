"""How many tokens the context leaves for an answer.

Knows bytes, tokens and a context's length. Knows nothing of engines beyond that one can count.
"""

from collections.abc import Awaitable, Callable
from typing import NamedTuple

from gateway.errors import PromptTooLong

# What a first part asks for where the caller names no limit: TGI's own chunk.
FIRST_PART_TOKENS = 1024

# Of a prompt that is far too long only a beginning is counted: to the last token it takes the engine and us
# seconds and hundreds of megabytes. English has 4 to 5 characters a token.
_CHARACTERS_PER_TOKEN = 8
_CUT_TOKENS = 16


class Room(NamedTuple):
    """What a context leaves. Units: tokens; prompt_tokens is None where nobody had to count."""

    tokens: int
    prompt_tokens: int | None


async def room_for(
    prompt: str,
    max_tokens: int | None,
    context: int,
    count: Callable[[str], Awaitable[int]],
    *,
    is_counted: bool = False,
) -> Room:
    """Find how many tokens an answer may have for sure: what was asked for, or a first part.

    With is_counted the prompt is counted in any case. All of it is counted once at most.

    Units: tokens. Raises: PromptTooLong, with exact counts unless they are more than twice the
    context; what count raises.
    """
    wanted = max_tokens or FIRST_PART_TOKENS
    # A token covers at least one byte, so most prompts are known to fit without being counted.
    if len(prompt.encode()) + 1 + wanted <= context:
        return Room(wanted, await count(prompt) if is_counted else None)
    length = context * _CHARACTERS_PER_TOKEN
    while length < len(prompt):
        # Where it is cut, a token may fall into several.
        if await count(prompt[:length]) > 2 * context + _CUT_TOKENS:
            raise PromptTooLong(
                f"the prompt has more than twice the {context} tokens that the context holds in all,"
                " answer included",
                param="messages",
            )
        length *= 2
    tokens = await count(prompt)
    if tokens + (max_tokens or 1) > context:
        asked = f" and {max_tokens} are asked for" if max_tokens else ""
        raise PromptTooLong(
            f"the prompt has {tokens} tokens{asked}; the context holds {context} in all, answer included",
            param="max_tokens" if max_tokens and tokens < context else "messages",
        )
    return Room(context - tokens, tokens)
