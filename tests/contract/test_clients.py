"""The Python clients that TGI supports, against each target (tgi.md 7)."""

import asyncio
from typing import Any

import pytest
from huggingface_hub import InferenceClient
from huggingface_hub.errors import TextGenerationError
from huggingface_hub.errors import ValidationError as HubValidationError
from text_generation import AsyncClient
from text_generation.errors import OverloadedError
from text_generation.errors import ValidationError as ClientValidationError
from text_generation.types import Grammar, GrammarType

from tests.contract.target import Target
from tests.contract.wire import LIMIT_SECONDS


def client(target: Target) -> AsyncClient:
    """text-generation's client, with a limit that covers a whole stream."""
    return AsyncClient(f"http://127.0.0.1:{target.port}", timeout=int(LIMIT_SECONDS))


def hub(target: Target) -> InferenceClient:
    """The hub's client, pointed at one engine."""
    return InferenceClient(f"http://127.0.0.1:{target.port}", timeout=LIMIT_SECONDS)


def grammar(said: dict[str, Any]) -> Any:
    """The grammar of `say` in text-generation's own type."""
    given = said.get("grammar")
    return None if given is None else Grammar(type=GrammarType.Regex, value=given["value"])


async def test_text_generation_reads_a_whole_answer(target: Target) -> None:
    """generate returns text and details."""
    said = target.say("a fox")

    answer = await client(target).generate("hi", max_new_tokens=50, grammar=grammar(said))

    assert ("a fox", "eos_token") == (answer.generated_text, answer.details.finish_reason)
    assert answer.details.generated_tokens == len(answer.details.tokens)


async def test_text_generation_reads_a_stream(target: Target) -> None:
    """generate_stream yields every token, and the last has the text."""
    said = target.say("a fox")

    items = [
        item async for item in client(target).generate_stream("hi", max_new_tokens=50, grammar=grammar(said))
    ]

    assert "a fox" == "".join(item.token.text for item in items if not item.token.special)
    assert "a fox" == items[-1].generated_text
    assert items[-1].details is not None


async def test_text_generation_raises_its_own_errors(target: Target) -> None:
    """A refusal arrives as the class for its error type, whole and streamed."""
    words = "a " * (target.limits["max_total_tokens"] + 64)

    with pytest.raises(ClientValidationError, match="must be <="):
        await client(target).generate(words, max_new_tokens=1)
    with pytest.raises(ClientValidationError, match="must be <="):
        _ = [item async for item in client(target).generate_stream(words, max_new_tokens=1)]


@pytest.mark.needs("script")
async def test_text_generation_knows_overload(target: Target) -> None:
    """An overloaded engine is an OverloadedError, whole and streamed."""
    target.script.script(fault="overloaded", times=2)

    with pytest.raises(OverloadedError):
        await client(target).generate("hi")
    with pytest.raises(OverloadedError):
        _ = [item async for item in client(target).generate_stream("hi")]


async def test_the_hubs_client_reads_whole_and_streamed(target: Target) -> None:
    """text_generation with and without a stream."""

    def call(**how: Any) -> Any:
        said = target.say("a fox")
        return hub(target).text_generation("hi", max_new_tokens=50, return_full_text=False, **said, **how)

    whole = await asyncio.to_thread(call)
    detailed = await asyncio.to_thread(call, details=True)
    pieces = await asyncio.to_thread(lambda: list(call(stream=True)))

    assert "a fox" == whole == detailed.generated_text
    assert "eos_token" == detailed.details.finish_reason
    assert "a fox" == "".join(pieces).removesuffix("<|eot_id|>")


async def test_the_hubs_client_raises_its_own_errors(target: Target) -> None:
    """A refusal is a ValidationError of the hub's client."""
    with pytest.raises((HubValidationError, TextGenerationError)):
        await asyncio.to_thread(lambda: hub(target).text_generation("hi", temperature=0.0, max_new_tokens=1))
