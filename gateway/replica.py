"""One engine as the gateway sees it: its phase, what it serves, and how much it has to do.

    starting ──► loading ──► ready ──► starting (lost) ──► …
        ├─► stopped (idle; a chat wakes it)
        └─► failed (cannot serve chats; with the reason)

Without a supervisor only starting, ready and failed can be told apart.

Knows how to find out whether an engine serves. Knows nothing of tickets or streams.
"""

import asyncio
import logging
from collections.abc import Callable

from gateway.chat import Sampling
from gateway.control import Cause, Control, ControlLost, Phase
from gateway.errors import EngineError, EngineTimeout, PromptTooLong
from gateway.tgi import MAX_NEW_TOKENS, Info, Tgi, generate_body

_LOG = logging.getLogger(__name__)

_HEADERS = ("<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>")
# Phases that lead to ready by themselves, or by being woken.
_PASSING = frozenset({Phase.STOPPED, Phase.STARTING, Phase.LOADING, Phase.STOPPING})


class Replica:
    """One running engine, and what is known of it.

    Units: since is the clock's seconds; max_total_tokens counts prompt and answer together;
    outstanding is the tokens that the chats it serves now may still cost; begin_of_text is how many
    such tokens its tokenizer was seen to add, None before it was asked; start_seconds is how long each
    phase of its last start took, where a supervisor says so; cause is why it does not serve, None while
    nothing is wrong.
    """

    def __init__(
        self, tgi: Tgi, control: Control | None, clock: Callable[[], float], on_change: Callable[[], None]
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
        self.begin_of_text: int | None = None
        self.start_seconds: dict[str, float] = {}
        self.running = 0
        self.outstanding = 0
        self._clock = clock
        self._on_change = on_change
        self._is_supervised = False
        self._waking: asyncio.Task[None] | None = None
        self.since = clock()

    @property
    def is_ready(self) -> bool:
        """Say whether it has generated a token since it started."""
        return self.phase is Phase.READY

    @property
    def will_serve(self) -> bool:
        """Say whether it serves now or is known to be on the way, so that waiting makes sense."""
        return self.is_ready or (self._is_supervised and self.phase in _PASSING)

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

    def wake(self) -> None:
        """Start a sleeping engine, without waiting for it."""
        if (
            self.control is not None
            and self.phase in (Phase.STOPPED, Phase.STOPPING)
            and self._waking is None
        ):
            self._waking = asyncio.create_task(self._wake(self.control), name=f"wake {self.name}")

    async def look(self) -> None:
        """Find out what the engine is doing now. Never raises."""
        if self.control is not None:
            try:
                state = await self.control.state()
            except ControlLost as lost:
                # The supervisor is part of the same container: it comes and goes with the engine.
                self._is_supervised = False
                self.enter(Phase.STARTING, str(lost))
                return
            self._is_supervised = True
            self.model = self.model or state.model
            self.start_seconds = state.start_seconds
            if state.phase is not Phase.READY:
                self.enter(state.phase, state.reason, state.ready_seconds, state.cause)
                return
        await self._look_at_wire()

    async def room(self, prompt: str, max_tokens: int | None) -> int:
        """Find how many tokens an answer may have for sure: what was asked for, or a first part.

        Raises: PromptTooLong with exact counts; EngineError if the engine had to count and could not.
        """
        context = self.max_total_tokens
        wanted = max_tokens or MAX_NEW_TOKENS
        # A token covers at least one byte, so most prompts are known to fit without being counted.
        if len(prompt.encode()) + 1 + wanted <= context:
            return wanted
        count = len(await self.tgi.tokenize(prompt))
        if count + (max_tokens or 1) > context:
            asked = f" and {max_tokens} are asked for" if max_tokens else ""
            raise PromptTooLong(
                f"the prompt has {count} tokens{asked}; the context holds {context} in all, answer included",
                param="max_tokens" if max_tokens and count < context else "messages",
            )
        return context - count

    def close(self) -> None:
        """Close the idle connections."""
        self.tgi.close()
        if self.control is not None:
            self.control.close()
        if self._waking is not None:
            self._waking.cancel()

    async def _wake(self, control: Control) -> None:
        try:
            await control.start()
        except ControlLost as lost:
            _LOG.warning("engine %s could not be woken: %s", self.name, lost)
        finally:
            self._waking = None
        await self.look()

    async def _look_at_wire(self) -> None:
        try:
            health = await self.tgi.forward("GET", "/health")
            if health.status != 200:
                self.enter(Phase.STARTING, f"the engine says it is unhealthy (HTTP {health.status})")
            elif not self.is_ready:
                await self._prove(await self.tgi.info())
        except EngineTimeout as error:
            # Its health check waits for the forward step under way, which a long prompt makes long:
            # an engine that served before is busy, not gone.
            if not self.is_ready:
                self.enter(Phase.STARTING, error.message)
        except EngineError as error:
            self.enter(Phase.STARTING, error.message)

    async def _prove(self, info: Info) -> None:
        """Let a new engine show that it can serve chats: right control tokens, then one token."""
        problem = await self._prompt_problem()
        if problem is not None:
            self.enter(Phase.FAILED, problem, cause=Cause.WRONG_MODEL)
            return
        await self.tgi.generate(generate_body("Hi", Sampling(), 1), lambda _: True)
        self.model, self.max_total_tokens = info.model, info.max_total_tokens
        self.enter(Phase.READY, None)

    async def _prompt_problem(self) -> str | None:
        """Check that begin-of-text comes once and Llama 3's headers are single tokens."""
        spans = await self.tgi.tokenize("<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>")
        automatic = [span for span in spans if span.start == span.stop]
        self.begin_of_text = len(automatic)
        if len(automatic) != 1 or spans[0] is not automatic[0]:
            return (
                f"the tokenizer adds {len(automatic)} begin-of-text tokens where a Llama 3 prompt has one"
            )
        texts = {span.text for span in spans}
        missing = [name for name in _HEADERS if name not in texts]
        if missing:
            return f"not a Llama 3 chat model: {', '.join(missing)} is no token of its vocabulary"
        return None
