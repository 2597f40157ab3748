"""scripts/top: what it reads, what it computes, what it shows, and where."""

import json
import math
import os
import re
import socket
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any

import pytest

from tests.unit.script import SCRIPTS, load

STATS: dict[str, Any] = {
    "backlog": 2,
    "num_total_runners": 1,
    "model": "llama",
    "running": 8,
    "slots": 8,
    "backlog_limit": 64,
    "tokens_per_second": 41.5,
    "phase": "ready",
    "phase_seconds": 75.0,
    "reason": None,
}
PAGE = """# TYPE paddock_arrival_first_token_seconds histogram
paddock_arrival_first_token_seconds_bucket{le="0.5"} 90.0
paddock_arrival_first_token_seconds_bucket{le="1.0"} 100.0
paddock_arrival_first_token_seconds_bucket{le="+Inf"} 100.0
paddock_arrival_first_token_seconds_count 100.0
paddock_wait_seconds_bucket{le="+Inf"} 7.0
"""


@pytest.fixture(scope="module")
def top() -> ModuleType:
    """Give scripts/top as a module."""
    return load("top")


@contextmanager
def answering(pages: dict[str, str]) -> Iterator[str]:
    """Serve some pages; others are not found. Give the address; /connections has how many were opened."""
    opened: list[object] = []

    class Answer(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def setup(self) -> None:
            opened.append(self)
            pages["/connections"] = str(len(opened))
            super().setup()

        def do_GET(self) -> None:
            body = pages.get(self.path, "").encode()
            self.send_response(200 if self.path in pages else 404)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        server.daemon_threads = True
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the script with its output in a pipe and no GPU in reach."""
    command = [sys.executable, str(SCRIPTS / "top"), *arguments]
    return subprocess.run(
        command, env={"PATH": "/nowhere"}, capture_output=True, text=True, timeout=30, check=False
    )


def sample(top: ModuleType, at: float, counts: list[float]) -> Any:
    """Make a sample with counts up to 0.5, 1 and any seconds."""
    return top.Sample(at, STATS, {"first_token": dict(zip((0.5, 1.0, math.inf), counts, strict=True))})


@pytest.mark.parametrize(
    ("counts", "expected"),
    [
        ([90, 100, 100], 0.75),
        ([100, 100, 100], 0.475),
        ([0, 0, 10], 1.0),
        ([0, 0, 0], None),
    ],
)
def test_a_quantile_is_prometheus_s(top: ModuleType, counts: list[float], expected: float | None) -> None:
    """Even within a bucket; beyond the last bound that bound; none without chats."""
    found = top.quantile(0.95, dict(zip((0.5, 1.0, math.inf), counts, strict=True)))

    assert expected == (None if found is None else round(found, 6))


def test_the_first_token_is_of_the_last_minute(top: ModuleType) -> None:
    """What was counted before the window does not count."""
    samples = deque([sample(top, 0.0, [90, 100, 100]), sample(top, 50.0, [90, 120, 120])])
    shown = top.facts(samples, [])

    assert (0.975, "minute") == (shown["first_token_p95_seconds"], shown["first_token_p95_since"])


@pytest.mark.parametrize("later", [[90, 100, 100], [9, 10, 10]])
def test_without_new_chats_it_is_since_the_start(top: ModuleType, later: list[float]) -> None:
    """Also where the gateway was started anew and counts less than before."""
    samples = deque([sample(top, 0.0, [90, 100, 100]), sample(top, 1.0, later)])
    shown = top.facts(samples, [])

    assert (0.75, "start") == (shown["first_token_p95_seconds"], shown["first_token_p95_since"])


def test_a_card_that_tells_little_is_shown_all_the_same(top: ModuleType) -> None:
    """What nvidia-smi calls not supported is null, and a question mark."""
    card = top.gpu("0, NVIDIA GeForce RTX 3060, 35, 5120, 12288, [N/A], 61")

    assert {
        "index": 0,
        "name": "NVIDIA GeForce RTX 3060",
        "utilisation_percent": 35.0,
        "memory_used_mib": 5120.0,
        "memory_total_mib": 12288.0,
        "power_watts": None,
        "temperature_celsius": 61.0,
    } == card
    assert "? W" in top.written(
        top.facts(deque([sample(top, 0.0, [0, 0, 0])]), [card]), top.parse(["--once"])
    )


def test_the_picture_has_all_of_it(top: ModuleType) -> None:
    """Model, phase, queue, speed; nothing that a terminal would obey."""
    shown = top.facts(deque([sample(top, 0.0, [90, 100, 100])]), []) | {"model": "lla\x1b[2Jma"}
    text = "\n".join(top.picture(shown, "http://here", ""))

    parts = "ready for 1 min 15 s", "8 of 8", "2 of 64", "tokens/s      42", "p95 750 ms (since the start)"
    assert [] == [part for part in parts if part not in text]


def test_control_characters_do_not_reach_the_terminal(
    top: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    """A model's name is not ours."""
    top.draw(["lla\x1b[31mma"])

    assert "lla?[31mma" in capsys.readouterr().out


def test_once_writes_one_plain_line() -> None:
    """For people and for grep."""
    with answering({"/stats": json.dumps(STATS), "/metrics": PAGE}) as url:
        done = run(url, "--once")

    assert (0, "") == (done.returncode, done.stderr)
    assert (
        "ready  running 8/8  waiting 2  42 tokens/s  first token p95 750 ms (since the start)\n"
        == done.stdout
    )


def test_json_has_the_same_facts() -> None:
    """For programs."""
    with answering({"/stats": json.dumps(STATS), "/metrics": PAGE}) as url:
        told = json.loads(run(url, "--once", "--json").stdout)

    assert (8, 2, 41.5, 0.75, []) == (
        told["running"],
        told["waiting"],
        told["tokens_per_second"],
        told["first_token_p95_seconds"],
        told["gpus"],
    )


def test_without_metrics_the_rest_is_shown() -> None:
    """The page's port in Compose has no /metrics."""
    with answering({"/stats": json.dumps(STATS)}) as url:
        done = run(url, "--once")

    assert 0 == done.returncode
    assert done.stdout.endswith("first token p95 -\n")


def test_a_picture_without_metrics_says_where_they_are(top: ModuleType) -> None:
    """A dash would look like a gateway that nobody asked yet."""
    shown = top.facts(deque([top.Sample(0.0, STATS, {}, False)]), [])
    text = "\n".join(top.picture(shown, "http://here", ""))

    assert "ask the gateway's own (Compose: 8000)" in text
    assert "gap" not in text


def test_in_a_pipe_it_goes_on_line_by_line() -> None:
    """Without control characters, until its reader has enough."""
    with answering({"/stats": json.dumps(STATS), "/metrics": PAGE}) as url:
        command = [sys.executable, str(SCRIPTS / "top"), url, "--interval", "0.1"]
        with subprocess.Popen(
            command, env={"PATH": "/nowhere"}, stdout=subprocess.PIPE, text=True
        ) as running:
            assert running.stdout is not None
            lines = [running.stdout.readline() for _ in range(3)]
            running.terminate()
            assert 0 == running.wait(20)

    assert ["ready  running 8/8"] * 3 == [line[:18] for line in lines]
    assert "\x1b" not in "".join(lines)


def test_in_a_pipe_it_is_shown_once() -> None:
    """As other programs do that draw on a terminal; who wants more says how often."""
    with answering({"/stats": json.dumps(STATS), "/metrics": PAGE}) as url:
        done = run(url)

    assert (0, 1) == (done.returncode, done.stdout.count("\n"))


@pytest.mark.parametrize("words", [[], ["--url"]], ids=["word", "option"])
@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/"])
def test_the_address_is_taken_either_way(words: list[str], path: str) -> None:
    """As a word or as an option, and as OpenAI's clients are given it."""
    with answering({"/stats": json.dumps(STATS), "/metrics": PAGE}) as url:
        done = run(*words, url + path)

    assert (0, "") == (done.returncode, done.stderr)


def test_the_address_twice_is_wrong_usage() -> None:
    """Nobody knows which is meant."""
    assert 2 == run("http://a", "--url", "http://b").returncode


def test_one_connection_is_kept(top: ModuleType) -> None:
    """Each new one would cost a slow line a round trip; one that was closed is opened again."""
    pages = {"/stats": json.dumps(STATS), "/metrics": PAGE}
    with answering(pages) as url:
        line = top.Line(url)
        for _ in range(3):
            top.sample(line)
        kept = pages["/connections"]
        line._connection.sock.shutdown(socket.SHUT_RDWR)
        top.sample(line)
        line.close()

    assert ("1", "2") == (kept, pages["/connections"])


def test_a_lost_gateway_is_said_and_asked_again(top: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    """In JSON as JSON; the line goes on, and tells figures again once there are some."""
    pages = {"/stats": json.dumps(STATS), "/metrics": PAGE}
    with answering(pages) as url:
        options = top.parse([url, "--json", "--interval", "0.1"])
        looks: list[None] = []
        line = top.Line(url)

        class Slept(Exception):
            """Four looks are enough."""

        def sleep(_: float) -> None:
            looks.append(None)
            if len(looks) == 2:
                del pages["/stats"]
            elif len(looks) == 3:
                pages["/stats"] = json.dumps(STATS)
            elif len(looks) == 4:
                raise Slept

        top.time.sleep, kept = sleep, top.time.sleep
        try:
            with pytest.raises(Slept):
                top.watch(options, line)
        finally:
            top.time.sleep = kept
            line.close()
    told = [json.loads(each) for each in capsys.readouterr().out.splitlines()]

    assert [True, True, False, True] == ["running" in each for each in told]
    assert f"{url} answers, but is no gateway (HTTP 404)" == told[2]["problem"]


def test_a_picture_of_what_was_says_so(top: ModuleType) -> None:
    """Old figures are not taken for new ones, and fit a narrow terminal."""
    shown = top.facts(deque([sample(top, 0.0, [0, 0, 0])]), [])
    text = top.picture(shown | {"reason": "a sentence of many words " * 3}, "http://here",
                       "gone; below is what was seen 7 s ago", 34)

    assert ["gone; below is what was seen 7 s", "ago"] == text[2:4]
    assert ["                many words a"] == [line for line in text if line.endswith("many words a")][:1]
    assert [] == [line for line in text if len(line) > 40]


@pytest.mark.parametrize(("term", "is_plain"), [("xterm", False), ("dumb", True), (None, True)])
def test_a_terminal_without_a_cursor_gets_lines(
    top: ModuleType, monkeypatch: pytest.MonkeyPatch, term: str | None, is_plain: bool
) -> None:
    """Control characters would be shown there; it goes on all the same."""
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.delenv("TERM", raising=False)
    if term is not None:
        monkeypatch.setenv("TERM", term)
    options = top.parse([])

    assert (is_plain, False) == (options.is_plain, options.once)


def shown_with(top: ModuleType, **more: Any) -> str:
    """Draw the picture of stats that say something more."""
    said = top.Sample(0.0, STATS | more, {})
    return "\n".join(top.picture(top.facts(deque([said]), []), "http://here", ""))


def test_several_engines_have_a_line_each(top: ModuleType) -> None:
    """With what they run, and what is wrong with one."""
    good = {"name": "a:80", "phase": "ready", "running": 5, "cause": None, "breaker": "closed"}
    bad = {"name": "b:80", "phase": "failed", "running": 0, "cause": "out_of_memory", "breaker": "closed"}
    text = shown_with(top, engines=[good, bad])

    assert "a:80                   ready, runs 5\n" in text
    assert "b:80                   failed, runs 0, out_of_memory\n" in text


def test_one_engine_has_a_line_only_in_trouble(top: ModuleType) -> None:
    """The line above says the rest."""
    good = {"name": "a:80", "phase": "ready", "running": 5, "cause": None, "breaker": "closed"}

    assert "a:80" not in shown_with(top, engines=[good])
    assert "a:80                   ready, runs 5, fails chats and is left alone" in shown_with(
        top, engines=[good | {"breaker": "half_open"}]
    )


def test_a_download_is_shown_until_it_is_complete(top: ModuleType) -> None:
    """How far it is, of how much, how fast."""
    told = {"phase": "downloading", "bytes_done": 4e9, "bytes_total": 16e9, "bytes_per_second": 55e6}

    assert "[########......................] downloading 4.0 of 16.0 GB, 55 MB/s" in shown_with(
        top, download=told
    )
    assert "GB" not in shown_with(top, download=told | {"phase": "complete"})


def test_the_wait_of_a_new_chat_is_shown_while_somebody_waits(top: ModuleType) -> None:
    """Without a queue nobody asks."""
    estimate = {"low": 1.0, "likely": 2.5, "high": 4.0}

    assert "a new chat would wait about 2.50 s" in shown_with(top, wait_estimate=estimate)
    assert "would wait" not in shown_with(top, wait_estimate=estimate, backlog=0)


def test_a_small_window_keeps_the_first_lines(
    top: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line too many would scroll them away; one too wide would wrap."""
    monkeypatch.setattr(top.shutil, "get_terminal_size", lambda: os.terminal_size((12, 3)))
    top.draw([f"line {number} of many" for number in range(9)])
    written = capsys.readouterr().out

    assert ["line 0 of ma", "line 1 of ma", "line 2 of ma"] == re.findall(r"line[^\x1b]*", written)
    assert 2 == written.count("\n")


@pytest.mark.parametrize(
    ("value", "expected"), [(0, "[....]"), (1, "[#...]"), (50, "[##..]"), (200, "[####]")]
)
def test_a_bar_shows_what_is_there_at_all(top: ModuleType, value: float, expected: str) -> None:
    """One of a hundred is not none."""
    assert expected == top.bar(value, 100, 4)


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ({"/stats": "<html>"}, "is no gateway (HTTP 200)"),
        ({}, "is no gateway (HTTP 404)"),
    ],
)
def test_another_server_is_said_to_be_one(pages: dict[str, str], words: str) -> None:
    """In a sentence, with a status of its own."""
    with answering(pages) as url:
        done = run(url, "--once")

    assert 3 == done.returncode
    assert words in done.stderr


def test_nobody_at_that_address_is_said(top: ModuleType) -> None:
    """With what to do."""
    done = run("http://127.0.0.1:1", "--once")

    assert 3 == done.returncode
    assert "no gateway answers at http://127.0.0.1:1" in done.stderr
    assert "scripts/up" in done.stderr


@pytest.mark.parametrize(
    "arguments", [["nonsense"], ["http://a:x"], ["http://[::1"], ["--interval", "0"], ["--wrong"]]
)
def test_wrong_usage_has_its_own_status(arguments: list[str]) -> None:
    """As with every script."""
    assert 2 == run(*arguments).returncode
