"""How likely the tokens of an answer were, in OpenAI's words.

Knows tokens and OpenAI's two forms for them. Knows nothing of frames or the engine's wire.
"""

from collections.abc import Sequence
from typing import Any

from gateway.chat import Token

# What OpenAI writes for a token that has no log-probability worth telling.
UNLIKELY = -9999.0


class Pairing:
    """Give each token when its text is shown, where a text that may be a stop string is held back.

    Units: characters of the text.
    """

    def __init__(self) -> None:
        self._held: list[Token] = []
        self._start = 0
        self._shown = 0

    def feed(self, tokens: Sequence[Token], shown: int) -> list[Token]:
        """Take tokens that came and the number of characters that are shown now; give their tokens."""
        self._held.extend(tokens)
        self._shown += shown
        given = []
        for token in self._held:
            # A token inside a character has no text of its own: it goes with what is before it.
            if self._start > self._shown or (token.text and self._start == self._shown):
                break
            given.append(token)
            self._start += len(token.text)
        del self._held[: len(given)]
        return given


def chat_logprobs(tokens: Sequence[Token]) -> dict[str, Any]:
    """Write tokens as a chat's logprobs.

    Shape: the bytes of all tokens, joined, are the text; those of a character that several tokens
    make stand at its last one.
    """
    content = [{**_one(token), "top_logprobs": [*map(_one, token.top)]} for token in tokens]
    return {"content": content, "refusal": None}


def completion_logprobs(tokens: Sequence[Token], offset: int, *, has_top: bool) -> dict[str, Any]:
    """Write tokens as a completion's logprobs. Units: offset is the answer's characters before them."""
    offsets = []
    for token in tokens:
        offsets.append(offset)
        offset += len(token.text)
    return {
        "tokens": [token.text for token in tokens],
        "token_logprobs": [_logprob(token) for token in tokens],
        # The chosen token is in it, too, where it is not among the likeliest.
        "top_logprobs": [
            {one.text: _logprob(one) for one in (*token.top, token)} for token in tokens
        ] if has_top else None,
        "text_offset": offsets,
    }  # fmt: skip


def _one(token: Token) -> dict[str, Any]:
    return {"token": token.text, "logprob": _logprob(token), "bytes": list(token.text.encode())}


def _logprob(token: Token) -> float:
    return UNLIKELY if token.logprob is None else token.logprob
