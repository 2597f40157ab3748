"""Frames: how an answer is written on a stream, as ready-made bytes.

Each form implements generation.Form for one kind of caller. Token texts are spliced in as the JSON
the engine wrote. Knows wire forms. Knows nothing of logs, sockets or tickets.
"""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import orjson

from gateway.chat import Batch, Finish, Timings, Token, Usage
from gateway.errors import EngineError, PaddockError
from gateway.logprob import chat_logprobs, completion_logprobs
from gateway.order import Waiting
from gateway.schema import error_body
from gateway.tools import CallReader

DONE = b"data: [DONE]\n\n"
KEEP_ALIVE = "keep-alive"


class _Silent:
    """News while waiting, as comments: every SSE client skips them."""

    def waiting(self, news: Waiting) -> list[bytes]:
        left = f", about {news.estimate.likely:.0f} s" if news.estimate else ""
        return [f": place {news.place} of {news.backlog}{left}\n\n".encode()]

    def running(self) -> list[bytes]:
        return [b": running\n\n"]


class OpenAiForm:
    """Chunks of a chat completion or a completion.

    Shape: for chats one role delta first; a finish chunk; a usage chunk if asked for; [DONE]. Frames
    that one read brought are joined into one, unless they are to be split for readers who come back.
    Where the tokens of a batch have details, one chunk has their text and their logprobs. What calls
    reads as a call becomes tool_calls: a chunk with its name, then its arguments as they come.
    index is the choice's, where a chat has several.
    """

    def __init__(
        self,
        answer_id: str,
        created: int,
        model: str,
        request_id: str,
        *,
        is_chat: bool,
        includes_usage: bool = False,
        shows_progress: bool = False,
        is_split: bool = False,
        calls: CallReader | None = None,
        has_top: bool = False,
        index: int = 0,
    ) -> None:
        self._request_id = request_id
        self._index = index
        self._is_chat = is_chat
        self._includes_usage = includes_usage
        self._shows_progress = shows_progress
        self._is_split = is_split
        self._calls = calls
        self._has_top = has_top
        self._shown = 0
        self._silent = _Silent()
        self._is_open = not is_chat
        self._head: dict[str, Any] = {
            "id": answer_id,
            "object": "chat.completion.chunk" if is_chat else "text_completion",
            "created": created,
            "model": model,
        }
        # OpenAI: with include_usage every chunk has the field, null in all but the last.
        self._tail: dict[str, Any] = {"usage": None} if includes_usage else {}
        mark = "\ufffe"
        whole = self._chunk({"content": mark} if is_chat else mark)
        self._before, self._after = whole.split(orjson.dumps(mark), 1)
        self._between = self._after + self._before

    def waiting(self, news: Waiting) -> list[bytes]:
        if not self._shows_progress:
            return self._silent.waiting(news)
        return _progress({"state": "waiting", **asdict(news)})

    def running(self) -> list[bytes]:
        return _progress({"state": "running"}) if self._shows_progress else self._silent.running()

    def deltas(self, batch: Batch) -> list[bytes]:
        if batch.details is not None:
            return self._detailed(batch.text, batch.details)
        if self._calls is not None:
            return self._called(self._calls, batch.text)
        deltas = batch.deltas
        if b'""' in deltas:
            deltas = _shown(batch)
        if not deltas:
            return []
        if self._is_split:
            frames = [self._before + delta + self._after for delta in deltas]
        else:
            frames = [self._before + self._between.join(deltas) + self._after]
        if not self._is_open:
            self._is_open = True
            frames.insert(0, self._chunk({"role": "assistant", "content": ""}))
        return frames

    def _detailed(self, text: str, tokens: Sequence[Token]) -> list[bytes]:
        """Write a text with its tokens' log-probabilities."""
        if not text and not tokens:
            return []
        told = told_logprobs(tokens, self._shown, is_chat=self._is_chat, has_top=self._has_top)
        self._shown += sum(len(token.text) for token in tokens)
        return [*self._opened(), self._chunk({"content": text} if self._is_chat else text, logprobs=told)]

    def _called(self, calls: CallReader, text: str) -> list[bytes]:
        """Write what is a text as one, and what is a call as one."""
        is_named = calls.name is not None
        shown, arguments = calls.feed(text)
        frames = []
        if shown:
            frames += [*self._opened(), self._chunk({"content": shown})]
        if calls.name is not None and not is_named:
            frames += [*self._opened(None), self._chunk({"tool_calls": [{"index": 0, **called(calls, "")}]})]
        if arguments:
            frames.append(
                self._chunk({"tool_calls": [{"index": 0, "function": {"arguments": arguments}}]})
            )
        return frames

    def _opened(self, content: str | None = "") -> list[bytes]:
        """Give the role, once."""
        if self._is_open:
            return []
        self._is_open = True
        return [self._chunk({"role": "assistant", "content": content})]

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        return [*self.ended(finish), *self.closed(usage, timings)]

    def begun(self) -> list[bytes]:
        """Write the role before anything is known of the answer."""
        return self._opened("" if self._calls is None else None)

    def ended(self, finish: Finish) -> list[bytes]:
        """Write the end of this choice."""
        frames = []
        if self._calls is not None and (rest := self._calls.rest()):
            frames += [*self._opened(), self._chunk({"content": rest})]
        frames += self._opened()  # an answer without text still has its role
        return [*frames, self._chunk({} if self._is_chat else "", finish)]

    def closed(self, usage: Usage, timings: Timings) -> list[bytes]:
        """Write the end of the stream, behind that of every choice."""
        frames = []
        if self._includes_usage:
            told = {**self._head, "choices": [], "usage": usage_body(usage), "timings": timings}
            frames.append(b"data: " + orjson.dumps(told) + b"\n\n")
        return [*frames, DONE]

    def failed(self, error: PaddockError) -> list[bytes]:
        return [b"data: " + error_body(error, self._request_id) + b"\n\n"]

    def _chunk(self, content: Any, finish: Finish | None = None, logprobs: Any = None) -> bytes:
        field = "delta" if self._is_chat else "text"
        choice = {"index": self._index, field: content, "logprobs": logprobs, "finish_reason": finish}
        return b"data: " + orjson.dumps({**self._head, "choices": [choice], **self._tail}) + b"\n\n"


class QuestionForm(_Silent):
    """GET /completion/{question}: {"text": …} events, then a named end.

    The end event carries an id, so that an EventSource that connects again sends it as
    Last-Event-ID and can be told to stop, instead of asking the same question for ever.
    """

    END_ID = "end"

    def __init__(self, request_id: str) -> None:
        self._request_id = request_id

    def deltas(self, batch: Batch) -> list[bytes]:
        return [b'data: {"text": ' + delta + b"}\n\n" for delta in _shown(batch)]

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        told = orjson.dumps({"finish_reason": finish, "usage": usage_body(usage)})
        return [f"event: end\nid: {self.END_ID}\ndata: ".encode() + told + b"\n\n"]

    def failed(self, error: PaddockError) -> list[bytes]:
        body = error_body(error, self._request_id)
        return [f"id: {self.END_ID}\ndata: ".encode() + body + b"\n\n"]


class NativeForm(_Silent):
    """TGI's own events, byte for byte; its errors in its own shape."""

    def deltas(self, batch: Batch) -> list[bytes]:
        return [batch.raw] if batch.raw else []

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        return []

    def failed(self, error: PaddockError) -> list[bytes]:
        return [b"data: " + native_error(error) + b"\n\n"]


class WholeForm:
    """No frames: the answer is collected and given in one piece, a call by the reader it is read with."""

    def __init__(self, calls: CallReader | None = None) -> None:
        self.calls = calls
        self.tokens: list[Token] = []
        self._pieces: list[str] = []
        self.finish = Finish.STOP
        self.usage = Usage(0, 0)

    @property
    def text(self) -> str:
        """Give the text so far."""
        return "".join(self._pieces)

    def waiting(self, news: Waiting) -> list[bytes]:
        return []

    def running(self) -> list[bytes]:
        return []

    def deltas(self, batch: Batch) -> list[bytes]:
        self._pieces.append(batch.text if self.calls is None else self.calls.feed(batch.text)[0])
        self.tokens.extend(batch.details or ())
        return []

    def finished(self, finish: Finish, usage: Usage, timings: Timings) -> list[bytes]:
        self.finish, self.usage = finish, usage
        if self.calls is not None:
            self._pieces.append(self.calls.rest())
        return []

    def failed(self, error: PaddockError) -> list[bytes]:
        return []


# TGI has four words for an error; ours map to the nearest, and keep their own HTTP status.
_NATIVE_TYPES = {"engine_rejected": "validation", "engine_cut_off": "incomplete_generation_stream"}


def native_error(error: PaddockError) -> bytes:
    """Write an error in TGI's shape."""
    if isinstance(error, EngineError):
        kind = _NATIVE_TYPES.get(
            error.code, "overloaded" if error.code == "engine_overloaded" else "generation"
        )
    else:
        kind = "validation" if error.status < 500 else "generation"
        if error.status in (429, 503):
            kind = "overloaded"
    return orjson.dumps({"error": error.message, "error_type": kind})


def called(calls: CallReader, arguments: str) -> dict[str, Any]:
    """Write a call in OpenAI's words."""
    function = {"name": calls.name, "arguments": arguments}
    return {"id": calls.identity, "type": "function", "function": function}


def told_logprobs(
    tokens: Sequence[Token], offset: int, *, is_chat: bool, has_top: bool
) -> dict[str, Any]:
    """Write logprobs in the route's form. Units: offset is the characters before the tokens."""
    if is_chat:
        return chat_logprobs(tokens)
    return completion_logprobs(tokens, offset, has_top=has_top)


def _shown(batch: Batch) -> list[bytes]:
    """Give the deltas that have a text: a token inside a character has none."""
    deltas = batch.deltas
    return [delta for delta in deltas if delta != b'""'] if b'""' in deltas else deltas


def usage_body(usage: Usage) -> dict[str, int]:
    """Write usage in OpenAI's words."""
    return {
        "prompt_tokens": usage.prompt_tokens,
        "completion_tokens": usage.completion_tokens,
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }


def _progress(news: dict[str, Any]) -> list[bytes]:
    return [b"event: progress\ndata: " + orjson.dumps(news) + b"\n\n"]
