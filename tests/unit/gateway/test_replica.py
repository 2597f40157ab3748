"""A replica's phases: what it must show before it serves, and what does not take it away."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from engine.supervisor import KINDS
from gateway.breaker import State
from gateway.chat import Sampling
from gateway.control import Cause, Control, ControlLost, EngineState, Phase, StopTokens
from gateway.errors import EngineFailed, EngineTimeout, EngineUnreachable, PromptTooLong
from gateway.proof import StopSet
from gateway.replica import Replica
from gateway.tgi import Info, Tgi, TokenSpan
from tests.unit.gateway.clock import Clock
from tests.unit.gateway.engine import FakeTgi, last


class FakeLine:
    """An idle connection that a test breaks."""

    def __init__(self, when_lost: Callable[[], None]) -> None:
        self.is_lost = self.is_closed = False
        self._when_lost = when_lost

    def lose(self) -> None:
        """End it, as the engine's end does."""
        self.is_lost = True
        self._when_lost()

    def close(self) -> None:
        """Let go of it."""
        self.is_closed = True


class FakeControl:
    """A supervisor that says what a test wants."""

    def __init__(self) -> None:
        self.now = EngineState(Phase.READY, None, "llama", None, run="a-1")
        self.is_silent = False

    async def state(self) -> EngineState:
        """Say it. Raises: ControlLost."""
        if self.is_silent:
            raise ControlLost("no answer from the supervisor")
        return self.now

    def close(self) -> None:
        """Do nothing."""


class Stand:
    """A replica over an engine driven by hand."""

    def __init__(self, *, is_supervised: bool = False) -> None:
        self.tgi = FakeTgi()
        self.clock = Clock()
        self.changes: list[Phase] = []
        self.lines: list[FakeLine] = []
        self.doubts = 0
        self.control: FakeControl | None = FakeControl() if is_supervised else None
        self.replica = Replica(
            cast(Tgi, self.tgi),
            cast(Control | None, self.control),
            self.clock,
            lambda: self.changes.append(self.replica.phase),
            self.doubt,
            self.hold,
        )

    def doubt(self) -> None:
        """Take note that it wants to be looked at."""
        self.doubts += 1

    async def hold(self, url: str, _: float, when_lost: Callable[[], None]) -> "FakeLine":
        """Open a line."""
        assert "http://engine:80" == url
        self.lines.append(FakeLine(when_lost))
        return self.lines[-1]

    async def look(self) -> Phase:
        """Look once; give the phase."""
        await self.replica.look()
        return self.replica.phase

    async def ready(self) -> "Stand":
        """Bring it to ready."""
        self.tgi.say(last())
        assert await self.look() is Phase.READY
        return self


async def test_it_is_ready_once_it_has_generated_a_token() -> None:
    """Health alone is not enough; then model and context are known."""
    stand = Stand()
    assert (Phase.STARTING, False) == (stand.replica.phase, stand.replica.is_ready)
    await stand.ready()

    assert ("llama", 8192, None) == (
        stand.replica.model, stand.replica.max_total_tokens, stand.replica.reason,
    )  # fmt: skip
    assert 1 == len(stand.tgi.asked)


async def test_lost_and_found_again() -> None:
    """starting, ready, starting with the reason, ready; each change is told."""
    stand = await Stand().ready()
    stand.tgi.health = EngineUnreachable("no answer from the engine")
    lost = (await stand.look(), stand.replica.reason)
    stand.tgi.health = 200
    await stand.ready()

    assert (Phase.STARTING, "no answer from the engine") == lost
    assert [Phase.READY, Phase.STARTING, Phase.READY] == stand.changes


async def test_a_busy_engine_stays_ready() -> None:
    """Its health check waits for a long forward step; before it was ready, silence is no service."""
    stand = await Stand().ready()
    stand.tgi.health = EngineTimeout("silent")
    unproven = Stand()
    unproven.tgi.health = EngineTimeout("silent")

    assert [Phase.READY, Phase.STARTING] == [await stand.look(), await unproven.look()]


async def test_an_unhealthy_engine_is_not_used() -> None:
    """Its status is the reason."""
    stand = await Stand().ready()
    stand.tgi.health = 503

    assert (Phase.STARTING, "the engine says it is unhealthy (HTTP 503)") == (
        await stand.look(), stand.replica.reason,
    )  # fmt: skip


async def test_a_ready_engine_is_not_proved_again() -> None:
    """A look costs it no generation."""
    stand = await Stand().ready()
    await stand.look()
    await stand.look()

    assert 1 == len(stand.tgi.asked)


BOS = TokenSpan(128000, "", 0, 0)


@pytest.mark.parametrize(
    ("spans", "words"),
    [
        ([BOS, BOS], "adds 2 begin-of-text tokens"),
        ([], "adds 0 begin-of-text tokens"),
        ([TokenSpan(1, "a", 0, 1), BOS], "adds 1 begin-of-text"),
        ([BOS, TokenSpan(27, "<", 0, 1), TokenSpan(91, "|", 1, 2)], "not a Llama 3 chat model"),
    ],
)
async def test_a_wrong_vocabulary_is_a_failure_with_a_reason(spans: list[TokenSpan], words: str) -> None:
    """Doubled begin-of-text, or headers that are no tokens: no chat is sent there."""
    stand = Stand()
    stand.tgi.spans = spans

    assert await stand.look() is Phase.FAILED
    assert words in (stand.replica.reason or "")
    assert [] == stand.tgi.asked


async def test_a_failed_engine_that_was_replaced_is_used() -> None:
    """It is looked at again."""
    stand = Stand()
    spans, stand.tgi.spans = stand.tgi.spans, []
    await stand.look()
    stand.tgi.spans = spans

    assert (await stand.ready()).replica.is_ready


async def test_another_server_on_the_address_is_not_ready() -> None:
    """And the look goes on."""
    stand = Stand()
    stand.tgi.told_info = EngineFailed("not TGI")

    assert (Phase.STARTING, "not TGI") == (await stand.look(), stand.replica.reason)


async def test_a_phase_knows_how_long_it_lasts() -> None:
    """By the clock that was passed in; a new reason does not start it anew."""
    stand = Stand()
    stand.clock.pass_by(3.0)
    stand.replica.enter(Phase.STARTING, "another reason")
    waited = stand.replica.phase_seconds
    stand.replica.enter(Phase.READY, None)

    assert (3.0, 0.0) == (waited, stand.replica.phase_seconds)


async def test_room_is_counted_only_when_it_could_be_short() -> None:
    """A short prompt surely fits; a long one is counted by the engine, to the token."""
    stand = await Stand().ready()
    assert (20, None) == await stand.replica.room("Hi", 20)
    stand.replica.max_total_tokens = 12

    assert (5, 7) == await stand.replica.room("x" * 50, None)
    for asked, param in ((8, "max_tokens"), (None, "messages")):
        stand.replica.max_total_tokens = 12 if asked else 5
        with pytest.raises(PromptTooLong) as refused:
            await stand.replica.room("x" * 50, asked)
        assert param == refused.value.param
        assert "the prompt has 7 tokens" in refused.value.message


async def test_of_a_prompt_that_is_far_too_long_only_a_beginning_is_counted() -> None:
    """As much as shows that it is; where its tokens are long, more of it, in the end all."""
    stand = await Stand().ready()
    stand.replica.max_total_tokens = 100
    stand.tgi.counts = {800: 300, 4000: 80}
    with pytest.raises(PromptTooLong, match="more than twice the 100 tokens"):
        await stand.replica.room("x" * 1_000_000, None)
    stand.tgi.counts = {800: 30, 1600: 50, 3200: 70, 4000: 80}

    assert (20, 80) == await stand.replica.room("x" * 4000, None)


@pytest.mark.parametrize("context", [8192, 60])
async def test_one_count_tells_both_the_room_and_the_prompt(context: int) -> None:
    """Whether the prompt surely fits or could be too long."""
    stand = await Stand().ready()
    stand.replica.max_total_tokens = context
    counted: list[str] = []

    async def count(text: str) -> int:
        counted.append(text)
        return 9

    stand.tgi.count = count  # type: ignore[method-assign, assignment]
    room = await stand.replica.room("x" * 50, 20, is_counted=True)

    assert (20 if context == 8192 else 51, 9) == room
    assert ["x" * 50] == counted


def test_the_gateway_knows_every_cause_that_the_supervisor_tells() -> None:
    """And one of its own: what the proof of a start finds."""
    assert {*KINDS, "wrong_model"} == set(Cause)


# Every start is proven


async def test_another_run_proves_itself_though_no_look_saw_the_first_end() -> None:
    """By the supervisor's name for each start; the same run is asked nothing."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    await stand.look()
    assert 1 == len(stand.tgi.asked)
    stand.control.now = replace(stand.control.now, run="a-2")
    stand.tgi.spans = []

    assert (Phase.FAILED, Cause.WRONG_MODEL) == (await stand.look(), stand.replica.cause)


async def test_another_model_in_info_proves_itself() -> None:
    """Where no supervisor tells, what the engine says of itself does."""
    stand = await Stand().ready()
    stand.tgi.told_info = Info("another", 4096)
    stand.tgi.say(last())

    assert (Phase.READY, "another", 4096) == (
        await stand.look(), stand.replica.model, stand.replica.max_total_tokens,
    )  # fmt: skip
    assert 2 == len(stand.tgi.asked)
    assert [Phase.READY, Phase.STARTING, Phase.READY] == stand.changes


async def test_a_line_that_ends_takes_the_engine_out_at_once() -> None:
    """Not at the next look; a look is asked for, and who comes meanwhile waits."""
    stand = await Stand().ready()
    stand.lines[-1].lose()
    told = (stand.replica.phase, stand.replica.will_serve, stand.doubts)
    stand.tgi.say(last())

    assert (Phase.STARTING, True, 1) == told
    assert Phase.READY is await stand.look()
    assert (2, 2) == (len(stand.tgi.asked), len(stand.lines))


async def test_a_line_that_ends_before_a_dead_engine_is_no_reason_to_wait() -> None:
    """After the look nobody waits any more."""
    stand = await Stand().ready()
    stand.lines[-1].lose()
    stand.tgi.health = EngineUnreachable("no answer from the engine")

    assert (Phase.STARTING, False) == (await stand.look(), stand.replica.will_serve)


async def test_a_line_that_an_idle_engine_closed_costs_no_token() -> None:
    """The same run by the supervisor's word: a token would keep an idle engine awake."""
    stand = await Stand(is_supervised=True).ready()
    stand.lines[-1].lose()

    assert Phase.READY is await stand.look()
    assert (1, 2) == (len(stand.tgi.asked), len(stand.lines))


async def test_a_line_that_ends_while_the_engine_is_tried_proves_nothing() -> None:
    """What generated the token may be gone."""
    stand = Stand()
    task = asyncio.create_task(stand.look())
    while not stand.lines:
        await asyncio.sleep(0)
    stand.lines[-1].lose()
    stand.tgi.say(last())

    assert Phase.STARTING is await task
    assert stand.lines[-1].is_closed


async def test_the_line_of_an_engine_that_is_to_rest_is_let_go() -> None:
    """It must not hold up the end."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    stand.control.now = replace(stand.control.now, phase=Phase.STOPPING)

    assert Phase.STOPPING is await stand.look()
    assert stand.lines[-1].is_closed


# A supervisor that says nothing


async def test_a_healthy_engine_serves_on_while_its_supervisor_hangs(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The disagreement is told once in the log; when the supervisor is back nothing is tried again."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    stand.control.is_silent = True
    with caplog.at_level("INFO"):
        silent = [(await stand.look(), stand.replica.supervisor_problem) for _ in range(3)]
        stand.control.is_silent = False
        back = (await stand.look(), stand.replica.supervisor_problem)

    assert [(Phase.READY, "no answer from the supervisor")] * 3 == silent
    assert (Phase.READY, None) == back
    assert [Phase.READY] == stand.changes
    assert 1 == len(stand.tgi.asked)
    assert ["engine engine:80 is judged by its own health alone: no answer from the supervisor",
            "engine engine:80: its supervisor answers"] == caplog.messages  # fmt: skip


async def test_behind_a_silent_supervisor_a_dead_engine_is_found_out() -> None:
    """By its own health, and nobody waits for what may never come back."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    stand.control.is_silent = True
    stand.tgi.health = EngineUnreachable("no answer from the engine")

    assert (Phase.STARTING, "no answer from the engine", False) == (
        await stand.look(), stand.replica.reason, stand.replica.will_serve,
    )  # fmt: skip


async def test_an_engine_behind_a_supervisor_that_never_spoke_proves_itself() -> None:
    """It generates a token as one without a supervisor does; its line's end makes it do so again."""
    stand = Stand(is_supervised=True)
    assert stand.control is not None
    stand.control.is_silent = True
    await stand.ready()
    stand.lines[-1].lose()
    assert Phase.STARTING is stand.replica.phase
    await stand.ready()

    assert 2 == len(stand.tgi.asked)


@pytest.mark.parametrize("phase", [Phase.STOPPED, Phase.LOADING, Phase.FAILED])
async def test_what_a_supervisor_says_goes_before_the_engines_health(phase: Phase) -> None:
    """It knows of a stop or a load before the port tells."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    stand.control.now = replace(stand.control.now, phase=phase)

    assert phase is await stand.look()


# The stop set


@pytest.mark.parametrize(
    ("texts", "stop_set", "sent"),
    [
        (None, StopSet.UNKNOWN, ("<|eot_id|>", "<|eom_id|>")),
        ({"<|eot_id|>", "<|eom_id|>", "<|end_of_text|>"}, StopSet.OWN, ()),
        ({"<|eot_id|>", "<|end_of_text|>"}, StopSet.SENT, ("<|eom_id|>",)),
        ({"<|end_of_text|>"}, StopSet.SENT, ("<|eot_id|>", "<|eom_id|>")),
        ({"<|eot_id|>"}, StopSet.SENT, ("<|eom_id|>", "<|end_of_text|>")),
    ],
)
async def test_what_the_engine_does_not_stop_at_goes_with_every_chat(
    texts: set[str] | None, stop_set: StopSet, sent: tuple[str, ...]
) -> None:
    """By what its supervisor read from the model's files; all of them where nobody could."""
    stand = Stand(is_supervised=True)
    assert stand.control is not None
    if texts is not None:
        told = StopTokens(frozenset(texts), "generation_config.json", is_chat=True)
        stand.control.now = replace(stand.control.now, stop_tokens=told)
    await stand.ready()
    chat, raw = Sampling(ends=("<|eot_id|>", "<|eom_id|>")), Sampling()

    assert stand.replica.proof is not None
    assert (stop_set, sent) == (stand.replica.proof.stop_set, stand.replica.proof.sent)
    assert (sent, ()) == (stand.replica.adapted(chat).ends, stand.replica.adapted(raw).ends)


async def test_an_end_that_is_no_token_of_the_vocabulary_is_not_sent() -> None:
    """Plain Llama 3 has no end of message."""
    stand = Stand(is_supervised=True)
    assert stand.control is not None
    stand.tgi.spans = [span for span in stand.tgi.spans if span.text != "<|eom_id|>"]
    told = StopTokens(frozenset({"<|eot_id|>", "<|end_of_text|>"}), "generation_config.json", is_chat=True)
    stand.control.now = replace(stand.control.now, stop_tokens=told)
    await stand.ready()

    assert stand.replica.proof is not None
    assert (StopSet.OWN, ()) == (stand.replica.proof.stop_set, stand.replica.proof.sent)


async def test_a_base_model_is_refused_loudly() -> None:
    """It has Llama 3's headers as tokens, and would write on without an end."""
    stand = Stand(is_supervised=True)
    assert stand.control is not None
    told = StopTokens(frozenset({"<|end_of_text|>"}), "generation_config.json", is_chat=False)
    stand.control.now = replace(stand.control.now, stop_tokens=told)

    assert (Phase.FAILED, Cause.WRONG_MODEL) == (await stand.look(), stand.replica.cause)
    assert "a base model, not made for chats" in (stand.replica.reason or "")
    assert [] == stand.tgi.asked


# The breaker

BROKEN = EngineFailed("CUDA error")


async def test_an_engine_that_fails_chat_after_chat_is_left_alone_until_it_writes_a_token() -> None:
    """The first try comes at once; if it fails there is a pause, in which nobody waits for it."""
    stand = await Stand().ready()
    for _ in range(3):
        assert stand.replica.is_ready
        stand.replica.fail(BROKEN, is_unreachable=False)
    opened = (stand.replica.phase, stand.replica.breaker.state, stand.replica.will_serve, stand.doubts)
    stand.tgi.say(BROKEN)
    await stand.look()
    failed = (stand.replica.breaker.state, stand.replica.will_serve, len(stand.tgi.asked))
    await stand.look()
    paused = (len(stand.tgi.asked), stand.replica.ready_seconds)
    stand.clock.pass_by(1.0)
    stand.tgi.say(last())

    assert (Phase.STARTING, State.OPEN, True, 1) == opened
    assert (State.OPEN, False, 2) == failed
    assert (2, 1.0) == paused
    assert (Phase.READY, State.CLOSED) == (await stand.look(), stand.replica.breaker.state)
    assert "CUDA error" not in (stand.replica.reason or "")


async def test_a_new_run_is_tried_at_once() -> None:
    """What another process failed is not held against it."""
    stand = await Stand(is_supervised=True).ready()
    assert stand.control is not None
    for _ in range(3):
        stand.replica.fail(BROKEN, is_unreachable=False)
    stand.tgi.say(BROKEN)
    await stand.look()
    stand.control.now = replace(stand.control.now, run="a-2")
    stand.tgi.say(last())

    assert Phase.READY is await stand.look()
