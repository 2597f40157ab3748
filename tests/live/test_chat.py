"""scripts/chat against the whole stack started by scripts/up: what a person sees in a terminal."""

import contextlib
import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import psutil
import pytest

from tests.live.test_up import DEADLINE_SECONDS, ROOT, Running

COMMAND = (sys.executable, str(ROOT / "scripts/chat"))


@pytest.fixture(scope="module")
def up() -> Iterator[Running]:
    """Give one running stack for all tests here."""
    running = Running()
    try:
        running.wait_for("ready: ")
        yield running
        assert running.end() == 0
    finally:
        running.close()


def chat(up: Running, *arguments: str, typed: str = "") -> subprocess.CompletedProcess[str]:
    """Run scripts/chat to its end."""
    return subprocess.run([*COMMAND, *arguments], input=typed, capture_output=True, text=True, check=False,
                          timeout=DEADLINE_SECONDS,
                          env={**os.environ, "PADDOCK_URL": f"http://127.0.0.1:{up.port}"})


def test_a_question_is_answered(up: Running) -> None:
    """The answer on standard output, tokens per second on standard error."""
    done = chat(up, "What is the story about the fox and the grapes?", "--temperature", "0")

    assert done.returncode == 0
    assert "grapes" in done.stdout
    assert re.fullmatch(r"\(\d+ tokens, [\d.]+ tokens/s, first token after [\d.]+ s\)\n", done.stderr)


def test_the_default_question_is_answered_with_code(up: Running) -> None:
    """Without a question the model is asked for the Fibonacci numbers."""
    done = chat(up, "--temperature", "0")

    assert done.returncode == 0
    assert "def fib" in done.stdout


def test_the_token_limit_is_said(up: Running) -> None:
    """An answer cut by --max-tokens says so, with exactly that many tokens."""
    done = chat(up, "-", "--max-tokens", "5", typed="Tell me a story about an owl.")

    assert done.returncode == 0
    assert done.stderr.startswith("(5 tokens, ")
    assert done.stderr.endswith(", cut at the token limit)\n")


def test_a_chat_remembers(up: Running) -> None:
    """The second turn knows what the first one said."""
    done = chat(up, "-i", "--temperature", "0", typed="My name is Julia.\nWhat is my name?\n")

    assert done.returncode == 0
    assert "Julia" in done.stdout.splitlines()[-1]


def test_a_prompt_too_long_is_refused_in_words(up: Running) -> None:
    """The gateway's sentence with its counts, exit status 1, nothing on standard output."""
    done = chat(up, "-", typed="many words " * 20000)

    assert (done.returncode, done.stdout) == (1, "")
    assert re.match(r"scripts/chat: .*\d+.*tokens", done.stderr)


def test_an_interrupt_ends_a_silent_wait(up: Running) -> None:
    """Ctrl-C ends it at once while the engine is silent, and leaves no chat behind in the gateway."""
    engine = up.children()["engine"]
    engine.suspend()  # so that no answer can be complete before the signal
    try:
        running = subprocess.Popen([*COMMAND, "--url", f"http://127.0.0.1:{up.port}", "Hello!"],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        up.until(lambda: is_connected(running.pid, up.port), "no connection")
        running.send_signal(signal.SIGINT)
        shown, errors = running.communicate(timeout=DEADLINE_SECONDS)
    finally:
        engine.resume()

    assert (running.returncode, shown, errors) == (130, "", "\ninterrupted\n")
    assert chat(up, "Hello!").returncode == 0
    up.until(lambda: stats(up)["running"] == 0, "a chat left behind")


def is_connected(pid: int, port: int) -> bool:
    """Say whether a process holds a connection to a port of this machine."""
    return any(link.raddr and link.raddr.port == port for link in psutil.Process(pid).net_connections("tcp"))


def stats(up: Running) -> dict[str, int]:
    """Ask the gateway for its numbers."""
    connection = http.client.HTTPConnection("127.0.0.1", up.port, timeout=DEADLINE_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/stats")
        answer: dict[str, int] = json.loads(connection.getresponse().read())
        return answer
