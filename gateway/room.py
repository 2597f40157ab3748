"""How many tokens the context leaves for an answer.

Knows bytes, tokens and a context's length. Knows nothing of engines beyond that one can count.
"""

from collections.abc import Awaitable, Callable

from gateway.errors import PromptTooLong

# What a first part asks for where the caller names no limit: TGI's own chunk.
FIRST_PART_TOKENS = 1024


async def room_for(
    prompt: str, max_tokens: int | None, context: int, count: Callable[[str], Awaitable[int]]
) -> int:
    """Find how many tokens an answer may have for sure: what was asked for, or a first part.

    Units: tokens. Raises: PromptTooLong with exact counts; what count raises.
    """
    wanted = max_tokens or FIRST_PART_TOKENS
    # A token covers at least one byte, so most prompts are known to fit without being counted.
    if len(prompt.encode()) + 1 + wanted <= context:
        return wanted
    tokens = await count(prompt)
    if tokens + (max_tokens or 1) > context:
        asked = f" and {max_tokens} are asked for" if max_tokens else ""
        raise PromptTooLong(
            f"the prompt has {tokens} tokens{asked}; the context holds {context} in all, answer included",
            param="max_tokens" if max_tokens and tokens < context else "messages",
        )
    return context - tokens
