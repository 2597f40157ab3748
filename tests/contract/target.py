"""What the contract is run against: the double, the embedded engine, a real TGI.

Knows:  how each is started, and how each is made to say a given text.
Knows nothing of: the cases.
"""

import contextlib
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.contract.wire import LIMIT_SECONDS, Reply, ask
from tests.fakes.double import TgiDouble, process_double, thread_double
from tests.fakes.port import free_port

ROOT = Path(__file__).resolve().parents[2]
BUNDLED_MODEL = ROOT / "engine" / "demo" / "paddock-demo.gguf"
_POLL_SECONDS = 0.01

# `script`: faults and paces can be scripted. `start`: can be started with other limits.
# `models`: has TGI's OpenAI routes, which the embedded engine leaves to the gateway.
CAPABILITIES = {
    "double": frozenset({"script", "start", "models"}),
    "embedded": frozenset({"start"}),
    "tgi": frozenset({"models"}),
}


def names(needs: set[str]) -> list[str]:
    """The targets of this run that can do what a case needs."""
    present = [name for name in CAPABILITIES if name != "tgi" or os.environ.get("TGI_URL")]
    return [name for name in present if needs <= CAPABILITIES[name]]


@dataclass
class Target:
    """One running engine."""

    name: str
    port: int
    double: TgiDouble | None = None
    limits: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the limits it was started with."""
        if not self.limits:
            self.limits = self.get("/info").document

    @property
    def script(self) -> TgiDouble:
        """The double's control; only cases marked `needs("script")` ask for it."""
        assert self.double is not None
        return self.double

    def get(self, path: str) -> Reply:
        """GET a path."""
        return ask(self.port, "GET", path)

    def post(self, path: str, inputs: str, **parameters: Any) -> Reply:
        """POST a generate request."""
        return ask(self.port, "POST", path, {"inputs": inputs, "parameters": parameters})

    def say(self, text: str) -> dict[str, Any]:
        """Parameters that make it answer with exactly this text and then end its turn.

        The double is scripted; a real engine is held to the text by a grammar.
        """
        if self.double is not None:
            self.double.script(reply=text)
            return {}
        return {"grammar": {"type": "regex", "value": re.sub(r"([.?*+(){}|^$\[\]\\])", r"\\\1", text)}}

    def long(self) -> dict[str, Any]:
        """Parameters of an answer that goes on for hundreds of tokens, at the pace of the engine."""
        if self.double is not None:
            self.double.script(reply="ha " * 400, delay_seconds=0.01)
            return {"max_new_tokens": 700}
        return {"grammar": {"type": "regex", "value": "(ha ){600}"}, "max_new_tokens": 700}

    def wait_idle(self) -> None:
        """Wait until two permits are free: those of clients that left come back within moments.

        Raises:  TimeoutError.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.post("/generate", "hi", best_of=2, do_sample=True, max_new_tokens=1).status != 200:
            if time.monotonic() > deadline:
                raise TimeoutError("the engine stayed full")
            time.sleep(_POLL_SECONDS)

    def count(self, name: str, **labels: str) -> float:
        """The value of one sample of the metrics page; what is absent counts as 0."""
        wanted = name + ("{" + ",".join(f'{key}="{value}"' for key, value in labels.items()) + "}") * bool(
            labels
        )
        for line in self.get("/metrics").body.decode().splitlines():
            sample, _, value = line.rpartition(" ")
            if sample == wanted:
                return float(value)
        return 0.0

    def wait_count(self, value: float, name: str, **labels: str) -> None:
        """Wait until a sample reaches a value.

        Raises:  TimeoutError.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while self.count(name, **labels) < value:
            if time.monotonic() > deadline:
                raise TimeoutError(f"{name}{labels} stayed below {value}")
            time.sleep(_POLL_SECONDS)


def model_path() -> str:
    """The GGUF file the embedded engine is tested with."""
    return os.environ.get("PADDOCK_CONTRACT_MODEL") or str(BUNDLED_MODEL)


@dataclass(frozen=True)
class Launched:
    """The embedded engine's process from its very start."""

    port: int
    process: "subprocess.Popen[bytes]"
    log: Path

    def wait_ready(self) -> None:
        """Block until it answers.

        Raises:  RuntimeError or TimeoutError with what it printed.
        """
        deadline = time.monotonic() + LIMIT_SECONDS
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError(
                    f"the engine ended with {self.process.returncode}:\n{self.log.read_text()}"
                )
            with contextlib.suppress(OSError):
                if ask(self.port, "GET", "/health").status == 200:
                    return
            time.sleep(_POLL_SECONDS)
        raise TimeoutError(f"the engine was not ready within {LIMIT_SECONDS} s:\n{self.log.read_text()}")


@contextlib.contextmanager
def launched(**variables: str) -> Iterator[Launched]:
    """Start the embedded engine with some of its variables set; it may still be loading."""
    port = free_port()
    environment = os.environ | {"MODEL_PATH": model_path(), "ENGINE_PORT": str(port)} | variables
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "engine.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", "engine"], cwd=ROOT, env=environment, stdout=output, stderr=output
            )
        try:
            yield Launched(port, process, log)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextlib.contextmanager
def started(name: str, *, is_narrow: bool = False) -> Iterator[Target]:
    """A target of its own; narrow ones run one request and hold at most two."""
    if name == "double":
        settings: dict[str, Any] = {"max_concurrent_requests": 2, "slots": 1} if is_narrow else {}
        with thread_double(**settings) as double:
            yield Target(name, double.port, double)
    elif name == "embedded":
        variables = {"ENGINE_MAX_CONCURRENT_REQUESTS": "2", "ENGINE_SLOTS": "1"} if is_narrow else {}
        with launched(**variables) as engine:
            engine.wait_ready()
            yield Target(name, engine.port)
    else:
        yield Target(name, urlsplit(os.environ["TGI_URL"]).port or 80)


@contextlib.contextmanager
def loading(name: str) -> Iterator[tuple[int, Callable[[], object]]]:
    """A target that was started just now: its port, and what blocks until it is ready."""
    if name == "double":
        # Longer than a busy machine keeps a test from asking.
        with process_double(load_seconds=2.0) as double:
            yield double.port, double.wait_ready
    else:
        with launched() as engine:
            yield engine.port, engine.wait_ready
