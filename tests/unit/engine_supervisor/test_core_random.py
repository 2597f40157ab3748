"""The decisions under random sequences of events, against what must always hold."""

import random
from functools import partial
from pathlib import Path

import pytest

from engine.supervisor import (
    LONGEST_DELAY_SECONDS,
    MOST_UNREADY_ENDS,
    PHASES,
    Actions,
    Core,
    Do,
    Exit,
    Settings,
    read_line,
    state_form,
)

STEPS = 400
LINES = ["Starting shard rank=0", "Shard ready in 3s", "Warming up model", "engine: downloading: 5 of 9 MB"]
HOPELESS = "RuntimeError: No CUDA GPUs are available"


class World:
    """A process that may or may not exist, and everything that can happen to the core."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        limits = self.random.choice([(0.0, 0.0, 0.0), (600.0, 120.0, 3600.0), (5.0, 5.0, 5.0)])
        settings = Settings(("x",), {}, "m", marker=self.random.choice([None, Path("marker")]),
                            idle_seconds=limits[0], hang_seconds=limits[1], start_limit_seconds=limits[2])
        self.now = 100.0
        self.core = Core(settings, [], self.now)
        self.has_process = self.is_looking = self.is_left = self.is_doomed = False
        self.was_asked_to_stop = False
        self.unready_ends = 0

    def step(self) -> None:
        """Let one thing happen, obey, and check."""
        self.now += self.random.choice([0.0, 0.01, 1.0, 7.0, 70.0, 400.0])
        event = self.random.choice(
            ["start", "stop", "line", "hopeless", "token", "answered", "unanswered", "exit", "exit", "tick",
             "tick", "tick", "look", "stale"] + (["end"] if self.random.random() < 0.02 else []))
        before, had_process = self.core.phase, self.has_process
        actions = getattr(self, event)()
        self.check(event if event != "exit" or had_process else "nothing", before, actions)

    def start(self) -> Actions:
        if not self.core.is_ending:
            self.was_asked_to_stop = False
            if self.core.phase in {"stopped", "failed"}:
                self.unready_ends = 0
        return self.core.start_asked(self.now)

    def stop(self) -> Actions:
        self.was_asked_to_stop = True
        return self.core.stop_asked(self.now)

    def end(self) -> Actions:
        self.was_asked_to_stop = True
        return self.core.end_asked(self.now)

    def line(self) -> Actions:
        notice = read_line(self.random.choice(LINES))
        assert notice is not None
        return self.core.noticed(self.now, notice) if self.has_process else []

    def hopeless(self) -> Actions:
        notice = read_line(HOPELESS)
        assert notice is not None
        if not self.has_process or self.random.random() < 0.8:
            return []
        self.is_doomed |= self.core.ready_at is None
        return self.core.noticed(self.now, notice)

    def token(self) -> Actions:
        if not self.has_process:
            return []
        if self.core.phase in {"starting", "loading"}:
            self.unready_ends, self.is_doomed = 0, False
        return self.core.generated(self.now, "1")

    def answered(self) -> Actions:
        count = self.random.choice([None, 1.0, 1.0, 2.0])
        return self.core.answered(self.now, count, self.random.random() < 0.2) if self.has_process else []

    def unanswered(self) -> Actions:
        return self.core.unanswered(self.now) if self.has_process else []

    def exit(self) -> Actions:
        if not self.has_process:
            return []
        self.has_process = False
        self.unready_ends += self.core.ready_at is None
        end = self.random.choice([Exit(1, None), Exit(0, None), Exit(None, "SIGKILL")])
        return self.core.exited(self.now, end)

    def tick(self) -> Actions:
        if self.core.due is not None and self.random.random() < 0.7:
            self.now = max(self.now, self.core.due)
        return self.core.ticked(self.now)

    def look(self) -> Actions:
        if not self.is_looking:
            return []
        self.is_looking = False
        return self.core.looked(self.now, self.random.random() < 0.5)

    def stale(self) -> Actions:
        """A thread of an earlier run reports its end."""
        end = partial(Core.exited, end=Exit(1, None))
        actions = self.core.of_run(self.now, self.core.run - 1, end)
        assert [] == actions
        return actions

    def check(self, event: str, before: str, actions: Actions) -> None:
        """Obey the actions and hold the core to its promises."""
        core = self.core
        assert not self.is_left or Do.SPAWN not in actions
        for action in actions:
            if action is Do.SPAWN:
                assert not self.has_process, "never two engines"
                assert not self.was_asked_to_stop, "stop wins"
                assert not core.is_ending
                assert event in {"start", "exit", "tick", "look"}
                assert before != "failed" or event == "start", "never restarted after a hopeless end"
                assert event != "exit" or before == "stopping", "a crash is never followed at once"
                self.has_process, self.is_doomed = True, False
            elif action is Do.LOOK:
                self.is_looking = True
            elif action is Do.LEAVE:
                assert not self.has_process
                self.is_left = True
            elif action is Do.RECORD:
                assert "ready" == core.phase
        assert core.phase in PHASES
        assert core.has_child == self.has_process
        assert (core.phase in {"loading", "ready", "stopping"}) <= self.has_process
        assert (core.phase in {"stopped", "failed"}) <= (not self.has_process)
        assert (core.phase in {"stopped", "failed"}) <= (not core.is_wanted and core.due is None)
        assert (core.phase == "stopping") <= (core.due is not None), "a stop always has a limit"
        assert (core.phase == "failed") <= bool(core.reason)
        assert (core.phase == "ready") <= (core.reason is None and core.ready_at is not None)
        assert not self.was_asked_to_stop or core.phase in {"stopped", "stopping", "failed"}
        if event == "exit" and core.phase == "starting" and not self.has_process and before != "stopping":
            assert core.due is not None
            assert 1 <= core.due - self.now <= LONGEST_DELAY_SECONDS, "the back-off has bounds"
            assert self.unready_ends < MOST_UNREADY_ENDS, "five useless ends are enough"
        if core.phase == "starting" and not self.has_process:
            assert core.due is not None or self.is_looking, "a start never gets stuck"
        state = state_form(core, self.now, 0.0)
        assert state["estimate_seconds"] is None or state["estimate_seconds"] >= 0
        assert state["phase_seconds"] >= 0


@pytest.mark.parametrize("seed", range(60))
def test_random_events_keep_every_promise(seed: int) -> None:
    """In whatever order things happen: one engine at most, stop wins, hopeless is hopeless, nothing hangs."""
    world = World(seed)
    for _ in range(STEPS):
        world.step()
        if world.is_left:
            break


def test_the_random_walks_reach_every_phase() -> None:
    """The walks would prove nothing if they never left the beginning."""
    seen: set[str] = set()
    for seed in range(20):
        world = World(seed)
        for _ in range(STEPS):
            world.step()
            seen.add(world.core.phase)

    assert set(PHASES) == seen
