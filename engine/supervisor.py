"""Keep one engine running: start it, watch it, mend it, rest it when idle, end it, and say how it is.

    python supervisor.py                        text-generation-launcher, its flags made from the environment
    python supervisor.py -- python -m engine    any other command that speaks TGI's wire

    stopped -> starting -> loading -> ready -> stopping -> stopped
    a crash -> starting, after 1, 2, 4 ... 60 s; a hopeless cause, or five ends before a first token -> failed

Control surface on ENGINE_CONTROL_HOST:ENGINE_CONTROL_PORT. It asks for no key, so it belongs on a private
network or on loopback; a request with an Origin, as a browser's page sends it, is refused.

    GET /state    200 JSON: phase; since (Unix time), phase_seconds; reason (why this phase, null when normal,
                  the one sentence when failed); cause (one of KINDS after a failure, else null); detail
                  (what it does just now); estimate_seconds (until
                  ready, null when unknown or overdue); starts, restarts (those after a crash); last_exit,
                  null or {code, signal, at, lines}; durations of earlier starts, oldest first,
                  [{starting, loading}]; idle_seconds (since the last use, null unless ready),
                  idle_limit_seconds (0 = never rests); model, version, pid; run (another word for every
                  start, null before the first); stop_tokens, null when unknown or not ready, else {texts,
                  source, is_chat}: the tokens at which the engine ends an answer by itself, and whether the
                  model's files say that it was made for chats
    GET /health   200 {"status": "ok"}: the supervisor decides, whatever the engine does
    GET /metrics  200 Prometheus text, paddock_engine_*
    POST /start   200, the state after it. Starts a stopped or failed engine; takes back a stop under way (the
                  engine starts again once it has ended); else changes nothing, and never shortens a
                  back-off. It counts as use: an engine that answers `ready` rests no earlier than
                  idle_limit_seconds from now, so who asks before sending a chat never races with the idle
                  stop
    POST /stop    200, the state after it. What generates may finish within the drain time. Only POST /start
                  starts the engine again. A failed engine stays failed
    else          404 not_found, 405 method_not_allowed, 403 origin_refused, 503 busy; one error envelope

Idle: the engine's own counter and queue tell whether it is used, so any client counts. The decision is taken
on a fresh look only, and a request that slips in behind that look is finished, because SIGTERM drains.
SIGTERM or SIGINT ends the engine as POST /stop does, then exits 0; a second one kills it at once.
Exit codes: 0 ended as asked, 2 wrong settings (all of them named), 6 the control port cannot be used.

Threads: the main thread alone decides, starts and signals, fed from one queue (Core). Each run of the engine
has three that only report there: one reads its lines, one waits for its end, one asks it for a token and then
for its counters. HTTP threads ask the main thread.

Knows: the launcher's flags and log lines, TGI's /generate, /health, /info and /metrics, Linux processes, the
model's files in the cache as far as they say where an answer ends.
Knows nothing of: chats, the gateway, the download beyond its marker file.
Standard library only, Python 3.10: this one file is mounted into TGI's official image.
"""

from __future__ import annotations

import contextlib
import ctypes
import difflib
import http.client
import json
import os
import queue
import re
import secrets
import shlex
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

PHASES = ("stopped", "starting", "loading", "ready", "stopping", "failed")
EXIT_SETTINGS, EXIT_PORT = 2, 6

# The back-off doubles up to this; a run that was ready this long starts the row anew.
LONGEST_DELAY_SECONDS, HEALTHY_SECONDS = 60.0, 300.0
# So many ends in a row before a first token are no accident any more.
MOST_UNREADY_ENDS = 5
# An error line this recent explains the end of a ready engine; an older one was survived.
RECENT_SECONDS = 120.0
# Kept to say why a run ended: a traceback of TGI's has about a hundred lines.
LAST_LINES, LINE_LIMIT_BYTES, KEPT_STARTS = 200, 65536, 5
# Looks for the marker, and tries for a first token: cheap until they succeed, and all that waking adds.
MARKER_SECONDS, TRY_SECONDS = 0.5, 0.1
WAITING = "waiting for the download"
# The first token waits for kernels to compile; /health waits seconds behind a long prefill (tgi.md 5.4).
TOKEN_LIMIT_SECONDS, ANSWER_LIMIT_SECONDS, LOOK_SECONDS = 60.0, 30.0, 10.0
# A dying shard holds its GPU memory until the driver has cleaned up; the next start waits this long at most.
CLEANUP_SECONDS = 30.0
# How long an HTTP thread waits for the main thread, and for a client that says nothing.
QUESTION_LIMIT_SECONDS = 10.0
PR_SET_PDEATHSIG, PR_SET_CHILD_SUBREAPER = 1, 36

# -- settings and the command

# Settings that become the launcher's flags. An empty one is unset: TGI takes it for a value (tgi.md 5.2).
FLAGS = {"MODEL_ID": "--model-id", "MODEL_REVISION": "--revision"} | {
    name: "--" + name.lower().replace("_", "-")
    for name in (
        "QUANTIZE", "DTYPE", "KV_CACHE_DTYPE", "NUM_SHARD", "MAX_TOTAL_TOKENS", "MAX_INPUT_TOKENS",
        "MAX_BATCH_PREFILL_TOKENS", "MAX_BATCH_SIZE", "MAX_CONCURRENT_REQUESTS", "CUDA_MEMORY_FRACTION",
        "CUDA_GRAPHS", "ROPE_SCALING", "ROPE_FACTOR", "SPECULATE", "GRACEFUL_TERMINATION_TIMEOUT",
    )
}
# Further names that the launcher or its router read as theirs; some mean other things elsewhere.
_MISREAD = """
REVISION PORT HOSTNAME API_KEY SHARDED MAX_INPUT_LENGTH MAX_BATCH_TOTAL_TOKENS MAX_WAITING_TOKENS
MAX_BEST_OF MAX_STOP_SEQUENCES MAX_TOP_N_TOKENS MAX_CLIENT_BATCH_SIZE WAITING_SERVED_RATIO
VALIDATION_WORKERS TRUST_REMOTE_CODE JSON_OUTPUT DISABLE_CUSTOM_KERNELS DISABLE_GRAMMAR_SUPPORT
ENABLE_PREFILL_LOGPROBS LORA_ADAPTERS CORS_ALLOW_ORIGIN OTLP_ENDPOINT OTLP_SERVICE_NAME PROMETHEUS_PORT
SHARD_UDS_PATH MASTER_ADDR MASTER_PORT WEIGHTS_CACHE_OVERRIDE TOKENIZER_CONFIG_PATH PAYLOAD_LIMIT
MAX_IMAGE_FETCH_SIZE WATERMARK_GAMMA WATERMARK_DELTA NGROK NGROK_AUTHTOKEN NGROK_EDGE TGI_ARGS
"""
TOKENS = frozenset({"HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_API_TOKEN", "HF_TOKEN_PATH"})
MISREAD = frozenset(FLAGS) | frozenset(_MISREAD.split())
# The engine's settings, whoever reads them: another name that begins as they do may be misspelt.
PREFIXES = ("ENGINE_", "MODEL_")
_NAMES = """
ENGINE_CONTROL_HOST ENGINE_CONTROL_PORT ENGINE_DRAIN_SECONDS ENGINE_HANG_SECONDS ENGINE_HOST
ENGINE_MAX_CONCURRENT_REQUESTS ENGINE_MAX_TOTAL_TOKENS ENGINE_MEMORY_LIMIT ENGINE_PORT ENGINE_SLOTS
ENGINE_STARTS_FILE ENGINE_START_LIMIT_SECONDS ENGINE_THREADS ENGINE_WAIT_FOR MODEL_ID MODEL_PATH
MODEL_PROMPT_FAMILY MODEL_REVISION MODEL_TEMPERATURE MODEL_TOP_P
"""
NAMES = frozenset(_NAMES.split())
LAUNCHER, ENTRYPOINT = "text-generation-launcher", Path("/tgi-entrypoint.sh")


class SettingsWrong(Exception):
    """The environment cannot be understood; the text has one line for each problem."""


@dataclass(frozen=True)
class Settings:
    """What to run and how to watch it. Seconds everywhere; 0 switches idle, hang and start limits off."""

    command: tuple[str, ...]
    environment: Mapping[str, str]
    model: str
    engine_host: str = "127.0.0.1"
    engine_port: int = 80
    control_host: str = "127.0.0.1"
    control_port: int = 8081
    marker: Path | None = None
    # The cache's folder of the model, or the model's own; None where the engine tells about it itself.
    files: Path | None = None
    revision: str = "main"
    starts_file: Path | None = None
    idle_seconds: float = 600.0
    drain_seconds: float = 90.0
    hang_seconds: float = 120.0
    start_limit_seconds: float = 3600.0
    shards: int = 1
    # Exit codes that another start cannot mend.
    hopeless_codes: frozenset[int] = frozenset({2})

    @property
    def margin_seconds(self) -> float:
        """Give the time between the end of the drain and SIGKILL: ten seconds, less for a short drain."""
        return min(10.0, max(1.0, self.drain_seconds))


class _Reader:
    """Takes values from the environment, where empty means unset, and keeps every problem."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.problems: list[str] = []

    def text(self, name: str) -> str:
        return self._environ.get(name, "").strip()

    def number(self, name: str, default: float, low: float = 0.0, high: float = 1e6) -> float:
        text = self.text(name)
        with contextlib.suppress(ValueError):
            value = float(text) if text else default
            if low <= value <= high:
                return value
        self.problems.append(f"{name} must be a number from {low:g} to {high:g}, not {text!r}.")
        return default

    def port(self, name: str, default: int, low: int) -> int:
        text = self.text(name) or str(default)
        if text.isascii() and text.isdigit() and low <= int(text) <= 65535:
            return int(text)
        self.problems.append(f"{name} must be a port from {low} to 65535, not {text!r}.")
        return default


def read_settings(arguments: Sequence[str], environ: Mapping[str, str]) -> Settings:
    """Read the command line and the environment.

    Raises: SettingsWrong naming every problem at once.
    """
    read = _Reader(environ)
    is_tgi = not arguments
    command = tuple(arguments[1:])
    if arguments and (arguments[0] != "--" or not command):
        read.problems.append("The command line must be empty, or `--` and the engine's command.")
    model, port = read.text("MODEL_ID"), read.port("ENGINE_PORT", 80 if is_tgi else 8090, 1)
    if is_tgi:
        try:
            command = launcher_command(environ, port)
        except ValueError as error:
            read.problems.append(f"TGI_ARGS cannot be split into words: {error}.")
    kept = Path(read.text("HF_HOME") or "~/.cache/huggingface").expanduser() / "paddock"
    wait_for = read.text("ENGINE_WAIT_FOR")
    if wait_for == "download" and not model:
        read.problems.append("ENGINE_WAIT_FOR=download needs MODEL_ID, the model that is downloaded.")
    marker = kept / f"{model.replace('/', '--')}.complete.json" if wait_for == "download" else Path(wait_for)
    host, shards = read.text("ENGINE_HOST"), read.text("NUM_SHARD")
    everywhere = {"", "0.0.0.0", "::"}  # noqa: S104 - an engine that listens everywhere is asked on loopback
    settings = Settings(
        command=command,
        environment=launcher_environment(environ) if is_tgi else without_empty(environ),
        model=model or Path(read.text("MODEL_PATH")).name or "default",
        engine_host="127.0.0.1" if host in everywhere else host,
        engine_port=port,
        # In TGI's container all interfaces are those of the private network.
        control_host=read.text("ENGINE_CONTROL_HOST") or ("0.0.0.0" if is_tgi else "127.0.0.1"),  # noqa: S104
        control_port=read.port("ENGINE_CONTROL_PORT", 8081, 0),
        marker=marker if wait_for else None,
        files=model_files(environ, kept.parent) if is_tgi else None,
        revision=read.text("MODEL_REVISION") or "main",
        starts_file=Path(read.text("ENGINE_STARTS_FILE") or kept / "engine-starts.json"),
        idle_seconds=read.number("IDLE_SECONDS", 600.0, high=1e9),
        drain_seconds=read.number("GRACEFUL_TERMINATION_TIMEOUT" if is_tgi else "ENGINE_DRAIN_SECONDS",
                                  90.0 if is_tgi else 30.0),
        hang_seconds=read.number("ENGINE_HANG_SECONDS", 120.0),
        start_limit_seconds=read.number("ENGINE_START_LIMIT_SECONDS", 3600.0),
        shards=int(shards) if shards.isdecimal() else 1,
        # The launcher's parser; the embedded engine's settings, machine, model, model's content and port.
        hopeless_codes=frozenset({2} if is_tgi else {2, 3, 4, 5, 6}),
    )
    if read.problems:
        raise SettingsWrong("\n".join(read.problems))
    return settings


def strangers(environ: Mapping[str, str]) -> list[str]:
    """Write a sentence for each variable that begins as a setting does and is none; it may be another's."""
    found = sorted(name for name, value in environ.items()
                   if name.startswith(PREFIXES) and name not in NAMES and value.strip())
    near = {name: difflib.get_close_matches(name, sorted(NAMES), 1) for name in found}
    return [f"{name} is no setting of Paddock" + (f"; did you mean {near[name][0]}?" if near[name] else "")
            for name in found]


def launcher_command(environ: Mapping[str, str], port: int, entrypoint: Path = ENTRYPOINT) -> tuple[str, ...]:
    """Build the launcher's command from the settings that are not empty.

    The image's entrypoint prepares the library cache first, but passes arguments on unquoted: where the shell
    would change one, the launcher is called directly.

    Raises: ValueError if TGI_ARGS has an open quote.
    """
    words = ["--port", str(port)]
    for name, flag in FLAGS.items():
        value = environ.get(name, "").strip()
        # With a folder as model, a revision makes the router ask the hub (tgi.md 5.2).
        if value and not (name == "MODEL_REVISION" and Path(environ.get("MODEL_ID", "")).is_dir()):
            words += [flag, value]
    words += shlex.split(environ.get("TGI_ARGS", ""))
    is_plain = all(word and not re.search(r"[\s*?\[]", word) for word in words)
    return (str(entrypoint) if is_plain and entrypoint.is_file() else LAUNCHER, *words)


def launcher_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """Keep what the launcher may see: nothing empty, no token, no name that it would read as a flag."""
    kept = {key: value for key, value in without_empty(environ).items() if key not in MISREAD | TOKENS}
    # Exactly 1: TGI's router compares the text (tgi.md 5.2).
    return {**kept, "HF_HUB_OFFLINE": "1", "USAGE_STATS": "off"}


def without_empty(environ: Mapping[str, str]) -> dict[str, str]:
    """Drop the variables that are set to nothing."""
    return {key: value for key, value in environ.items() if value.strip()}


# -- where an answer ends


class Stops(NamedTuple):
    """At which tokens the engine ends an answer by itself, where that is written, and whether it can chat."""

    texts: tuple[str, ...]
    source: str
    is_chat: bool


# The embedded engine tells it in a line of its log, because it alone has read its model.
STOPS_LINE = re.compile(r"^engine: stops at (?P<texts>[^;]+); (?P<kind>made for chat|a base model)")
END_OF_TURN = "<|eot_id|>"


def model_files(environ: Mapping[str, str], home: Path) -> Path | None:
    """Give the folder that holds the model's files, or its folder in the cache, as TGI looks for it."""
    model = environ.get("MODEL_ID", "").strip()
    if not model or Path(model).is_dir():
        return Path(model) if model else None
    hub = environ.get("HUGGINGFACE_HUB_CACHE", "").strip()
    return (Path(hub) if hub else home / "hub") / f"models--{model.replace('/', '--')}"


def read_stops(folder: Path, revision: str) -> Stops | None:
    """Read from a model's files where TGI ends an answer; None if they cannot be read.

    1 a list in generation_config.json    2 else the tokenizer's own end    3 else config.json's
    TGI takes a single number in generation_config.json for nothing (tgi.md 3).
    """
    with contextlib.suppress(OSError, ValueError, LookupError, TypeError, AttributeError):
        if (folder / "snapshots").is_dir():
            ref = folder / "refs" / revision
            folder = folder / "snapshots" / (ref.read_text("utf-8").strip() if ref.is_file() else revision)
        tokenizer = _read_file(folder / "tokenizer_config.json")
        added = tokenizer.get("added_tokens_decoder", {})
        names = {int(key): entry["content"] for key, entry in added.items()}
        if not names:
            listed = _read_file(folder / "tokenizer.json").get("added_tokens", [])
            names = {entry["id"]: entry["content"] for entry in listed}
        source = "generation_config.json"
        ids = _read_file(folder / source).get("eos_token_id")
        own = tokenizer.get("eos_token")
        if not isinstance(ids, list) and own:  # 2
            text = own["content"] if isinstance(own, dict) else str(own)
            found, source = [text], "tokenizer_config.json"
        else:
            if not isinstance(ids, list):  # 3
                source = "config.json"
                ids = _read_file(folder / source)["eos_token_id"]
            found = [names[one] for one in (ids if isinstance(ids, list) else [ids]) if one in names]
        has_template = "chat_template" in tokenizer or any(
            (folder / f"chat_template.{kind}").is_file() for kind in ("json", "jinja"))
        if found:
            return Stops(tuple(found), source, has_template or END_OF_TURN in found)
    return None


def read_stops_line(line: str) -> Stops | None:
    """Read the embedded engine's line of where it ends an answer."""
    if (found := STOPS_LINE.match(line)) is None:
        return None
    return Stops(tuple(found["texts"].split()), "the engine", found["kind"] == "made for chat")


def _read_file(path: Path) -> dict[str, Any]:
    """Read a JSON object; one that is missing is empty. Raises: ValueError if it is none."""
    if not path.is_file():
        return {}
    read = json.loads(path.read_text("utf-8"))
    if not isinstance(read, dict):
        raise ValueError(f"{path} holds no object")
    return read


# -- what the engine's lines mean


# What a failure is counted as, one word each, so that an alert can say what to do: the cause of GET /state.
KINDS = ("gated", "missing", "out_of_memory", "no_gpu", "bad_arguments", "unsupported", "hang", "crash_loop",
         "unknown")
# What the exit codes before a first token mean: the launcher's parser; the embedded engine's settings,
# machine, model, model's content and port.
CODE_KINDS = {2: "bad_arguments", 3: "unsupported", 4: "missing", 5: "unsupported", 6: "bad_arguments"}


class Cause(NamedTuple):
    """Why a run ended: of which kind, how a line says so, and what to tell; at_run, of one that was ready.

    At a start it is hopeless unless it may be mended by trying again.
    """

    kind: str
    pattern: str
    sentence: str
    at_run: str = ""
    is_mendable: bool = False


# Order: the first that any line of the run matches is told, so what is precise comes before what is general.
CAUSES = {
    "gated": Cause(
        "gated",
        r"GatedRepoError|Cannot access gated repo|Access to model \S+ is restricted",
        "The model {model} is gated: accept its licence at https://huggingface.co/{model}, then set HF_TOKEN "
        "to a token of that account and run the download again."),
    "revision_missing": Cause(
        "missing",
        r"RevisionNotFoundError|Revision Not Found for url",
        "The model {model} has no such revision: correct MODEL_REVISION, or leave it empty for the newest."),
    "model_missing": Cause(
        "missing",
        r"RepositoryNotFoundError|Repository Not Found for url",
        "There is no model {model}, or it is private: correct MODEL_ID, or set HF_TOKEN, and run the "
        "download again."),
    "unauthorized": Cause(
        "gated",
        r"401 Client Error|Invalid credentials in Authorization header",
        "The hub refused the token for {model}: correct HF_TOKEN and run the download again."),
    "prefill_memory": Cause(
        "out_of_memory",
        r"Not enough memory to handle (?P<tokens>\d+) prefill tokens",
        "The GPU has too little memory to read {tokens} prompt tokens at once: set MAX_BATCH_PREFILL_TOKENS "
        "below {tokens}, or set QUANTIZE."),
    "context_memory": Cause(
        "out_of_memory",
        r"Not enough memory to handle `max_total_tokens=(?P<tokens>\d+)",
        "The GPU has too little memory for chats of {tokens} tokens: set MAX_TOTAL_TOKENS below {tokens}, or "
        "set QUANTIZE."),
    "too_many_shards": Cause(
        "no_gpu",
        r"Each process is one gpu|NotEnoughCUDADevices",
        "There are more shards than GPUs: lower NUM_SHARD to the number of GPUs that the engine is given."),
    "uneven_shards": Cause(
        "bad_arguments",
        r"must be divisible by `num_shards`|not compatible with sharding on \d+ shards",
        "The model cannot be split into so many shards: set NUM_SHARD to 1, 2, 4 or 8."),
    "gpu_unsupported": Cause(
        "no_gpu",
        r"no kernel image is available for execution",
        "TGI does not support this GPU, it needs compute capability 8.0 or newer: choose another card with "
        "NVIDIA_VISIBLE_DEVICES, or use compose.cpu.yaml."),
    "gpu_missing": Cause(
        "no_gpu",
        r"No CUDA GPUs are available|no CUDA-capable device|Found no NVIDIA driver|CUDA is not available|"
        r"libcuda\.so\.1: cannot open|CUDA driver version is insufficient|no GPU was given to this container",
        "The engine finds no usable GPU: check nvidia-smi, the driver (CUDA 12.2 or newer), the NVIDIA "
        "container toolkit and NVIDIA_VISIBLE_DEVICES, or use compose.cpu.yaml."),
    "memory": Cause(
        "out_of_memory",
        r"CUDA out of memory|torch\.(?:cuda\.)?OutOfMemoryError|CUDA error: out of memory",
        "The model does not fit into the GPU's free memory: set QUANTIZE, raise NUM_SHARD, choose a smaller "
        "MODEL_ID, or end what else uses the GPU (nvidia-smi names it).",
        "The GPU ran out of memory while it generated. If that happens again, lower CUDA_MEMORY_FRACTION or "
        "MAX_BATCH_PREFILL_TOKENS."),
    "machine_memory": Cause(
        "out_of_memory",
        r"was signaled to shutdown with signal 9",
        "A shard was killed, most likely because the machine ran out of memory: end what else uses it, or "
        "choose a smaller MODEL_ID.",
        "A shard was killed, most likely because the machine ran out of memory.",
        is_mendable=True),
    "shared_memory": Cause(
        "out_of_memory",
        r"/shm/nccl-|insufficient shared memory",
        "The shards have too little shared memory to exchange data: raise the engine's shm_size in "
        "compose.yaml, or set NUM_SHARD to 1."),
    "model_unsupported": Cause(
        "unsupported",
        r"Unsupported model type (?P<kind>\S+)",
        "TGI cannot run models of type {kind}: choose another MODEL_ID."),
    "metrics_port": Cause(
        "bad_arguments",
        r"failed to build prometheus recorder",
        "Port 9000, which TGI reserves, is taken: add --prometheus-port and a free port to TGI_ARGS."),
    "port": Cause(
        "bad_arguments",
        r"[Aa]ddress already in use|EADDRINUSE",
        "The engine's port is taken by another program: set ENGINE_PORT to a free one."),
    "argument": Cause(
        "bad_arguments",
        r"(?:Error: ArgumentValidation\(\"?|^error: )(?P<rule>.+?)\"?\)?$",
        "The engine refuses its settings ({rule}): correct the variable that it names, or TGI_ARGS."),
    # Last, because an optional file that is missing is reported in the same words.
    "files_missing": Cause(
        "missing",
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|No \.\w+ weights found for model|"
        r"run `?text-generation-server download-weights|weight \S+ does not exist",
        "Files of {model} are missing in the cache: run the download again, and check MODEL_ID and "
        "MODEL_REVISION."),
}

# A line -> the phase it belongs to and what to show; {done} counts the lines that name it.
STAGES = (
    ("starting", r"Starting check and download process", "checking the model's files"),
    ("starting", r"^engine: (?P<said>downloading.*?)\.?$", "{said}"),
    ("starting", r"Sharding model on (?P<shards>\d+) processes", "starting {shards} shards"),
    ("loading", r"Starting shard\b", "loading the weights"),
    ("loading", r"Shard ready in", "{done} of {shards} shards loaded"),
    ("loading", r"Starting Webserver", "starting the server"),
    ("loading", r"Warming up model", "warming up"),
    ("loading", r"Cuda Graphs are enabled", "recording CUDA graphs"),
    ("loading", r"Setting max batch total tokens to (?P<tokens>\d+)", "room for {tokens} tokens"),
    ("loading", r"^engine: (?P<said>loading .+?)\.?$", "{said}"),
)


class Notice(NamedTuple):
    """What a line means: a stage of a start (phase, text to fill in) or a trouble (its cause's name)."""

    phase: str
    text: str
    cause: str
    found: Mapping[str, str]


def read_line(line: str) -> Notice | None:
    """Say what a line of the engine's log means, if it means anything here."""
    for phase, pattern, text in STAGES:
        if found := re.search(pattern, line):
            return Notice(phase, text, "", found.groupdict())
    for name, cause in CAUSES.items():
        if found := re.search(cause.pattern, line):
            return Notice("", "", name, found.groupdict())
    return None


# -- the decisions


class Do(Enum):
    """What the main thread is to do. TERMINATE and KILL are harmless when the engine is gone."""

    LOOK = "look for the marker, answer with looked()"
    SPAWN = "start the engine as Core.run, answer with spawned() or spawn_failed()"
    TERMINATE = "ask the engine to end"
    KILL = "kill the engine and all that it started"
    RECORD = "remember Core.last_start under Core.version"
    LEAVE = "end the supervisor"


class Exit(NamedTuple):
    """How a run ended: exit code or name of the signal, and its last lines."""

    code: int | None
    killed_by: str | None
    lines: tuple[str, ...] = ()

    def __str__(self) -> str:
        """Write it for people."""
        return f"was killed by {self.killed_by}" if self.killed_by else f"ended with exit code {self.code}"


# What is to be done, in order; a text is for the log.
Actions = list[Do | str]


class Core:
    """Decides. Each method is an event: it takes the time, changes the phase, gives what is to be done.

    It touches nothing else. One `due` serves every wait, as a phase has at most one: the marker, a back-off,
    the start limit, the kill. Events of a run come through of_run(), which ignores earlier runs.

    Units: now is seconds of a monotonic clock.
    """

    def __init__(self, settings: Settings, history: Sequence[Mapping[str, float]], now: float) -> None:
        """Begin stopped. history: durations of earlier starts, oldest first."""
        self.settings, self.history = settings, list(history)
        self.phase, self.since = "stopped", now
        self.reason: str | None = None
        self.cause: str | None = None
        self.detail: str | None = None
        self.due: float | None = None
        self.is_wanted = self.is_ending = self.has_child = False
        self.run = self.starts = self.restarts = 0
        self.pid: int | None = None
        self.version = ""
        self.stops: Stops | None = None
        # Other words for each start, also after the supervisor itself was started anew.
        self._name = secrets.token_hex(4)
        self.last_start: Mapping[str, float] = {}
        self.last_exit: Exit | None = None
        self.ended_at = now
        self._crashes = self._unready_ends = 0
        self._is_looking = False
        self._forget(now)

    def _forget(self, now: float) -> None:
        """Begin a run that nothing is known of."""
        self.spawned_at = self.last_use = self._last_answer = now
        self.loading_at: float | None = None
        self.ready_at: float | None = None
        self.stops = None
        self._count: float | None = None
        self._shards, self._shards_done = self.settings.shards, 0
        self._has_downloaded = False
        self._fault: str | None = None
        self._troubles: dict[str, tuple[float, Mapping[str, str]]] = {}

    @property
    def run_name(self) -> str | None:
        """Name the run that is or was last; None before the first."""
        return f"{self._name}-{self.run}" if self.run else None

    def of_run(self, now: float, run: int, event: Event) -> Actions:
        """Take an event of one run of the engine, if that run is still the one."""
        return event(self, now) if self.has_child and run == self.run else []

    # What is asked for

    def start_asked(self, now: float) -> Actions:
        """Somebody wants the engine."""
        self.last_use = now
        if self.is_ending:
            return []
        was_wanted, self.is_wanted = self.is_wanted, True
        if self.phase in {"stopped", "failed"}:
            self._crashes = self._unready_ends = 0
            return self._begin(now)
        if self.phase == "stopping" and not was_wanted:
            self.reason = "starts again once it has stopped"
        return []

    def stop_asked(self, now: float, reason: str = "asked to stop") -> Actions:
        """Somebody wants the engine gone."""
        self.is_wanted = False
        if self.phase == "stopping":
            self.reason = reason
        elif self.has_child:
            # What is not ready generates nothing, so there is nothing to drain.
            drain = self.settings.drain_seconds if self.ready_at is not None else 0.0
            said = self._enter("stopping", now, reason, now + drain + self.settings.margin_seconds)
            return [*said, Do.TERMINATE]
        elif self.phase == "starting":
            return self._settle("stopped", now, reason)
        return []

    def end_asked(self, now: float) -> Actions:
        """Somebody wants the supervisor to end; asked twice, at once."""
        if self.is_ending:
            return ["asked twice, ending at once", Do.KILL] if self.has_child else []
        self.is_ending = True
        actions = self.stop_asked(now, "the supervisor ends")
        return actions if self.has_child else [*actions, Do.LEAVE]

    # A start

    def _begin(self, now: float) -> Actions:
        return [*self._enter("starting", now, None), *self._try(now)]

    def _try(self, now: float) -> Actions:
        if self.settings.marker is None:
            return self._spawn(now)
        self._is_looking = True
        return [Do.LOOK]

    def looked(self, now: float, is_there: bool) -> Actions:
        """Learn whether the download's marker is there."""
        was_looking, self._is_looking = self._is_looking, False
        if not was_looking or self.phase != "starting" or self.has_child:
            return []
        if is_there:
            return self._spawn(now)
        was_known = self.reason == WAITING
        self.reason, self.detail, self.due = WAITING, None, now + MARKER_SECONDS
        return [] if was_known else [f"starting: {WAITING}"]

    def _spawn(self, now: float) -> Actions:
        self._forget(now)
        self.run += 1
        self.starts += 1
        self.restarts += self._crashes > 0
        limit = self.settings.start_limit_seconds
        self.has_child, self.since, self.reason, self.detail = True, now, None, None
        self.cause = None
        self.due = now + limit if limit else None
        return [Do.SPAWN]

    def spawned(self, now: float, pid: int) -> Actions:
        """Learn that the process exists."""
        self.pid = pid
        return []

    def spawn_failed(self, now: float, failure: str) -> Actions:
        """Learn that the process cannot be made."""
        self.has_child = False
        if self.is_ending:
            return [*self._settle("stopped", now, "the supervisor ends"), Do.LEAVE]
        if not self.is_wanted:
            return self._settle("stopped", now, self.reason)
        program = self.settings.command[0]
        sentence = f"The program {program} cannot be run: {failure}."
        return self._settle("failed", now, sentence, "bad_arguments")

    def noticed(self, now: float, notice: Notice) -> Actions:
        """Learn what a line of the log means."""
        if notice.cause:
            self._troubles[notice.cause] = (now, notice.found)
            return []
        if self.phase not in {"starting", "loading"}:
            return []
        self._shards = int(notice.found.get("shards") or self._shards)
        self._shards_done += "{done}" in notice.text
        self._has_downloaded |= notice.found.get("said", "").startswith("downloading")
        said: Actions = []
        if notice.phase == "loading" and self.phase == "starting":
            self.loading_at = now
            said = self._enter("loading", now, None, self.due)
        shown = {"done": self._shards_done, "shards": self._shards, **notice.found}
        self.detail = notice.text.format(**shown)
        return said

    def generated(self, now: float, version: str, stops: Stops | None = None) -> Actions:
        """Learn that a first token came, and where the engine ends an answer, if that is known."""
        if self.phase not in {"starting", "loading"}:
            return []
        loading_at = now if self.loading_at is None else self.loading_at
        self.last_start = {"starting": round(loading_at - self.spawned_at, 3),
                           "loading": round(now - loading_at, 3)}
        self.ready_at = self.last_use = self._last_answer = now
        self.version, self.stops, self._unready_ends = version, stops, 0
        said = self._enter("ready", now, None)
        if self._has_downloaded:  # A start that had to fetch its model says nothing about the next.
            return said
        self.history = [*self.history, self.last_start][-KEPT_STARTS:]
        return [*said, Do.RECORD]

    # A ready engine

    def answered(self, now: float, count: float | None, is_busy: bool) -> Actions:
        """Learn that it is healthy, how many requests it had (None: unknown), whether one waits or runs."""
        self._last_answer = now
        if self.phase != "ready" or count is None:
            return []
        if is_busy or (self._count is not None and count != self._count):
            self.last_use = now
        self._count = count
        return self.stop_asked(now, "idle") if 0 < self.settings.idle_seconds <= now - self.last_use else []

    def unanswered(self, now: float) -> Actions:
        """Learn that it gave no healthy answer."""
        silent = now - self._last_answer
        if self.phase != "ready" or not 0 < self.settings.hang_seconds <= silent:
            return []
        return self._break(now, f"The engine had not answered for {silent:.0f} s.")

    def _break(self, now: float, fault: str) -> Actions:
        """Kill a run that is good for nothing; its end counts as a crash."""
        self._fault = fault
        return [*self._enter("stopping", now, fault, now + self.settings.margin_seconds, "hang"), Do.KILL]

    # Time and ends

    def ticked(self, now: float) -> Actions:
        """Learn that the time `due` may have come."""
        if self.due is None or now < self.due:
            return []
        self.due = None
        if self.phase == "stopping":
            self.due = now + self.settings.margin_seconds  # To kill again is harmless.
            return ["the engine has not ended in time; killing it", Do.KILL]
        if self.has_child:
            return self._break(now, f"The engine was not ready after {now - self.spawned_at:.0f} s.")
        return self._try(now)

    def exited(self, now: float, end: Exit) -> Actions:
        """Decide what the end of a run means.

        1 the supervisor ends: leave      2 not wanted: stopped      3 stopped, but wanted again: start
        4 a cause that another start cannot mend, or too many ends before a first token: failed
        5 else start again after a back-off
        """
        self.has_child, self.pid, self.last_exit, self.ended_at = False, None, end, now
        if self.is_ending:  # 1
            return [*self._settle("stopped", now, "the supervisor ends"), Do.LEAVE]
        if not self.is_wanted:  # 2
            return self._settle("stopped", now, self.reason)
        if self.phase == "stopping" and self._fault is None:  # 3
            return self._begin(now)
        sentence, kind, is_hopeless = self._explain(now, end)
        self._unready_ends += self.ready_at is None
        if self._unready_ends >= MOST_UNREADY_ENDS and not is_hopeless:  # 4
            sentence = f"{sentence} It ended {self._unready_ends} times before it was ready."
            kind, is_hopeless = "crash_loop" if kind == "unknown" else kind, True
        if is_hopeless:
            return self._settle("failed", now, sentence, kind)
        if self.ready_at is not None and now - self.ready_at >= HEALTHY_SECONDS:  # 5
            self._crashes = 0
        delay = min(LONGEST_DELAY_SECONDS, 2.0 ** min(self._crashes, 10))
        self._crashes += 1
        said = self._enter("starting", now, sentence, now + delay, kind)
        self.detail = f"starting again after {delay:g} s"
        return [*said, self.detail]

    def _explain(self, now: float, end: Exit) -> tuple[str, str, bool]:
        """Say why a run ended, in a sentence and a kind, and whether another start would end the same way."""
        if self._fault is not None:
            return self._fault, "hang", False
        was_ready = self.ready_at is not None
        for name, cause in CAUSES.items():
            at, found = self._troubles.get(name, (None, {}))
            if at is not None and not was_ready:
                sentence = cause.sentence.format(model=self.settings.model, **found)
                return sentence, cause.kind, not cause.is_mendable
            if at is not None and cause.at_run and now - at <= RECENT_SECONDS:
                return cause.at_run, cause.kind, False
        last = next((line.strip() for line in reversed(end.lines) if line.strip()), "")
        if end.code in self.settings.hopeless_codes and not was_ready:
            sentence = last.removeprefix("engine: ")[:300] or f"The engine {end} and said nothing."
            return sentence, CODE_KINDS.get(end.code, "unknown"), True
        if end.killed_by == "SIGKILL":
            return f"The engine {end}; the machine may have run out of memory.", "out_of_memory", False
        return f"The engine {end}." + (f" Its last line: {last[:300]}" if last else ""), "unknown", False

    # Phases

    def _settle(self, phase: str, now: float, reason: str | None, cause: str | None = None) -> Actions:
        self.is_wanted = False
        return self._enter(phase, now, reason, cause=cause)

    def _enter(self, phase: str, now: float, reason: str | None, due: float | None = None,
               cause: str | None = None) -> Actions:
        took = f" after {now - self.spawned_at:.1f} s" if phase == "ready" else ""
        # A plain start is told by the command that follows.
        is_news = (phase, reason) not in {(self.phase, self.reason), ("starting", None)}
        self.phase, self.since, self.reason, self.detail, self.due = phase, now, reason, None, due
        self.cause = cause
        return [phase + took + (f": {reason}" if reason else "")] if is_news else []

    def estimate(self, now: float) -> float | None:
        """Give the seconds until ready, by the median of earlier starts; None if unknown or overdue."""
        is_waiting = self._is_looking or self.reason == WAITING
        if not self.history or not self.is_wanted or self.phase == "ready" or is_waiting:
            return None
        loading = statistics.median(start["loading"] for start in self.history)
        left = loading + statistics.median(start["starting"] for start in self.history)
        if self.phase == "loading" and self.loading_at is not None:
            left = self.loading_at + loading - now
        elif self.phase == "starting" and self.has_child:
            left -= now - self.spawned_at
        elif self.phase == "starting" and self.due is not None:
            left += max(0.0, self.due - now)
        return round(left, 1) if left >= 0 else None


# Something that happened: a method of Core, all but the time filled in.
Event = Callable[[Core, float], Actions]

# -- what others may know


def state_form(core: Core, now: float, unix_now: float) -> dict[str, Any]:
    """Write what GET /state answers."""
    end = core.last_exit
    return {
        "phase": core.phase,
        "since": round(unix_now - (now - core.since), 3),
        "phase_seconds": round(now - core.since, 3),
        "reason": core.reason,
        "cause": core.cause,
        "detail": core.detail,
        "estimate_seconds": core.estimate(now),
        "starts": core.starts,
        "restarts": core.restarts,
        "last_exit": end and {"code": end.code, "signal": end.killed_by, "lines": list(end.lines),
                              "at": round(unix_now - (now - core.ended_at), 3)},
        "durations": list(core.history),
        "idle_seconds": round(now - core.last_use, 3) if core.phase == "ready" else None,
        "idle_limit_seconds": core.settings.idle_seconds,
        "model": core.settings.model,
        "version": core.version or None,
        "pid": core.pid,
        "run": core.run_name,
        "stop_tokens": core.stops and core.stops._asdict(),
    }


def metrics_text(core: Core) -> str:
    """Write what GET /metrics answers, in Prometheus text. A sample that is not known yet is absent."""
    of_phase = '{{phase="{}"}}'.format
    end = core.last_exit
    number = {name.name: 128 + name for name in signal.Signals}
    code = {} if end is None else {"": number.get(end.killed_by or "", 128) if end.code is None else end.code}
    families: list[tuple[str, str, str, Mapping[str, float]]] = [
        ("phase", "gauge", "1 for the phase that the engine is in, else 0.",
         {of_phase(phase): phase == core.phase for phase in PHASES}),
        ("starts_total", "counter", "Times the engine was started.", {"": core.starts}),
        ("restarts_total", "counter", "Starts that followed a crash.", {"": core.restarts}),
        ("start_seconds", "gauge", "How long each phase of the last complete start took.",
         {of_phase(phase): seconds for phase, seconds in core.last_start.items()}),
        ("last_exit_code", "gauge", "Exit code of the last run; for a signal 128 and its number.", code),
    ]
    return "".join(
        f"# HELP paddock_engine_{name} {meaning}\n# TYPE paddock_engine_{name} {kind}\n"
        + "".join(f"paddock_engine_{name}{labels} {value:g}\n" for labels, value in samples.items())
        for name, kind, meaning, samples in families if samples
    )


class Starts:
    """Durations of earlier starts, kept in a file: {model and flags: {version, starts: [{phase: seconds}]}}.

    A file that cannot be read is empty. Those of another engine version end when the new one adds its first.
    """

    def __init__(self, path: Path | None, settings: Settings) -> None:
        """Remember under the model and the settings that change how long a start takes."""
        self._path = path
        words = settings.command
        flags = [word for flag in ("--revision", "--quantize", "--num-shard") if flag in words[:-1]
                 for word in (flag, words[words.index(flag) + 1])]
        self._name = " ".join([settings.model, *flags])

    def read(self) -> list[dict[str, float]]:
        """Give the earlier starts, oldest first."""
        return self._known(self._entries())[1]

    def add(self, version: str, durations: Mapping[str, float]) -> str | None:
        """Add a start; say what went wrong, if anything did. The file is replaced whole or not at all."""
        if self._path is None:
            return None
        entries = self._entries()
        known, starts = self._known(entries)
        kept = [*(starts if known == version else []), dict(durations)][-KEPT_STARTS:]
        draft = self._path.with_name(f"{self._path.name}.{os.getpid()}")
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            entries[self._name] = {"version": version, "starts": kept}
            draft.write_text(json.dumps(entries), "utf-8")
            draft.replace(self._path)
        except OSError as error:
            return f"durations of starts cannot be kept in {self._path}: {error.strerror}"
        return None

    def _entries(self) -> dict[str, Any]:
        with contextlib.suppress(OSError, ValueError):
            entries = json.loads(self._path.read_text("utf-8")) if self._path else {}
            return entries if isinstance(entries, dict) else {}
        return {}

    def _known(self, entries: Mapping[str, Any]) -> tuple[str, list[dict[str, float]]]:
        try:
            entry = entries[self._name]
            starts = [{phase: float(start[phase]) for phase in ("starting", "loading")}
                      for start in entry["starts"][-KEPT_STARTS:]]
            return str(entry["version"]), starts
        except (TypeError, ValueError, LookupError):
            return "", []


# -- the engine's process

# Reports an event of one run to the main thread.
Post = Callable[[Event], None]


class Output:
    """Our own standard output, written by several threads a line at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def write(self, line: bytes) -> None:
        """Write a line; that nobody reads it is no reason to stop."""
        with self._lock, contextlib.suppress(OSError, ValueError):
            sys.stdout.buffer.write(line + b"\n")
            sys.stdout.buffer.flush()

    def say(self, text: str) -> None:
        """Write a line of the supervisor's own."""
        self.write(f"supervisor: {text}".encode(errors="replace"))  # a path may hold bytes that are no text


class Engine:
    """One run of the engine's process: its lines, its answers, its end.

    TGI's launcher gives each shard a process group of its own, so a launcher that is killed leaves shards
    that hold the GPU. The supervisor adopts such orphans, kills all its descendants, and reports an end only
    once they are gone. Only the thread that waits for the end reaps, and signals are sent under the same
    lock, so none reaches a process that took over the number.
    """

    def __init__(self, settings: Settings, post: Post, output: Output) -> None:
        """Start the process and its threads.

        Raises: OSError if the process cannot be made.
        """
        self._settings, self._post, self._output = settings, post, output
        self._lines: deque[str] = deque(maxlen=LAST_LINES)
        self._stops: Stops | None = None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._child = subprocess.Popen(  # noqa: S603 - the operator's own command
            settings.command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            env=dict(settings.environment), start_new_session=True, preexec_fn=_end_with_parent())
        self.pid = self._child.pid
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        for work in (self._await_end, self._watch):
            threading.Thread(target=work, daemon=True).start()

    def terminate(self) -> None:
        """Ask the process to end; a launcher passes that on to its shards in the right order."""
        with self._lock:
            if not self._ended.is_set():
                os.kill(self.pid, signal.SIGTERM)

    def kill(self) -> None:
        """Kill the process and all that it started."""
        with self._lock:
            if not self._ended.is_set():
                with contextlib.suppress(ProcessLookupError):  # before it has become the leader of its group
                    os.killpg(self.pid, signal.SIGKILL)
            kill_descendants()

    def _read(self) -> None:
        with self._child.stdout or open(os.devnull, "rb") as stream:  # noqa: PTH123 - a pipe was asked for
            while line := stream.readline(LINE_LIMIT_BYTES):
                self._output.write(line.rstrip(b"\r\n"))
                text = re.sub(r"\x1b\[[0-9;]*m", "", line.decode("utf-8", "replace")).rstrip()
                self._lines.append(text)
                self._stops = read_stops_line(text) or self._stops
                if (notice := read_line(text)) is not None:
                    self._post(partial(Core.noticed, notice=notice))

    def _await_end(self) -> None:
        """Reap what ends, ours and adopted, until the process itself has; then clean up and report."""
        if not hasattr(os, "waitid"):  # macOS: nothing is adopted there either
            self._child.wait()
            self._ended.set()
        while not self._ended.is_set():
            ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOWAIT)
            with self._lock:
                if ended is not None and ended.si_pid == self.pid:
                    self._child.wait()
                    self._ended.set()
                elif ended is not None:
                    os.waitpid(ended.si_pid, 0)
        limit = time.monotonic() + CLEANUP_SECONDS
        while has_children() and time.monotonic() < limit:
            kill_descendants()
            time.sleep(0.01)
        self._reader.join(2.0)
        code = self._child.returncode
        known = {number.value: number.name for number in signal.Signals}
        killed_by = known.get(-code, f"signal {-code}") if code < 0 else None
        end = Exit(None if killed_by else code, killed_by, tuple(self._lines))
        self._post(partial(Core.exited, end=end))

    def _watch(self) -> None:
        """Ask for a token until one comes, then for health and counters, until the process ends."""
        while not self._ended.wait(TRY_SECONDS):
            if self._has_token():
                version = str(_read_json(self._ask("GET", "/info")[1]).get("version", ""))
                files = self._settings.files
                stops = read_stops(files, self._settings.revision) if files else self._stops
                self._post(partial(Core.generated, version=version, stops=stops))
                break
        limits = [limit for limit in (self._settings.idle_seconds, self._settings.hang_seconds) if limit]
        pause = min([LOOK_SECONDS, *(max(0.05, limit / 10) for limit in limits)])
        patience = min(ANSWER_LIMIT_SECONDS, self._settings.hang_seconds or ANSWER_LIMIT_SECONDS)
        while not self._ended.wait(pause):
            if self._ask("GET", "/health", patience)[0] == 200:
                page = self._ask("GET", "/metrics", patience)[1]
                count, is_busy = read_use(page.decode("utf-8", "replace"))
                self._post(partial(Core.answered, count=count, is_busy=is_busy))
            else:
                self._post(Core.unanswered)

    def _has_token(self) -> bool:
        wish = {"inputs": "Hello", "parameters": {"max_new_tokens": 1, "details": True}}
        status, body = self._ask("POST", "/generate", TOKEN_LIMIT_SECONDS, json.dumps(wish).encode())
        details = _read_json(body).get("details")
        return status == 200 and isinstance(details, dict) and details.get("generated_tokens") == 1

    def _ask(self, method: str, path: str, limit_seconds: float = ANSWER_LIMIT_SECONDS,
             body: bytes | None = None) -> tuple[int, bytes]:
        """Give status and body of an answer; status 0 if there is none."""
        engine = http.client.HTTPConnection(
            self._settings.engine_host, self._settings.engine_port, timeout=limit_seconds)
        with contextlib.closing(engine), contextlib.suppress(OSError, http.client.HTTPException):
            engine.request(method, path, body, {"Content-Type": "application/json", "Connection": "close"})
            answer = engine.getresponse()
            return answer.status, answer.read()
        return 0, b""


def _read_json(body: bytes) -> dict[str, Any]:
    with contextlib.suppress(ValueError):
        value = json.loads(body)
        return value if isinstance(value, dict) else {}
    return {}


def read_use(page: str) -> tuple[float | None, bool]:
    """Read from TGI's metrics how many requests it has had, and whether any waits or runs now.

    Readiness itself was a request, so a page without the counter is none of a warm TGI: None.
    """
    seen = {"tgi_request_count": 0.0, "tgi_batch_current_size": 0.0, "tgi_queue_size": 0.0}
    for line in page.splitlines():
        name, _, value = line.partition(" ")
        if name in seen:
            with contextlib.suppress(ValueError):
                seen[name] = float(value)
    return seen["tgi_request_count"] or None, seen["tgi_batch_current_size"] + seen["tgi_queue_size"] > 0


def kill_descendants() -> None:
    """Kill every process below this one, as /proc tells."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, ValueError, IndexError):
            # The name in brackets may hold anything, so the fields are counted from its end.
            text = entry.read_text("utf-8", "replace").rpartition(")")[2]
            parents[int(entry.parent.name)] = int(text.split()[1])
    for pid in parents:
        above = parents[pid]
        while above != os.getpid() and above in parents:
            above = parents[above]
        if above == os.getpid():
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, signal.SIGKILL)


def has_children() -> bool:
    """Reap what has ended, and say whether any child is left."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0] != 0:
            pass
        return True
    return False


def adopt_orphans() -> None:
    """Become the parent of orphaned descendants, as process 1 of a container is anyway. Linux only."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def _end_with_parent() -> Callable[[], None] | None:
    """Make what a new child runs first, so that it is told to end when we die, however we die. Linux only.

    SIGTERM, because a launcher that is killed leaves its shards. The kernel ties the promise to the thread
    that makes the child: the main thread, which lives longest.
    """
    if sys.platform != "linux":
        return None
    parent, prctl = os.getpid(), ctypes.CDLL(None).prctl

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)
        if os.getppid() != parent:
            os._exit(1)

    return tie


# -- the control surface and the main loop


@dataclass(frozen=True)
class Question:
    """What an HTTP thread asks the main thread, by path; it waits for the answer."""

    path: str
    answer: queue.SimpleQueue[Any] = field(default_factory=queue.SimpleQueue)


Inbox = queue.SimpleQueue[Question | Event]
ROUTES = {"/state": "GET", "/health": "GET", "/metrics": "GET", "/start": "POST", "/stop": "POST"}


class Desk(BaseHTTPRequestHandler):
    """Answers one control request."""

    server: ControlServer
    server_version, sys_version = "paddock-supervisor", ""
    timeout = QUESTION_LIMIT_SECONDS

    def do_GET(self) -> None:
        """Answer, whatever the method: the routes say which is allowed."""
        path = self.path.partition("?")[0]
        if self.headers.get("Origin") is not None:
            return self._refuse(403, "origin_refused", "A page in a browser may not use the control surface.")
        if path not in ROUTES:
            return self._refuse(404, "not_found", f"There is no {path}; there are {', '.join(ROUTES)}.")
        if self.command != ROUTES[path]:
            return self._refuse(405, "method_not_allowed", f"{path} takes {ROUTES[path]}.", ROUTES[path])
        question = Question(path)
        self.server.inbox.put(question)
        try:
            told = question.answer.get(timeout=QUESTION_LIMIT_SECONDS)
        except queue.Empty:
            return self._refuse(503, "busy", "The supervisor did not decide in time; ask again.")
        if isinstance(told, str):
            return self._send(200, told, {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"})
        return self._send(200, json.dumps(told))

    do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = do_GET  # noqa: N815

    def _refuse(self, status: int, code: str, message: str, allow: str = "") -> None:
        headers = getattr(self, "headers", None)  # missing where the request line was no HTTP
        error = {"message": message, "type": "server_error" if status >= 500 else "invalid_request_error",
                 "code": code, "param": None, "retry_after_seconds": 1 if status == 503 else None,
                 "request_id": headers.get("X-Request-Id") if headers is not None else None}
        self._send(status, json.dumps({"error": error}), {"Allow": allow} if allow else {})

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """Put the HTTP library's own refusals into the envelope."""
        self._refuse(code, "bad_request", message or "The request cannot be understood.")

    def _send(self, status: int, text: str, headers: Mapping[str, str] | None = None) -> None:
        body = text.encode()
        self.send_response(status)
        sent = {"Content-Type": "application/json", "Content-Length": str(len(body)), **(headers or {})}
        for name, value in sent.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, format: str, *_: object) -> None:  # noqa: A002 - the library's name
        """Log nothing: whoever polls the state would fill the log."""


class ControlServer(ThreadingHTTPServer):
    """The control surface's listener."""

    daemon_threads = True

    def __init__(self, host: str, port: int, inbox: Inbox) -> None:
        """Listen at once. Raises: OSError if the port cannot be used."""
        self.inbox = inbox
        super().__init__((host, port), Desk)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away."""


class Supervisor:
    """The main thread's loop: takes what comes, asks Core, acts."""

    def __init__(self, settings: Settings, output: Output) -> None:
        """Start nothing yet."""
        self._settings, self._output = settings, output
        self.inbox: Inbox = queue.SimpleQueue()
        self._starts = Starts(settings.starts_file, settings)
        self._core = Core(settings, self._starts.read(), time.monotonic())
        self._engine: Engine | None = None
        self._is_left = False

    def serve(self) -> None:
        """Run until asked to end, and until the engine has."""
        self._take(Core.start_asked)
        while not self._is_left:
            due = self._core.due
            # Order: time before events, so that a busy queue cannot put off a kill.
            if due is not None and time.monotonic() >= due:
                self._take(Core.ticked)
                continue
            with contextlib.suppress(queue.Empty):
                item = self.inbox.get(timeout=None if due is None else max(0.0, due - time.monotonic()))
                if isinstance(item, Question):
                    item.answer.put(self._answer(item.path))
                else:
                    self._take(item)

    def _answer(self, path: str) -> dict[str, Any] | str:
        if path == "/health":
            return {"status": "ok"}
        if path == "/metrics":
            return metrics_text(self._core)
        if path != "/state":
            self._take(Core.start_asked if path == "/start" else Core.stop_asked)
        return state_form(self._core, time.monotonic(), time.time())

    def _take(self, event: Event) -> None:
        for action in event(self._core, time.monotonic()):
            if isinstance(action, str):
                self._output.say(action)
            elif action is Do.SPAWN:
                self._spawn(self._core.run)
            elif action is Do.RECORD:
                if problem := self._starts.add(self._core.version, self._core.last_start):
                    self._output.say(problem)
            elif action is Do.LOOK:
                is_there = self._settings.marker is None or self._settings.marker.is_file()
                self.inbox.put(partial(Core.looked, is_there=is_there))
            elif action is Do.LEAVE:
                self._is_left = True
            elif self._engine is not None:
                (self._engine.terminate if action is Do.TERMINATE else self._engine.kill)()

    def _spawn(self, run: int) -> None:
        def post(event: Event) -> None:
            self.inbox.put(partial(Core.of_run, run=run, event=event))

        self._output.say("starting " + shlex.join(self._settings.command))
        try:
            engine = self._engine = Engine(self._settings, post, self._output)
        except OSError as error:
            post(partial(Core.spawn_failed, failure=error.strerror or str(error)))
        else:
            post(partial(Core.spawned, pid=engine.pid))


def main(arguments: Sequence[str], environ: Mapping[str, str]) -> int:
    """Run the supervisor and give its exit code."""
    output = Output()
    try:
        settings = read_settings(arguments, environ)
        supervisor = Supervisor(settings, output)
        control = ControlServer(settings.control_host, settings.control_port, supervisor.inbox)
    except SettingsWrong as wrong:
        for problem in str(wrong).splitlines():
            output.say(problem)
        return EXIT_SETTINGS
    except OSError as error:
        output.say(f"The control port {settings.control_host}:{settings.control_port} cannot be used "
                   f"({error.strerror or error}): set ENGINE_CONTROL_PORT to a free one.")
        return EXIT_PORT
    for warning in strangers(environ):
        output.say(f"warning: {warning}")
    adopt_orphans()
    for number in (signal.SIGTERM, signal.SIGINT):
        # SimpleQueue.put may interrupt itself, as it does when a signal comes in the middle of one.
        signal.signal(number, lambda *_: supervisor.inbox.put(Core.end_asked))
    output.say("control on http://{}:{}".format(*control.server_address[:2]))
    threading.Thread(target=control.serve_forever, daemon=True).start()
    supervisor.serve()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], os.environ))
