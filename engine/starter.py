"""Keep programs running on one machine: start them, restart what dies, end everything.

Knows: child processes, their lines of output, exit statuses, signals.
Knows nothing of: what the programs do, HTTP, settings, how they were installed.

Standard library only, because it runs with the system's Python. One event loop owns all children.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import sys
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from engine.console import Console, readable

# Seconds before the 1st, 2nd, ... restart in a row; the last one repeats. A crash loop then costs at
# most one start in half a minute, while a single crash is mended in a second.
RESTART_DELAYS_SECONDS = (1.0, 2.0, 4.0, 8.0, 16.0, 30.0)
# A program that lived this long is considered healthy: its next crash starts the row anew.
HEALTHY_SECONDS = 60.0
# A line longer than this is cut in pieces, so that a program without newlines cannot fill the memory.
LINE_LIMIT_BYTES = 65536
# Lines kept to say why a program ended.
LAST_LINES = 20
# Linux prctl(2) option: the signal a child gets when its parent dies.
PR_SET_PDEATHSIG = 1


class HopelessExit(Exception):
    """A program ended for a cause that another start cannot mend."""

    def __init__(self, name: str, status: int, sentence: str) -> None:
        """Keep the program's name, its exit status and the last line it wrote."""
        super().__init__(f"{name} cannot run (exit status {status}): {sentence}")
        self.name = name
        self.status = status
        self.sentence = sentence


@dataclass(frozen=True)
class Program:
    """One command to keep running.

    Units:   grace_seconds is the time between SIGTERM and SIGKILL.
    """

    name: str
    command: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    grace_seconds: float
    hopeless_statuses: frozenset[int] = frozenset()


@dataclass
class Backoff:
    """Choose how long to wait before a restart: 1, 2, 4 ... 30 seconds, anew after a healthy minute."""

    delays_seconds: tuple[float, ...] = RESTART_DELAYS_SECONDS
    healthy_seconds: float = HEALTHY_SECONDS
    crashes: int = 0

    def delay_after(self, lived_seconds: float) -> float:
        """Count one crash and return the seconds to wait."""
        if lived_seconds >= self.healthy_seconds:
            self.crashes = 0
        delay = self.delays_seconds[min(self.crashes, len(self.delays_seconds) - 1)]
        self.crashes += 1
        return delay


@dataclass
class Child:
    """One program kept running.

    stopped -> running -> waiting -> running ... -> stopped, or failed for a hopeless exit.
    """

    program: Program
    console: Console
    backoff: Backoff = field(default_factory=Backoff)
    state: str = "stopped"
    starts: int = 0
    pid: int | None = None
    last_lines: deque[str] = field(default_factory=lambda: deque(maxlen=LAST_LINES))

    def __post_init__(self) -> None:
        """Make the two events that stop() and run() meet at."""
        self._stop_asked = asyncio.Event()
        self._ended = asyncio.Event()
        self._ended.set()

    async def run(self) -> None:
        """Start the program and start it again whenever it ends, until stop().

        Raises:  HopelessExit if it ended with one of its hopeless statuses.
        Cancel:  kills the program at once; call stop() first to let it finish.
        """
        self._ended.clear()
        try:
            while not self._stop_asked.is_set():
                started = time.monotonic()
                status = await self._run_once()
                if self._stop_asked.is_set():
                    break
                if status in self.program.hopeless_statuses:
                    self.state = "failed"
                    raise HopelessExit(self.program.name, status, self._last_words())
                delay = self.backoff.delay_after(time.monotonic() - started)
                self.state = "waiting"
                self.console.say(f"{self.program.name} ended ({name_status(status)}); "
                                 f"starting it again in {delay:g} s")
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._stop_asked.wait(), delay)
            self.state = "stopped"
        finally:
            self._ended.set()

    async def stop(self) -> None:
        """Ask the program to end, kill it when its grace is over, wait until it is gone."""
        self._stop_asked.set()
        self.signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(self._ended.wait(), self.program.grace_seconds)
        except TimeoutError:
            self.console.say(f"{self.program.name} did not end within "
                             f"{self.program.grace_seconds:g} s; killing it")
            self.kill()
            await self._ended.wait()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program itself, if it runs."""
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the program and whatever it started, and do not start it again."""
        self._stop_asked.set()
        self._kill_group()

    def _kill_group(self) -> None:
        if self.pid is not None:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.pid, signal.SIGKILL)

    async def _run_once(self) -> int:
        """Run the program to its end, pass its lines on, return its exit status (negative: signal)."""
        read_end, write_end = os.pipe()
        try:
            running = await asyncio.create_subprocess_exec(
                *self.program.command, stdin=asyncio.subprocess.DEVNULL, stdout=write_end, stderr=write_end,
                env=dict(self.program.environment), cwd=self.program.folder,
                # Own session: Ctrl-C in the terminal reaches us alone, and we choose the order of ending.
                start_new_session=True, preexec_fn=die_with_parent())
        except OSError as failure:
            os.close(read_end)
            self.last_lines.append(str(failure))
            self.console.write(self.program.name, str(failure))
            return 127
        finally:
            os.close(write_end)
        self.pid, self.state = running.pid, "running"
        self.starts += 1
        self.last_lines.clear()
        pump = asyncio.create_task(self._pass_on(read_end))
        try:
            if self._stop_asked.is_set():  # asked while it was being started
                self.signal(signal.SIGTERM)
            status = await running.wait()
            # What the program itself started ends with it; this also closes our pipe.
            self._kill_group()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asyncio.shield(pump), 1)
            return status
        except asyncio.CancelledError:
            self._kill_group()
            raise
        finally:
            pump.cancel()
            self.pid = None

    async def _pass_on(self, descriptor: int) -> None:
        async for line in lines_of(descriptor):
            self.last_lines.append(line)
            self.console.write(self.program.name, line)

    def _last_words(self) -> str:
        return next((line for line in reversed(self.last_lines) if line.strip()), "it wrote nothing")


async def lines_of(descriptor: int) -> AsyncIterator[str]:
    """Read lines from a pipe until its end; of a line redrawn with returns, only the last state.

    Closes:  the descriptor.
    """
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT_BYTES)
    transport, _ = await loop.connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), os.fdopen(descriptor, "rb", 0))
    try:
        rest = b""
        while piece := await reader.read(LINE_LIMIT_BYTES):
            *whole, rest = (rest + piece).split(b"\n")
            if len(rest) > LINE_LIMIT_BYTES:
                whole.append(rest)
                rest = b""
            for line in whole:
                yield readable(line)
        if rest:
            yield readable(rest)
    finally:
        transport.close()


def name_status(status: int) -> str:
    """Write an exit status for people: `exit status 3`, `SIGKILL`."""
    if status >= 0:
        return f"exit status {status}"
    try:
        return signal.Signals(-status).name
    except ValueError:
        return f"signal {-status}"


def die_with_parent() -> Callable[[], None] | None:
    """Make the function a new child runs so that it is killed when we die, however we die.

    Linux only; elsewhere a killed starter leaves its programs running. The kernel ties the promise to the
    *thread* that started the child, so children are started from the main thread's event loop.
    """
    if sys.platform != "linux":
        return None
    parent = os.getpid()
    libc = ctypes.CDLL(None)

    def tie() -> None:
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # we died between fork and prctl
            os._exit(1)

    return tie
