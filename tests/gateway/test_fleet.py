"""Several engines, and engines that sleep, load or failed behind a supervisor."""

import asyncio
import contextlib
import json
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Any

import pytest

from tests.fakes.double import ThreadDouble
from tests.fakes.settings import Settings as DoubleSettings
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat, content_of, error_of, frames_of, streaming

StartDouble = Callable[..., ThreadDouble]


class Supervisor:
    """A control surface that says what a test wants, on 127.0.0.1; starts are counted."""

    def __init__(self) -> None:
        self.state: dict[str, Any] = {"phase": "ready", "reason": None, "model": "m"}
        self.starts = 0
        self.port = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer every request on a connection."""
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                if head.startswith(b"POST /start"):
                    self.starts += 1
                body = json.dumps(self.state).encode()
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))
        writer.close()


@pytest.fixture
async def supervisor() -> AsyncIterator[Supervisor]:
    """A supervisor that listens."""
    one = Supervisor()
    server = await asyncio.start_server(one.talk, "127.0.0.1", 0)
    one.port = server.sockets[0].getsockname()[1]
    yield one
    server.close()


async def test_two_engines_share_the_work(serve: Serve, start_tgi_double: StartDouble) -> None:
    """Twice the slots, and chats at once go to both."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles), slots=2)
    await served.until(lambda: served.gateway.fleet.online == 2)
    for double in doubles:
        for _ in range(2):
            double.script(reply="one two", fault="stall", after=1)
    assert 4 == served.gateway.admission.open_slots
    tasks = [
        asyncio.create_task(served.client.post(CHAT, json=chat(f"question {number}", stream=True)))
        for number in range(4)
    ]
    await served.until(lambda: served.gateway.admission.running == 4)
    await served.until(lambda: [2, 2] == [one.running for one in served.gateway.fleet.replicas])
    for double in doubles:
        streams = partial(double.seen, "/generate_stream")
        await served.until(lambda seen=streams: 3 == sum(one.events >= 1 for one in seen()))  # type: ignore[misc]
    for double in doubles:
        double.release()

    assert {"one two"} == {content_of(frames_of((await task).text)) for task in tasks}
    assert [2, 2] == sorted(
        sum(seen.path == "/generate_stream" for seen in double.seen()) - 1 for double in doubles
    )


async def test_a_prefix_goes_where_it_is_cached(serve: Serve, start_tgi_double: StartDouble) -> None:
    """The same beginning, one at a time: the same engine every time."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles))
    await served.until(lambda: served.gateway.fleet.online == 2)
    for _ in range(6):
        assert 200 == (await served.client.post(CHAT, json=chat("the same question"))).status_code
        await served.until_idle()

    assert [0, 6] == sorted(
        sum(seen.path == "/generate_stream" for seen in double.seen()) - 1 for double in doubles
    )


async def test_a_dead_engine_is_left_out(serve: Serve, start_tgi_double: StartDouble) -> None:
    """A chat that finds it dead goes to the other, and so do those after it."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles))
    await served.until(lambda: served.gateway.fleet.online == 2)
    doubles[0].die()
    answers = [await served.client.post(CHAT, json=chat(f"question {number}")) for number in range(12)]

    assert [200] * 12 == [answer.status_code for answer in answers]
    assert 1 == served.gateway.fleet.online


async def test_a_sleeping_engine_is_woken_and_waited_for(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """The chat sees the phases in its stream, then its answer."""
    supervisor.state = {"phase": "stopped", "reason": "idle", "model": "m"}
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.phase == "stopped")
    async with streaming(served.client, chat("good morning"), paddock_progress="1") as stream:
        first = (await stream.next()).json
        await served.until(lambda: supervisor.starts >= 1)
        supervisor.state = {
            "phase": "loading",
            "reason": "shard 1 of 1",
            "estimate_seconds": 12.5,
            "model": "m",
        }
        async with asyncio.timeout(LIMIT_SECONDS):
            while (news := (await stream.next()).json)["phase"] != "loading":
                pass
        supervisor.state = {"phase": "ready", "reason": None, "model": "m"}
        rest = await stream.rest()

    assert ("waiting", 1, "stopped") == (first["state"], first["place"], first["phase"])
    assert ("shard 1 of 1", 12.5) == (news["reason"], news["ready_seconds"])
    assert "good morning" == content_of([frame for frame in rest if not frame.event])


async def test_a_deadline_before_a_load_is_over_is_refused_at_arrival(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """By the supervisor's estimate; who can wait for as long waits."""
    supervisor.state = {"phase": "loading", "reason": None, "estimate_seconds": 40.0, "model": "m"}
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.will_serve)
    refused = await served.client.post(CHAT, json=chat(), headers={"x-deadline-ms": "30000"})
    waits = asyncio.create_task(
        served.client.post(CHAT, json=chat("patient"), headers={"x-deadline-ms": "60000"})
    )
    await served.until(lambda: served.gateway.admission.waiting == 1)
    supervisor.state = {"phase": "ready", "reason": None, "model": "m"}

    assert (503, "deadline_unmet", "10") == (
        refused.status_code, refused.json()["error"]["code"], refused.headers["retry-after"],
    )  # fmt: skip
    assert "patient" == (await waits).json()["choices"][0]["message"]["content"]


async def test_a_failed_engine_refuses_at_once_with_its_reason(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """New chats, and those that were waiting for it."""
    supervisor.state = {"phase": "loading", "reason": None, "model": "m"}
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.will_serve)
    async with streaming(served.client, chat(), paddock_progress="1") as stream:
        await stream.next()
        reason = "the GPU has too little memory; lower MAX_TOTAL_TOKENS"
        supervisor.state = {"phase": "failed", "reason": reason, "cause": "out_of_memory", "model": "m"}
        rest = await stream.rest()
    refused = await served.client.post(CHAT, json=chat())
    ready = await served.client.get("/ready")

    assert "engine_down" == error_of(rest)["code"]
    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])
    assert reason in refused.json()["error"]["message"]
    assert (503, reason) == (ready.status_code, ready.json()["reason"])
    assert "out_of_memory" == ready.json()["cause"]
    assert "out_of_memory" == (await served.client.get("/stats")).json()["cause"]
    page = (await served.client.get("/metrics")).text
    (name,) = (one.name for one in served.gateway.fleet.replicas)
    assert f'paddock_replica_failed{{cause="out_of_memory",replica="{name}"}} 1.0' in page


async def test_without_a_supervisor_a_dead_engine_refuses_at_once(serve: Serve) -> None:
    """Nobody says that it is on the way."""
    served = await serve(waits=False, url="http://127.0.0.1:9")
    refused = await served.client.post(CHAT, json=chat())

    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])


# Every start is proven


async def test_an_engine_that_was_swapped_between_two_looks_shows_what_it_can_first(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """Another model on the same address within milliseconds: no chat before its proof."""
    served = await serve()
    assert 200 == (await served.client.post(CHAT, json=chat())).status_code
    tgi_double.die()
    other = ThreadDouble(DoubleSettings(model_id="other/llama"), port=tgi_double.port)
    try:
        other.listen()
        answer = await served.client.post(CHAT, json=chat("who are you"))
        seen = [(one.path, one.inputs if one.body else "") for one in other.seen()]
    finally:
        other.close()

    assert 200 == answer.status_code
    chats = [at for at, (_, inputs) in enumerate(seen) if "who are you" in inputs]
    assert ["/tokenize", "/generate_stream"] == [path for path, _ in seen[: chats[0]] if path[1] in "tg"]
    assert "other/llama" == served.records()[-1]["model"]


async def test_another_model_behind_the_same_connection_is_found_at_the_next_look(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """As behind a proxy, where no connection tells."""
    tgi_double.settle(model_id="other/llama", max_total_tokens=4096, max_input_tokens=4095)
    served.gateway.fleet._look_now.set()
    fleet = served.gateway.fleet
    await served.until(lambda: fleet.model == "other/llama" and fleet.online > 0)

    assert 4096 == served.gateway.fleet.shown.max_total_tokens
    assert 2 == sum(one.parameters["max_new_tokens"] == 1 for one in tgi_double.seen("/generate_stream"))


@pytest.mark.parametrize(
    ("told", "stop_set", "sent"),
    [
        (None, "unknown", ["<|eot_id|>", "<|eom_id|>"]),
        (["<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"], "own", []),
        (["<|end_of_text|>"], "sent", ["<|eot_id|>", "<|eom_id|>"]),
    ],
)
async def test_what_the_engine_does_not_stop_at_by_itself_is_sent(
    serve: Serve,
    tgi_double: ThreadDouble,
    supervisor: Supervisor,
    told: list[str] | None,
    stop_set: str,
    sent: list[str],
) -> None:
    """By the model's files, as the supervisor read them; the proof's result is told everywhere."""
    if told is not None:
        supervisor.state["stop_tokens"] = {
            "texts": told, "source": "generation_config.json", "is_chat": True,
        }  # fmt: skip
    served = await serve(engine_control_port=supervisor.port)
    await served.client.post(CHAT, json=chat("hello there"))
    asked = tgi_double.seen("/generate_stream")[-1]
    ready, stats = [(await served.client.get(path)).json() for path in ("/ready", "/stats")]
    page = (await served.client.get("/metrics")).text
    name = served.gateway.fleet.shown.name

    assert sent == asked.parameters.get("stop", [])
    assert (stop_set, stop_set) == (ready["stop_set"], stats["stop_set"])
    assert (stop_set, sent) == (stats["engines"][0]["stop_set"], stats["engines"][0]["sent_ends"])
    assert f'paddock_replica_stop_set{{replica="{name}",result="{stop_set}"}} 1.0' in page


async def test_a_base_model_is_refused_for_chat(
    serve: Serve, tgi_double: ThreadDouble, supervisor: Supervisor
) -> None:
    """Loudly: 503 with the reason, a failed phase, a cause for the alert."""
    supervisor.state["stop_tokens"] = {
        "texts": ["<|end_of_text|>"], "source": "generation_config.json", "is_chat": False,
    }  # fmt: skip
    served = await serve(waits=False, engine_control_port=supervisor.port)
    await served.until(lambda: served.gateway.fleet.shown.phase == "failed")
    refused = await served.client.post(CHAT, json=chat())
    ready = (await served.client.get("/ready")).json()

    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])
    assert "a base model" in refused.json()["error"]["message"]
    assert ("failed", "wrong_model") == (ready["phase"], ready["cause"])


# Engines that fail


async def test_an_engine_that_fails_chat_after_chat_is_tried_with_one_token(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Three failures, then a token of ours before the next chat."""
    tgi_double.script(fault="generation", times=3)
    failed = [(await served.client.post(CHAT, json=chat())).status_code for _ in range(3)]
    answer = await served.client.post(CHAT, json=chat("after that"))
    tries = [one.parameters["max_new_tokens"] == 1 for one in tgi_double.seen("/generate_stream")]

    assert ([502] * 3, 200) == (failed, answer.status_code)
    assert [True, False, False, False, True, False] == tries
    assert 1 == served.gateway.fleet.shown.breaker.opened


async def test_a_try_that_fails_leaves_the_engine_alone_for_a_while(
    served: Served, tgi_double: ThreadDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Chats are refused at once with the time of the next try, and served after one that is good."""
    # Long enough for three questions on a busy machine.
    monkeypatch.setattr("gateway.breaker.FIRST_PAUSE_SECONDS", 3.0)
    tgi_double.script(fault="generation", times=4)
    for _ in range(3):
        await served.client.post(CHAT, json=chat())
    replica = served.gateway.fleet.shown
    await served.until(lambda: replica.breaker.opened == 2)
    refused = await served.client.post(CHAT, json=chat())
    stats = (await served.client.get("/stats")).json()
    page = (await served.client.get("/metrics")).text
    await served.until_ready()

    assert (503, True) == (refused.status_code, 1 <= int(refused.headers["retry-after"]) <= 3)
    assert "chats failed in a row (engine_failed)" in refused.json()["error"]["message"]
    assert "open" == stats["engines"][0]["breaker"]
    assert f'paddock_replica_breaker{{replica="{replica.name}",state="open"}} 1.0' in page
    assert 200 == (await served.client.post(CHAT, json=chat())).status_code


async def test_what_is_the_caller_s_fault_does_not_count_against_an_engine(
    served: Served, tgi_double: ThreadDouble
) -> None:
    """Nor does an engine that others have filled."""
    tgi_double.script(status=422, body="Failed to deserialize", times=4)
    tgi_double.script(fault="overloaded", times=4)
    statuses = [(await served.client.post(CHAT, json=chat())).status_code for _ in range(8)]

    assert [422] * 4 + [503] * 4 == statuses
    assert (0, True) == (served.gateway.fleet.shown.breaker.opened, served.gateway.fleet.shown.is_ready)


async def test_an_engine_that_falls_silent_is_taken_out_with_all_its_chats(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """Long before each chat's own limit: an error frame each, connections closed, and a token before more."""
    # Longer than a busy machine takes for the first tokens of all three.
    served = await serve(stall_limit_seconds=1.0)
    tgi_double.script(reply="one two three", fault="stall", after=1, times=3)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(served.client.post(CHAT, json=chat(stream=True))) for _ in range(3)]
    ends = [error_of(frames_of(task.result().text)) for task in tasks]
    await served.until_ready()
    page = (await served.client.get("/metrics")).text
    replica = served.gateway.fleet.shown

    assert ["engine_timeout"] * 3 == [end["code"] for end in ends]
    assert "the engine stalled" in ends[0]["message"]
    assert f'paddock_replica_stalls_total{{replica="{replica.name}"}} 1.0' in page
    assert 'paddock_engine_errors_total{code="engine_timeout"} 3.0' in page
    assert 3 == sum(one.disconnected_at is not None for one in tgi_double.seen("/generate_stream"))
    assert 200 == (await served.client.post(CHAT, json=chat())).status_code


async def test_a_chat_that_a_full_engine_refused_goes_to_the_other(
    serve: Serve, start_tgi_double: StartDouble
) -> None:
    """Once; a retry is counted. Beyond the budget the caller is told what the engine said."""
    doubles = [start_tgi_double(), start_tgi_double()]
    served = await serve(url=",".join(double.url for double in doubles))
    fleet = served.gateway.fleet
    await served.until(lambda: fleet.online == 2)
    full = doubles[0].url.removeprefix("http://")
    fleet.route = lambda ready, _: min(ready, key=lambda one: one.name != full)
    doubles[0].script(fault="overloaded", times=None)
    answer = await served.client.post(CHAT, json=chat())
    fleet.retries.left = 0.0
    refused = await served.client.post(CHAT, json=chat())
    page = (await served.client.get("/metrics")).text

    assert (200, 503) == (answer.status_code, refused.status_code)
    assert "engine_overloaded" == refused.json()["error"]["code"]
    assert 'paddock_retries_total{result="retried"} 1.0' in page
    assert 'paddock_retries_total{result="over_budget"} 1.0' in page


# Where engines are


async def test_each_address_of_a_name_is_an_engine(
    serve: Serve, tgi_double: ThreadDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As Compose scales a service: a new address is taken in, one that is gone is dropped."""
    addresses = ["127.0.0.1"]

    async def resolve(host: str, port: int, **_: Any) -> list[tuple[Any, ...]]:
        assert "engines" == host
        return [(0, 0, 0, "", (address, port)) for address in addresses]

    monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", resolve)
    served = await serve(url=f"http://engines:{tgi_double.port}")
    fleet = served.gateway.fleet
    answered = await served.client.post(CHAT, json=chat())
    addresses.append("127.0.0.2")
    fleet._look_now.set()
    await served.until(lambda: len(fleet.replicas) == 2)
    both = [one.name for one in fleet.replicas]
    slots = served.gateway.admission.open_slots
    addresses.pop()
    fleet._look_now.set()
    await served.until(lambda: len(fleet.replicas) == 1)

    assert 200 == answered.status_code
    assert [f"127.0.0.1:{tgi_double.port}", f"127.0.0.2:{tgi_double.port}"] == sorted(both)
    assert (8, 1) == (slots, fleet.online)


async def test_an_engine_that_takes_no_connection_is_given_up_within_the_connect_limit(serve: Serve) -> None:
    """Its host is there and drops what comes, as behind a firewall."""
    with contextlib.ExitStack() as stack:
        deaf = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        port = deaf.getsockname()[1]
        for _ in range(4):  # what the kernel would still take
            filling = stack.enter_context(socket.socket())
            filling.setblocking(False)
            filling.connect_ex(("127.0.0.1", port))
        served = await serve(waits=False, url=f"http://127.0.0.1:{port}", connect_limit_seconds=0.1)
        await served.until(lambda: "no connection in time" in (served.gateway.fleet.shown.reason or ""))
        refused = await served.client.post(CHAT, json=chat())

    assert (503, "engine_down") == (refused.status_code, refused.json()["error"]["code"])
    assert "no connection in time" in refused.json()["error"]["message"]


async def test_a_deadline_that_cannot_be_met_is_refused_at_arrival(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """By the measured pace of the queue; nothing reaches the engine. One that can be met waits."""
    served = await serve(slots=1, backlog_limit=16)
    tgi_double.script(reply="one two three", delay_seconds=0.02, times=8)
    await asyncio.gather(*(served.client.post(CHAT, json=chat()) for _ in range(8)))
    tgi_double.script(reply="one two", fault="stall", after=1)
    tasks = [asyncio.create_task(served.client.post(CHAT, json=chat())) for _ in range(6)]
    await served.until(lambda: served.gateway.admission.waiting == 5)
    asked = len(tgi_double.seen("/generate_stream"))
    refused = await served.client.post(CHAT, json=chat(), headers={"x-deadline-ms": "1"})
    seen = len(tgi_double.seen("/generate_stream"))
    in_time = {"x-deadline-ms": "60000"}
    tasks.append(asyncio.create_task(served.client.post(CHAT, json=chat(), headers=in_time)))
    await served.until(lambda: served.gateway.admission.waiting == 6)
    await tgi_double.until_seen(lambda one: one.generated >= 1 and one.ended_at is None)
    tgi_double.release()

    error = refused.json()["error"]
    assert (503, "deadline_unmet") == (refused.status_code, error["code"])
    assert int(refused.headers["retry-after"]) == error["retry_after_seconds"] >= 1
    assert asked == seen
    assert [200] * 7 == [(await task).status_code for task in tasks]
