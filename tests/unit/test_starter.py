"""The starter, against real tiny child processes: they crash, hang, ignore SIGTERM, leave children behind."""

import asyncio
import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from engine.console import Console
from engine.starter import Backoff, Child, HopelessExit, Program, name_status

# How long a tiny child may take for anything on a busy machine; reaching it is a failure.
DEADLINE_SECONDS = 20.0


class Screen:
    """A console whose lines a test can read."""

    def __init__(self, folder: Path) -> None:
        self.terminal = io.StringIO()
        self.console = Console(self.terminal, folder)
        self.folder = folder

    def log(self, name: str) -> str:
        path = self.folder / f"{name}.log"
        return path.read_text() if path.exists() else ""


@pytest.fixture
def screen(tmp_path: Path) -> Screen:
    return Screen(tmp_path / "log")


def program(source: str, folder: Path, *, grace_seconds: float = DEADLINE_SECONDS,
            hopeless: frozenset[int] = frozenset()) -> Program:
    """Make a program of a few lines of Python."""
    return Program("tiny", (sys.executable, "-u", "-c", source), {"PATH": os.environ["PATH"]}, folder,
                   grace_seconds, hopeless)


async def until(is_so: Callable[[], bool]) -> None:
    """Wait until something is so; fail at the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not is_so():
            await asyncio.sleep(0.005)


def test_delays_double_to_thirty_seconds() -> None:
    """Crashes in a row wait 1, 2, 4, 8, 16, 30, 30 seconds."""
    backoff = Backoff()

    assert [backoff.delay_after(0.5) for _ in range(7)] == [1, 2, 4, 8, 16, 30, 30]


def test_a_healthy_minute_starts_the_delays_anew() -> None:
    """A crash after a minute of life counts as the first one."""
    backoff = Backoff()
    delays = [backoff.delay_after(lived) for lived in (1, 1, 59.9, 60, 1)]

    assert delays == [1, 2, 4, 1, 2]


async def test_a_crash_is_followed_by_another_start(tmp_path: Path, screen: Screen) -> None:
    """A program that dies is started again, and the reason is shown."""
    child = Child(program("print('up')\nimport sys\nsys.exit(7)", tmp_path), screen.console, Backoff((0.01,)))
    running = asyncio.create_task(child.run())
    await until(lambda: child.starts >= 3)
    await child.stop()
    await running

    assert child.state == "stopped"
    assert "tiny ended (exit status 7); starting it again in 0.01 s" in screen.log("up")
    assert screen.log("tiny").count("up") >= 2


async def test_a_killed_program_comes_back(tmp_path: Path, screen: Screen) -> None:
    """kill -9 is named as such and leads to a new process."""
    source = "print('up')\nimport time\ntime.sleep(600)"
    child = Child(program(source, tmp_path), screen.console, Backoff((0.01,)))
    running = asyncio.create_task(child.run())
    await until(lambda: "up" in screen.log("tiny"))
    first = child.pid
    assert first is not None
    os.kill(first, signal.SIGKILL)
    await until(lambda: child.starts == 2 and child.pid is not None)

    assert first != child.pid
    assert "tiny ended (SIGKILL)" in screen.log("up")
    await child.stop()
    await running


async def test_a_hopeless_status_ends_the_loop_with_the_programs_own_sentence(
        tmp_path: Path, screen: Screen) -> None:
    """A cause that no restart mends is reported once, in the program's words."""
    source = "print('starting')\nprint('no such model: x/y')\nimport sys\nsys.exit(4)"
    child = Child(program(source, tmp_path, hopeless=frozenset({4})), screen.console)
    with pytest.raises(HopelessExit) as caught:
        await child.run()

    assert (child.starts, child.state, caught.value.sentence) == (1, "failed", "no such model: x/y")


async def test_a_program_that_cannot_be_started_is_tried_again(tmp_path: Path, screen: Screen) -> None:
    """A missing executable is a crash like any other."""
    missing = Program("tiny", (str(tmp_path / "none"),), {}, tmp_path, 1)
    child = Child(missing, screen.console, Backoff((0.01,)))
    running = asyncio.create_task(child.run())
    await until(lambda: screen.log("up").count("exit status 127") >= 2)
    await child.stop()
    await running

    assert "No such file or directory" in screen.log("tiny")


async def test_stop_lets_a_program_finish(tmp_path: Path, screen: Screen) -> None:
    """SIGTERM reaches the program, and what it still writes is kept."""
    source = ("import signal, sys, time\n"
              "def end(*_):\n    print('last words'); sys.exit(0)\n"
              "signal.signal(signal.SIGTERM, end)\nprint('up')\ntime.sleep(600)")
    child = Child(program(source, tmp_path), screen.console)
    running = asyncio.create_task(child.run())
    await until(lambda: "up" in screen.log("tiny"))
    await child.stop()
    await running

    assert "last words" in screen.log("tiny")
    assert child.starts == 1


async def test_a_program_that_ignores_sigterm_is_killed_after_its_grace(
        tmp_path: Path, screen: Screen) -> None:
    """Stopping ends, whatever the program does."""
    source = ("import signal, time\nsignal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
              "print('up')\ntime.sleep(600)")
    child = Child(program(source, tmp_path, grace_seconds=0.2), screen.console)
    running = asyncio.create_task(child.run())
    await until(lambda: "up" in screen.log("tiny"))
    pid = child.pid
    assert pid is not None
    await child.stop()
    await running

    assert not psutil.pid_exists(pid)
    assert "did not end within 0.2 s; killing it" in screen.log("up")


async def test_stop_during_the_wait_for_a_restart_ends_at_once(tmp_path: Path, screen: Screen) -> None:
    """A program waiting for its next start is not started again."""
    child = Child(program("raise SystemExit(1)", tmp_path), screen.console, Backoff((600,)))
    running = asyncio.create_task(child.run())
    await until(lambda: child.state == "waiting")
    await child.stop()
    await running

    assert (child.starts, child.state) == (1, "stopped")


async def test_what_a_program_started_ends_with_it(tmp_path: Path, screen: Screen) -> None:
    """A grandchild that holds our pipe neither survives nor delays the restart."""
    source = ("import subprocess, sys\n"
              "left = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
              "print('left', left.pid)\nsys.exit(1)")
    child = Child(program(source, tmp_path), screen.console, Backoff((600,)))
    running = asyncio.create_task(child.run())
    await until(lambda: child.state == "waiting")
    left = int(screen.log("tiny").split()[-1])
    await until(lambda: not is_alive(left))
    await child.stop()
    await running


async def test_lines_stay_whole_and_long_ones_are_cut(tmp_path: Path, screen: Screen) -> None:
    """Pieces are joined, redrawn lines show their last state, control characters are spelled out."""
    source = ("import sys, time\nw = sys.stdout.write\n"
              "w('one '); sys.stdout.flush(); w('line\\n'); w('10 %\\r20 %\\r\\n'); w('bell \\x07\\n')\n"
              "w('x' * 200000 + '\\n'); w('no newline')")
    child = Child(program(source, tmp_path, hopeless=frozenset({0})), screen.console)
    with contextlib.suppress(HopelessExit):
        await child.run()
    texts = [line.partition(" ")[2] for line in screen.log("tiny").splitlines()]
    long = [text for text in texts if text.startswith("x")]

    assert texts[:3] == ["one line", "20 %", "bell \\x07"]
    assert texts[-1] == "no newline"
    assert (len("".join(long)), len(long) > 1) == (200000, True)


def test_a_killed_starter_leaves_no_child(tmp_path: Path) -> None:
    """kill -9 of the starter itself kills its programs: the kernel sees to it."""
    source = f"""
import asyncio, pathlib, sys
from engine.console import Console
from engine.starter import Child, Program
folder = pathlib.Path({str(tmp_path)!r})
source = "import os, time; print(os.getpid(), flush=True); time.sleep(600)"
tiny = Program("tiny", (sys.executable, "-c", source), {{}}, folder, 1)
asyncio.run(Child(tiny, Console(sys.stdout, folder)).run())
"""
    starter = subprocess.Popen([sys.executable, "-c", source], stdout=subprocess.PIPE, text=True,
                               cwd=Path(__file__).parents[2])
    assert starter.stdout is not None
    pid = int(starter.stdout.readline().split()[-1])
    starter.kill()
    starter.wait()
    starter.stdout.close()
    deadline = time.monotonic() + DEADLINE_SECONDS
    while is_alive(pid) and time.monotonic() < deadline:
        pass

    assert not is_alive(pid)


def is_alive(pid: int) -> bool:
    """Say whether a process runs; a zombie that nobody collected does not."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    return False


def test_exit_statuses_are_named() -> None:
    """Signals have names, statuses are statuses, unknown signals keep their number."""
    assert [name_status(s) for s in (0, -9, -63)] == ["exit status 0", "SIGKILL", "signal 63"]
