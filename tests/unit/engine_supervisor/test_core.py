"""The decisions, one after the other, on a clock of the test's own."""

from pathlib import Path

import pytest

from engine.supervisor import (
    HEALTHY_SECONDS,
    LONGEST_DELAY_SECONDS,
    MARKER_SECONDS,
    MOST_UNREADY_ENDS,
    RECENT_SECONDS,
    Actions,
    Core,
    Do,
    Exit,
    Settings,
    metrics_text,
    read_line,
    state_form,
)

MARKER = Path("marker")
CRASH = Exit(1, None, ("Error: ShardFailed",))


class Stage:
    """A core and its clock."""

    def __init__(self, history: list[dict[str, float]] | None = None, marker: Path | None = None,
                 **limits: float) -> None:
        self.settings = Settings(("launcher",), {}, "org/name", marker=marker, **limits)  # type: ignore[arg-type]
        self.now = 1000.0
        self.core = Core(self.settings, history or [], self.now)

    def start(self) -> Actions:
        """Ask for a start."""
        return self.core.start_asked(self.now)

    def say(self, *lines: str) -> None:
        """Let the engine log lines."""
        for line in lines:
            notice = read_line(line)
            assert notice is not None
            self.core.noticed(self.now, notice)

    def ready(self, loading_seconds: float = 10.0) -> Actions:
        """Bring the engine to its first token."""
        if self.core.phase != "starting":
            self.start()
        self.say("Starting shard rank=0")
        self.now += loading_seconds
        return self.core.generated(self.now, "3.3.7")

    def end(self, end: Exit = CRASH) -> Actions:
        """End the engine's process."""
        return self.core.exited(self.now, end)

    def pass_time(self) -> Actions:
        """Go to the time that the core waits for."""
        assert self.core.due is not None
        self.now = self.core.due
        return self.core.ticked(self.now)


def does(actions: Actions) -> list[Do]:
    """Leave out what is only said."""
    return [action for action in actions if isinstance(action, Do)]


# A start

def test_a_start_goes_through_its_phases() -> None:
    """starting, loading, ready; each with its time, and the durations of both are remembered."""
    stage = Stage()
    assert ("stopped", [Do.SPAWN], "starting") == (stage.core.phase, does(stage.start()), stage.core.phase)

    stage.now += 4
    stage.say("Starting shard rank=0")
    assert ("loading", stage.now) == (stage.core.phase, stage.core.since)

    actions = stage.ready(30)
    assert ("ready", [Do.RECORD]) == (stage.core.phase, does(actions))
    assert {"starting": 4.0, "loading": 30.0} == stage.core.last_start
    assert [{"starting": 4.0, "loading": 30.0}] == stage.core.history
    assert "ready after 34.0 s" in actions


def test_shards_are_counted() -> None:
    """The detail says how many shards are loaded, of as many as the launcher said there are."""
    stage = Stage()
    stage.start()

    stage.say("Sharding model on 4 processes", *["Starting shard rank=0"] * 4, "Shard ready in 9s rank=0",
              "Shard ready in 9s rank=2")

    assert "2 of 4 shards loaded" == stage.core.detail


def test_a_start_is_asked_for_once() -> None:
    """Asking again changes nothing, in any phase of a start."""
    stage = Stage()

    assert [[Do.SPAWN], []] == [does(stage.start()), does(stage.start())]
    stage.ready()
    assert [] == stage.start()
    assert 1 == stage.core.starts


def test_a_start_with_a_download_is_not_remembered() -> None:
    """How long a model took to fetch says nothing about the next start."""
    stage = Stage()
    stage.start()
    stage.say("engine: downloading model.gguf of a/b: 700 MB.")

    assert [] == does(stage.ready())
    assert [] == stage.core.history


def test_the_download_is_waited_for() -> None:
    """Nothing is started before the marker is there, and the reason says so."""
    stage = Stage(marker=MARKER)
    assert [Do.LOOK] == does(stage.start())

    for _ in range(3):
        stage.core.looked(stage.now, is_there=False)
        assert ("starting", "waiting for the download", False) == (
            stage.core.phase, stage.core.reason, stage.core.has_child)
        assert [Do.LOOK] == does(stage.pass_time())
    assert 1000 + 3 * MARKER_SECONDS == stage.now
    assert 1000 == stage.core.since

    assert [Do.SPAWN] == does(stage.core.looked(stage.now, is_there=True))
    assert [] == stage.core.looked(stage.now, is_there=True)


def test_a_stop_ends_the_wait_for_the_download() -> None:
    """A marker that appears after a stop starts nothing."""
    stage = Stage(marker=MARKER)
    stage.start()
    stage.core.stop_asked(stage.now)

    assert ("stopped", []) == (stage.core.phase, stage.core.looked(stage.now, is_there=True))


def test_a_start_has_a_limit() -> None:
    """An engine that never gets ready is killed; its end is a crash that says so."""
    stage = Stage(start_limit_seconds=60)
    stage.start()
    stage.say("Starting shard rank=0")

    assert [Do.KILL] == does(stage.pass_time())
    stage.end(Exit(None, "SIGKILL"))

    assert ("starting", "The engine was not ready after 60 s.") == (stage.core.phase, stage.core.reason)


def test_a_program_that_cannot_be_made_is_hopeless() -> None:
    """There is no second try for a command that does not exist."""
    stage = Stage()
    stage.start()

    assert [] == does(stage.core.spawn_failed(stage.now, "No such file or directory"))
    assert ("failed", "The program launcher cannot be run: No such file or directory.") == (
        stage.core.phase, stage.core.reason)


# Ends

def test_the_back_off_doubles_up_to_a_minute() -> None:
    """Crashes of an engine that was ready are mended for ever, ever more slowly."""
    stage = Stage()
    stage.ready()
    delays = []
    for _ in range(9):
        stage.now += 1
        stage.end()
        delays.append(stage.core.due - stage.now if stage.core.due else None)
        assert [Do.SPAWN] == does(stage.pass_time())
        stage.ready()

    assert [1, 2, 4, 8, 16, 32, 60, 60, 60] == delays
    assert (10, 9) == (stage.core.starts, stage.core.restarts)
    assert LONGEST_DELAY_SECONDS == 60


def test_healthy_minutes_begin_the_row_anew() -> None:
    """A crash after five healthy minutes is a first crash."""
    stage = Stage()
    for lived, delay in [(1.0, 1), (1.0, 2), (HEALTHY_SECONDS, 1), (1.0, 2)]:
        stage.ready()
        stage.now += lived
        stage.end()
        assert stage.core.due is not None
        assert delay == stage.core.due - stage.now
        stage.pass_time()


def test_five_ends_before_a_first_token_are_enough() -> None:
    """A loop that never gets anywhere is stopped, and says how it ended last."""
    stage = Stage()
    stage.start()
    for _ in range(MOST_UNREADY_ENDS - 1):
        stage.end()
        assert "starting" == stage.core.phase
        stage.pass_time()

    assert [] == does(stage.end())
    assert "failed" == stage.core.phase
    assert stage.core.due is None
    assert ("The engine ended with exit code 1. Its last line: Error: ShardFailed It ended 5 times before it "
            "was ready." == stage.core.reason)


def test_a_start_gives_all_tries_back() -> None:
    """After a loop was stopped, who asks again gets a whole new row, from its shortest wait on."""
    stage = Stage()
    stage.start()
    for _ in range(MOST_UNREADY_ENDS - 1):
        stage.end()
        stage.pass_time()
    stage.end()
    assert "failed" == stage.core.phase

    stage.start()
    stage.end()

    assert ("starting", stage.now + 1) == (stage.core.phase, stage.core.due)


def test_a_hopeless_cause_stops_at_once() -> None:
    """The first start says it all; the reason is the cause's sentence with its numbers filled in."""
    stage = Stage()
    stage.start()
    stage.say("RuntimeError: Not enough memory to handle 4096 prefill tokens. You need to decrease it")

    assert [] == does(stage.end())
    assert ("failed", False) == (stage.core.phase, stage.core.is_wanted)
    assert stage.core.reason is not None
    assert "set MAX_BATCH_PREFILL_TOKENS below 4096" in stage.core.reason


def test_the_precise_cause_is_told() -> None:
    """Of several troubles in one log the precise one counts, whatever their order."""
    stage = Stage()
    stage.start()
    stage.say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB",
              "RuntimeError: Not enough memory to handle 512 prefill tokens. You need",
              "huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files")
    stage.end()

    assert stage.core.reason is not None
    assert "512" in stage.core.reason


def test_a_sentence_names_the_model() -> None:
    """Whoever has to accept a licence is told of which model."""
    stage = Stage()
    stage.start()
    stage.say("huggingface_hub.errors.GatedRepoError: 401 Client Error.")
    stage.end()

    assert stage.core.reason is not None
    assert "accept its licence at https://huggingface.co/org/name" in stage.core.reason


def test_bad_arguments_are_hopeless() -> None:
    """Exit code 2 is the launcher's parser: its own line is the reason."""
    stage = Stage()
    stage.start()
    stage.say("error: invalid value 'two' for '--num-shard <NUM_SHARD>': invalid digit found in string")
    stage.end(Exit(2, None, ("For more information, try '--help'.",)))

    assert "failed" == stage.core.phase
    assert stage.core.reason is not None
    assert "invalid value 'two' for '--num-shard <NUM_SHARD>'" in stage.core.reason


@pytest.mark.parametrize(("lines", "reason"), [
    (("engine: ENGINE_SLOTS must be 1 or more.", ""), "ENGINE_SLOTS must be 1 or more."),
    ((), "The engine ended with exit code 2 and said nothing."),
])
def test_a_hopeless_exit_code_tells_the_last_line(lines: tuple[str, ...], reason: str) -> None:
    """The embedded engine ends with one sentence and a code of its own."""
    stage = Stage()
    stage.start()
    stage.end(Exit(2, None, lines))

    assert ("failed", reason) == (stage.core.phase, stage.core.reason)


def test_memory_lost_while_it_generates_is_mended() -> None:
    """The same line that is hopeless at a start is a crash after it, told in other words."""
    stage = Stage()
    stage.ready()
    stage.say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
    stage.end()

    assert "starting" == stage.core.phase
    assert stage.core.reason is not None
    assert "ran out of memory while it generated" in stage.core.reason


def test_what_may_be_mended_is_tried_again() -> None:
    """A shard that the machine killed while it loaded may find memory the next time."""
    stage = Stage()
    stage.start()
    stage.say("Shard process was signaled to shutdown with signal 9 rank=0")
    stage.end()

    assert "starting" == stage.core.phase
    assert stage.core.reason is not None
    assert "the machine ran out of memory" in stage.core.reason


def test_old_trouble_explains_nothing() -> None:
    """A ready engine that survived an error is not said to have died of it."""
    stage = Stage()
    stage.ready()
    stage.say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
    stage.now += RECENT_SECONDS + 1
    stage.end()

    assert "The engine ended with exit code 1. Its last line: Error: ShardFailed" == stage.core.reason


def test_trouble_of_an_earlier_run_is_forgotten() -> None:
    """Each run is explained by its own lines."""
    stage = Stage()
    stage.ready()
    stage.say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB")
    stage.end()
    stage.pass_time()
    stage.end(Exit(None, "SIGKILL"))

    assert "The engine was killed by SIGKILL; the machine may have run out of memory." == stage.core.reason
    assert "starting" == stage.core.phase


def test_failed_starts_again_when_asked() -> None:
    """POST /start gives a failed engine all its tries back."""
    stage = Stage()
    stage.start()
    stage.say("RuntimeError: No CUDA GPUs are available")
    stage.end()
    assert [] == does(stage.core.stop_asked(stage.now))
    assert "failed" == stage.core.phase

    assert [Do.SPAWN] == does(stage.start())
    assert ("starting", 0) == (stage.core.phase, stage.core.restarts)


# Stops

def test_a_stop_drains_then_kills() -> None:
    """SIGTERM first, SIGKILL after drain time and margin, and again if that was not enough."""
    stage = Stage(drain_seconds=90)
    stage.ready()
    asked = stage.now

    assert [Do.TERMINATE] == does(stage.core.stop_asked(stage.now))
    assert ("stopping", asked + 100) == (stage.core.phase, stage.core.due)
    assert [Do.KILL] == does(stage.pass_time())
    assert [Do.KILL] == does(stage.pass_time())
    stage.end(Exit(None, "SIGKILL"))
    assert ("stopped", "asked to stop", None) == (stage.core.phase, stage.core.reason, stage.core.due)


def test_what_loads_has_nothing_to_drain() -> None:
    """A stop before the first token waits for the margin alone."""
    stage = Stage(drain_seconds=90)
    stage.start()
    stage.core.stop_asked(stage.now)

    assert stage.now + 10 == stage.core.due


def test_a_stop_ends_a_back_off() -> None:
    """A stop wins over a restart that is due."""
    stage = Stage()
    stage.ready()
    stage.end()
    stage.core.stop_asked(stage.now)

    assert ("stopped", None) == (stage.core.phase, stage.core.due)
    assert [] == stage.core.ticked(stage.now + 1000)


def test_a_start_does_not_shorten_a_back_off() -> None:
    """Chats that ask for the engine during a crash loop do not make it faster."""
    stage = Stage()
    stage.ready()
    stage.end()
    due = stage.core.due

    assert ([], due) == (stage.start(), stage.core.due)


def test_a_start_takes_back_a_stop() -> None:
    """A start that comes while it stops follows the stop, without a back-off."""
    stage = Stage()
    stage.ready()
    stage.core.stop_asked(stage.now, "idle")
    assert [] == stage.start()
    assert "stopping" == stage.core.phase

    assert [Do.SPAWN] == does(stage.end(Exit(0, None)))
    assert ("starting", 0) == (stage.core.phase, stage.core.restarts)


def test_the_last_word_counts() -> None:
    """Stop, start, stop: it stays stopped."""
    stage = Stage()
    stage.ready()
    stage.core.stop_asked(stage.now)
    stage.start()
    stage.core.stop_asked(stage.now)

    assert [] == does(stage.end(Exit(0, None)))
    assert "stopped" == stage.core.phase


def test_the_end_of_the_supervisor() -> None:
    """The engine ends first; asked again, it is killed; nothing starts any more."""
    stage = Stage()
    stage.ready()

    assert [Do.TERMINATE] == does(stage.core.end_asked(stage.now))
    assert [] == stage.start()
    assert [Do.KILL] == does(stage.core.end_asked(stage.now))
    assert [Do.LEAVE] == does(stage.end(Exit(None, "SIGKILL")))


def test_the_end_of_a_supervisor_without_an_engine() -> None:
    """There is nothing to wait for when the engine rests, waits or cannot be made."""
    resting, waiting, failing = Stage(), Stage(marker=MARKER), Stage()
    waiting.start()
    failing.start()
    failing.core.end_asked(failing.now)

    assert [Do.LEAVE] == does(resting.core.end_asked(resting.now))
    assert [Do.LEAVE] == does(waiting.core.end_asked(waiting.now))
    assert [Do.LEAVE] == does(failing.core.spawn_failed(failing.now, "gone"))


# A ready engine

def test_idle_engine_rests() -> None:
    """After the idle time without a new request the engine is asked to end."""
    stage = Stage(idle_seconds=600)
    stage.ready()
    began = stage.now
    stage.core.answered(stage.now, 1, is_busy=False)

    stage.now = began + 599
    assert [] == stage.core.answered(stage.now, 1, is_busy=False)
    stage.now = began + 600
    assert [Do.TERMINATE] == does(stage.core.answered(stage.now, 1, is_busy=False))
    assert ("stopping", "idle") == (stage.core.phase, stage.core.reason)


@pytest.mark.parametrize(("count", "is_busy"), [(2, False), (1, True)])
def test_use_begins_the_idle_time_anew(count: float, is_busy: bool) -> None:
    """A request that came, or one that still runs, is use."""
    stage = Stage(idle_seconds=600)
    stage.ready()
    stage.core.answered(stage.now, 1, is_busy=False)
    stage.now += 600

    assert [] == stage.core.answered(stage.now, count, is_busy)
    stage.now += 599
    assert [] == stage.core.answered(stage.now, count, is_busy=False)
    stage.now += 1
    assert [Do.TERMINATE] == does(stage.core.answered(stage.now, count, is_busy=False))


def test_asking_for_a_start_is_use() -> None:
    """Who asked and heard `ready` has the whole idle time to send the chat."""
    stage = Stage(idle_seconds=600)
    stage.ready()
    stage.core.answered(stage.now, 1, is_busy=False)
    stage.now += 600
    stage.start()

    assert [] == stage.core.answered(stage.now, 1, is_busy=False)
    assert "ready" == stage.core.phase


@pytest.mark.parametrize(("idle_seconds", "count"), [(0, 1.0), (600, None)])
def test_what_never_rests(idle_seconds: float, count: float | None) -> None:
    """Neither an engine that is to stay nor one that does not tell its use is ever stopped."""
    stage = Stage(idle_seconds=idle_seconds)
    stage.ready()
    stage.now += 1e6

    assert [] == stage.core.answered(stage.now, count, is_busy=False)


def test_a_hung_engine_is_replaced() -> None:
    """Silence past the limit kills the run, and its end is a crash."""
    stage = Stage(hang_seconds=120)
    stage.ready()
    stage.core.answered(stage.now, 1, is_busy=False)
    stage.now += 119
    assert [] == stage.core.unanswered(stage.now)
    stage.now += 1

    assert [Do.KILL] == does(stage.core.unanswered(stage.now))
    stage.end(Exit(None, "SIGKILL"))
    assert ("starting", "The engine had not answered for 120 s.") == (stage.core.phase, stage.core.reason)


def test_events_of_an_earlier_run_are_ignored() -> None:
    """What a thread of the last run still reports does not touch this one."""
    stage = Stage()
    stage.ready()
    stage.end()
    stage.pass_time()
    core = stage.core

    def gone(core: Core, now: float) -> Actions:
        return core.exited(now, CRASH)

    assert [] == core.of_run(stage.now, 1, gone)
    assert (True, "starting") == (core.has_child, core.phase)
    assert core.of_run(stage.now, 2, gone)


# What is told

HISTORY = [
    {"starting": 5.0, "loading": 30.0},
    {"starting": 7.0, "loading": 40.0},
    {"starting": 6.0, "loading": 90.0},
]


def test_the_estimate_counts_down() -> None:
    """It is the median of earlier starts, less what has passed, and unknown once that is over."""
    stage = Stage(HISTORY)
    assert stage.core.estimate(stage.now) is None

    stage.start()
    assert 46 == stage.core.estimate(stage.now)
    stage.now += 10
    assert 36 == stage.core.estimate(stage.now)
    stage.say("Starting shard rank=0")
    assert 40 == stage.core.estimate(stage.now)
    assert 0 == stage.core.estimate(stage.now + 40)
    assert stage.core.estimate(stage.now + 41) is None
    stage.ready()
    assert stage.core.estimate(stage.now) is None


def test_the_estimate_knows_the_back_off() -> None:
    """A restart that waits two seconds takes two seconds longer; a download takes nobody knows how long."""
    stage = Stage(HISTORY)
    stage.start()
    stage.end()
    assert 47 == stage.core.estimate(stage.now)

    waiting = Stage(HISTORY, marker=MARKER)
    waiting.start()
    waiting.core.looked(waiting.now, is_there=False)
    assert waiting.core.estimate(waiting.now) is None


def test_the_state_tells_times() -> None:
    """Times of the monotonic clock are told as Unix time and as seconds passed."""
    stage = Stage()
    stage.ready()
    ready_at = stage.now
    stage.now += 5

    state = state_form(stage.core, stage.now, 5000.0)

    assert ("ready", 4995, 5, 5) == (
        state["phase"], state["since"], state["phase_seconds"], state["idle_seconds"])
    stage.end()
    state = state_form(stage.core, stage.now + 2, 5002.0)
    assert {"code": 1, "signal": None, "lines": ["Error: ShardFailed"], "at": 5000} == state["last_exit"]
    assert ready_at < stage.now


@pytest.mark.parametrize(("end", "code"), [(Exit(1, None), 1), (Exit(None, "SIGKILL"), 137),
                                           (Exit(None, "signal 40"), 128)])
def test_metrics_tell_the_last_exit(end: Exit, code: int) -> None:
    """A signal is told as shells do."""
    stage = Stage()
    stage.ready()
    stage.end(end)

    page = metrics_text(stage.core)

    assert f"paddock_engine_last_exit_code {code}\n" in page
    assert 'paddock_engine_phase{phase="starting"} 1\n' in page
    assert 'paddock_engine_start_seconds{phase="loading"} 10\n' in page


@pytest.mark.parametrize(
    ("lines", "end", "phase", "cause"),
    [
        (["huggingface_hub.errors.GatedRepoError: 401"], CRASH, "failed", "gated"),
        (["RuntimeError: No CUDA GPUs are available"], CRASH, "failed", "no_gpu"),
        (["Shard process was signaled to shutdown with signal 9 rank=0"], CRASH, "starting", "out_of_memory"),
        ([], Exit(2, None, ("error: unexpected argument",)), "failed", "bad_arguments"),
        ([], Exit(None, "SIGKILL"), "starting", "out_of_memory"),
        ([], CRASH, "starting", "unknown"),
    ],
)
def test_a_failure_is_told_as_one_word(lines: list[str], end: Exit, phase: str, cause: str) -> None:
    """GET /state says which kind it was until the next start."""
    stage = Stage()
    stage.start()
    stage.say(*lines)
    stage.end(end)

    assert (phase, cause) == (stage.core.phase, state_form(stage.core, stage.now, 0.0)["cause"])
    if phase == "starting":
        stage.pass_time()
    else:
        stage.start()
    assert stage.core.cause is None


def test_a_loop_of_unexplained_ends_is_a_crash_loop() -> None:
    """Where no line says more, the number of ends does."""
    stage = Stage()
    stage.start()
    for _ in range(MOST_UNREADY_ENDS):
        stage.end()
        if stage.core.phase == "starting":
            stage.pass_time()

    assert ("failed", "crash_loop") == (stage.core.phase, stage.core.cause)


def test_a_hang_is_told_as_one() -> None:
    """While it is killed and while the next start waits."""
    stage = Stage(start_limit_seconds=60)
    stage.start()
    stage.pass_time()
    assert ("stopping", "hang") == (stage.core.phase, stage.core.cause)
    stage.end(Exit(None, "SIGKILL"))

    assert ("starting", "hang") == (stage.core.phase, stage.core.cause)
