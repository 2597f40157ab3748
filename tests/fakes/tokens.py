"""A tokenizer in the shape of Llama 3's: special tokens by their real ids, words and bytes elsewhere.

Knows:  Llama 3's special texts and ids, byte spans, characters spread over several tokens.
Knows nothing of: merges. An ordinary id is a checksum of its text, so ids compare but do not decode.
"""

import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

BEGIN_OF_TEXT = 128000
END_OF_TEXT = 128001
EOM = 128008
EOT = 128009
# End-of-generation set of Llama 3 Instruct's generation_config.json.
ENDS = frozenset({END_OF_TEXT, EOM, EOT})

_NAMED = {
    "<|begin_of_text|>": BEGIN_OF_TEXT,
    "<|end_of_text|>": END_OF_TEXT,
    "<|reserved_special_token_0|>": 128002,
    "<|reserved_special_token_1|>": 128003,
    "<|finetune_right_pad_id|>": 128004,
    "<|reserved_special_token_2|>": 128005,
    "<|start_header_id|>": 128006,
    "<|end_header_id|>": 128007,
    "<|eom_id|>": EOM,
    "<|eot_id|>": EOT,
    "<|python_tag|>": 128010,
}
SPECIAL = _NAMED | {f"<|reserved_special_token_{number}|>": 128008 + number for number in range(3, 248)}

_SPECIAL_TEXT = re.compile("|".join(re.escape(text) for text in SPECIAL))
# Words with their leading space, numbers of up to three digits, runs of newlines or blanks, single marks.
_PIECE = re.compile(r" ?[A-Za-z']+|[0-9]{1,3}|\n+|[ \t\r]+|(?s:.)")


@dataclass(frozen=True)
class Token:
    """One token: its id, the bytes it stands for, and whether it is a control token."""

    id: int
    raw: bytes
    special: bool = False

    @property
    def text(self) -> str:
        """The bytes as text, with U+FFFD for what is no whole character."""
        return self.raw.decode("utf-8", "replace")


@dataclass(frozen=True)
class Piece:
    """One entry of a tokenised text, with its span in UTF-8 bytes of that text."""

    token: Token
    text: str
    start: int
    stop: int


def _ordinary(text: str) -> Iterator[tuple[str, list[Token]]]:
    for found in _PIECE.finditer(text):
        piece = found.group()
        raw = piece.encode()
        if piece.isascii() and len(raw) > 1:
            # Below 256 are the bytes, from 128000 on the special tokens.
            yield piece, [Token(256 + zlib.crc32(raw) % 127_744, raw)]
        else:
            yield piece, [Token(byte, bytes([byte])) for byte in raw]


def spell(text: str) -> list[Token]:
    """The tokens of a text: special texts as control tokens, the rest as words and bytes."""
    return [piece.token for piece in encode(text, add_special_tokens=False)]


def single(text: str) -> Token:
    """One token that holds the whole text, whatever its length."""
    if text in SPECIAL:
        return Token(SPECIAL[text], text.encode(), special=True)
    raw = text.encode()
    return Token(raw[0] if len(raw) == 1 else 256 + zlib.crc32(raw) % 127_744, raw)


def encode(text: str, *, add_special_tokens: bool = True) -> list[Piece]:
    """Tokenise as TGI's router does.

    The automatic begin-of-text has no text and the span 0..0; a written one has its 17 bytes (tgi.md, 3).
    Every token of a split character carries the whole character's span.
    """
    pieces: list[Piece] = []
    if add_special_tokens:
        pieces.append(Piece(Token(BEGIN_OF_TEXT, b"<|begin_of_text|>", special=True), "", 0, 0))
    at = offset = 0
    while at < len(text):
        found = _SPECIAL_TEXT.search(text, at)
        until = found.start() if found else len(text)
        for piece, tokens in _ordinary(text[at:until]):
            stop = offset + len(piece.encode())
            pieces.extend(Piece(token, piece, offset, stop) for token in tokens)
            offset = stop
        at = until
        if found:
            written = found.group()
            stop = offset + len(written)
            pieces.append(Piece(single(written), written, offset, stop))
            at, offset = found.end(), stop
    return pieces
