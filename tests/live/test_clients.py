"""Clients that people already have, against a running gateway and engine."""

import asyncio
from typing import Any

import openai
import pytest
from huggingface_hub import InferenceClient
from text_generation import AsyncClient
from text_generation.errors import ValidationError as ClientValidationError

from tests.contract.wire import LIMIT_SECONDS, ask
from tests.live.stack import Stack

QUESTION = "What is the story about the fox and the grapes?"
MESSAGES: list[Any] = [{"role": "user", "content": QUESTION}]
PROMPT = (
    f"<|start_header_id|>user<|end_header_id|>\n\n{QUESTION}<|eot_id|>"
    "<|start_header_id|>assistant<|end_header_id|>\n\n"
)


@pytest.fixture
def sdk(stack: Stack) -> openai.OpenAI:
    """The official SDK, told to try only once so that errors are seen as they are."""
    return openai.OpenAI(base_url=f"{stack.url}/v1", api_key="none", max_retries=0, timeout=LIMIT_SECONDS)


def model(stack: Stack) -> str:
    """The name of the model that runs."""
    name: str = ask(stack.engine_port, "GET", "/info").document["model_id"]
    return name


def test_openai_reads_a_whole_chat(stack: Stack, sdk: openai.OpenAI) -> None:
    """Text, finish, usage and model, as the SDK types them."""
    answer = sdk.chat.completions.create(model=model(stack), messages=MESSAGES, temperature=0, max_tokens=200)

    (choice,) = answer.choices
    assert "grapes" in (choice.message.content or "")
    assert ("assistant", "stop", model(stack)) == (choice.message.role, choice.finish_reason, answer.model)
    assert answer.usage is not None
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens > 20


def test_openai_reads_a_streamed_chat(stack: Stack, sdk: openai.OpenAI) -> None:
    """The same text in pieces, one finish, and the usage in a last chunk without choices."""
    whole = sdk.chat.completions.create(model=model(stack), messages=MESSAGES, temperature=0, max_tokens=200)

    chunks = list(
        sdk.chat.completions.create(
            model=model(stack),
            messages=MESSAGES,
            temperature=0,
            max_tokens=200,
            stream=True,
            stream_options={"include_usage": True},
        )
    )

    pieces = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    finishes = [c.choices[0].finish_reason for c in chunks if c.choices and c.choices[0].finish_reason]
    assert whole.choices[0].message.content == "".join(pieces)
    assert len(pieces) > 20
    assert ["stop"] == finishes
    assert ([], whole.usage) == (chunks[-1].choices, chunks[-1].usage)
    assert 1 == len({chunk.id for chunk in chunks})


def test_openai_can_leave_a_stream(stack: Stack, sdk: openai.OpenAI) -> None:
    """A client that stops reading frees its slot: the next chat is served."""
    story: list[Any] = [{"role": "user", "content": "Tell me a story about a brave little owl."}]
    with sdk.chat.completions.create(model=model(stack), messages=story, stream=True) as stream:
        next(iter(stream))

    answer = sdk.chat.completions.create(model=model(stack), messages=MESSAGES, max_tokens=5)

    assert "length" == answer.choices[0].finish_reason


def test_openai_completes_a_prompt(stack: Stack, sdk: openai.OpenAI) -> None:
    """/v1/completions, whole and streamed."""
    how: dict[str, Any] = {"model": model(stack), "prompt": PROMPT, "temperature": 0, "max_tokens": 200}

    whole = sdk.completions.create(**how)
    pieces = [chunk.choices[0].text for chunk in sdk.completions.create(**how, stream=True) if chunk.choices]

    assert "grapes" in whole.choices[0].text
    assert whole.choices[0].text == "".join(pieces)


def test_openai_completes_several_prompts(stack: Stack, sdk: openai.OpenAI) -> None:
    """Each as it is completed alone, in their order; the streamed pieces by their index."""
    prompts = [PROMPT, PROMPT.replace("grapes", "crow")]
    how: dict[str, Any] = {"model": model(stack), "temperature": 0, "max_tokens": 60}

    whole = sdk.completions.create(**how, prompt=prompts)
    alone = [sdk.completions.create(**how, prompt=prompt) for prompt in prompts]
    texts = ["", ""]
    for chunk in sdk.completions.create(**how, prompt=prompts, stream=True):
        for choice in chunk.choices:
            texts[choice.index] += choice.text

    assert [one.choices[0].text for one in alone] == [one.text for one in whole.choices] == texts
    assert whole.usage is not None
    assert whole.usage.prompt_tokens == sum(one.usage.prompt_tokens for one in alone if one.usage)


def test_openai_lists_the_model(stack: Stack, sdk: openai.OpenAI) -> None:
    """One model, found by its name, that says how long its context is."""
    (listed,) = sdk.models.list().data

    assert model(stack) == listed.id == sdk.models.retrieve(listed.id).id
    assert listed.model_extra is not None
    assert listed.model_extra["ready"]
    assert listed.model_extra["context_window"] > 0


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "gpt-unknown"}, openai.NotFoundError),
        ({"messages": []}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "wizard", "content": "x"}]}, openai.UnprocessableEntityError),
        ({"temperature": 9}, openai.UnprocessableEntityError),
        ({"messages": [{"role": "user", "content": "word " * 20_000}]}, openai.BadRequestError),
    ],
    ids=["model", "no messages", "role", "temperature", "too long"],
)
@pytest.mark.parametrize("stream", [False, True])
def test_openai_raises_the_right_error(
    stack: Stack, sdk: openai.OpenAI, change: dict[str, Any], error: type[openai.APIStatusError], stream: bool
) -> None:
    """A refusal has its honest status and the one envelope, streamed or not."""
    request: dict[str, Any] = {"model": model(stack), "messages": MESSAGES, "stream": stream} | change

    with pytest.raises(error) as caught:
        sdk.chat.completions.create(**request)

    assert isinstance(caught.value.body, dict)
    assert {
        "message",
        "type",
        "code",
        "param",
        "retry_after_seconds",
        "request_id",
    } == caught.value.body.keys()


async def test_text_generation_reads_whole_and_streamed(stack: Stack) -> None:
    """The TGI client works unchanged on the gateway's address."""
    client = AsyncClient(stack.url, timeout=int(LIMIT_SECONDS))

    whole = await client.generate(PROMPT, max_new_tokens=200)
    items = [item async for item in client.generate_stream(PROMPT, max_new_tokens=200)]

    assert "grapes" in whole.generated_text
    assert whole.generated_text == "".join(item.token.text for item in items if not item.token.special)
    assert whole.generated_text == items[-1].generated_text


async def test_text_generation_raises_its_own_errors(stack: Stack) -> None:
    """A prompt that is too long is the client's ValidationError."""
    client = AsyncClient(stack.url, timeout=int(LIMIT_SECONDS))

    with pytest.raises(ClientValidationError):
        await client.generate("word " * 20_000, max_new_tokens=1)


async def test_the_hubs_client_generates_text(stack: Stack) -> None:
    """huggingface_hub's text_generation, whole and streamed."""
    client = InferenceClient(stack.url, timeout=LIMIT_SECONDS)

    def call(**how: Any) -> Any:
        return client.text_generation(PROMPT, max_new_tokens=200, return_full_text=False, **how)

    whole = await asyncio.to_thread(call)
    pieces = await asyncio.to_thread(lambda: list(call(stream=True)))

    assert "grapes" in whole
    assert whole == "".join(pieces).removesuffix("<|eot_id|>")


async def test_the_hubs_client_chats(stack: Stack) -> None:
    """huggingface_hub's chat_completion, whole and streamed."""
    client = InferenceClient(base_url=f"{stack.url}/v1", timeout=LIMIT_SECONDS)
    name = model(stack)

    def call(**how: Any) -> Any:
        return client.chat_completion(MESSAGES, model=name, max_tokens=200, temperature=0.0, **how)

    whole = await asyncio.to_thread(call)
    chunks = await asyncio.to_thread(lambda: list(call(stream=True)))

    text = whole.choices[0].message.content
    assert "grapes" in text
    assert text == "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
