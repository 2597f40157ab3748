"""Who gets in: names, origins, keys and what they may use."""

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from gateway.keyfile import Key, hash_key, write_keys
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served
from tests.gateway.peer import LIMIT_SECONDS
from tests.gateway.talk import CHAT, chat

ROOT = Path(__file__).resolve().parents[2]
ANN, BEN = "pk-" + "a" * 43, "pk-" + "b" * 43


def bearer(key: str) -> dict[str, str]:
    """Give a key's header."""
    return {"authorization": f"Bearer {key}"}


def keys_file(tmp_path: Path, **limits: int) -> Path:
    """Write a file with two keys; the first has the limits."""
    path = tmp_path / "keys.json"
    made = "2026-01-01T00:00:00+00:00"
    first = Key(
        "ann",
        hash_key(ANN),
        made,
        requests_per_minute=limits.get("requests_per_minute"),
        concurrent=limits.get("concurrent"),
        tokens_per_day=limits.get("tokens_per_day"),
    )
    write_keys(path, [first, Key("ben", hash_key(BEN), made)])
    return path


@pytest.mark.parametrize(
    "host",
    ["evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "evil@127.0.0.1", "localhost/evil"],
)
async def test_a_name_that_is_not_ours_is_turned_away(served: Served, host: str) -> None:
    """A page can point its own name at a loopback address; it cannot take ours."""
    answer = await served.client.get("/stats", headers={"host": host})

    assert (421, "host_unknown") == (answer.status_code, answer.json()["error"]["code"])


async def test_two_names_are_none(served: Served) -> None:
    """A proxy and we might each take another."""
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(b"GET /stats HTTP/1.1\r\nhost: localhost\r\nhost: localhost\r\nconnection: close\r\n\r\n")
    async with asyncio.timeout(LIMIT_SECONDS):
        answer = await reader.read()
    writer.close()
    await writer.wait_closed()

    assert [b"421", True] == [answer.split()[1], b"host_unknown" in answer]


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "192.0.2.7"])
async def test_addresses_and_localhost_are_ours(served: Served, host: str) -> None:
    """They cannot be pointed elsewhere."""
    assert 200 == (await served.client.get("/stats", headers={"host": host})).status_code


@pytest.mark.parametrize(
    ("path", "site", "mode", "status"),
    [
        ("/completion/Hi", "cross-site", "no-cors", 403),
        ("/completion/Hi", "same-site", "no-cors", 403),
        ("/completion/Hi", "cross-site", "navigate", 403),
        ("/stats", "cross-site", "no-cors", 403),
        ("/stats", "cross-site", "navigate", 200),
        ("/completion/Hi", "same-origin", "cors", 200),
        ("/completion/Hi", "none", "navigate", 200),
    ],
)
async def test_what_another_site_embeds_or_links_to_starts_no_generation(
    served: Served, path: str, site: str, mode: str, status: int
) -> None:
    """Browsers send no origin with a picture or a link, but say where its address stood."""
    headers = {"sec-fetch-site": site, "sec-fetch-mode": mode}
    answer = await served.client.get(path, headers=headers)

    assert status == answer.status_code
    if status == 403:
        assert "origin_foreign" == answer.json()["error"]["code"]


async def test_listed_names_are_ours(serve: Serve) -> None:
    """As many as are set, in any case."""
    served = await serve(allowed_hosts="workstation.lan, Other.lan")
    answers = [
        await served.client.get("/stats", headers={"host": name})
        for name in ("workstation.lan:8080", "other.lan")
    ]

    assert [200, 200] == [answer.status_code for answer in answers]


async def test_pages_of_other_sites_may_not_call(served: Served) -> None:
    """The same origin may, and programs that send none."""
    foreign = await served.client.post(CHAT, json=chat(), headers={"origin": "http://evil.example"})
    own = await served.client.post(CHAT, json=chat(), headers={"origin": served.url})

    assert (403, "origin_foreign") == (foreign.status_code, foreign.json()["error"]["code"])
    assert 200 == own.status_code


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", CHAT), ("POST", "/v1/completions"), ("GET", "/v1/models"), ("GET", "/completion/hi"),
        ("POST", "/"), ("POST", "/generate"), ("POST", "/generate_stream"), ("POST", "/tokenize"),
        ("POST", "/chat_tokenize"), ("GET", "/info"),
        ("GET", "/v1/streams/x"), ("DELETE", "/v1/streams/x"),
    ],
)  # fmt: skip
async def test_what_costs_or_shows_text_needs_a_key(
    serve: Serve, tmp_path: Path, method: str, path: str
) -> None:
    """Without one, with a wrong one: 401 before anything is read."""
    served = await serve(keys_file=keys_file(tmp_path))
    for headers in ({}, bearer("pk-wrong")):
        assert 401 == (await served.client.request(method, path, headers=headers)).status_code


async def test_the_queue_s_numbers_need_none(serve: Serve, tmp_path: Path) -> None:
    """A person must see what to do, and a probe whether it runs."""
    served = await serve(keys_file=keys_file(tmp_path))
    for path in ("/stats", "/health", "/ready", "/metrics"):
        assert 200 == (await served.client.get(path)).status_code


async def test_a_key_s_limits_are_told_and_kept(serve: Serve, tmp_path: Path) -> None:
    """Two a minute: the third is refused with the time to wait; the other key is not touched."""
    served = await serve(keys_file=keys_file(tmp_path, requests_per_minute=2, tokens_per_day=100_000))
    answers = [
        await served.client.post(CHAT, json=chat(max_tokens=5), headers=bearer(ANN)) for _ in range(3)
    ]
    other = await served.client.post(CHAT, json=chat(max_tokens=5), headers=bearer(BEN))

    assert [200, 200, 429] == [answer.status_code for answer in answers]
    assert ["1", "0", "0"] == [answer.headers["x-ratelimit-remaining-requests"] for answer in answers]
    assert "quota_spent" == answers[2].json()["error"]["code"]
    assert 1 <= int(answers[2].headers["retry-after"]) <= 30
    assert (200, None) == (other.status_code, other.headers.get("x-ratelimit-limit-requests"))


async def test_tokens_that_were_not_used_come_back(serve: Serve, tmp_path: Path) -> None:
    """A thousand are reserved for an answer of a few; the rest is given back at its end."""
    served = await serve(keys_file=keys_file(tmp_path, tokens_per_day=2000))
    answer = await served.client.post(CHAT, json=chat(max_tokens=1000), headers=bearer(ANN))
    used = answer.json()["usage"]["total_tokens"]
    await served.until_idle()
    key = served.gateway.keyring
    assert key is not None

    assert 2000 - used == key.allowance(key.identify(f"Bearer {ANN}")).remaining_tokens


async def test_a_stream_is_its_key_s(serve: Serve, tmp_path: Path) -> None:
    """Somebody else's id is as unknown as none."""
    served = await serve(keys_file=keys_file(tmp_path))
    answer = await served.client.post(
        CHAT, json=chat(stream=True), headers={**bearer(ANN), "paddock-resume": "1"}
    )
    path = f"/v1/streams/{answer.headers['paddock-stream']}"

    assert 404 == (await served.client.get(path, headers=bearer(BEN))).status_code
    assert answer.text == (await served.client.get(path, headers=bearer(ANN))).text


def keys_script(file: Path, *words: str) -> str:
    """Run scripts/keys; give what it printed."""
    command = [sys.executable, str(ROOT / "scripts/keys"), "--file", str(file), *words]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


async def test_keys_are_added_and_revoked_while_it_runs(serve: Serve, tmp_path: Path) -> None:
    """By scripts/keys, without a restart; the list shows names and limits, and no key."""
    file = keys_file(tmp_path)
    served = await serve(keys_file=file)

    async def until(key: str, status: int) -> None:
        async with asyncio.timeout(LIMIT_SECONDS):
            while status != (await served.client.get("/v1/models", headers=bearer(key))).status_code:
                await asyncio.sleep(0.05)

    added = await asyncio.to_thread(keys_script, file, "add", "cleo", "--tokens-per-day", "5000")
    key = added.strip()
    await until(key, 200)
    listed = await asyncio.to_thread(keys_script, file, "list")
    answer = await served.client.post(CHAT, json=chat(max_tokens=5), headers=bearer(key))
    await asyncio.to_thread(keys_script, file, "revoke", "cleo")
    await until(key, 401)

    assert "5000" == answer.headers["x-ratelimit-limit-tokens"]
    assert ["cleo", "5000"] == [word for word in listed.splitlines()[-1].split() if word in ("cleo", "5000")]
    assert key not in listed + file.read_text()


async def test_over_a_limit_and_observed_only(serve: Serve, tmp_path: Path) -> None:
    """Answered all the same, and counted."""
    file = keys_file(tmp_path, requests_per_minute=1)
    served = await serve(keys_file=file, keys_observe_only="true")
    answers = [await served.client.post(CHAT, json=chat(), headers=bearer(ANN)) for _ in range(3)]
    page = (await served.client.get("/metrics")).text

    assert [(200, "0")] * 3 == [
        (one.status_code, one.headers["x-ratelimit-remaining-requests"]) for one in answers
    ]
    assert 'paddock_quota_overruns_total{limit="requests"} 2.0' in page


async def test_chats_at_once_are_limited(serve: Serve, tgi_double: ThreadDouble, tmp_path: Path) -> None:
    """One runs, the second is refused; when the first has ended a third may."""
    served = await serve(keys_file=keys_file(tmp_path, concurrent=1))
    tgi_double.script(reply="one two", fault="stall", after=1)
    first = asyncio.create_task(served.client.post(CHAT, json=chat(), headers=bearer(ANN)))
    await served.until(lambda: served.gateway.admission.running == 1)
    second = await served.client.post(CHAT, json=chat(), headers=bearer(ANN))
    await tgi_double.until_seen(lambda seen: seen.events >= 1 and seen.ended_at is None)
    tgi_double.release()
    await first
    await served.until_idle()
    third = await served.client.post(CHAT, json=chat(), headers=bearer(ANN))

    assert (429, 200) == (second.status_code, third.status_code)
    assert "1 chats at once" in second.json()["error"]["message"]
