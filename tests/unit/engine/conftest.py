"""What the tests of the engine's life share: a scripted inner server and an application before it."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest

from engine.app import App
from engine.inference import Inference
from engine.metrics import Metrics
from engine.request import Limits
from engine.slots import Slots
from tests.unit.engine.client import Call
from tests.unit.engine.inner import VOCABULARY, Inner, running_inner


@dataclass
class Engine:
    """An application with one slot and two permits."""

    app: App
    inner: Inner
    inference: Inference

    def post(self, path: str, inputs: str = "hello", stream: bool = False, **parameters: Any) -> Call:
        """Send a request."""
        body: dict[str, Any] = {"inputs": inputs, "parameters": parameters}
        return Call(self.app, "POST", path, body | ({"stream": True} if stream else {}))

    def metric(self, name: str) -> str | None:
        """Read one line of the metrics page."""
        for line in self.inference.metrics.page().splitlines():
            if line.startswith(name + " "):
                return line.removeprefix(name + " ")
        return None


@pytest.fixture
async def engine() -> AsyncIterator[Engine]:
    """An engine whose model is the test."""
    async with running_inner() as (inner, server):
        limits = Limits(64)
        inference = Inference(server, VOCABULARY, limits, Slots(1), 2, Metrics(63, 64))
        yield Engine(App(inference, {"model_id": "m"}, keep_alive_seconds=0.05), inner, inference)
