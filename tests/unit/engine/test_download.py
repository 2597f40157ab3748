"""Downloads, from a hub of the test's own."""

import hashlib
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from operator import itemgetter
from pathlib import Path

import pytest
from huggingface_hub import constants

from engine.hub import Fetched, Hub, HubFailed

CONTENT = b"GGUF" * 1000
COMMIT = "a" * 40
NAME = "Llama-3.2-1B-Instruct-Q4_K_M.gguf"


class Handler(BaseHTTPRequestHandler):
    """Serves one repository, or refuses as the real hub does."""

    refusal: tuple[int, dict[str, str]] | None = None

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
        """Write nothing."""

    def do_HEAD(self) -> None:
        """Answer without a body."""
        self.do_GET()

    def do_GET(self) -> None:
        """Answer."""
        if self.refusal is not None:
            self.reply(self.refusal[0], self.refusal[1], b"")
        elif "/revision/none" in self.path:
            self.reply(404, {"X-Error-Code": "RevisionNotFound"}, b"")
        elif self.path.startswith("/api/models/a/b"):
            files = [{"rfilename": "README.md"}, {"rfilename": NAME}]
            self.reply(200, {}, json.dumps({"id": "a/b", "sha": COMMIT, "siblings": files}).encode())
        elif self.path in (f"/a/b/resolve/main/{NAME}", f"/a/b/resolve/v1.0/{NAME}"):
            headers = {"X-Repo-Commit": COMMIT, "ETag": f'"{hashlib.sha256(CONTENT).hexdigest()}"'}
            self.reply(200, headers, CONTENT)
        else:
            self.reply(404, {"X-Error-Code": "EntryNotFound"}, b"")

    def reply(self, status: int, headers: dict[str, str], body: bytes) -> None:
        """Write a whole answer."""
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@pytest.fixture
def endpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The address of a running hub; the cache is empty."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(Handler, "refusal", None)
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def silent(line: str) -> None:
    """Say nothing."""


def test_a_model_is_downloaded_once(endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With its licence shown, into the usual place; then the hub is not needed any more."""
    said: list[str] = []
    told = tmp_path / "told/progress.json"
    fetched = Hub(False, False, endpoint, told).fetch("a/b", said.append)

    assert Fetched(tmp_path / "models--a--b" / "snapshots" / COMMIT / NAME, COMMIT) == fetched
    assert CONTENT == fetched.path.read_bytes()
    assert f"downloading {NAME} of a/b: 0 MB." == said[0]
    assert "Llama 3.2 Community License" in said[1]
    assert ("complete", len(CONTENT)) == itemgetter("phase", "bytes_done")(json.loads(told.read_text()))
    monkeypatch.setattr(Handler, "refusal", (500, {}))

    assert fetched == Hub(False, False, endpoint).fetch("a/b", silent)
    assert fetched == Hub(True, False).fetch("a/b", silent)


@pytest.mark.parametrize(
    ("status", "code", "words"),
    [
        (403, "GatedRepo", "its licence must be accepted on its hub page first"),
        (404, "RepoNotFound", "the hub knows no such repository"),
        (401, "", "the repository needs a valid HF_TOKEN"),
        (500, "", "the hub answered 500"),
    ],
)
def test_refusals_of_the_hub(
    endpoint: str, monkeypatch: pytest.MonkeyPatch, status: int, code: str, words: str
) -> None:
    """One sentence each."""
    monkeypatch.setattr(Handler, "refusal", (status, {"X-Error-Code": code} if code else {}))
    with pytest.raises(HubFailed, match=words):
        Hub(False, False, endpoint).fetch("a/b", silent)


def test_a_download_that_breaks_is_told(
    endpoint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the file that the gateway reads, with the sentence."""

    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("huggingface_hub.hf_hub_download", broken)
    told = tmp_path / "progress.json"
    with pytest.raises(HubFailed):
        Hub(False, False, endpoint, told).fetch("a/b", silent)
    read = json.loads(told.read_text())

    sentence = "a/b cannot be had: the cache cannot be written: No space left on device."
    assert ("failed", sentence) == (read["phase"], read["error"]["message"])


def test_a_file_that_the_repository_does_not_have(endpoint: str) -> None:
    """Known from the list of its files."""
    with pytest.raises(HubFailed, match="the repository has no file Q2_K"):
        Hub(False, False, endpoint).fetch("a/b:Q2_K", silent)


def test_a_hub_out_of_reach(endpoint: str) -> None:
    """Nothing listens on a reserved port."""
    with pytest.raises(HubFailed, match="the hub cannot be reached"):
        Hub(False, False, "http://127.0.0.1:1").fetch("a/b", silent)


def test_a_revision_is_the_one_that_is_asked_for(endpoint: str, tmp_path: Path) -> None:
    """From the hub by its name; then from the cache by that and by its commit, and no other one."""
    fetched = Hub(False, False, endpoint).fetch("a/b", silent, "v1.0")

    assert COMMIT == fetched.sha
    assert COMMIT == (tmp_path / "models--a--b/refs/v1.0").read_text()
    assert [fetched] * 3 == [Hub(True, False).fetch("a/b", silent, name) for name in ("v1.0", COMMIT, None)]
    with pytest.raises(HubFailed, match="it is not in the cache"):
        Hub(True, False).fetch("a/b", silent, "main")


def test_a_revision_that_is_none_is_told(endpoint: str) -> None:
    """With the setting that names it."""
    with pytest.raises(HubFailed, match="no revision of that name: correct MODEL_REVISION"):
        Hub(False, False, endpoint).fetch("a/b", silent, "none")
