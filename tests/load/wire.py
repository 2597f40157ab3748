"""The bytes of a synthetic answer: TGI's events at their real size, made once.

Knows:  event and chunk framing, the text that a reader must end up with.
Knows nothing of: sockets, pace.
"""

import json
import random
from dataclasses import dataclass
from functools import cache
from itertools import islice

# One answer's longest length in tokens; the gateway asks for no more (tgi.md 1.3).
LONGEST = 1024
# Pieces of ordinary, quoted, broken and non-Latin text, as an answer has them.
_PIECES = (
    *(" the", " fox", " and", "ed", " grapes", ",", ".", " a", " vine", "ing", " high", " said", "\n\n"),
    *(' "sour"', " C:\\temp", "\t", " Ångström", " 漢字", "🦊", " </b>", " 42", " {", "}", "'s", " quick"),
)
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\n"
    b"x-compute-type: gpu+optimized\r\nx-accel-buffering: no\r\ntransfer-encoding: chunked\r\n\r\n"
)
END = b"0\r\n\r\n"


@dataclass(frozen=True)
class Answer:
    """One whole answer: a chunk for each token, and the text they make."""

    chunks: tuple[bytes, ...]
    text: str


@cache
def pieces() -> tuple[str, ...]:
    """The token texts of the longest answer; shorter ones are its beginning."""
    draw = random.Random(7)
    return tuple(draw.choice(_PIECES) for _ in range(LONGEST))


def expected_text(tokens: int) -> str:
    """What a reader of an answer of so many tokens has read."""
    return "".join(pieces()[:tokens])


def framed(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


@cache
def answer(tokens: int) -> Answer:
    """An answer that ends by length after so many tokens."""
    chunks = []
    for index, text in enumerate(islice(pieces(), tokens), start=1):
        is_last = index == tokens
        details = {"finish_reason": "length", "generated_tokens": tokens, "seed": None, "input_length": 24}
        event = {
            "index": index,
            "token": {"id": 9000 + index, "text": text, "logprob": -index / 7.0, "special": False},
            "generated_text": expected_text(tokens) if is_last else None,
            "details": details if is_last else None,
        }
        data = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
        chunks.append(framed(b"data: " + data + b"\n\n"))
    return Answer(tuple(chunks), expected_text(tokens))


def dechunk(body: bytes) -> bytes:
    """Undo chunked framing.

    Raises:  ValueError if a chunk is cut or the end is missing.
    """
    whole: list[bytes] = []
    at = 0
    while True:
        line = body.index(b"\r\n", at)
        size = int(body[at:line].split(b";")[0], 16)
        at = line + 2
        if size == 0:
            return b"".join(whole)
        part = body[at : at + size]
        if len(part) != size or body[at + size : at + size + 2] != b"\r\n":
            raise ValueError("a chunk is cut off")
        whole.append(part)
        at += size + 2


def read_events(body: bytes) -> list[dict[str, object]]:
    """The JSON events of an event stream; comments and [DONE] are left out."""
    found = []
    for block in body.split(b"\n\n"):
        for line in block.split(b"\n"):
            if line.startswith(b"data:") and (data := line[5:].strip()) != b"[DONE]":
                found.append(json.loads(data))
    return found


def text_of(event: dict[str, object]) -> str:
    """What one event adds to the text: of TGI's wire, llama.cpp's, or an OpenAI chunk.

    Raises:  ValueError for an error event.
    """
    if "error" in event:
        raise ValueError(f"an error in the stream: {event['error']}")
    match event:
        case {"token": {"text": str(text), "special": special}}:
            return "" if special else text
        case {"choices": [{"delta": {"content": str(text)}}]}:
            return text
        case {"content": str(text)}:
            return text
    return ""
