"""Starts what the bench compares: the synthetic engine, nginx, the gateway, the embedded engine, llama.cpp.

Knows:  commands, ports, cores, when each is ready, how each ends.
Knows nothing of: figures.
"""

import contextlib
import http.client
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.fakes.port import free_port

ROOT = Path(__file__).resolve().parents[2]
# For a start and for an end on a busy machine.
_READY_SECONDS, _END_SECONDS = 120.0, 15.0
_POLL_SECONDS = 0.02
_NGINX = """
daemon off;
master_process off;
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
worker_rlimit_nofile 8192;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream engine {{ server 127.0.0.1:{engine}; keepalive 1024; keepalive_requests 1000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=1024;
        location / {{
            proxy_pass http://engine;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_buffering off;
        }}
    }}
}}
"""


@dataclass(frozen=True)
class Process:
    """Something that listens."""

    name: str
    port: int
    pid: int


def get(port: int, path: str) -> int:
    """The status of a GET, 0 if nothing answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except OSError:
        return 0
    finally:
        connection.close()


def wait_ready(process: "subprocess.Popen[str]", port: int, path: str, log: Path) -> None:
    """Wait for a 200.

    Raises:  RuntimeError with what the process printed.
    """
    deadline = time.monotonic() + _READY_SECONDS
    while get(port, path) != 200:
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args!r} is not ready:\n{log.read_text()[-3000:]}")
        time.sleep(_POLL_SECONDS)


@contextlib.contextmanager
def running(
    name: str,
    command: list[str],
    port: int,
    path: str,
    cores: set[int],
    variables: dict[str, str] | None = None,
) -> Iterator[Process]:
    """Run a command for the length of a block, from when it answers until it has ended."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "output"
        with log.open("w") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=os.environ | (variables or {}),
                stdout=output,
                stderr=output,
                text=True,
                preexec_fn=lambda: os.sched_setaffinity(0, cores),
            )
        try:
            wait_ready(process, port, path, log)
            yield Process(name, port, process.pid)
        finally:
            end(process)


def end(process: "subprocess.Popen[str]") -> None:
    """Ask a process to end, and make it."""
    process.send_signal(signal.SIGTERM)
    try:
        process.wait(_END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextlib.contextmanager
def synthetic(cores: set[int]) -> Iterator[Process]:
    """The synthetic engine."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.load.synthetic"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, cores),
    )
    try:
        assert process.stdout is not None
        yield Process("direct", int(process.stdout.readline()), process.pid)
    finally:
        end(process)
        if process.stdout is not None:
            process.stdout.close()


def set_pace(engine: Process, *, is_live: bool, has_nagle: bool = False) -> None:
    """Tell the synthetic engine how to write the answers to come. TGI leaves Nagle's algorithm on."""
    connection = http.client.HTTPConnection("127.0.0.1", engine.port, timeout=_READY_SECONDS)
    try:
        connection.request("POST", "/_pace", json.dumps({"is_live": is_live, "has_nagle": has_nagle}))
        connection.getresponse().read()
    finally:
        connection.close()


def has_nginx() -> bool:
    """Whether nginx is installed."""
    return nginx_path() is not None


def nginx_path() -> str | None:
    """Debian puts it in a folder that is not on everybody's path."""
    return shutil.which("nginx", path=os.environ.get("PATH", "") + ":/usr/sbin:/usr/local/sbin")


@contextlib.contextmanager
def nginx(engine: Process, cores: set[int]) -> Iterator[Process]:
    """nginx with buffering off: what copying bytes costs."""
    path = nginx_path()
    assert path is not None
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = Path(folder) / "nginx.conf"
        config.write_text(_NGINX.format(folder=folder, engine=engine.port, port=port))
        command = [path, "-c", str(config), "-p", folder, "-e", f"{folder}/error.log"]
        with running("nginx", command, port, "/health", cores) as process:
            yield process


@contextlib.contextmanager
def gateway(engine: Process, cores: set[int]) -> Iterator[Process]:
    """The gateway with room for every stream of the load."""
    port = free_port()
    variables = {
        "GATEWAY_PORT": str(port),
        "GATEWAY_ENGINE_URL": f"http://127.0.0.1:{engine.port}",
        "GATEWAY_SLOTS": "1024",
    }
    command = [sys.executable, "-m", "gateway"]
    with running("gateway", command, port, "/ready", cores, variables) as process:
        yield process
