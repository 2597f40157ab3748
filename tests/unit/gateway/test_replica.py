"""A replica's phases: what it must show before it serves, and what does not take it away."""

from typing import cast

import pytest

from engine.supervisor import KINDS
from gateway.control import Cause, Phase
from gateway.errors import EngineFailed, EngineTimeout, EngineUnreachable, PromptTooLong
from gateway.replica import Replica
from gateway.tgi import Tgi, TokenSpan
from tests.unit.gateway.clock import Clock
from tests.unit.gateway.engine import FakeTgi, last


class Stand:
    """A replica over an engine driven by hand."""

    def __init__(self) -> None:
        self.tgi = FakeTgi()
        self.clock = Clock()
        self.changes: list[Phase] = []
        self.replica = Replica(
            cast(Tgi, self.tgi), None, self.clock, lambda: self.changes.append(self.replica.phase)
        )

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
    assert 20 == await stand.replica.room("Hi", 20)
    stand.replica.max_total_tokens = 12

    assert 7 == await stand.replica.room("x" * 50, None)
    for asked, param in ((8, "max_tokens"), (None, "messages")):
        stand.replica.max_total_tokens = 12 if asked else 5
        with pytest.raises(PromptTooLong) as refused:
            await stand.replica.room("x" * 50, asked)
        assert param == refused.value.param
        assert "the prompt has 5 tokens" in refused.value.message


def test_the_gateway_knows_every_cause_that_the_supervisor_tells() -> None:
    """And one of its own: what the proof of a start finds."""
    assert {*KINDS, "wrong_model"} == set(Cause)
