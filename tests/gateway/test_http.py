"""Plain HTTP: statuses, envelopes, request ids, and the page's headers."""

import re
from pathlib import Path
from typing import Any

import pytest

from gateway.routes.page import CONTENT_SECURITY_POLICY
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.talk import CHAT, chat

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
FIELDS = {"message", "type", "code", "param", "retry_after_seconds", "request_id"}


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """A folder with a page."""
    (tmp_path / "js").mkdir()
    (tmp_path / "index.html").write_text("<!doctype html><title>Paddock</title>")
    (tmp_path / "js" / "main.js").write_text("export {};")
    return tmp_path


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "route_unknown"),
        ("POST", "/nowhere", 404, "route_unknown"),
        ("GET", "/v1/nowhere", 404, "route_unknown"),
        ("GET", CHAT, 405, "method_unknown"),
        ("DELETE", "/v1/models", 405, "method_unknown"),
        ("POST", "/stats", 405, "method_unknown"),
        ("POST", "/completion/Hi", 405, "method_unknown"),
        ("OPTIONS", CHAT, 405, "method_unknown"),
        ("HEAD", "/nowhere", 404, None),
        ("GET", "/js/none.js", 404, "route_unknown"),
        ("POST", CHAT + "/", 404, "route_unknown"),
        ("GET", "//v1/models", 404, "route_unknown"),
    ],
)
@pytest.mark.parametrize("has_page", [False, True])
async def test_a_wrong_address_has_the_envelope(
    serve: Serve, site: Path, method: str, path: str, status: int, code: str | None, has_page: bool
) -> None:
    """Unknown paths and methods are told apart, with and without the page."""
    served = await serve(waits=False, **({"site_dir": site} if has_page else {}))
    response = await served.client.request(method, path)
    assert status == response.status_code
    if method == "HEAD":
        assert b"" == response.content
        return
    error = response.json()["error"]

    assert (status, code) == (response.status_code, error["code"])
    assert FIELDS == error.keys()
    assert error["request_id"] == response.headers["x-request-id"]
    assert ("allow" in response.headers) == (status == 405)


@pytest.mark.parametrize("path", ["/generate", "/generate_stream", "/tokenize"])
async def test_a_wrong_method_is_told_in_tgi_s_shape_on_its_routes(served: Served, path: str) -> None:
    """As every other error there."""
    response = await served.client.get(path)

    assert (405, "POST") == (response.status_code, response.headers["allow"])
    assert {"error": f"GET is not for {path}", "error_type": "validation"} == response.json()


async def test_a_model_s_id_may_have_slashes(served: Served) -> None:
    """As it is, or escaped; HEAD tells that it is there."""
    (model,) = (await served.client.get("/v1/models")).json()["data"]
    paths = [f"/v1/models/{model['id']}", f"/v1/models/{model['id'].replace('/', '%2F')}"]

    assert "/" in model["id"]
    assert [model, model] == [(await served.client.get(path)).json() for path in paths]
    assert [(200, b"")] * 2 == [
        (head.status_code, head.content) for head in [await served.client.head(path) for path in paths]
    ]
    unknown = await served.client.get("/v1/models/another/one")
    assert (404, "model_unknown") == (unknown.status_code, unknown.json()["error"]["code"])


@pytest.mark.parametrize("path", [CHAT, "/v1/completions"])
@pytest.mark.parametrize(
    ("content", "media", "status", "code"),
    [
        (b"{", "application/json", 400, "body_invalid"),
        (b"[]", "application/json", 400, "body_invalid"),
        (b"", "application/json", 400, "body_invalid"),
        (b"{}", "application/json", 422, "chat_invalid"),
        (b"{}", "text/plain", 415, "media_unknown"),
        (b"{}", "", 415, "media_unknown"),
        (b'"' + b"x" * 3000 + b'"', "application/json", 413, "body_too_large"),
    ],
)
async def test_a_wrong_body_has_the_envelope(
    serve: Serve, path: str, content: bytes, media: str, status: int, code: str
) -> None:
    """The status says what kind of wrong; nobody waits and nothing is recorded."""
    served = await serve(body_limit_bytes=2048)
    response = await served.client.post(path, content=content, headers={"content-type": media})
    error = response.json()["error"]

    assert (status, code) == (response.status_code, error["code"])
    assert FIELDS == error.keys()
    assert [] == served.records()


async def test_a_body_without_a_length_is_bounded_too(serve: Serve) -> None:
    """Chunked bodies are counted while they come."""
    served = await serve(body_limit_bytes=2048)

    async def endless() -> Any:
        for _ in range(100):
            yield b"x" * 1024

    response = await served.client.post(CHAT, content=endless(), headers={"content-type": "application/json"})

    assert (413, "body_too_large") == (response.status_code, response.json()["error"]["code"])


async def test_a_compressed_body_is_refused(served: Served) -> None:
    """It is not read as something else."""
    headers = {"content-type": "application/json", "content-encoding": "gzip"}
    response = await served.client.post(CHAT, content=b"\x1f\x8b", headers=headers)
    error = response.json()["error"]

    assert (415, "media_unknown") == (response.status_code, error["code"])
    assert "Content-Encoding: gzip" in error["message"]


async def test_a_long_name_that_is_no_parameter_is_not_told_back_whole(served: Served) -> None:
    """An answer is not made large by what was asked."""
    response = await served.client.post(CHAT, json={**chat("Hi"), "x" * 100_000: 1})
    error = response.json()["error"]

    assert (422, "x" * 200 + "…") == (response.status_code, error["param"])
    assert len(error["message"]) < 300


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/stats", "/v1/models", "/info"])
async def test_monitors_may_ask_by_head(served: Served, path: str) -> None:
    """The status is GET's, and there is no body."""
    head, got = await served.client.head(path), await served.client.get(path)

    assert (200, 200, b"") == (got.status_code, head.status_code, head.content)
    assert {"x-request-id"} <= head.headers.keys()


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON"])
async def test_json_goes_by_these_names(served: Served, media: str) -> None:
    """Parameters and case make no difference."""
    response = await served.client.post(CHAT, content=b"{}", headers={"content-type": media})

    assert "chat_invalid" == response.json()["error"]["code"]


@pytest.mark.parametrize("identity", ["abc", "A-1.b:c_d", "x" * 128])
async def test_a_request_id_is_accepted(served: Served, identity: str) -> None:
    """The caller finds its own id in the answer and in the log."""
    response = await served.client.post(CHAT, json=chat(), headers={"x-request-id": identity})

    assert identity == response.headers["x-request-id"]
    assert [identity] == [record["request_id"] for record in served.records()]


@pytest.mark.parametrize("identity", ["", "two words", "x" * 129, 'quo"te', "new\\nline", "é"])
async def test_a_strange_request_id_is_replaced(served: Served, identity: str) -> None:
    """What could confuse a log is not written into it."""
    response = await served.client.get("/health", headers=[(b"x-request-id", identity.encode("latin-1"))])

    assert re.fullmatch("[0-9a-f]{24}", response.headers["x-request-id"])


async def test_every_answer_has_an_id_of_its_own(served: Served) -> None:
    """Also those that no caller named."""
    ids = {(await served.client.get("/health")).headers["x-request-id"] for _ in range(3)}

    assert 3 == len(ids)


async def test_health_and_readiness_are_two_questions(served: Served) -> None:
    """Both are yes here."""
    health, ready = await served.client.get("/health"), await served.client.get("/ready")

    assert (200, b"") == (health.status_code, health.content)
    name = "meta-llama/Meta-Llama-3-8B-Instruct"
    told = {
        "ready": True, "phase": "ready", "reason": None, "cause": None, "model": name, "begin_of_text": 1,
        "stop_set": "unknown",
    }  # fmt: skip
    assert told == ready.json()


@pytest.mark.parametrize(
    ("accept", "expected"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8"),
        (OPENMETRICS, f"{OPENMETRICS}; charset=utf-8"),
    ],
)
async def test_metrics_are_in_the_scraper_s_format(served: Served, accept: str, expected: str) -> None:
    """As the request asks for."""
    response = await served.client.get("/metrics", headers={"accept": accept})

    assert expected == response.headers["content-type"].replace("; escaping=underscores", "")
    assert "paddock_slots 8.0" in response.text


@pytest.mark.parametrize("path", ["/", "/index.html", "/js/main.js"])
async def test_the_page_s_headers_are_strict(serve: Serve, site: Path, path: str) -> None:
    """On every file."""
    served = await serve(waits=False, site_dir=site)
    response = await served.client.get(path)

    assert 200 == response.status_code
    assert CONTENT_SECURITY_POLICY == response.headers["content-security-policy"]
    assert "nosniff" == response.headers["x-content-type-options"]


async def test_the_page_is_at_the_root(serve: Serve, site: Path) -> None:
    """GET is the page, HEAD its headers, POST the engine's route."""
    served = await serve(site_dir=site)
    page, head = await served.client.get("/"), await served.client.head("/")
    generated = await served.client.post("/", json={"inputs": "Hi"})

    assert (200, "<!doctype html><title>Paddock</title>") == (page.status_code, page.text)
    assert (200, b"", page.headers["content-length"]) == (
        head.status_code, head.content, head.headers["content-length"],
    )  # fmt: skip
    assert (200, [{"generated_text": "HiHi"}]) == (generated.status_code, generated.json())


async def test_the_page_gives_nothing_outside_its_folder(serve: Serve, site: Path) -> None:
    """Dots in a path lead nowhere."""
    (site.parent / "secret.txt").write_text("secret")
    served = await serve(waits=False, site_dir=site)

    for path in ("/../secret.txt", "/%2e%2e/secret.txt", "/js/..%2f..%2fsecret.txt"):
        assert 404 == (await served.client.get(path)).status_code


async def test_the_api_alone_has_no_page(serve: Serve) -> None:
    """Without a folder the root is unknown to GET."""
    served = await serve(waits=False)

    assert 405 == (await served.client.get("/")).status_code


async def test_the_document_describes_the_bodies(served: Served) -> None:
    """OpenAPI, without pages that load scripts from elsewhere."""
    document = (await served.client.get("/openapi.json")).json()

    body = document["paths"][CHAT]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert {"$ref": "#/components/schemas/ChatBody"} == body
    assert "messages" in document["components"]["schemas"]["ChatBody"]["properties"]
    assert [404, 404] == [(await served.client.get(path)).status_code for path in ("/docs", "/redoc")]


async def test_a_defect_is_told_plainly(
    served: Served, tgi_double: ThreadDouble, monkeypatch: pytest.MonkeyPatch
) -> None:
    """500 with the envelope; the log has the details, the answer none."""

    def broken(_: object) -> None:
        raise RuntimeError("private details")

    monkeypatch.setattr(served.gateway.fleet, "lease", broken)
    response = await served.client.post(CHAT, json=chat())

    assert (500, "gateway_fault") == (response.status_code, response.json()["error"]["code"])
    assert "private" not in response.text
    assert ["failed"] == [record["outcome"] for record in served.records()]


@pytest.mark.parametrize(
    ("header", "value", "status", "code"),
    [
        ("host", "[", 421, "host_unknown"),
        ("host", "a[b]", 421, "host_unknown"),
        ("host", "evil.example", 421, "host_unknown"),
        ("origin", "http://[", 403, "origin_foreign"),
        ("origin", "null", 403, "origin_foreign"),
        ("origin", "http://evil.example", 403, "origin_foreign"),
    ],
)
async def test_foreign_names_are_turned_away(
    serve: Serve, header: str, value: str, status: int, code: str
) -> None:
    """Also those that are no names at all."""
    served = await serve(waits=False)
    response = await served.client.get("/stats", headers={header: value})

    assert (status, code) == (response.status_code, response.json()["error"]["code"])
