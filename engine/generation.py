"""Turns llama.cpp's events into TGI's token steps, and decides when and why a generation ends.

Knows: TGI's order of ends (length, end of sequence, stop text), its text rule for unfinished characters,
how llama.cpp reports tokens.
Knows nothing of: HTTP, queues, time.

Decision tree for each token:
1. it is number `limit`: finish `length`;
2. llama.cpp ends the sequence with it: finish `eos_token`;
3. the text so far ends in a stop text: finish `stop_sequence`;
4. otherwise the generation goes on.
"""

import math
import re
from dataclasses import dataclass, field
from typing import Any, Literal

from engine.errors import GenerationFailed
from engine.vocabulary import Vocabulary

Reason = Literal["length", "eos_token", "stop_sequence"]

# llama.cpp shows the tokens of one character together, when the last has come. Asking it for three more
# than wanted (a character has four bytes) lets the tokens of a cut character be seen, and ends there.
LOOKAHEAD_TOKENS = 3

# TGI searches stop texts in a buffer that it cuts to 200 characters when it grows beyond 300.
_BUFFER_LIMIT, _BUFFER_KEPT = 300, 200

# What a text decoded with replacement ends in while its last character is unfinished.
_UNFINISHED = "\ufffd"


@dataclass(frozen=True, slots=True)
class Token:
    """One token of the answer. logprob is None where llama.cpp does not tell it (see Decoder)."""

    id: int
    text: str
    logprob: float | None
    special: bool


@dataclass(frozen=True, slots=True)
class Finish:
    """Why a generation ended, and its whole text.

    The text is empty where the generation ended inside a character, as in TGI.
    """

    reason: Reason
    text: str
    tokens: int


@dataclass(frozen=True, slots=True)
class Step:
    """One token event. index counts from 1; finish is set on the last one only."""

    index: int
    token: Token
    top: list[Token]
    finish: Finish | None


@dataclass(slots=True)
class Decoder:
    """Reads the events of one generation. reading -> finished.

    Deliberate divergence: llama.cpp gives the log-probability of the last token of a character only, so
    the tokens before it, whose ids come from the vocabulary, have None and no top tokens.
    """

    vocabulary: Vocabulary
    limit: int
    stop: tuple[str, ...] = ()
    top_n: int = 0
    finish: Finish | None = None
    needs_replay: bool = False
    _ids: list[int] = field(default_factory=list)
    _predicted: int = 0
    _pending: bytes = b""
    _texts: list[str] = field(default_factory=list)
    _buffer: str = ""
    _held: tuple[int, float | None, list[Token]] | None = None
    _steps: list[Step] = field(default_factory=list)
    _patterns: list[re.Pattern[str]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._patterns = [re.compile(re.escape(text) + "$") for text in self.stop]

    def feed(self, event: dict[str, Any]) -> list[Step]:
        """Take one event of the inner server and give the token steps it completes.

        Raises: GenerationFailed where the event is an error, or the sequence ends without a last token.
        """
        self._steps = []
        if self.finish is None:
            if "error" in event:
                raise GenerationFailed(str(event["error"].get("message", event["error"])))
            if event.get("stop"):
                self._end(event.get("stop_type") == "eos", event.get("tokens_predicted", 0))
            elif event.get("tokens") and "prompt_progress" not in event:
                self._take(event)
        return self._steps

    def _take(self, event: dict[str, Any]) -> None:
        token = event["tokens"][-1]
        chances = event["completion_probabilities"][-1]
        hidden = event["tokens_predicted"] - self._predicted - 1
        self._predicted = event["tokens_predicted"]
        self._release_held()
        if hidden > 0:
            shown = bytes(chances["bytes"])
            own = b"" if token in self.vocabulary.control else self.vocabulary.bytes_of(token)
            for earlier in self.vocabulary.split(shown[: len(shown) - len(own)], hidden) or []:
                self._emit(earlier, None, [], special=False, is_last=False)
        logprob, top = _logprob(chances), self._top(chances)
        # A control token adds no text. It may be one that ends the sequence, which the next event tells.
        if token in self.vocabulary.control or not chances["bytes"]:
            if len(self._ids) + 1 >= self.limit:
                self._emit(token, logprob, top, special=True, is_last=False)
            else:
                self._held = (token, logprob, top)
        else:
            self._emit(token, logprob, top, special=False, is_last=False)

    def replay(self, answer: dict[str, Any]) -> list[Step]:
        """Take the same generation again, in one piece, for tokens whose character never became whole.

        Raises: GenerationFailed where it is not the same, or has no last token either.
        """
        self._steps, self.needs_replay = [], False
        tokens, known = answer["tokens"], len(self._ids)
        if tokens[:known] != self._ids:
            raise GenerationFailed("an unfinished character could not be read")
        is_sequence_end = answer.get("stop_type") == "eos"
        for place, chances in list(enumerate(answer["completion_probabilities"]))[known : len(tokens)]:
            special = tokens[place] in self.vocabulary.control
            is_last = is_sequence_end and place == len(tokens) - 1
            self._emit(tokens[place], _logprob(chances), self._top(chances), special=special, is_last=is_last)
        if self.finish is None:
            raise GenerationFailed("the inference server ended the text without a last token")
        return self._steps

    def _end(self, is_sequence_end: bool, predicted: int) -> None:
        if self._held is not None:
            token, logprob, top = self._held
            self._held = None
            self._emit(token, logprob, top, special=True, is_last=is_sequence_end)
        if self.finish is None:
            if predicted <= len(self._ids):
                raise GenerationFailed("the inference server ended the text without a last token")
            self.needs_replay = True

    def _release_held(self) -> None:
        if self._held is not None:
            token, logprob, top = self._held
            self._held = None
            self._emit(token, logprob, top, special=True, is_last=False)

    def _emit(
        self, token: int, logprob: float | None, top: list[Token], *, special: bool, is_last: bool
    ) -> None:
        if self.finish is not None:
            return
        self._ids.append(token)
        count = len(self._ids)
        text = self.vocabulary.name(token) if special else self._decode(token)
        if not special:
            self._texts.append(text)
        reason = self._reason(text, is_last)
        if reason is not None:
            whole = "" if self._pending else "".join(self._texts)
            self.finish = Finish(reason, whole, count)
        self._steps.append(Step(count, Token(token, text, logprob, special), top, self.finish))

    def _decode(self, token: int) -> str:
        data = self._pending + self.vocabulary.bytes_of(token)
        text = data.decode("utf-8", "replace")
        if text.endswith(_UNFINISHED):
            self._pending = data
            return ""
        self._pending = b""
        return text

    def _reason(self, text: str, is_last: bool) -> Reason | None:
        if len(self._ids) >= self.limit:  # 1
            return "length"
        if is_last:  # 2
            return "eos_token"
        if self._patterns:  # 3
            self._buffer += text
            if len(self._buffer) > _BUFFER_LIMIT:
                self._buffer = self._buffer[-_BUFFER_KEPT:]
            if any(pattern.search(self._buffer) for pattern in self._patterns):
                return "stop_sequence"
        return None  # 4

    def _top(self, chances: dict[str, Any]) -> list[Token]:
        if not self.top_n:
            return []
        listed = chances.get("top_logprobs") or chances.get("top_probs") or []
        return [self._alternative(chance) for chance in listed[: self.top_n]]

    def _alternative(self, chance: dict[str, Any]) -> Token:
        token = chance["id"]
        special = token in self.vocabulary.control
        text = self.vocabulary.name(token) if special else self.vocabulary.text_of(token)
        return Token(token, text, _logprob(chance), special)


def _logprob(chance: dict[str, Any]) -> float | None:
    if "logprob" in chance:
        return float(chance["logprob"])
    probability = chance["prob"]
    return math.log(probability) if probability > 0.0 else None
