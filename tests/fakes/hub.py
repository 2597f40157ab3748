"""A hub on loopback that speaks the Hugging Face hub's HTTP API, and can be told to misbehave.

Knows: what huggingface_hub asks for: model metadata, HEAD and GET of a file, redirects to a content store
on another host name, ranges, the codes of its refusals; and the words that the real hub uses for them.
Knows nothing of: huggingface_hub itself and of Paddock.

The endpoint is http://127.0.0.1:PORT and the content store http://localhost:PORT: two hosts for a client,
which must not show its token to the second.
"""

import json
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.fakes.repository import GATE, GOOD_TOKEN, KNOWN_TOKENS, Faults, Model, Request

# Content leaves in pieces of this size, so that faults have somewhere to strike.
PIECE_BYTES = 16 * 1024


class Hub:
    """The hub's models, faults and what was asked of it."""

    def __init__(self) -> None:
        self.models: dict[str, Model] = {}
        self.faults = Faults()
        self.requests: list[Request] = []
        self.bytes_sent = 0
        self.lock = threading.Lock()
        self.url = ""
        self.store_url = ""

    def paths(self, part: str) -> list[Request]:
        """List the requests whose path holds a text."""
        with self.lock:
            return [request for request in self.requests if part in request.path]


@contextmanager
def running(address: str = "") -> Iterator[Hub]:
    """Serve a hub on a free port until the block ends; on another address than loopback for containers."""
    hub = Hub()

    class Handler(_Handler):
        owner = hub

    server = _Server((address or "127.0.0.1", 0), Handler)
    hosts = (address, address) if address else ("127.0.0.1", "localhost")
    hub.url, hub.store_url = (f"http://{host}:{server.server_port}" for host in hosts)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield hub
    finally:
        hub.faults.released.set()
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a client that left, as killed ones do; tell of everything else."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    owner: Hub

    def log_message(self, *_: Any) -> None:
        """Say nothing: a test's output is its own."""

    def do_HEAD(self) -> None:
        self._answer(is_head=True)

    def do_GET(self) -> None:
        self._answer(is_head=False)

    def _answer(self, *, is_head: bool) -> None:
        hub, path = self.owner, unquote(urlsplit(self.path).path)
        words = (self.headers.get("Authorization") or "").split()
        self.token = words[-1] if words else None
        with hub.lock:
            hub.requests.append(
                Request(
                    self.command, self.headers.get("Host", ""), path, self.headers.get("Range"), self.token
                )
            )
            is_unavailable = hub.faults.unavailable > 0
            hub.faults.unavailable -= is_unavailable
        if is_unavailable:
            return self._refuse(503, None, "Service Unavailable")
        if path.startswith("/store/"):
            return self._store(path.removeprefix("/store/"))
        if self.token and self.token not in KNOWN_TOKENS:
            return self._refuse(401, None, "Invalid credentials in Authorization header")
        if path == "/api/whoami-v2":
            return self._whoami()
        if path.startswith("/api/models/"):
            return self._metadata(path.removeprefix("/api/models/"))
        if path.startswith("/api/resolve-cache/models/"):
            name, commit, file = _split(path.removeprefix("/api/resolve-cache/models/"))
            return self._small(name, commit, file, is_head)
        if "/resolve/" in path:
            return self._resolve(path, is_head)
        return self._refuse(404, None, "Not Found")

    def _whoami(self) -> None:
        if self.token is None:
            return self._refuse(401, None, "Invalid username or password.")
        return self._json({"type": "user", "name": "fox"})

    def _metadata(self, path: str) -> None:
        name, _, revision = path.partition("/revision/")
        if "/tree/" in path:
            name, _, revision = path.partition("/tree/")
        model = self._known(name)
        if model is None:
            return None
        commit = self._commit(model, revision or "main")
        if commit is None:
            return None
        if "/tree/" in path:
            return self._json(
                [
                    {"type": "file", "path": file_name, "size": file.size, "oid": file.git_sha1}
                    for file_name, file in model.files.items()
                ]
            )
        has_blobs = "blobs=" in self.path
        return self._json(
            {
                "id": name,
                "sha": commit,
                "private": model.is_private,
                "gated": "manual" if model.is_gated else False,
                "siblings": [
                    {"rfilename": file_name, **(file.metadata if has_blobs else {})}
                    for file_name, file in model.files.items()
                ],
            }
        )

    def _known(self, name: str) -> Model | None:
        model = self.owner.models.get(name)
        if model is not None and (not model.is_private or self.token == GOOD_TOKEN):
            return model
        # Without a token the hub does not say whether a model exists.
        if self.token is None:
            self._refuse(401, None, "Invalid username or password.")
        else:
            self._refuse(404, "RepoNotFound", "Repository not found")
        return None

    def _commit(self, model: Model, revision: str) -> str | None:
        commit = model.revisions.get(revision)
        if revision in model.revisions.values():
            commit = revision
        if commit is None:
            self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        return commit

    def _resolve(self, path: str, is_head: bool) -> None:
        name, _, rest = path.removeprefix("/").partition("/resolve/")
        model = self._known(name)
        if model is None:
            return None
        revision, _, file_name = rest.partition("/")
        commit = self._commit(model, revision)
        if commit is None:
            return None
        if file_name not in model.files:
            return self._refuse(404, "EntryNotFound", "Entry not found", commit)
        if model.is_gated and self.token != GOOD_TOKEN:
            status, words = GATE[self.token]
            return self._refuse(status, "GatedRepo", words.format(name=name))
        file = model.files[file_name]
        if not file.is_lfs:
            where = f"/api/resolve-cache/models/{name}/{commit}/{file_name}"
            return self._head(307, {"Location": where, "X-Repo-Commit": commit, "Content-Length": "0"})
        xet = f'<{self.owner.url}/api/models/{name}/xet-read-token/{commit}>; rel="xet-auth"'
        return self._head(
            302,
            {
                "Location": f"{self.owner.store_url}/store/{name}/{commit}/{file_name}?signature=abc",
                "X-Repo-Commit": commit,
                "ETag": f'"{file.git_sha1}"',
                "X-Linked-Etag": f'"{file.sha256}"',
                "X-Linked-Size": str(file.size),
                "X-Xet-Hash": file.sha256,
                "Link": xet,
                "Content-Length": "0",
            },
        )

    def _small(self, name: str, commit: str, file_name: str, is_head: bool) -> None:
        file = self.owner.models[name].files[file_name]
        length = str(file.size)
        self._head(200, {"ETag": f'"{file.git_sha1}"', "X-Repo-Commit": commit, "Content-Length": length})
        if not is_head:
            self.wfile.write(self._content(name, file_name))

    def _content(self, name: str, file_name: str) -> bytes:
        """Give a file's content, or one with a wrong bit as often as it is to be spoiled."""
        hub = self.owner
        content = hub.models[name].files[file_name].content
        with hub.lock:
            if hub.faults.spoiled.get(file_name, 0) > 0:
                hub.faults.spoiled[file_name] -= 1
                return bytes([content[0] ^ 1]) + content[1:]
        return content

    def _store(self, path: str) -> None:
        """Send content, whole or from the byte asked for, with whatever is meant to go wrong."""
        hub, faults = self.owner, self.owner.faults
        name, _, file_name = _split(path)
        content = self._content(name, file_name)
        asked = self.headers.get("Range")
        first = int(asked.removeprefix("bytes=").rstrip("-")) if asked and not faults.ignores_range else 0
        if first >= len(content) > 0:
            return self._head(416, {"Content-Range": f"bytes */{len(content)}", "Content-Length": "0"})
        headers = {"Content-Length": str(len(content) - first), "Accept-Ranges": "bytes"}
        if first:
            headers["Content-Range"] = f"bytes {first}-{len(content) - 1}/{len(content)}"
        with hub.lock:
            is_cut = faults.cuts > 0 and len(content) - first > faults.cut_after
            faults.cuts -= is_cut
        self._head(206 if first else 200, headers)
        return self._pour(content[first:], faults.cut_after if is_cut else None)

    def _pour(self, content: bytes, cut_after: int | None) -> None:
        faults = self.owner.faults
        content = content if cut_after is None else content[:cut_after]
        for start in range(0, len(content), PIECE_BYTES):
            piece = content[start : start + PIECE_BYTES]
            try:
                self.wfile.write(piece)
            except OSError:
                break  # the client has gone, as a killed one does
            with self.owner.lock:
                self.owner.bytes_sent += len(piece)
            if faults.is_held:
                faults.released.wait()
            if faults.bytes_per_second:
                time.sleep(len(piece) / faults.bytes_per_second)
        if cut_after is not None:
            self.close_connection = True

    def _refuse(self, status: int, code: str | None, message: str, commit: str = "") -> None:
        body = json.dumps({"error": message}).encode()
        headers = {
            "X-Error-Message": message,
            "Content-Length": str(len(body)),
            "Content-Type": "application/json",
        }
        if code:
            headers["X-Error-Code"] = code
        if commit:
            headers["X-Repo-Commit"] = commit
        self._head(status, headers)
        if self.command != "HEAD":
            self.wfile.write(body)

    def _json(self, value: Any) -> None:
        body = json.dumps(value).encode()
        self._head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
        self.wfile.write(body)

    def _head(self, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()


def _split(path: str) -> tuple[str, str, str]:
    """Cut OWNER/NAME/COMMIT/FILE into model, commit and file."""
    owner, name, commit, file = path.split("/", 3)
    return f"{owner}/{name}", commit, file
