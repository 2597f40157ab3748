"""One engine as the gateway sees it: its phase, what it serves, and how much it has to do.

    starting ──► loading ──► ready ──► starting (lost, stalled or failing) ──► …
        ├─► stopped (idle; a chat wakes it)
        └─► failed (cannot serve chats; with the reason)

Without a supervisor only starting, ready and failed can be told apart. Ready is proven at each start: another
run by the supervisor's word, an idle connection that ended, or another model in /info makes it prove itself
again before the next chat.

Knows how to find out whether an engine serves. Knows nothing of tickets or streams.
"""

import asyncio
import dataclasses
import logging
from collections.abc import Callable, Hashable

from gateway.breaker import Breaker
from gateway.chat import Sampling
from gateway.control import Cause, Control, ControlLost, EngineState, Phase
from gateway.errors import EngineError, EngineTimeout
from gateway.line import Held, Hold, hold
from gateway.proof import Proof, prove
from gateway.room import Room, room_for
from gateway.silence import Served
from gateway.tgi import Info, Tgi

_LOG = logging.getLogger(__name__)

# Phases that lead to ready by themselves, or by being woken.
_PASSING = frozenset({Phase.STOPPED, Phase.STARTING, Phase.LOADING, Phase.STOPPING})
_CONNECT_SECONDS = 5.0


class Replica:
    """One running engine, and what is known of it.

    Units: since is the clock's seconds; max_total_tokens counts prompt and answer together;
    outstanding is the tokens that the chats it serves now may still cost; proof is what it showed when it
    was last asked, None before; start_seconds is how long each phase of its last start took, where a
    supervisor says so; cause is why it does not serve, None while nothing is wrong; stalls is how often it
    was found silent; supervisor_problem is why its supervisor is silent, None if it is not.
    """

    def __init__(
        self,
        tgi: Tgi,
        control: Control | None,
        clock: Callable[[], float],
        on_change: Callable[[], None],
        on_doubt: Callable[[], None] = lambda: None,
        open_line: Hold = hold,
    ) -> None:
        self.name = tgi.url.removeprefix("http://")
        self.tgi = tgi
        self.control = control
        self.phase = Phase.STARTING
        self.reason: str | None = f"waiting for the engine at {tgi.url}"
        self.cause: Cause | None = None
        self.ready_seconds: float | None = None
        self.model: str | None = None
        self.max_total_tokens = 0
        self.proof: Proof | None = None
        self.start_seconds: dict[str, float] = {}
        self.running = 0
        self.outstanding = 0
        self.chats: set[Served] = set()
        self.heard_at = clock()
        self.stalls = 0
        self.breaker = Breaker()
        self._clock = clock
        self._on_change = on_change
        self._on_doubt = on_doubt
        self._open_line = open_line
        self._line: Held | None = None
        self._proven: tuple[str | None, Info] | None = None
        self._run: str | None = None
        self._trouble: tuple[str, Cause | None] = ("", None)
        self._is_supervised = self._is_returning = False
        self.supervisor_problem: str | None = None
        self._waking: asyncio.Task[None] | None = None
        self.since = clock()

    @property
    def is_ready(self) -> bool:
        """Say whether it has generated a token since it started."""
        return self.phase is Phase.READY

    @property
    def will_serve(self) -> bool:
        """Say whether it serves now or is known to be on the way, so that waiting makes sense."""
        if self.is_ready or self._is_returning:
            return True
        is_on_the_way = self._is_supervised and self.phase in _PASSING
        return is_on_the_way and not self.breaker.pause_seconds(self._clock())

    @property
    def begin_of_text(self) -> int | None:
        """Give how many begin-of-text tokens its tokenizer adds, None before it was asked."""
        return None if self.proof is None else self.proof.begin_of_text

    @property
    def phase_seconds(self) -> float:
        """Give how long the phase has lasted."""
        return round(self._clock() - self.since, 1)

    def enter(
        self,
        phase: Phase,
        reason: str | None,
        ready_seconds: float | None = None,
        cause: Cause | None = None,
    ) -> None:
        """Change the phase, or only what is said of it."""
        self.ready_seconds = ready_seconds
        # A failure that nobody could name is an unknown one, so that none goes uncounted.
        self.cause = Cause.UNKNOWN if phase is Phase.FAILED and cause is None else cause
        if (phase, reason) == (self.phase, self.reason):
            return
        if phase is not self.phase:
            self.since = self._clock()
            _LOG.info("engine %s: %s%s", self.name, phase, f" ({reason})" if reason else "")
        self.phase, self.reason = phase, reason
        self._on_change()

    def adapted(self, sampling: Sampling) -> Sampling:
        """Give a chat's sampling the ends that this engine does not stop at by itself."""
        if not sampling.ends or self.proof is None:
            return sampling
        return dataclasses.replace(sampling, ends=self.proof.sent)

    def fail(self, error: EngineError, *, is_unreachable: bool, chat: Hashable = None) -> None:
        """Take note that it failed a chat; leave it alone if it fails one after the other."""
        self._trouble = (f"chats failed in a row ({error.code}): {error.message}", None)
        if self.breaker.fail(self._clock(), chat):
            self._leave_alone()
        elif is_unreachable:
            self._doubt(error.message)

    def stall(self, silent_seconds: float) -> None:
        """Take note that it is silent while chats run; end them."""
        self.stalls += 1
        self.breaker.trip(self._clock())
        self._trouble = (f"no token of any chat for {silent_seconds:.0f} s", Cause.HANG)
        error = EngineTimeout(f"the engine stalled: {self._trouble[0]}")
        self._leave_alone()
        for chat in list(self.chats):
            chat.end(error)

    def wake(self) -> None:
        """Start a sleeping engine, without waiting for it."""
        is_asleep = self.phase in (Phase.STOPPED, Phase.STOPPING)
        if self.control is not None and is_asleep and self._waking is None:
            self._waking = asyncio.create_task(self._wake(self.control), name=f"wake {self.name}")

    async def look(self) -> None:
        """Find out what the engine is doing now. Never raises."""
        state = None if self.control is None else await self._supervised(self.control)
        if state is not None and state.phase is not Phase.READY:
            self._let_go()
            self.enter(state.phase, state.reason, state.ready_seconds, state.cause)
            self._is_returning = False
            return
        if self.breaker.pause_seconds(self._clock()):
            self._doubt("")
        else:
            await self._look_at_wire(state)
        self._is_returning = False

    async def room(self, prompt: str, max_tokens: int | None, *, is_counted: bool = False) -> Room:
        """Find how many tokens an answer may have for sure: what was asked for, or a first part.

        Raises: PromptTooLong with exact counts; EngineError if the engine had to count and could not.
        """
        return await room_for(
            prompt, max_tokens, self.max_total_tokens, self.tgi.count, is_counted=is_counted
        )

    def close(self) -> None:
        """Close the idle connections."""
        self._let_go()
        self.tgi.close()
        if self.control is not None:
            self.control.close()
        if self._waking is not None:
            self._waking.cancel()

    async def _supervised(self, control: Control) -> EngineState | None:
        """Ask its supervisor; None if that says nothing: then the engine's own health has to do."""
        try:
            state = await control.state()
        except ControlLost as lost:
            if self.supervisor_problem is None:
                _LOG.warning("engine %s is judged by its own health alone: %s", self.name, lost)
            self._is_supervised, self.supervisor_problem = False, str(lost)
            return None
        if self.supervisor_problem is not None:
            _LOG.info("engine %s: its supervisor answers", self.name)
        self._is_supervised, self.supervisor_problem = True, None
        self.model = self.model or state.model
        self.start_seconds = state.start_seconds
        if state.run != self._run:
            self._run = state.run
            self.breaker.renew()
        return state

    async def _wake(self, control: Control) -> None:
        try:
            await control.start()
        except ControlLost as lost:
            _LOG.warning("engine %s could not be woken: %s", self.name, lost)
        finally:
            self._waking = None
        await self.look()

    async def _look_at_wire(self, state: EngineState | None) -> None:
        try:
            health = await self.tgi.forward("GET", "/health")
            if health.status != 200:
                self._doubt(f"the engine says it is unhealthy (HTTP {health.status})")
                return
            # While the line holds it is the run that a silent supervisor named last.
            run = state.run if state is not None else self._run if self.is_ready else None
            # A supervisor names each run; without one, what the engine says of itself has to do.
            if self.is_ready and run is not None and self._proven is not None and self._proven[0] == run:
                return
            info = await self.tgi.info()
            if self._proven != (run, info):
                if self.is_ready:
                    self._doubt("another engine answers: it has to show what it can")
                await self._prove(info, state)
            elif not self.is_ready and run is None:
                await self._prove(info, state)
            elif not self.is_ready:
                # Its line was closed, and the same run says that it was not its end.
                self._line = await self._open_line(self.tgi.url, _CONNECT_SECONDS, self._line_lost)
                self.enter(Phase.READY, None)
        except EngineTimeout as error:
            # Its health check waits for the forward step under way, which a long prompt makes long:
            # an engine that served before is busy, not gone.
            if not self.is_ready:
                self._doubt(error.message)
        except EngineError as error:
            self._doubt(error.message)

    async def _prove(self, info: Info, state: EngineState | None) -> None:
        """Let a new engine show that it can serve chats, on a line that tells if it ends meanwhile."""
        self.breaker.begin_try()
        is_good = False
        line = await self._open_line(self.tgi.url, _CONNECT_SECONDS, self._line_lost)
        try:
            self.proof = await prove(self.tgi, None if state is None else state.stop_tokens)
            is_good = self.proof.problem is None and not line.is_lost
        finally:
            self.breaker.end_try(self._clock(), is_good=is_good)
            if not is_good:
                line.close()
        if self.proof.problem is not None:
            self.enter(Phase.FAILED, self.proof.problem, cause=Cause.WRONG_MODEL)
            return
        if not is_good:
            self._doubt("the engine ended while it was tried")
            return
        self._let_go()
        self._line, self._proven = line, (None if state is None else state.run, info)
        self.model, self.max_total_tokens = info.model, info.max_total_tokens
        self.enter(Phase.READY, None)

    def _doubt(self, reason: str) -> None:
        """Send nobody there until it has generated a token for us."""
        self._let_go()
        self._proven = None
        if pause := self.breaker.pause_seconds(self._clock()):
            reason, cause = self._trouble
            self.enter(Phase.STARTING, reason, pause, cause)
        else:
            self.enter(Phase.STARTING, reason)

    def _leave_alone(self) -> None:
        self._doubt(self._trouble[0])
        self.cause = self._trouble[1]
        # The first try comes at once, and may be good: who asks now waits for it.
        self._is_returning = not self.breaker.pause_seconds(self._clock())
        self._on_doubt()

    def _let_go(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None

    def _line_lost(self) -> None:
        if self._line is None or not self._line.is_lost:
            return  # one that was tried, and is told there
        self._line = None
        if self.is_ready:
            self._is_returning = True
            self.enter(Phase.STARTING, "the engine closed its connection: it is looked at again")
            self._on_doubt()
