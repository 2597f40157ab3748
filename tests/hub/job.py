"""Runs the download job as people and Compose run it: a process with an environment."""

import contextlib
import json
import os
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.hub import Hub
from tests.fakes.repository import KNOWN_TOKENS

ROOT = Path(__file__).parents[2]
MODEL = "fox/Fable-8B-Instruct"
# For anything at all on a busy machine; reaching it is a failure.
DEADLINE_SECONDS = 60.0


@dataclass
class Result:
    """How a job ended, and the processor time it took: what else runs on the machine does not count."""

    status: int
    out: str
    err: str
    cpu_seconds: float


@dataclass
class Job:
    """Starts jobs against one hub and one cache folder, and reads what they leave."""

    hub: Hub
    home: Path
    started: list[subprocess.Popen[str]] = field(default_factory=list)

    def start(
        self, settings: dict[str, str] | None = None, out: int = subprocess.PIPE
    ) -> subprocess.Popen[str]:
        """Start a job in an environment that holds nothing of the person who runs the tests."""
        environment = {
            "PATH": os.environ["PATH"], "HOME": str(self.home.parent), "MODEL_ID": MODEL,
            "HF_HOME": str(self.home), "HF_ENDPOINT": self.hub.url, "NO_PROXY": "*",
        } | (settings or {})
        process = subprocess.Popen(
            [sys.executable, "-m", "gateway.download"], cwd=ROOT, env=environment, text=True,
            stdout=out, stderr=subprocess.PIPE,
        )
        self.started.append(process)
        return process

    def end(self, process: subprocess.Popen[str]) -> Result:
        """Wait for a job, and check what holds for all: no traceback, no token in its words."""
        before = ended_seconds()
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
        self.started.remove(process)
        seconds = ended_seconds() - before
        assert "Traceback" not in err
        assert [token for token in (*KNOWN_TOKENS, "hf_unknown") if token in f"{out}{err}{self.kept()}"] == []
        return Result(process.returncode, out or "", err, seconds)

    def run(self, **settings: str) -> Result:
        """Start a job and wait for it."""
        return self.end(self.start(settings))

    def kept(self) -> str:
        """Read everything that jobs wrote beside the model's own files."""
        return "".join(path.read_text() for path in self.own.glob("*.json"))

    @property
    def own(self) -> Path:
        """Give Paddock's folder in the cache."""
        return self.home / "paddock"

    @property
    def folder(self) -> Path:
        """Give the model's folder in the cache."""
        return self.home / "hub" / f"models--{MODEL.replace('/', '--')}"

    @property
    def marker(self) -> Path:
        """Give the path of the marker."""
        return self.own / f"{MODEL.replace('/', '--')}.complete.json"

    def progress(self) -> dict[str, Any]:
        """Read the progress file."""
        return dict(json.loads((self.own / "progress.json").read_text()))

    def content_bytes(self) -> int:
        """Count the bytes of content that are kept, in whole files and partial ones."""
        total = 0
        for path in (self.folder / "blobs").glob("*"):
            with contextlib.suppress(FileNotFoundError):  # a partial file has just become a whole one
                total += path.stat().st_size
        return total

    def kill(self) -> None:
        """End whatever a failed test left running."""
        for process in self.started:
            process.kill()
            process.communicate()


def ended_seconds() -> float:
    """Give the processor time of all programs that were started and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def until(condition: Callable[[], bool]) -> None:
    """Wait for a condition, but not for ever."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not condition():
        assert time.monotonic() < deadline, "the condition never came true"
        time.sleep(0.01)
