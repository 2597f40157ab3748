"""TGI's events as bytes, for tests that read them."""

import json
from typing import Any


def event(document: dict[str, Any], prefix: str = "data: ") -> bytes:
    """Write one event as TGI does: compact JSON, characters as UTF-8."""
    return (prefix + json.dumps(document, ensure_ascii=False, separators=(",", ":")) + "\n\n").encode()


def token(text: str, index: int = 1, *, special: bool = False, prefix: str = "data: ", **more: Any) -> bytes:
    """Write the event of a token that is not the last."""
    told = {"id": 5, "text": text, "logprob": -0.5, "special": special}
    return event({"index": index, "token": told, "generated_text": None, "details": None, **more}, prefix)


def final(
    text: str = "<|eot_id|>",
    index: int = 2,
    *,
    special: bool = True,
    reason: str = "eos_token",
    prompt_tokens: int = 11,
) -> bytes:
    """Write the last event, with the details that the gateway asks for."""
    counts = {"generated_tokens": index, "seed": None, "input_length": prompt_tokens}
    details = {"finish_reason": reason, **counts}
    return token(text, index, special=special, generated_text="whole", details=details)


def error(text: str, kind: str) -> bytes:
    """Write an error event."""
    return event({"error": text, "error_type": kind})
