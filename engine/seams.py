"""Where a text may be cut so that its pieces have the same tokens as the whole.

llama.cpp looks for each control token from behind every one that it has found already, to the end of the
text: its time grows with the square of their number. A text that is cut in front of control tokens costs as
much as its pieces do one by one.

Knows: which control tokens no other special token can overlap.
Knows nothing of: tokens' ids, the inner server.
"""

import re
from collections.abc import Sequence

from engine.gguf import Header

# Two of this form cannot overlap: each has its only `<` first and its only `>` last.
_PLAIN = re.compile(r"<\|[^<>|]+\|>")
# Pieces are at least this long: within one the square stays small, and a piece costs microseconds itself.
PIECE_CHARACTERS = 1024
# GGUF's kinds of tokens that are looked for before the text is split into words.
_UNKNOWN, _CONTROL, _USER_DEFINED = 2, 3, 4
# Llama 3's way to split text. Others may look at what stands before or behind a control token.
_LLAMA3 = frozenset({"llama-bpe", "llama3", "llama-v3"})


class Seams:
    """The control tokens of one vocabulary in front of which a text may be cut.

    A special token of another form that could overlap one of them (a suffix of one is a prefix of the other,
    or one holds the other) makes every cut doubtful; then there are no seams, and a text stays whole.
    """

    def __init__(self, texts: Sequence[str], kinds: Sequence[int]) -> None:
        special = {text: kind for text, kind in zip(texts, kinds, strict=False)
                   if kind in (_UNKNOWN, _CONTROL, _USER_DEFINED) and text}
        plain = {text for text in special if _PLAIN.fullmatch(text)}
        begins = {text[:size] for text in plain for size in range(1, len(text) + 1)}
        ends = {text[-size:] for text in plain for size in range(1, len(text) + 1)}
        everything = "\n".join(plain)
        is_doubtful = any(
            other in everything
            or any(text in other for text in plain)
            or any(other[:size] in ends or other[-size:] in begins for size in range(1, len(other) + 1))
            for other in special.keys() - plain
        )
        self._names = frozenset() if is_doubtful else frozenset(
            text for text in plain if special[text] == _CONTROL)

    @classmethod
    def of(cls, header: Header) -> "Seams":
        """Find the seams of a model; a model that is not tokenised as Llama 3 has none."""
        texts = header.strings("tokenizer.ggml.tokens")
        is_known = (header.text("tokenizer.ggml.model") == "gpt2"
                    and header.text("tokenizer.ggml.pre") in _LLAMA3
                    # An end that is added by itself would stand behind the first piece.
                    and not header.values.get("tokenizer.ggml.add_eos_token"))
        return cls(texts, header.integers("tokenizer.ggml.token_type")) if is_known else cls([], [])

    def cut(self, text: str) -> list[str]:
        """Cut a text in front of control tokens, in pieces no shorter than PIECE_CHARACTERS but the last."""
        pieces, start = [], 0
        while self._names and len(text) - start > PIECE_CHARACTERS:
            end = next((found.start() for found in _PLAIN.finditer(text, start + PIECE_CHARACTERS)
                        if found[0] in self._names), None)
            if end is None:
                break
            pieces.append(text[start:end])
            start = end
        return [*pieces, text[start:]]
