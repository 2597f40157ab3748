"""scripts/chat as people run it, against a gateway that plays a written part."""

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

CHAT = Path(__file__).parents[2] / "scripts/chat"
DEADLINE_SECONDS = 20.0
END = (b'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\n'
       b'data: {"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":12},'
       b'"timings":{"tokens_per_second":41.5}}\n\ndata: [DONE]\n\n')


def delta(text: str) -> bytes:
    """Write one chunk of an answer."""
    chunk = {"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": None}]}
    return b"data: " + json.dumps(chunk).encode() + b"\n\n"


@dataclass
class Part:
    """What the gateway sends and what it saw; stays_open keeps the stream until the client goes."""

    status: int = 200
    frames: tuple[bytes, ...] = ()
    stays_open: bool = False
    url: str = ""
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    client_left: threading.Event = field(default_factory=threading.Event)


@contextmanager
def gateway(part: Part) -> Iterator[Part]:
    """Serve a part on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            part.bodies.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            part.headers.append({**dict(self.headers), "path": self.path})
            self.send_response(part.status)
            self.end_headers()
            try:
                for frame in part.frames:
                    self.wfile.write(frame)
                if part.stays_open and self.connection.recv(1) == b"":
                    part.client_left.set()
            except ConnectionError:
                part.client_left.set()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Keep the test's output free of access lines."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        part.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield part
        finally:
            server.shutdown()
            thread.join()


def chat(part: Part, *arguments: str, typed: str = "", **variables: str) -> subprocess.CompletedProcess[str]:
    """Run scripts/chat against a part and return what it printed."""
    return subprocess.run(
        [sys.executable, str(CHAT), *arguments], input=typed, capture_output=True, text=True, check=False,
        timeout=DEADLINE_SECONDS, env={"PADDOCK_URL": part.url, "PYTHONIOENCODING": "utf-8"} | variables)


def start(part: Part) -> subprocess.Popen[str]:
    """Start scripts/chat against a part, with its output in pipes."""
    return subprocess.Popen([sys.executable, str(CHAT), "x", "--url", part.url],
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_an_answer_is_printed_with_its_figures() -> None:
    """The text goes to standard output alone, the figures to standard error."""
    with gateway(Part(frames=(b": keep-alive\n\n", delta("Caf"), delta("é ☕"), END))) as part:
        done = chat(part, "Where?")

    assert (done.returncode, done.stdout) == (0, "Café ☕\n")
    assert "3 tokens, 41.5 tokens/s, first token after 0." in done.stderr
    assert part.bodies[0]["messages"] == [{"role": "user", "content": "Where?"}]
    assert (part.headers[0]["path"], part.headers[0]["Paddock-Progress"]) == ("/v1/chat/completions", "1")


def test_without_a_question_the_default_one_is_asked() -> None:
    """The default question is the one of the project's first example."""
    with gateway(Part(frames=(delta("def fib"), END))) as part:
        chat(part)

    assert part.bodies[0]["messages"][0]["content"] == (
        "Implement a Python function to compute the Fibonacci numbers.")


@pytest.mark.parametrize("way", [(), ("--url",)], ids=["word", "option"])
def test_the_address_is_taken_as_scripts_top_takes_it(way: tuple[str, ...]) -> None:
    """As a word before the question, or as an option; with neither, from PADDOCK_URL."""
    with gateway(Part(frames=(delta("x"), END))) as part:
        done = chat(part, *way, part.url, "http://x is what?", PADDOCK_URL="http://127.0.0.1:1")

    assert (0, "http://x is what?") == (done.returncode, part.bodies[0]["messages"][0]["content"])


def test_a_question_of_several_words_needs_quotes() -> None:
    """Only one of them would be asked."""
    with gateway(Part()) as part:
        done = chat(part, "What", "now?")

    assert (2, []) == (done.returncode, part.bodies)
    assert "put it in quotes" in done.stderr


def test_options_reach_the_gateway() -> None:
    """System prompt, limits, and a question from standard input."""
    with gateway(Part(frames=(delta("x"), END))) as part:
        chat(part, "-", "--system", "Be brief.", "--max-tokens", "5", "--temperature", "0",
             typed="Why?\nNow?\n")

    body = part.bodies[0]
    assert body["messages"] == [{"role": "system", "content": "Be brief."},
                                {"role": "user", "content": "Why?\nNow?"}]
    assert (body["max_tokens"], body["temperature"], body["stream"]) == (5, 0, True)


def test_the_place_in_the_queue_is_shown_while_waiting() -> None:
    """News of the queue goes to standard error, without control codes when it is piped."""
    news = (b'event: progress\ndata: {"state":"waiting","place":2,"backlog":5,"phase":"ready"}\n\n'
            b'event: progress\ndata: {"state":"running"}\n\n')
    with gateway(Part(frames=(news, delta("done"), END))) as part:
        done = chat(part, "x")

    assert done.stdout == "done\n"
    assert done.stderr.startswith("waiting: place 2 of 5\n")
    assert "\x1b" not in done.stdout + done.stderr


def test_a_refusal_is_a_sentence() -> None:
    """The gateway's own message, when to try again, and exit status 1."""
    error = {"message": "All places are taken.", "code": "backlog_full", "retry_after_seconds": 7}
    with gateway(Part(status=429, frames=(json.dumps({"error": error}).encode(),))) as part:
        done = chat(part, "x")

    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "scripts/chat: All places are taken; try again in 7 s\n"


def test_another_program_at_the_address_is_named_as_such() -> None:
    """An error page that is no envelope is reported by its status."""
    with gateway(Part(status=404, frames=(b"<html>nothing</html>",))) as part:
        done = chat(part, "x")

    assert done.returncode == 1
    assert done.stderr == "scripts/chat: no chat is served there: HTTP 404 Not Found\n"


def test_nobody_at_the_address() -> None:
    """A closed port says how to start a gateway, with exit status 3."""
    with gateway(Part()) as part:
        pass
    done = chat(part, "x")

    assert done.returncode == 3
    assert "start one with scripts/up" in done.stderr


@pytest.mark.parametrize("frames", [
    (delta("half an ans"), b'data: {"error":{"message":"The engine died.","code":"engine_cut_off"}}\n\n'),
    (delta("half an ans"),),
])
def test_a_broken_answer_is_kept_and_reported(frames: tuple[bytes, ...]) -> None:
    """What came is printed, and exit status 4 says that it is not all."""
    with gateway(Part(frames=frames)) as part:
        done = chat(part, "x")

    assert (done.returncode, done.stdout) == (4, "half an ans\n")
    assert "scripts/chat: the answer broke off: " in done.stderr


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_closes_the_connection(number: signal.Signals) -> None:
    """Leaving frees the engine: the gateway sees the connection closed."""
    with gateway(Part(frames=(delta("one"),), stays_open=True)) as part:
        running = start(part)
        assert running.stdout is not None
        assert running.stdout.read(3) == "one"
        running.send_signal(number)
        _, errors = running.communicate(timeout=DEADLINE_SECONDS)

        assert part.client_left.wait(DEADLINE_SECONDS)
    assert (running.returncode, errors) == (130, "\ninterrupted\n")


def test_a_reader_that_has_enough_ends_it_quietly() -> None:
    """`scripts/chat | head` prints no traceback and closes the connection."""
    with gateway(Part(frames=tuple(delta("x" * 9000 + "\n") for _ in range(40)), stays_open=True)) as part:
        running = start(part)
        assert running.stdout is not None and running.stderr is not None
        running.stdout.read(3)
        running.stdout.close()
        errors = running.stderr.read()
        running.stderr.close()
        running.wait(DEADLINE_SECONDS)

        assert part.client_left.wait(DEADLINE_SECONDS)
    assert (running.returncode, errors) == (0, "")


def test_a_chat_of_several_turns_keeps_its_answers() -> None:
    """Each turn sends all earlier ones; the end of the input leaves."""
    with gateway(Part(frames=(delta("Hi."), END))) as part:
        done = chat(part, "-i", typed="Hello\n\nAgain\n")

    assert (done.returncode, done.stdout) == (0, "Hi.\nHi.\n")
    assert [message["content"] for message in part.bodies[1]["messages"]] == ["Hello", "Hi.", "Again"]


def test_a_failed_turn_is_not_part_of_the_chat() -> None:
    """After a refusal the next question is asked as if it had not been."""
    with gateway(Part(status=503, frames=(b'{"error":{"message":"The engine is loading."}}',))) as part:
        done = chat(part, "-i", typed="Hello\nAgain\n")

    assert done.returncode == 0
    assert done.stderr.count("The engine is loading.") == 2
    assert [len(body["messages"]) for body in part.bodies] == [1, 1]


def test_wrong_usage_is_refused() -> None:
    """An address that is none, and an empty question."""
    with gateway(Part()) as part:
        wrong = chat(part, "x", "--url", "localhost:8080")
        empty = chat(part, "-", typed="  \n")

    assert (wrong.returncode, empty.returncode) == (2, 2)
    assert "--url must look like http://127.0.0.1:8080" in wrong.stderr
    assert empty.stderr == "scripts/chat: the question is empty\n"
    assert part.bodies == []


def test_the_key_of_the_environment_is_sent() -> None:
    """As a bearer's, and nothing at all without one."""
    part = Part(frames=(delta("Hi"), END))
    with gateway(part):
        statuses = [chat(part, "Hello", PADDOCK_KEY=" pk-1 ").returncode, chat(part, "Hello").returncode]

    assert [0, 0] == statuses
    assert ["Bearer pk-1", None] == [headers.get("Authorization") for headers in part.headers]


def test_a_missing_key_is_said_with_its_variable() -> None:
    """The gateway's sentence speaks of headers; ours says what to set."""
    error = {"error": {"message": "an API key is needed", "retry_after_seconds": None}}
    part = Part(status=401, frames=(json.dumps(error).encode(),))
    with gateway(part):
        done = chat(part, "Hello")

    assert 1 == done.returncode
    assert "scripts/chat: an API key is needed; PADDOCK_KEY holds the key that is sent\n" == done.stderr


@pytest.mark.parametrize("url", ["http://127.0.0.1:x", "http://127.0.0.1:99999", "http://[::1", "ftp://a"])
def test_an_address_that_is_none_is_wrong_usage(url: str) -> None:
    """Exit status 2, before anything is asked."""
    done = chat(Part(), "--url", url, "Hello")

    assert 2 == done.returncode
    assert f"--url must look like http://127.0.0.1:8080, not {url}" in " ".join(done.stderr.split())


def test_the_address_of_openais_clients_is_taken() -> None:
    """With /v1 at its end, as they want it."""
    part = Part(frames=(delta("Hi"), END))
    with gateway(part):
        done = chat(part, "--url", f"{part.url}/v1/", "Hello")

    assert (0, "/v1/chat/completions") == (done.returncode, part.headers[0]["path"])


@pytest.mark.parametrize("locale", [{}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_a_question_is_utf8_on_every_system(locale: dict[str, str]) -> None:
    """As an argument and from standard input; bytes that are none are shown as such."""
    part = Part(frames=(delta("Hü"), END))
    command = [sys.executable, str(CHAT)]
    with gateway(part):
        environment = {"PADDOCK_URL": part.url} | locale
        statuses = [
            subprocess.run([*command, argument], input=typed, capture_output=True, check=False,
                           timeout=DEADLINE_SECONDS, env=environment).returncode
            for argument, typed in (
                ("für 5 €".encode(), b""), (b"-", "für 5 €".encode()), (b"a\xff", b""), (b"-i", b"b\xff\n"))
        ]

    assert [0, 0, 0, 0] == statuses
    asked = [body["messages"][0]["content"] for body in part.bodies]
    assert ["für 5 €", "für 5 €", "a\ufffd", "b\ufffd"] == asked


def test_an_answer_that_cannot_be_written_is_a_sentence() -> None:
    """A full disk behind a > is said, and the status tells that the answer is not whole."""
    part = Part(frames=(delta("Hi"), END))
    with gateway(part), Path("/dev/full").open("w") as full:
        done = subprocess.run([sys.executable, str(CHAT), "Hello"], stdout=full, stderr=subprocess.PIPE,
                              text=True, check=False, timeout=DEADLINE_SECONDS, env={"PADDOCK_URL": part.url})

    assert 4 == done.returncode
    assert "scripts/chat: the answer cannot be written: No space left on device\n" == done.stderr
