"""What is held against an engine: one failure a chat, however many answers it has, and no misfit."""

import asyncio
import contextlib
import socket
from collections import Counter
from typing import Any, cast

import pytest

from gateway.errors import EngineFailed, EngineTimeout, PaddockError
from gateway.generation import Generation
from gateway.replica import Replica
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat

JSON = {"type": "json_object"}


class Failing:
    """An answer that its engine fails as soon as it is asked."""

    heard_at: float | None = None

    def __init__(self, whole: object) -> None:
        self.whole = whole

    def end(self, _: EngineTimeout) -> None:
        """Do nothing."""

    async def answer(self, _: Replica) -> None:
        """Fail. Raises: EngineFailed."""
        raise EngineFailed("CUDA error")


async def test_several_answers_to_one_chat_fail_it_once(served: Served) -> None:
    """Eight answers to two chats open nothing; a third chat's does."""
    opened = []
    for whole in ("first", "second", "third"):
        for _ in range(4):
            with contextlib.suppress(PaddockError):
                await served.gateway.fleet.serve(Failing(whole), 10, "", 1.0)
        opened.append(served.gateway.fleet.replicas[0].breaker.opened)

    assert [0, 0, 1] == opened


async def test_all_generations_of_one_chat_name_the_same_whole(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """And those of another chat another, whatever ids their callers give them."""
    tgi_double.script(reply="one two", fault="stall", after=1, times=3)
    same = {"x-request-id": "same"}
    bodies = [chat(n=count, stream=True) for count in (2, 1)]
    tasks = [asyncio.create_task(served.client.post(CHAT, json=body, headers=same)) for body in bodies]
    replica = served.gateway.fleet.shown
    await served.until(lambda: replica.running == 3)
    await served.until(lambda: 3 == sum(one.events == 1 for one in tgi_double.seen("/generate_stream")[1:]))
    wholes = Counter(cast(Generation, one).whole for one in replica.chats)
    tgi_double.release()
    for task in tasks:
        assert 200 == (await task).status_code

    assert [1, 2] == sorted(wholes.values())


async def test_an_answer_of_the_wrong_form_is_not_held_against_its_engine(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """However often: the engine wrote it whole. Its callers are told."""
    tgi_double.script(reply="[1, 2]", times=5)
    answers = [await served.client.post(CHAT, json=chat(response_format=JSON)) for _ in range(5)]

    assert {(502, "engine_failed")} == {
        (answer.status_code, answer.json()["error"]["code"]) for answer in answers
    }
    assert "not the JSON" in answers[0].json()["error"]["message"]
    assert (0, True) == (served.gateway.fleet.shown.breaker.opened, served.gateway.fleet.shown.is_ready)


@pytest.mark.parametrize(
    ("more", "counts"), [({}, 0), ({"stop": "#"}, 1), ({"max_tokens": 8_000, "stop": "#"}, 1),
                         ({"max_tokens": 8_000}, 1)]
)  # fmt: skip
async def test_a_prompt_is_counted_once(
    served: Served, tgi_double: ThreadDouble, more: dict[str, Any], counts: int
) -> None:
    """For the room it leaves and for its usage alike; and only where either needs it."""
    text = "word " * 150
    before = len(tgi_double.seen("/tokenize"))
    answer = await served.client.post(CHAT, json=chat(text, **more))

    assert 200 == answer.status_code
    assert counts == len(tgi_double.seen("/tokenize")) - before


async def test_chats_that_fail_at_once_are_each_a_failure(served: Served, tgi_double: ThreadDouble) -> None:
    """Three of them open the breaker, as three one after the other do."""
    tgi_double.script(fault="generation", times=3)
    answers = await asyncio.gather(*(served.client.post(CHAT, json=chat(str(n))) for n in range(3)))

    assert [502] * 3 == [answer.status_code for answer in answers]
    assert 1 == served.gateway.fleet.shown.breaker.opened


async def test_a_supervisor_that_hangs_stops_no_chat(serve: Serve, tgi_double: ThreadDouble) -> None:
    """It takes connections and says nothing; the engine's own health is enough, and /stats says so."""
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        served = await serve(engine_control_port=deaf.getsockname()[1])
        answers = [await served.client.post(CHAT, json=chat()) for _ in range(2)]
        (engine,) = (await served.client.get("/stats")).json()["engines"]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert "ready" == engine["phase"]
    assert "no answer from the supervisor" in engine["supervisor_problem"]
