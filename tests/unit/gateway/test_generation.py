"""A chat's life: who wins on an open stream, and that exactly one record is left, without text."""

import asyncio
import io
import json
from typing import Any, cast

import pytest

from gateway.admission import Admission, State, Ticket
from gateway.chat import Outcome, Sampling
from gateway.control import Phase
from gateway.errors import (
    BacklogFull,
    Draining,
    EngineCutOff,
    EngineDown,
    EngineError,
    EngineFailed,
    EngineTimeout,
    EngineUnreachable,
)
from gateway.fleet import Fleet
from gateway.gauges import Now
from gateway.generation import Generation
from gateway.house import House
from gateway.metrics import Metrics
from gateway.order import Caller, Order
from gateway.pace import Pace
from gateway.record import Ledger
from gateway.relay import Generations
from gateway.sse import DONE, OpenAiForm
from gateway.streams import Log, OpenLog
from gateway.tgi import Limits, Tgi
from tests.unit.gateway.clock import Clock
from tests.unit.gateway.engine import FakeTgi, last, text
from tests.unit.gateway.filelog import FileLog

LIMIT_SECONDS = 10.0
DRAINING = Draining("the server stopped", retry_after_seconds=5)


class Stand:
    """A house with one slot over an engine driven by hand."""

    def __init__(
        self,
        *,
        slots: int = 1,
        wait_seconds: float = 60.0,
        total_seconds: float = 60.0,
        open_log: OpenLog = Log,
    ) -> None:
        self.clock = Clock()
        self.tgi = FakeTgi()
        self.out = io.BytesIO()
        self.admission = Admission(slots, 8, 10**9, self.clock)
        self.fleet = Fleet(["http://engine:80"], None, Limits(1, 1, 1), self.clock)
        (self.replica,) = self.fleet.replicas
        self.replica.tgi = cast(Tgi, self.tgi)
        self.replica.model, self.replica.max_total_tokens = "llama", 8192
        self.replica.enter(Phase.READY, None)
        self.house = House(
            admission=self.admission,
            fleet=self.fleet,
            # Nothing is scraped here, so the gauges have nothing to show.
            ledger=Ledger(Metrics(lambda: cast(Now, None), tuple(Outcome)), self.out),
            pace=Pace(self.clock),
            clock=self.clock,
            wait_limit_seconds=wait_seconds,
            total_limit_seconds=total_seconds,
            resume_grace_seconds=60.0,
            open_log=open_log,
        )
        self.generations = Generations(self.house)

    def order(self, **more: Any) -> Order:
        """Make an order."""
        form = OpenAiForm("id", 0, "llama", "req-1", is_chat=True)
        settings = {"sampling": Sampling(), "room": 100, "prompt": "private question", **more}
        return Order("req-1", "/v1/chat/completions", Caller("address 1"), 50, form, **settings)

    def start(self, **more: Any) -> Generation:
        """Start a chat with one reader."""
        generation = self.generations.stream(self.order(**more))
        generation.join()
        return generation

    def records(self) -> list[dict[str, Any]]:
        """Give the records so far."""
        return [json.loads(line) for line in self.out.getvalue().splitlines()]

    def record(self) -> dict[str, Any]:
        """Give the one record that there must be; no text is in it."""
        (record,) = self.records()
        assert b"private" not in self.out.getvalue()
        return record

    def is_free(self) -> bool:
        """Say whether nobody holds anything."""
        return (0, 0, 0, 0) == (
            self.admission.running, self.admission.waiting, self.replica.running, self.replica.outstanding,
        )  # fmt: skip


async def frames(generation: Generation) -> bytes:
    """Read a generation's log to its end."""
    async with asyncio.timeout(LIMIT_SECONDS):
        return b"".join([frame async for frame in generation.log.read()])


async def turns(count: int = 5) -> None:
    """Let other tasks run."""
    for _ in range(count):
        await asyncio.sleep(0)


async def first_text(generation: Generation) -> None:
    """Wait for the first frame."""
    came = asyncio.Event()
    with generation.log.followed(came.set):
        async with asyncio.timeout(LIMIT_SECONDS):
            while generation.log.length == 0:
                await came.wait()


async def test_a_chat_knows_nothing_of_where_its_frames_are() -> None:
    """On disk they are the same, and whoever comes back finds them."""
    told = []
    for open_log in (Log, FileLog):
        stand = Stand(open_log=open_log)
        stand.tgi.say(text("private", " answer"), last())
        generation = stand.start(is_resumable=True)
        told.append((await frames(generation), b"".join(generation.log.since(2))))
        await generation.over()
        assert open_log is type(generation.log)

    assert told[0] == told[1]
    assert told[0][0].endswith(told[0][1])


async def test_a_final_event_finishes() -> None:
    """Finish and [DONE]; the engine's end is its own."""
    stand = Stand()
    stand.tgi.say(text("private", " answer"), last())
    generation = stand.start()
    told = await frames(generation)
    await generation.over()

    assert told.endswith(DONE)
    assert (None, False) == (generation.error, generation.failed_first)
    expected = {
        "outcome": "finished", "code": None, "finish": "stop", "model": "llama", "prompt_tokens": 11,
        "completion_tokens": 3, "is_streamed": True, "request_id": "req-1",
    }  # fmt: skip
    record = stand.record()
    assert expected == {key: record[key] for key in expected}
    assert stand.is_free()


async def test_a_caller_that_leaves_cancels() -> None:
    """Nothing more is written, the engine's connection closes, the slot is free."""
    stand = Stand()
    stand.tgi.say(text("private"))
    generation = stand.start()
    await first_text(generation)
    length = generation.log.length
    generation.leave()
    await generation.over()

    assert (length, True, 1) == (generation.log.length, generation.log.is_closed, stand.tgi.closed)
    assert ("cancelled", None, 1) == tuple(
        stand.record()[key] for key in ("outcome", "code", "completion_tokens")
    )
    assert stand.is_free()


async def test_an_answer_that_is_left_costs_its_prompt_and_what_was_written() -> None:
    """No engine counted the prompt, so a third of its bytes; one that still waits costs nothing."""
    stand = Stand()
    stand.tgi.say(text("private", " words"))
    runs, waits = stand.start(), stand.start()
    await first_text(runs)
    asked = stand.order().cost
    runs.leave()
    waits.leave()
    await runs.over()
    await waits.over()

    assert (len("private question") // 3 + 2, None) == (runs.used(), waits.used())
    assert asked != runs.used()


@pytest.mark.parametrize("first", [[], [text("private")]])
@pytest.mark.parametrize(
    "error", [EngineFailed("broken"), EngineTimeout("silent"), EngineCutOff("cut"), EngineUnreachable("gone")]
)
async def test_an_engine_that_fails_is_told_behind_the_text(first: list[Any], error: EngineError) -> None:
    """Partial text stays, no [DONE]; before any text the status can still tell it."""
    stand = Stand()
    stand.tgi.say(*first, error)
    generation = stand.start()
    told = await frames(generation)
    await generation.over()

    assert (error, not first) == (generation.error, generation.failed_first)
    assert f'"code":"{error.code}"'.encode() in told
    assert (b"private" in told, DONE in told) == (bool(first), False)
    assert ("failed", error.code) == (stand.record()["outcome"], stand.record()["code"])
    assert stand.is_free()


async def test_an_engine_that_cannot_be_reached_gets_nobody_else() -> None:
    """Until it has shown again that it serves."""
    stand = Stand()
    stand.tgi.say(EngineUnreachable("gone"))
    await frames(stand.start())

    assert Phase.STARTING is stand.replica.phase
    with pytest.raises(EngineDown, match="gone"):
        stand.start()


async def test_the_wait_limit_expires_a_chat() -> None:
    """The engine is never called for it."""
    stand = Stand(wait_seconds=0.01)
    runs, waits = stand.start(), stand.start()
    told = await frames(waits)
    await waits.over()

    assert told.startswith(b": place 1 of 1\n\n")
    assert b'"code":"wait_expired"' in told
    assert "expired" == stand.record()["outcome"]
    assert 1 == len(stand.tgi.asked)
    runs.leave()
    await runs.over()
    assert stand.is_free()


async def test_a_drain_ends_what_still_runs_with_an_error() -> None:
    """Past the grace; the text stays."""
    stand = Stand()
    stand.tgi.say(text("private"))
    runs, waits = stand.start(), stand.start()
    await first_text(runs)
    stand.generations.end_all(DRAINING)
    told = [await frames(one) for one in (runs, waits)]
    await runs.over()
    await waits.over()

    assert [True, True] == [b'"code":"draining"' in one and DONE not in one for one in told]
    assert b"private" in told[0]
    assert [("failed", "draining")] * 2 == [(one["outcome"], one["code"]) for one in stand.records()]
    assert 1 == stand.tgi.closed
    assert stand.is_free()


async def test_a_drain_lets_a_chat_finish_within_the_grace() -> None:
    """Nobody new is admitted meanwhile."""
    stand = Stand()
    stand.tgi.say(text("private"))
    generation = stand.start()
    await first_text(generation)
    stand.admission.drain()
    with pytest.raises(Draining):
        stand.start()
    stand.tgi.say(last())

    assert (await frames(generation)).endswith(DONE)
    assert "finished" == stand.record()["outcome"]


async def test_an_answer_that_takes_too_long_in_all_fails() -> None:
    """Though tokens keep coming."""
    stand = Stand(total_seconds=0.01)
    stand.tgi.say(text("private"))
    generation = stand.start()
    told = await frames(generation)

    assert b'"code":"total_timeout"' in told
    assert "failed" == stand.record()["outcome"]
    assert stand.is_free()


async def test_a_chat_that_is_left_before_its_first_step_gives_its_ticket_back() -> None:
    """A task that is cancelled before it began would never do so."""
    stand = Stand()
    generation = stand.start()
    generation.leave()
    await generation.over()

    assert "cancelled" == stand.record()["outcome"]
    assert [] == stand.tgi.asked
    assert stand.is_free()


async def test_a_chat_that_is_ended_before_its_first_step_says_so() -> None:
    """The same for a drain."""
    stand = Stand()
    generation = stand.start()
    generation.end(DRAINING)

    assert b'"code":"draining"' in await frames(generation)
    assert "draining" == stand.record()["code"]


async def test_a_defect_is_one_record_too() -> None:
    """Logged, told in plain words, and the slot is free."""
    stand = Stand()
    stand.tgi.say(RuntimeError("private details"))
    told = await frames(stand.start())

    assert b'"code":"gateway_fault"' in told
    assert b"private" not in told
    assert ("failed", "gateway_fault") == (stand.record()["outcome"], stand.record()["code"])
    assert stand.is_free()


async def test_leaving_and_ending_together_are_one_end() -> None:
    """Whatever comes first counts; each is harmless after the other and after the end."""
    stand = Stand(slots=2)
    stand.tgi.say(text("a"))
    left, ended = stand.start(), stand.start()
    await turns()
    left.leave()
    left.end(DRAINING)
    ended.end(DRAINING)
    ended.leave()
    for one in (left, ended):
        await one.over()
        one.stop()
        one.end(DRAINING)

    assert [("cancelled", None), ("failed", "draining")] == [
        (one["outcome"], one["code"]) for one in stand.records()
    ]
    assert stand.is_free()


async def test_a_waiting_chat_is_told_each_new_place() -> None:
    """Then that it runs; then its text."""
    stand = Stand()
    runs, second, third = (stand.start() for _ in range(3))
    await turns()
    runs.leave()
    await turns()
    second.leave()
    await turns()
    stand.tgi.say(text("now"), last())
    told = await frames(third)

    assert told.startswith(b": place 2 of 2\n\n: place 1 of 1")
    assert b": running\n\n" in told
    assert told.endswith(DONE)


async def test_an_engine_that_went_away_meanwhile_is_told_after_the_wait() -> None:
    """The grant does not hide it."""
    stand = Stand()
    runs, waits = stand.start(), stand.start()
    await turns()
    stand.replica.enter(Phase.STARTING, "gone")
    runs.leave()

    assert b'"code":"engine_down"' in await frames(waits)
    assert ["cancelled", "failed"] == [one["outcome"] for one in stand.records()]
    assert stand.is_free()


async def test_a_refusal_leaves_no_record_and_no_ticket() -> None:
    """It never was a chat of ours."""
    stand = Stand()
    started = [stand.start() for _ in range(7)]
    with pytest.raises(BacklogFull):
        stand.start()
    stand.generations.end_all(DRAINING)
    for one in started:
        await one.over()

    assert 7 == len(stand.records())
    assert stand.is_free()


async def test_waits_and_tokens_are_measured_by_the_clock_that_was_passed_in() -> None:
    """Seconds from arrival to grant, to the first token, between tokens, to the end."""
    stand = Stand()
    runs, waits = stand.start(), stand.start()
    await turns()
    stand.clock.pass_by(4.0)
    runs.leave()
    await turns()
    stand.clock.pass_by(2.0)
    stand.tgi.say(text("a"))
    await turns()
    stand.clock.pass_by(0.5)
    stand.tgi.say(text("b"))
    await turns()
    stand.clock.pass_by(0.25)
    stand.tgi.say(last())
    await frames(waits)
    await waits.over()

    expected = {
        "wait_seconds": 4.0, "first_token_seconds": 2.0, "longest_gap_seconds": 0.5,
        "generation_seconds": 2.75, "completion_tokens": 3,
    }  # fmt: skip
    record = stand.records()[-1]
    assert expected == {key: record[key] for key in expected}


async def test_random_ends_leave_nothing_behind() -> None:
    """Chats that finish, fail, leave and are ended in every order: one record each, all slots free."""
    stand = Stand(slots=3)
    started = []
    for number in range(8):
        started.append(stand.start())
        if number % 2:
            await turns(number)
        if number % 3 == 0:
            stand.tgi.say(text("a"), last())
        if number % 3 == 1:
            started[number // 2].leave()
        if number % 4 == 3:
            stand.tgi.say(EngineFailed("no"))
    await turns(20)
    stand.generations.end_all(DRAINING)
    for one in started:
        await one.over()

    assert len(started) == len(stand.records())
    assert stand.is_free()


async def test_a_ticket_that_is_granted_while_its_chat_leaves_goes_on() -> None:
    """The slot passes to the next in line in the same turn of the loop."""
    stand = Stand()
    runs, second, third = (stand.start() for _ in range(3))
    await turns()
    runs.leave()
    second.leave()
    await runs.over()
    await second.over()
    ticket: Ticket = third._ticket

    assert State.RUNNING is ticket.state
    third.leave()
    await third.over()
    assert stand.is_free()
