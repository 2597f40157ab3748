"""An engine that a test drives by hand: no network, no time."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import orjson

from gateway.chat import Batch, Final, Finish
from gateway.errors import EngineError
from gateway.tgi import Info, Native, TokenSpan

Step = Batch | EngineError | Exception


def text(*texts: str) -> Batch:
    """Make a batch of tokens."""
    return Batch([orjson.dumps(one) for one in texts], len(texts))


def last(tokens: int = 1, finish: Finish = Finish.STOP) -> Batch:
    """Make the batch of an end of turn."""
    return Batch([], 1, Final(finish, tokens, 11))


class FakeTgi:
    """Stands in for tgi.Tgi: answers are what a test put into steps, and closing is seen."""

    def __init__(self, url: str = "http://engine:80") -> None:
        self.url = url
        self.steps: asyncio.Queue[Step] = asyncio.Queue()
        self.asked: list[bytes] = []
        self.counts: dict[int, int] = {}
        self.closed = 0
        self.health: int | EngineError = 200
        self.told_info: Info | EngineError = Info("llama", 8192)
        self.spans = [
            TokenSpan(128000, "", 0, 0),
            TokenSpan(128006, "<|start_header_id|>", 0, 19),
            TokenSpan(882, "user", 19, 23),
            TokenSpan(128007, "<|end_header_id|>", 23, 40),
            TokenSpan(128009, "<|eot_id|>", 44, 54),
            TokenSpan(128008, "<|eom_id|>", 54, 64),
            TokenSpan(128001, "<|end_of_text|>", 64, 79),
        ]

    def say(self, *steps: Step) -> None:
        """Let the engine send these, in order."""
        for step in steps:
            self.steps.put_nowait(step)

    async def generate(
        self,
        body: bytes,
        give: Callable[[Batch], bool],
        headers: Mapping[str, str] | None = None,
        *,
        is_detailed: bool = False,
    ) -> None:
        """Give what was said, until the final batch or until it is enough."""
        self.asked.append(body)
        try:
            while True:
                step = await self.steps.get()
                if isinstance(step, Exception):
                    raise step
                if not give(step) or step.final is not None:
                    return
        finally:
            self.closed += 1

    async def forward(self, method: str, path: str, *_: Any) -> Native:
        """Answer a health check."""
        if isinstance(self.health, Exception):
            raise self.health
        return Native(self.health, {}, b"")

    async def tokenize(self, prompt: str) -> list[TokenSpan]:
        """Give the spans."""
        return self.spans

    async def count(self, prompt: str) -> int:
        """Count the spans, or what a test put for a text of some length."""
        return self.counts.get(len(prompt), len(self.spans))

    async def info(self) -> Info:
        """Describe the model."""
        if isinstance(self.told_info, Exception):
            raise self.told_info
        return self.told_info

    def close(self) -> None:
        """Do nothing."""
