"""compose.yaml as a running project: a copy of this checkout, real containers, ports of its own.

Knows: docker, Compose's command line, how a chat is asked. Knows nothing of: what is to be true.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.fakes.port import free_port

ROOT = Path(__file__).parents[2]
# Starting, killing and waking on a busy machine; reaching it is a failure.
LIMIT_SECONDS = 150.0
BUILD_SECONDS = 600.0
LOOK_SECONDS = 0.02
TGI_IMAGE = "ghcr.io/huggingface/text-generation-inference:3.3.7"
# The settings of the person at the keyboard must not change what the tests see.
KEPT = ("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_TLS_VERIFY",
        "DOCKER_CERT_PATH", "SSL_CERT_FILE", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
STORY = "Tell me a story about a brave little owl named Pip."


def copy_checkout(folder: Path) -> None:
    """Copy what git knows, or would, so that neither a .env nor leftovers of this checkout take part."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others",
                             "--exclude-standard"], cwd=ROOT, capture_output=True, check=True)
    for name in os.fsdecode(listed.stdout).split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)


def docker(*words: str, limit_seconds: float = LIMIT_SECONDS) -> str:
    """Run docker and give what it prints."""
    done = subprocess.run(["docker", *words], capture_output=True, text=True, timeout=limit_seconds,
                          check=False)
    assert done.returncode == 0, f"docker {' '.join(words)}\n{done.stdout}\n{done.stderr}"
    return done.stdout.strip()


def until(is_so: Callable[[], bool], what: str, limit_seconds: float = LIMIT_SECONDS) -> None:
    """Wait until something is so; fail at the deadline."""
    deadline = time.monotonic() + limit_seconds
    while not is_so():
        assert time.monotonic() < deadline, f"{what} within {limit_seconds:g} s"
        time.sleep(LOOK_SECONDS)


@dataclass
class Stack:
    """One Compose project. settings are what its .env or the shell would say."""

    name: str
    folder: Path
    files: tuple[str, ...] = ("compose.yaml",)
    settings: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    gateway_port: int = field(default_factory=free_port)

    def run(self, *words: str, limit_seconds: float = LIMIT_SECONDS,
            **settings: str) -> "subprocess.CompletedProcess[str]":
        """Run docker compose on the project."""
        environment = {key: value for key, value in os.environ.items() if key in KEPT}
        environment |= {"UI_PORT": str(self.port), "GATEWAY_PORT": str(self.gateway_port)}
        environment |= {**self.settings, **settings}
        files = [word for name in self.files for word in ("--file", name)]
        command = ["docker", "compose", "--project-name", self.name, "--progress", "plain", *files, *words]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=limit_seconds, check=False)

    def do(self, *words: str, limit_seconds: float = LIMIT_SECONDS, **settings: str) -> str:
        """Run docker compose, which has to end well, and give what it prints."""
        done = self.run(*words, limit_seconds=limit_seconds, **settings)
        said = f"docker compose {' '.join(words)}: {done.returncode}\n{done.stderr}{done.stdout}"
        assert done.returncode == 0, said
        return done.stdout

    def up(self, *words: str, **settings: str) -> float:
        """Bring it up, wait until it is healthy; give the seconds that took."""
        started = time.monotonic()
        self.do("up", "--detach", "--wait", *words, limit_seconds=LIMIT_SECONDS, **settings)
        return time.monotonic() - started

    def down(self) -> None:
        """Remove everything of the project, running or not."""
        self.do("down", "--volumes", "--remove-orphans", "--timeout", "5", limit_seconds=120)

    def containers(self, service: str = "") -> list[dict[str, Any]]:
        """Inspect the containers of a service, or of all."""
        words = ["ps", "--all", "--quiet", *([service] if service else [])]
        found = self.do(*words).split()
        inspected: list[dict[str, Any]] = json.loads(docker("inspect", *found)) if found else []
        return inspected

    def logs(self, service: str) -> str:
        """Give what a service has written."""
        return self.do("logs", "--no-log-prefix", service)

    def records(self) -> list[dict[str, Any]]:
        """Give the chats' records in the gateway's log."""
        return [json.loads(line) for line in self.logs("gateway").splitlines() if line.startswith("{")]

    def python(self, service: str, source: str, index: int = 1) -> str:
        """Run a few lines of Python in a container, as the container's own user."""
        return self.do("exec", "--no-TTY", "--index", str(index), service, "python", "-c", source).strip()

    def end(self, service: str) -> None:
        """Kill a service's process below its init, as the kernel does when memory is short.

        The command that sends the signal is inside the container and ends with it (137) or, when it is
        quicker, before it (0): which of the two is chance and says nothing.
        """
        source = "import os; os.kill(int(open('/proc/1/task/1/children').read().split()[0]), 9)"
        done = self.run("exec", "--no-TTY", service, "python", "-c", source)
        assert done.returncode in (0, 128 + signal.SIGKILL), done.stderr

    def control(self, method: str = "GET", path: str = "/state", host: str = "engine") -> dict[str, Any]:
        """Ask the supervisor, from the gateway's side of the private network."""
        source = (f"import urllib.request as u; print(u.urlopen(u.Request('http://{host}:8081{path}', "
                  f"method='{method}'), timeout=9).read().decode())")
        answer: dict[str, Any] = json.loads(self.python("gateway", source))
        return answer

    @contextlib.contextmanager
    def armed(self) -> Iterator[Callable[[], None]]:
        """Be ready to kill the engine's process, below the supervisor, at a word; gives that word."""
        source = (f"import os, sys\nprint('ready', flush=True)\nsys.stdin.readline()\n"
                  f"os.kill({self.control()['pid']}, 9)")
        engine = self.containers("engine")[0]["Id"]
        with subprocess.Popen(["docker", "exec", "--interactive", engine, "python", "-c", source], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as waiting:
            assert waiting.stdin is not None
            assert waiting.stdout is not None
            waiting.stdout.readline()

            def send() -> None:
                print(file=waiting.stdin, flush=True)

            yield send

    @contextlib.contextmanager
    def slow_engine(self, share: float) -> Iterator[None]:
        """Give the engine a share of a processor, of every 100 ms: the demo model is done in an instant."""
        engine = self.containers("engine")[0]["Id"]
        docker("update", "--cpus", str(share), engine)
        try:
            yield
        finally:
            docker("update", "--cpus", str(os.cpu_count()), engine)

    def get(self, path: str, port: int | None = None) -> tuple[int, dict[str, str], bytes]:
        """Ask the page's web server, or another port; status 0 where nobody answers."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            asked = http.client.HTTPConnection("127.0.0.1", port or self.port, timeout=10)
            with contextlib.closing(asked):
                asked.request("GET", path)
                answer = asked.getresponse()
                headers = {key.lower(): value for key, value in answer.getheaders()}
                return answer.status, headers, answer.read()
        return 0, {}, b""

    def stats(self) -> dict[str, Any]:
        """Give the gateway's numbers, empty where it does not answer."""
        status, _, body = self.get("/stats")
        numbers: dict[str, Any] = json.loads(body) if status == 200 else {}
        return numbers

    def wait_ready(self) -> None:
        """Wait until a chat would be served."""
        until(lambda: self.get("/ready")[0] == 200, f"not ready: {self.get('/ready')}")

    @contextlib.contextmanager
    def ask(self, path: str, body: dict[str, Any], **headers: str) -> Iterator[http.client.HTTPResponse]:
        """Post JSON through the page's web server."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=LIMIT_SECONDS)
        with contextlib.closing(asked):
            asked.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **headers})
            yield asked.getresponse()

    def chat(self, question: str = "Hello!", **more: Any) -> str:
        """Ask a question and give the whole answer's text."""
        body = {"messages": [{"role": "user", "content": question}], "max_tokens": 40, **more}
        with self.ask("/v1/chat/completions", body) as answer:
            told = answer.read()
        assert answer.status == 200, told
        text: str = json.loads(told)["choices"][0]["message"]["content"]
        return text


def frames(answer: http.client.HTTPResponse) -> Iterator[tuple[float, str]]:
    """Read events as they come, each with the time of its arrival."""
    for raw in answer:
        line = raw.decode().rstrip("\n")
        if line.startswith(("data:", "event:")):
            yield time.monotonic(), line


def delta(line: str) -> str:
    """Give the text that a chat's event adds."""
    if not line.startswith("data: {"):
        return ""
    choices = json.loads(line.removeprefix("data: ")).get("choices") or [{}]
    return str(choices[0].get("delta", {}).get("content") or "")
