"""The supervisor over a real process: it starts, becomes ready, crashes, hangs, rests, wakes and ends."""

import json
import os
import signal
import socket
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from tests.supervisor.conftest import LIMIT_SECONDS, Start

TGI_START = [
    "2025-04-16T17:58Z  INFO download: text_generation_launcher: Starting check and download process for a",
    "2025-04-16T17:58:51Z  INFO shard-manager: text_generation_launcher: Starting shard rank=0",
    "2025-04-16T17:59:09Z  INFO shard-manager: text_generation_launcher: Shard ready in 18.016616627s rank=0",
]


def is_alive(pid: int) -> bool:
    """Say whether a process exists and is no zombie."""
    try:
        return bool(psutil.Process(pid).status() != psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return False


def until_gone(*pids: int) -> None:
    """Wait for the ends of processes that were killed: a signal sent is not yet an end."""
    limit = time.monotonic() + LIMIT_SECONDS
    while left := [pid for pid in pids if is_alive(pid)]:
        assert time.monotonic() < limit, f"left: {left}"
        time.sleep(0.02)


def test_ready_means_a_token(supervise: Start, tmp_path: Path) -> None:
    """An engine that loads shows it, and is ready once it has generated a token."""
    bench = supervise([{"say": TGI_START, "until": str(tmp_path / "loaded")}])

    loading = bench.when("loading", lambda state: state["detail"] == "1 of 1 shards loaded")
    (tmp_path / "loaded").touch()
    ready = bench.when("ready")

    assert (None, None) == (loading["estimate_seconds"], loading["idle_seconds"])
    assert ("1.0-child", None) == (ready["version"], ready["reason"])
    assert (1, 0) == (ready["starts"], ready["restarts"])
    assert is_alive(ready["pid"])
    assert any(TGI_START[0] == line for line in bench.lines)  # its log is passed on
    assert 0 == bench.end()
    assert not is_alive(ready["pid"])


def test_an_engine_that_never_answers_is_not_ready(supervise: Start) -> None:
    """An open port is not readiness; past the start limit the engine is killed and started again."""
    # The second start has to be within the limit, on a busy machine too.
    bench = supervise([{"mute": True}, {}], ENGINE_START_LIMIT_SECONDS="4")

    state = bench.when("ready")

    assert (2, 1, "SIGKILL") == (state["starts"], state["restarts"], state["last_exit"]["signal"])
    assert bench.line_with("The engine was not ready after 4 s.")


def test_a_crash_is_mended(supervise: Start) -> None:
    """A crash keeps its exit code and last lines, and the engine starts again."""
    crash = {"say": ["about to fall"], "exit": 7}
    bench = supervise([crash, crash, {}])

    # The reason is shown until the next start, one second the first time and two the second.
    waiting = bench.when("starting", lambda state: state["reason"] is not None)
    state = bench.when("ready")

    assert "The engine ended with exit code 7. Its last line: about to fall" == waiting["reason"]
    end = state["last_exit"]
    assert (7, None, ["about to fall"]) == (end["code"], end["signal"], end["lines"])
    assert 2 == state["restarts"]


def test_out_of_memory_while_it_generates_is_mended_and_said(supervise: Start) -> None:
    """A ready engine that runs out of GPU memory starts again, and the reason names the settings."""
    bench = supervise()
    bench.when("ready")
    trouble = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 16.00 MiB"

    crash = threading.Thread(target=_crash, args=(bench, {"say": [trouble], "exit": 1}))
    crash.start()
    # In the log, because the state shows it for a second only.
    told = bench.line_with("The GPU ran out of memory while it generated.")
    crash.join(LIMIT_SECONDS)

    assert "CUDA_MEMORY_FRACTION" in told
    assert 2 == bench.when("ready")["starts"]


def _crash(bench: Any, order: dict[str, Any]) -> None:
    try:
        bench.engine("/child", order)
    except OSError:  # it ends without an answer
        return
    raise AssertionError("the child answered")


def test_out_of_memory_at_load_stops_the_loop(supervise: Start) -> None:
    """A model that does not fit is not loaded again and again; POST /start tries once more."""
    trouble = "RuntimeError: Not enough memory to handle 4096 prefill tokens. You need to decrease"
    bench = supervise([{"say": [trouble, "Error: WebserverFailed"], "exit": 1}, {}])

    failed = bench.when("failed")

    assert "MAX_BATCH_PREFILL_TOKENS below 4096" in failed["reason"]
    assert (1, None) == (failed["starts"], failed["pid"])
    assert "failed" == bench.ask("POST", "/stop")[1]["phase"]
    assert "starting" == bench.ask("POST", "/start")[1]["phase"]
    assert 2 == bench.when("ready")["starts"]


def test_a_hung_engine_is_replaced(supervise: Start) -> None:
    """A ready engine that stops answering is killed and started again."""
    # Long enough that an engine which is only slow does not hang, on a busy machine too.
    bench = supervise([{"ignore_term": True}, {}], ENGINE_HANG_SECONDS="3")
    first = bench.when("ready")
    bench.engine("/child", {"hang": True})

    assert bench.line_with("The engine had not answered for ")
    second = bench.when("ready", lambda state: state["pid"] != first["pid"])
    assert ("SIGKILL", 1) == (second["last_exit"]["signal"], second["restarts"])
    assert not is_alive(first["pid"])


def test_idle_engine_rests_and_wakes(supervise: Start) -> None:
    """Without generations the engine is ended; POST /start wakes it, with an estimate from the last start."""
    bench = supervise(IDLE_SECONDS="2")
    first = bench.when("ready")

    resting = bench.when("stopped")
    waking = bench.ask("POST", "/start")[1]
    again = bench.ask("POST", "/start")[1]

    assert ("idle", None) == (resting["reason"], resting["pid"])
    assert not is_alive(first["pid"])
    assert "starting" == waking["phase"] == again["phase"]
    assert waking["estimate_seconds"] is not None
    assert 2 == bench.when("ready")["starts"]


def test_a_running_generation_keeps_the_engine_awake(supervise: Start) -> None:
    """The idle time begins when the last generation has ended, and none is cut off."""
    bench = supervise(IDLE_SECONDS="2")
    bench.when("ready")

    answer = bench.engine("/generate", {"inputs": "Hello", "parameters": {"max_new_tokens": 36}})

    assert 36 == answer["details"]["generated_tokens"]
    assert "idle" == bench.when("stopped")["reason"]
    assert 1 == bench.state()["starts"]


def test_stop_lets_what_runs_finish(supervise: Start) -> None:
    """A stop is not ready any more at once, drains, and a start that comes meanwhile follows it."""
    bench = supervise(ENGINE_DRAIN_SECONDS="60")
    first = bench.when("ready")
    answers: list[Any] = []
    wish = {"inputs": "Hello", "parameters": {"max_new_tokens": 31}}
    chat = threading.Thread(target=lambda: answers.append(bench.engine("/generate", wish)))
    chat.start()
    limit = time.monotonic() + LIMIT_SECONDS
    while not bench.is_generating():
        assert time.monotonic() < limit
        time.sleep(0.02)

    assert "stopping" == bench.ask("POST", "/stop")[1]["phase"]
    assert "stopping" == bench.ask("POST", "/start")[1]["phase"]
    second = bench.when("ready", lambda state: state["pid"] != first["pid"])
    chat.join(LIMIT_SECONDS)

    assert 31 == answers[0]["details"]["generated_tokens"]
    assert (0, 2, 0) == (second["last_exit"]["code"], second["starts"], second["restarts"])


def test_an_engine_deaf_to_sigterm_is_killed(supervise: Start) -> None:
    """After drain time and margin SIGKILL ends what SIGTERM did not."""
    bench = supervise([{"ignore_term": True}], ENGINE_DRAIN_SECONDS="0")
    bench.when("ready")

    bench.ask("POST", "/stop")
    state = bench.when("stopped")

    assert ("asked to stop", "SIGKILL") == (state["reason"], state["last_exit"]["signal"])


def test_nothing_survives_a_killed_engine(supervise: Start) -> None:
    """What the engine started in process groups of its own ends with it, before the next start."""
    bench = supervise([{"leave": True}, {}])
    left = int(bench.line_with("left ").rpartition(" ")[2])
    first = bench.when("ready")

    os.kill(first["pid"], signal.SIGKILL)
    bench.line_with("may have run out of memory")
    second = bench.when("ready", lambda state: state["starts"] == 2)

    assert ("SIGKILL", False) == (second["last_exit"]["signal"], is_alive(left))


def test_a_second_signal_ends_at_once(supervise: Start) -> None:
    """The first SIGTERM drains, the second kills; both end with exit code 0 and leave nothing."""
    bench = supervise([{"ignore_term": True, "leave": True}], ENGINE_DRAIN_SECONDS="600")
    left = int(bench.line_with("left ").rpartition(" ")[2])
    state = bench.when("ready")

    bench.program.send_signal(signal.SIGTERM)
    bench.line_with("stopping: the supervisor ends")

    assert 0 == bench.end()
    until_gone(state["pid"], left)


def test_the_engine_ends_with_a_killed_supervisor(supervise: Start) -> None:
    """A supervisor that is killed leaves no engine behind."""
    bench = supervise()
    engine = psutil.Process(bench.when("ready")["pid"])

    bench.program.kill()

    assert ([engine], []) == psutil.wait_procs([engine], LIMIT_SECONDS)


def test_the_download_comes_first(supervise: Start, tmp_path: Path) -> None:
    """The engine starts when the download's marker appears, and says meanwhile what it waits for."""
    bench = supervise(MODEL_ID="org/name", ENGINE_WAIT_FOR="download")

    waiting = bench.when("starting", lambda state: state["reason"] is not None)
    marker = tmp_path / "cache/paddock/org--name.complete.json"
    marker.parent.mkdir(parents=True)
    marker.touch()
    ready = bench.when("ready")

    assert ("waiting for the download", 0) == (waiting["reason"], waiting["starts"])
    assert ("org/name", 1) == (ready["model"], ready["starts"])


def test_durations_outlive_the_supervisor(supervise: Start, tmp_path: Path) -> None:
    """The next supervisor of the same model knows how long a start takes."""
    first = supervise([{"say": TGI_START, "delay": 0.3}])
    known = first.when("ready")["durations"]
    assert 0 == first.end()

    second = supervise([{"delay": 600}])
    state = second.when("starting", lambda state: state["pid"] is not None)

    assert 1 == len(known)
    assert known == state["durations"]
    assert 0 < state["estimate_seconds"] <= known[0]["starting"] + known[0]["loading"]
    kept = json.loads((tmp_path / "cache/paddock/engine-starts.json").read_text())
    assert {"default": {"version": "1.0-child", "starts": known}} == kept


def test_a_program_that_is_missing_is_said(supervise: Start) -> None:
    """A command that cannot be run is hopeless."""
    bench = supervise(command=["--", "no-such-engine"])

    assert ("The program no-such-engine cannot be run: No such file or directory."
            == bench.when("failed")["reason"])
    assert 0 == bench.end()


def test_the_launcher_gets_flags_and_a_clean_environment(supervise: Start, tmp_path: Path) -> None:
    """Without a command TGI's launcher is started: settings as flags, nothing empty, no token."""
    launcher = tmp_path / "bin/text-generation-launcher"
    launcher.parent.mkdir()
    launcher.write_text('#!/bin/sh\necho "arguments $*"\nenv | sort | sed "s/^/variable /"\nexit 2\n')
    launcher.chmod(0o755)

    bench = supervise(
        command=[], PATH=f"{launcher.parent}:{os.environ['PATH']}", MODEL_ID="org/name", QUANTIZE="",
        NUM_SHARD="2", HF_TOKEN="hf_secret", API_KEY="", HOSTNAME="abc", TGI_ARGS="--cuda-graphs '1,2'")
    failed = bench.when("failed")

    lines = failed["last_exit"]["lines"]
    port = bench.engine_port
    assert f"arguments --port {port} --model-id org/name --num-shard 2 --cuda-graphs 1,2" == lines[0]
    seen = {line.removeprefix("variable ").partition("=")[0] for line in lines[1:]}
    dropped = {"MODEL_ID", "QUANTIZE", "NUM_SHARD", "HF_TOKEN", "API_KEY", "HOSTNAME", "TGI_ARGS"}
    assert set() == seen & dropped
    assert {"variable HF_HUB_OFFLINE=1", "variable USAGE_STATS=off"} <= set(lines)
    assert 2 == failed["last_exit"]["code"]


def test_a_taken_control_port_is_said(supervise: Start) -> None:
    """The supervisor does not start an engine that it cannot be asked about."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        program = supervise(ENGINE_CONTROL_PORT=str(port))
        code = program.program.wait(LIMIT_SECONDS)

    assert 6 == code
    assert f"The control port 127.0.0.1:{port} cannot be used" in program.line_with("cannot be used")


def test_every_start_has_a_name_of_its_own(supervise: Start) -> None:
    """Whoever proved one run sees that another answers, also behind another supervisor."""
    bench = supervise([{"say": ["engine: stops at <|eot_id|> <|end_of_text|>; made for chat."]}, {}])
    first = bench.when("ready")
    os.kill(first["pid"], signal.SIGKILL)
    second = bench.when("ready", lambda state: state["starts"] == 2)
    other = supervise().when("ready")

    assert 3 == len({first["run"], second["run"], other["run"]})
    told = {"texts": ["<|eot_id|>", "<|end_of_text|>"], "source": "the engine", "is_chat": True}
    assert (told, None) == (first["stop_tokens"], second["stop_tokens"])
