"""The embedded engine's own download in the gateway's metrics, from a hub of the test's own."""

import hashlib
import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from gateway.app import Gateway
from gateway.settings import Settings
from tests.contract.target import launched, model_path

COMMIT, NAME = "a" * 40, "M-Q4_K_M.gguf"
LIMIT_SECONDS = 40.0


@contextmanager
def hub(content: bytes, may_end: threading.Event) -> Iterator[str]:
    """Serve one repository, whose one file comes to its half until it may end; give the address."""

    class Answer(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.do_GET()

        def do_GET(self) -> None:
            digest = hashlib.sha256(content).hexdigest()
            body, headers = content, {"X-Repo-Commit": COMMIT, "ETag": f'"{digest}"'}
            if self.path.startswith("/api/models/a/b"):
                told = {"id": "a/b", "sha": COMMIT, "siblings": [{"rfilename": NAME}]}
                body, headers = json.dumps(told).encode(), {}
            self.send_response(200)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command == "GET":
                half = len(body) // 2
                self.wfile.write(body[:half])
                self.wfile.flush()
                assert body is not content or may_end.wait(LIMIT_SECONDS)
                self.wfile.write(body[half:])

        def log_message(self, *words: object) -> None:
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answer) as served:
        threading.Thread(target=served.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        may_end.set()
        served.shutdown()


def scraped(gateway: Gateway) -> dict[str, float]:
    """Give the page's samples of the download."""
    page = gateway.metrics.expose("")[0].decode()
    found = re.findall(r"^(paddock_download_\S+) (\S+)$", page, re.MULTILINE)
    return {name: float(value) for name, value in found}


def until(read: Callable[[], dict[str, float]], name: str, least: float) -> dict[str, float]:
    """Wait until a sample is as much."""
    deadline = time.monotonic() + LIMIT_SECONDS
    while (found := read()).get(name, 0.0) < least and time.monotonic() < deadline:
        time.sleep(0.05)
    return found


def test_it_is_told_as_the_download_job_s_is(tmp_path: Path) -> None:
    """Under way with its bytes, then complete, by the file that the engine keeps below its cache."""
    content = Path(model_path()).read_bytes()
    gateway = Gateway(Settings.model_validate({"GATEWAY_DOWNLOAD_FILE": tmp_path / "paddock/progress.json"}))
    may_end = threading.Event()
    before = scraped(gateway)
    with hub(content, may_end) as url, launched(
        MODEL_PATH="", MODEL_ID=f"a/b:{NAME}", HF_HOME=str(tmp_path), HF_ENDPOINT=url, HF_HUB_OFFLINE="",
        HF_HUB_CACHE=str(tmp_path / "hub"), ENGINE_SLOTS="1", ENGINE_THREADS="1",
    ) as engine:
        under_way = until(lambda: scraped(gateway), "paddock_download_done_bytes", 2**20)
        may_end.set()
        ended = until(lambda: scraped(gateway), 'paddock_download_phase{phase="complete"}', 1.0)
        engine.wait_ready()

    assert {} == before
    assert 1.0 == under_way['paddock_download_phase{phase="downloading"}']
    assert under_way["paddock_download_done_bytes"] <= len(content) / 2
    assert 1.0 == ended['paddock_download_phase{phase="complete"}']
    assert len(content) == ended["paddock_download_done_bytes"] == ended["paddock_download_total_bytes"]
