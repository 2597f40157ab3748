"""compose.yaml in real containers, in the order of a life: up, chat, down and up, trouble, scale, end."""

import itertools
import json
import re
import statistics
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.hub import Hub
from tests.fakes.repository import GOOD_TOKEN
from tests.stack.conftest import MODEL
from tests.stack.stack import STORY, Stack, delta, docker, frames, until

# At this temperature the demo model hardly ever comes to an end by itself.
LONG = {"messages": [{"role": "user", "content": STORY}], "max_tokens": 600, "temperature": 2, "stream": True}
# What a start, a readiness and a wake may cost beyond the engine's own work.
OVERHEAD_SECONDS = 1.0
# What else a machine does may delay one of them, or the events of one stream, but not each of so many.
TRIES = 3


def test_the_first_up_is_healthy_before_the_model_is_there(
        stack: Stack, hub: Hub, figures: dict[str, str]) -> None:
    """--wait ends well without a .env and a token, while the page shows a download under way."""
    hub.faults.is_held = True
    page: list[float] = []
    started = time.monotonic()

    def look() -> None:
        until(lambda: stack.get("/")[0] == 200, "no page")
        page.append(time.monotonic() - started)

    looking = threading.Thread(target=look)
    looking.start()
    seconds = stack.up()
    looking.join()
    figures["up to page, first time"] = f"{page[0]:.1f} s"
    figures["up --wait, first time"] = f"{seconds:.1f} s"
    until(lambda: (stack.stats().get("download") or {}).get("bytes_done", 0) > 0, "no download in the stats")
    until(lambda: stack.stats().get("reason") is not None, "the engine was not looked at")
    stats = stack.stats()
    ready, _, why = stack.get("/ready")

    assert (stats["phase"], stats["reason"]) == ("starting", "waiting for the download")
    assert (stats["download"]["phase"], stats["download"]["error"]) == ("downloading", None)
    assert stats["download"]["bytes_done"] < stats["download"]["bytes_total"]
    assert (ready, stack.get("/health")[0]) == (503, 200), why
    assert [c["State"]["Health"]["Status"] for c in stack.containers()] == ["healthy"] * 4


def test_the_download_ends_in_a_chat(stack: Stack, hub: Hub) -> None:
    """Once the hub goes on, the engine starts by itself, offline, from what was downloaded."""
    hub.faults.is_held = False
    hub.faults.released.set()
    stack.wait_ready()
    until(lambda: stack.stats()["download"]["phase"] == "complete", "the download's end is not told")
    stats = stack.stats()

    assert stats["download"]["bytes_done"] == stats["download"]["bytes_total"]
    assert hub.paths("original/") == []
    assert len(stack.chat()) > 10
    assert f"--model-id {MODEL}" in stack.logs("engine")


def test_a_chat_streams_through_the_page(stack: Stack) -> None:
    """Frontend, gateway and engine: a whole stream, its figures and its end."""
    with stack.ask("/v1/chat/completions", {**LONG, "stream_options": {"include_usage": True}}) as answer:
        told = [line for _, line in frames(answer)]
    text = "".join(delta(line) for line in told)

    assert answer.getheader("Content-Type", "").startswith("text/event-stream")
    assert (answer.getheader("Content-Encoding"), told[-1]) == (None, "data: [DONE]")
    assert len(text) > 100
    assert json.loads(told[-2][6:])["usage"]["completion_tokens"] > 20


def test_gaps_are_those_at_the_engine(stack: Stack, figures: dict[str, str]) -> None:
    """Page's web server and gateway add no pause and take none away: nothing on the way gathers events."""
    body = {"inputs": STORY, "parameters": {"max_new_tokens": 300, "seed": 7, "temperature": 2.0}}
    source = f"""
import http.client, json, time
c = http.client.HTTPConnection('engine', 80)
c.request('POST', '/generate_stream', {json.dumps(json.dumps(body))}, {{'Content-Type': 'application/json'}})
print(json.dumps([time.monotonic() for line in c.getresponse() if line.startswith(b'data:')]))
"""
    with stack.slow_engine(0.1):
        for _ in range(TRIES):
            there = pauses(json.loads(stack.python("gateway", source)))
            with stack.ask("/generate_stream", body) as answer:
                here = pauses([at for at, _ in frames(answer)])
            if are_alike(here, there):
                break
    figures["pauses in a stream, number and median"] = (
        f"{len(here)} and {1000 * statistics.median(here or [0]):.0f} ms at the client, "
        f"{len(there)} and {1000 * statistics.median(there or [0]):.0f} ms at the engine")

    assert are_alike(here, there), f"{here} at the client, {there} at the engine"


def are_alike(here: list[float], there: list[float]) -> bool:
    """Say whether a stream has the pauses it was written with.

    A buffer of any size would make a few long pauses, or none, of many, each time. How many there are depends
    on what else the machine does.
    """
    if len(there) < 5 or len(here) < 0.4 * len(there):
        return False
    return 0.6 < statistics.median(here) / statistics.median(there) < 1.7


def pauses(times: list[float]) -> list[float]:
    """Give the gaps between events that are no chance: the slowed engine rests for 90 ms at a time."""
    return [late - early for early, late in itertools.pairwise(times) if late - early > 0.03]


def test_the_compatible_route_is_there_by_post(stack: Stack) -> None:
    """GET / is the page, POST / is TGI's route."""
    status, headers, page = stack.get("/")
    with stack.ask("/", {"inputs": "Hello", "parameters": {"max_new_tokens": 5}}) as answer:
        told = json.loads(answer.read())

    assert (status, b"<!doctype html>" in page.lower()) == (200, True)
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert (answer.status, list(told[0])) == (200, ["generated_text"])


def test_metrics_stay_on_this_machine(stack: Stack) -> None:
    """The gateway's own port has them, the page's has not."""
    assert (stack.get("/metrics")[0], stack.get("/metrics", stack.gateway_port)[0]) == (404, 200)


def test_down_and_up_downloads_nothing(stack: Stack, hub: Hub, figures: dict[str, str]) -> None:
    """The second --wait ends well with a .env too, without one question to the hub."""
    stack.do("down", "--timeout", "30")
    asked = len(hub.requests)
    (stack.folder / ".env").write_text((stack.folder / ".env.example").read_text() + "\nGATEWAY_SLOTS=3\n")
    figures["up --wait, second time"] = f"{stack.up():.1f} s"
    stack.wait_ready()

    assert len(hub.requests) == asked
    assert stack.stats()["slots"] == 3
    assert stack.chat()


def test_a_ready_engine_is_used_within_a_second(stack: Stack, figures: dict[str, str]) -> None:
    """From the engine's first token to the gateway's readiness, by what both say of it afterwards."""
    late: list[float] = []
    while not late or (late[-1] > OVERHEAD_SECONDS and len(late) < TRIES):
        late.append(lateness(stack))
    figures["engine ready to gateway ready"] = f"{late[-1]:.2f} s"

    assert min(late) <= OVERHEAD_SECONDS


def lateness(stack: Stack) -> float:
    """Restart the engine; give by how many seconds the gateway was ready later than it."""
    asked = time.time()
    stack.do("restart", "--no-deps", "engine")
    became = 0.0

    def is_ready_again() -> bool:
        nonlocal became
        stats = stack.stats()
        became = time.time() - stats.get("phase_seconds", 0.0)
        return stats.get("phase") == "ready" and became > asked

    until(is_ready_again, "not ready again")
    state = stack.control()
    assert (state["phase"], state["since"] > asked) == ("ready", True)
    return became - float(state["since"])


def test_a_killed_engine_ends_its_stream_and_comes_back(stack: Stack) -> None:
    """kill -9 in a stream: an error event, no [DONE]; a chat asked at once waits and is answered."""
    chat = stack.ask("/v1/chat/completions", LONG)
    with stack.armed() as kill, stack.slow_engine(0.1), chat as answer:
        told = frames(answer)
        next(line for _, line in told if delta(line))
        kill()
        rest = [line for _, line in told]
    until(lambda: stack.control()["restarts"] == 1, "the supervisor has not noticed")
    error = json.loads(rest[-1].removeprefix("data: "))["error"]
    state = stack.control()

    assert "data: [DONE]" not in rest
    assert error["code"] in {"engine_cut_off", "engine_unreachable"}
    assert state["last_exit"]["signal"] == "SIGKILL"
    assert stack.chat()


def test_a_killed_gateway_comes_back(stack: Stack) -> None:
    """Docker starts it again; the page says meanwhile who is away, and then all is well."""
    before = stack.containers("gateway")[0]["State"]["Pid"]
    stack.end("gateway")
    until(lambda: stack.containers("gateway")[0]["State"]["Pid"] not in (0, before), "not started again")
    stack.wait_ready()

    assert stack.containers("gateway")[0]["RestartCount"] == 1
    assert stack.chat()


def test_an_idle_engine_rests_and_a_chat_wakes_it(stack: Stack, figures: dict[str, str]) -> None:
    """Rest after IDLE_SECONDS; a chat then sees the phases in its stream and gets its answer."""
    stack.up("--no-deps", "engine", IDLE_SECONDS="3")
    over: list[float] = []
    while not over or (over[-1] > OVERHEAD_SECONDS and len(over) < TRIES):
        whole, own = wake(stack)
        over.append(whole - own)
    figures["wake, over the engine's own start"] = f"{over[-1]:.2f} s of {whole:.2f} s"

    assert min(over) <= OVERHEAD_SECONDS
    stack.up("--no-deps", "engine")
    stack.wait_ready()


def wake(stack: Stack) -> tuple[float, float]:
    """Ask an engine that rests; give the seconds to the first text and those of the engine's own start."""
    until(lambda: stack.stats().get("phase") == "stopped", "never rests")
    body = {**LONG, "max_tokens": 20}
    phases: list[str] = []
    asked, first = time.monotonic(), 0.0
    with stack.ask("/v1/chat/completions", body, **{"Paddock-Progress": "1"}) as answer:
        for at, line in frames(answer):
            first = first or (at if delta(line) else 0.0)
            if '"phase"' in line:
                phases.append(json.loads(line[6:])["phase"])
    assert "stopped" in phases or "starting" in phases
    assert line == "data: [DONE]"
    return first - asked, sum(stack.control()["durations"][-1].values())


@pytest.mark.parametrize(("settings", "starts", "sentence"), [
    ({"CUDA_MEMORY_FRACTION": "0.01"}, 1, r"does not fit into the GPU's free memory: set QUANTIZE"),
    ({"TGI_ARGS": "--no-such-flag"}, 1, r"--no-such-flag"),
    ({"MAX_BATCH_PREFILL_TOKENS": "1"}, 5, r"ended 5 times before it was ready"),
])
def test_a_crash_loop_stops_with_its_sentence(
        stack: Stack, settings: dict[str, str], starts: int, sentence: str) -> None:
    """The engine is given up, the container stays, and a chat is refused at once with the reason."""
    stack.up("--no-deps", "engine", **settings)
    # The supervisor first: the gateway may still tell of the one before.
    until(lambda: stack.control()["phase"] == "failed", "never fails")
    until(lambda: re.search(sentence, stack.stats().get("reason") or "") is not None, "no reason is told")
    asked = time.monotonic()
    with stack.ask("/v1/chat/completions", LONG) as answer:
        told = answer.read().decode()
    seconds = time.monotonic() - asked
    state = stack.control()

    assert (state["phase"], state["starts"]) == ("failed", starts)
    # Not after a wait, which would last for minutes.
    assert (answer.status, seconds < 30) == (503, True)
    assert re.search(sentence, json.loads(told)["error"]["message"])
    assert stack.containers("engine")[0]["State"]["Health"]["Status"] == "healthy"


def test_two_engines_are_found_and_used(stack: Stack) -> None:
    """--scale engine=2: by DNS alone both serve, and one fewer is noticed too."""
    stack.up("--no-deps", "--scale", "engine=2", "engine")
    until(lambda: stack.stats().get("num_total_runners") == 2, "two engines are not online")
    before = len(stack.records())
    # Long enough that they run at the same time.
    answers = [threading.Thread(target=stack.chat, args=(f"Question {number}: {STORY}",),
                                kwargs={"max_tokens": 300, "temperature": 2}) for number in range(8)]
    for answer in answers:
        answer.start()
    for answer in answers:
        answer.join()
    until(lambda: len(stack.records()) >= before + 8, "a record is missing")
    used = {record.get("replica") for record in stack.records()[before:]}
    stack.up("--no-deps", "--scale", "engine=1", "engine")

    assert len(used) == 2
    until(lambda: stack.stats()["num_total_runners"] == 1, "still counted")
    assert stack.chat()


def test_the_engine_alone_asked_for_a_gpu(stack: Stack) -> None:
    """One card, and nobody else any."""
    asked = {c["Config"]["Labels"]["com.docker.compose.service"]: c["HostConfig"]["DeviceRequests"]
             for c in stack.containers()}
    cards = asked.pop("engine")

    assert [(card["Driver"], card["Count"], card["Capabilities"]) for card in cards] == [
        ("nvidia", 1, [["gpu"]])]
    assert set(map(str, asked.values())) <= {"None", "[]"}


def test_containers_have_no_rights_to_lose(stack: Stack) -> None:
    """What compose.yaml says holds in the running processes: no capabilities, no new ones, bounds."""
    facts: dict[str, Any] = {}
    for container in stack.containers():
        service = container["Config"]["Labels"]["com.docker.compose.service"]
        host = container["HostConfig"]
        status = docker("exec", container["Id"], "cat", "/proc/1/status")
        told = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
        facts[service] = (int(told["CapEff"], 16), int(told["CapBnd"], 16), told["NoNewPrivs"],
                          told["Uid"].split()[0], host["ReadonlyRootfs"], host["Privileged"],
                          host["PidsLimit"] > 0, host["LogConfig"]["Config"]["max-size"])
    memory = {c["Config"]["Labels"]["com.docker.compose.service"]: c["HostConfig"]["Memory"]
              for c in stack.containers()}
    ports = [bound["HostIp"] for c in stack.containers()
             for bounds in c["HostConfig"]["PortBindings"].values() for bound in bounds]

    assert facts == {"download": (0, 0, "1", "10001", False, False, True, "10m"),
                     "engine": (0, 0, "1", "0", False, False, True, "10m"),
                     "gateway": (0, 0, "1", "10001", True, False, True, "10m"),
                     "frontend": (0, 0, "1", "101", True, False, True, "10m")}
    assert {name for name, limit in memory.items() if limit == 0} == {"engine"}
    assert ports == ["127.0.0.1"] * 2


def test_the_cache_is_read_only_where_it_is_only_read(stack: Stack) -> None:
    """Engine and gateway cannot change the model; the job's user cannot change its own programs."""
    source = "import errno\ntry: open('{}', 'w')\nexcept OSError as e: print(errno.errorcode[e.errno])"

    assert stack.python("engine", source.format("/data/x")) == "EROFS"
    assert stack.python("gateway", source.format("/data/x")) == "EROFS"
    assert stack.python("engine", source.format("/supervisor.py")) == "EROFS"
    assert stack.python("download", source.format("/paddock/gateway/x")) == "EACCES"


def test_the_engine_reaches_nobody_outside(stack: Stack, hub: Hub) -> None:
    """Its network has no way out, where the download's has one."""
    host, port = hub.url.removeprefix("http://").split(":")
    source = (f"import socket\ntry: socket.create_connection(('{host}', {port}), 3); print('reached')\n"
              "except OSError: print('nobody')")

    assert (stack.python("engine", source), stack.python("download", source)) == ("nobody", "reached")


@pytest.mark.parametrize("way", ["variable", "file"])
def test_the_token_is_seen_by_the_download_alone(stack: Stack, tmp_path: Path, hub: Hub, way: str) -> None:
    """Given as a variable or a file, it is in no other container and in no container's settings."""
    secret = tmp_path / "token"
    secret.write_text(GOOD_TOKEN)
    tmp_path.chmod(0o755)
    given = {"HF_TOKEN": GOOD_TOKEN} if way == "variable" else {"HF_TOKEN_FILE": str(secret)}
    stack.up(**given)
    hidden = "import glob; print([p for p in glob.glob('/run/secrets/*') if '{}' in open(p).read()])"
    seen = {service: stack.python(service, hidden.format(GOOD_TOKEN))
            for service in ("download", "gateway", "engine")}
    inspected = json.dumps(stack.containers())
    environments = [docker("exec", c["Id"], "cat", "/proc/1/environ") for c in stack.containers()
                    if c["Config"]["User"] != "10001:10001"]

    assert seen == {"download": "['/run/secrets/hf_token']", "gateway": "[]", "engine": "[]"}
    assert GOOD_TOKEN not in inspected
    assert not any(GOOD_TOKEN in environment for environment in environments)
    assert not any(GOOD_TOKEN in stack.logs(one) for one in ("download", "engine", "gateway", "frontend"))


def test_an_open_page_needs_keys(stack: Stack) -> None:
    """UI_BIND for the network without keys: the gateway refuses to start and says why."""
    done = stack.run("run", "--rm", "--no-deps", "gateway", UI_BIND="0.0.0.0")

    assert done.returncode == 2
    assert "0.0.0.0 opens this server to a network: set GATEWAY_KEYS_FILE" in done.stdout + done.stderr


def test_a_gated_model_without_a_token_is_named(stack: Stack, hub: Hub) -> None:
    """The job's own exit status, and its sentence in the stats."""
    hub.models[f"{MODEL}-gated"] = gated = hub.models[MODEL].__class__(hub.models[MODEL].files, is_gated=True)
    done = stack.run("run", "--rm", "download", MODEL_ID=f"{MODEL}-gated")
    told = stack.stats()["download"]

    assert gated.is_gated
    assert done.returncode == 10
    assert (told["phase"], told["error"]["code"]) == ("failed", "token_missing")


def test_down_leaves_nothing(stack: Stack) -> None:
    """down -v: no container, network or volume of the project."""
    stack.down()
    label = f"label=com.docker.compose.project={stack.name}"

    assert docker("ps", "--all", "--quiet", "--filter", label) == ""
    assert docker("volume", "ls", "--quiet", "--filter", label) == ""
    assert docker("network", "ls", "--quiet", "--filter", label) == ""
