"""Fifty chats at once: more than run together, so most of them wait, and none is lost."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from itertools import chain

from tests.contract.wire import LIMIT_SECONDS, Reply, ask, events
from tests.fakes.double import SeenRequest, ThreadDouble
from tests.live.stack import Stack, gateway

CHATS = 50
SLOTS = 8
DONE = "data: [DONE]\n\n"


def said(number: int) -> str:
    """A text that no other chat has, with characters of one to four bytes and what JSON escapes."""
    return f'Chat {number}: "fóx" and 漢字 of 🦊 {number * number}.\n\n```\n\\{number}\n```'


def chat(port: int, content: str) -> Reply:
    """One streamed chat, read to its end."""
    body = {
        "messages": [{"role": "user", "content": content}],
        "temperature": 0,
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    return ask(port, "POST", "/v1/chat/completions", body)


def text_of(reply: Reply) -> str:
    """The text of a stream that ended as it should."""
    body = reply.body.decode()
    assert (200, True) == (reply.status, body.endswith(DONE)), body[-500:]
    chunks = [json.loads(line[6:]) for line in body.splitlines() if line.startswith("data: {")]
    assert [] == [chunk for chunk in chunks if "error" in chunk]
    assert 1 == sum(1 for chunk in chunks for choice in chunk["choices"] if choice["finish_reason"])
    return "".join(choice["delta"].get("content", "") for chunk in chunks for choice in chunk["choices"])


def uncommented(body: bytes) -> bytes:
    """A stream without the comments that told of places in the queue."""
    return b"".join(block + b"\n\n" for block in body.split(b"\n\n")[:-1] if not block.startswith(b":"))


def at_once(count: int) -> ThreadPoolExecutor:
    """As many threads as chats."""
    return ThreadPoolExecutor(max_workers=count)


def test_fifty_chats_keep_their_texts_and_the_slots_their_bound(tgi_double: ThreadDouble) -> None:
    """Every answer has its own bytes, never more than the slots run, and those that wait see their place."""
    # Those that run first hold their slots until everybody else waits.
    tgi_double.script(fault="stall", after=1, times=SLOTS, match="Chat ")
    texts = [said(number) for number in range(CHATS)]

    with gateway(tgi_double.port, GATEWAY_SLOTS=str(SLOTS)) as stack, at_once(CHATS) as pool:
        chats = [pool.submit(chat, stack.port, text) for text in texts]
        wait_until(lambda: waiting(stack.port) == CHATS - SLOTS)
        wait_until(lambda: len([seen for seen in tgi_double.seen("/generate_stream") if held(seen)]) == SLOTS)
        tgi_double.release()
        replies = [one.result() for one in chats]

    assert texts == [text_of(reply) for reply in replies]
    runs = [seen for seen in tgi_double.seen("/generate_stream") if "Chat " in seen.inputs]
    assert CHATS == len(runs)
    assert SLOTS == most_at_once([(run.started_at, run.ended_at or 0.0) for run in runs])
    assert CHATS - SLOTS == sum(b": place " in reply.body for reply in replies)


def waiting(port: int) -> int:
    """How many chats have a place in the queue."""
    backlog: int = ask(port, "GET", "/stats").document["backlog"]
    return backlog


def held(seen: SeenRequest) -> bool:
    """Whether the double sent the first token of a chat and holds the rest back."""
    return "Chat " in seen.inputs and seen.events == 1 and seen.ended_at is None


def wait_until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so, up to a limit that only a failure reaches."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def most_at_once(spans: list[tuple[float, float]]) -> int:
    """The largest number of spans that overlap; one that ends as another begins does not."""
    steps = sorted(chain.from_iterable(((start, 1), (end, -1)) for start, end in spans))
    running = most = 0
    for _, change in steps:
        running += change
        most = max(most, running)
    return most


def test_fifty_generations_of_the_real_engine_keep_their_texts(stack: Stack) -> None:
    """Each is held to a text of its own by a grammar, so every byte of a real model's stream is known."""
    texts = [f"Chat {number} of fifty says fox {number * number}" for number in range(CHATS)]

    def generate(text: str) -> Reply:
        parameters = {"grammar": {"type": "regex", "value": text}, "max_new_tokens": 100, "details": True}
        return ask(stack.port, "POST", "/generate_stream", {"inputs": "hi", "parameters": parameters})

    with at_once(CHATS) as pool:
        streams = [events(uncommented(reply.body)) for reply in pool.map(generate, texts)]

    assert texts == [got[-1]["generated_text"] for got in streams]
    assert texts == ["".join(e["token"]["text"] for e in got if not e["token"]["special"]) for got in streams]
    assert {"eos_token"} == {got[-1]["details"]["finish_reason"] for got in streams}


def test_fifty_chats_of_the_real_engine_all_end_well(stack: Stack) -> None:
    """The same question fifty times, streamed: every stream is whole, and idle is idle again afterwards."""
    with at_once(CHATS) as pool:
        replies = list(pool.map(lambda _: chat(stack.port, "What is the capital of France?"), range(CHATS)))

    assert [] == [text for text in map(text_of, replies) if not text.strip()]
    stats = ask(stack.port, "GET", "/stats").document
    assert (0, 0) == (stats["running"], stats["backlog"])
