"""The model's vocabulary: the bytes of every token, and which tokens are control tokens.

llama.cpp reports the tokens of one character as one event with the last id only; the bytes
of the vocabulary bring the others back (see split).

Knows: the two ways GGUF writes tokens (byte-level BPE, SentencePiece) and its token types.
Knows nothing of: generation, HTTP.
"""

from collections.abc import Sequence

from engine.gguf import Header
from engine.seams import Seams

_UNKNOWN, _CONTROL, _USER_DEFINED, _BYTE = 2, 3, 4, 6


def _bpe_alphabet() -> dict[str, int]:
    """Map the characters of byte-level BPE back to the bytes they stand for.

    Source: GPT-2's convention: printable Latin-1 stands for itself, the other bytes for U+0100 and up.
    """
    plain = [*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)]
    others = [byte for byte in range(256) if byte not in set(plain)]
    alphabet = {chr(byte): byte for byte in plain}
    alphabet.update({chr(0x100 + place): byte for place, byte in enumerate(others)})
    return alphabet


# llama.cpp ends an answer at these whatever the metadata says, by their names (its list is longer).
_ENDS = ("<|eot_id|>", "<|eom_id|>", "<|end_of_text|>")


def end_texts(header: Header) -> list[str]:
    """List the tokens at which llama.cpp ends an answer: those that Llama 3 has, and the declared ones."""
    texts = header.strings("tokenizer.ggml.tokens")
    ids = (header.integer(f"tokenizer.ggml.{name}_token_id") for name in ("eos", "eot", "eom"))
    declared = [texts[one] for one in ids if one is not None and 0 <= one < len(texts)]
    return sorted({*declared, *(name for name in _ENDS if name in texts)})


class Vocabulary:
    """Token texts and kinds of one model, and where its tokenizer lets a text be cut."""

    def __init__(
        self, texts: Sequence[str], kinds: Sequence[int], is_bpe: bool, seams: Seams | None = None
    ) -> None:
        self.seams = seams or Seams([], [])
        self._texts = texts
        self._kinds = kinds
        self._is_bpe = is_bpe
        self._alphabet = _bpe_alphabet() if is_bpe else {}
        self.control = frozenset(i for i, kind in enumerate(kinds) if kind == _CONTROL)
        self._bytes: dict[int, bytes] = {}
        # Only tokens that leave a character unfinished can hide, but a hidden run may begin with any of them.
        self._ids = {self._spell(i): i for i in range(len(texts)) if i not in self.control}

    @classmethod
    def of(cls, header: Header) -> "Vocabulary":
        """Take the vocabulary out of a GGUF header."""
        texts = header.strings("tokenizer.ggml.tokens")
        kinds = header.integers("tokenizer.ggml.token_type") or [1] * len(texts)
        return cls(texts, kinds, header.text("tokenizer.ggml.model") == "gpt2", Seams.of(header))

    def __len__(self) -> int:
        return len(self._texts)

    def name(self, token: int) -> str:
        """Give a token's text as the vocabulary writes it, control tokens included."""
        return self._texts[token] if 0 <= token < len(self._texts) else ""

    def bytes_of(self, token: int) -> bytes:
        """Give the bytes a token adds to a text; a control token gives those of its name."""
        known = self._bytes.get(token)
        if known is None:
            known = self._bytes[token] = self._spell(token)
        return known

    def text_of(self, token: int) -> str:
        """Give one token's text on its own, with U+FFFD for bytes that are no whole character."""
        return self.bytes_of(token).decode("utf-8", "replace")

    def split(self, data: bytes, count: int) -> list[int] | None:
        """Find tokens, `count` of them, whose bytes join to `data`; None where there are none.

        Where several ways exist the one with the longest first tokens is taken: byte-level BPE merges
        from the left within a character.
        """
        if count == 0:
            return None if data else []
        for size in range(len(data) - count + 1, 0, -1):
            token = self._ids.get(data[:size])
            if token is not None:
                rest = self.split(data[size:], count - 1)
                if rest is not None:
                    return [token, *rest]
        return None

    def _spell(self, token: int) -> bytes:
        text = self.name(token)
        kind = self._kinds[token] if 0 <= token < len(self._kinds) else _UNKNOWN
        if kind in (_CONTROL, _USER_DEFINED, _UNKNOWN):
            return text.encode()
        if kind == _BYTE and len(text) == 6 and text.startswith("<0x"):
            return bytes([int(text[3:5], 16)])
        if self._is_bpe:
            try:
                return bytes([self._alphabet[character] for character in text])
            except KeyError:
                return text.encode()
        return text.replace("\u2581", " ").encode()
