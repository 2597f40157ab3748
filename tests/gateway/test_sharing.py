"""One greedy client and others, as they see it through a running gateway."""

import asyncio
import re
from pathlib import Path

import pytest

from gateway.keyfile import Key, hash_key, make_key, write_keys
from tests.fakes.double import ThreadDouble
from tests.gateway.conftest import Serve, Served, serving
from tests.gateway.talk import CHAT, chat, content_of, error_of, streaming

GREEDY, OTHER = {"paddock-session": "greedy-one"}, {"paddock-session": "somebody-else"}


async def filled(served: Served, double: ThreadDouble, places: int) -> "list[asyncio.Task[int]]":
    """Hold the only slot and let one client fill all that it gets of the backlog; give its chats."""
    double.script(reply="one two", fault="stall", after=1)

    async def ask(number: int) -> int:
        return (await served.client.post(CHAT, json=chat(str(number)), headers=GREEDY)).status_code

    tasks = [asyncio.create_task(ask(number)) for number in range(1 + places)]
    await served.until(lambda: served.gateway.admission.waiting == places)
    await double.until_seen(lambda seen: seen.events == 1 and seen.ended_at is None)
    return tasks


async def test_a_client_that_asks_for_all_leaves_a_place_for_another(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """Its own next chat is refused with the time of its next turn; a newcomer waits, and is served first."""
    served = await serve(slots=1, backlog_limit=8)
    tasks = await filled(served, tgi_double, 6)
    refused = await served.client.post(CHAT, json=chat(), headers=GREEDY)
    error = refused.json()["error"]
    async with streaming(served.client, chat("I am new here"), **OTHER) as stream:
        place = (await stream.next()).comment
        tgi_double.release()
        text = content_of(await stream.rest())

    assert (429, "backlog_full", "rate_limit_error") == (
        refused.status_code, error["code"], error["type"],
    )  # fmt: skip
    assert "6 chats of this client wait" in error["message"]
    assert int(refused.headers["retry-after"]) == error["retry_after_seconds"] >= 1
    # Both of its first chats came when nobody had had anything.
    assert re.fullmatch(r"place [12] of 7", place)
    assert "I am new here" == text
    assert [200] * 7 == [await task for task in tasks]


async def test_several_answers_that_find_no_room_are_told_when_all_of_them_do(
    serve: Serve, tgi_double: ThreadDouble
) -> None:
    """A promise as one answer has it: places are kept for all of them, and nobody else gets those."""
    served = await serve(slots=1, backlog_limit=32)
    tasks = await filled(served, tgi_double, 24)
    others = []
    for number in range(7):
        headers = {"paddock-session": f"newcomer-{number}"}
        others.append(asyncio.create_task(served.client.post(CHAT, json=chat(), headers=headers)))
    await served.until(lambda: served.gateway.admission.waiting == 31)
    refused = await served.client.post(CHAT, json=chat(n=3), headers={"paddock-session": "wants-three"})
    promised = len(served.gateway.admission._promises)
    hasty = await served.client.post(CHAT, json=chat(), headers={"paddock-session": "comes-later"})
    tgi_double.release()

    assert (429, 3) == (refused.status_code, promised)
    assert int(refused.headers["retry-after"]) >= 1
    assert (429, True) == (hasty.status_code, "kept for those told" in hasty.json()["error"]["message"])
    assert [200] * 7 == [(await task).status_code for task in others]
    assert [200] * 25 == [await task for task in tasks]


async def test_a_wait_that_ends_in_the_limit_frees_the_place(serve: Serve, tgi_double: ThreadDouble) -> None:
    """An expired chat counts against its client no more."""
    served = await serve(slots=1, backlog_limit=4, wait_limit_seconds=0.2)
    tgi_double.script(reply="one two", fault="stall", after=1)
    running = asyncio.create_task(served.client.post(CHAT, json=chat(), headers=GREEDY))
    await tgi_double.until_seen(lambda seen: seen.events == 1 and seen.ended_at is None)
    async with streaming(served.client, chat(), **GREEDY) as stream:
        code = error_of(await stream.rest())["code"]
    tgi_double.release()

    assert ("wait_expired", 0) == (code, served.gateway.admission.waiting_of("session greedy-one"))
    assert 200 == (await running).status_code


async def test_a_restart_gives_no_key_a_new_day(tgi_double: ThreadDouble, tmp_path: Path) -> None:
    """What it used is in a file beside the keys, and taken up again."""
    secret, file, left = make_key(), tmp_path / "keys.json", []
    write_keys(file, [Key("ann", hash_key(secret), "", tokens_per_day=10_000)])
    bearer = {"authorization": f"Bearer {secret}"}
    for _ in range(3):
        async with serving(tgi_double.url, keys_file=file) as served:
            await served.until_ready()
            answer = await served.client.post(CHAT, json=chat(max_tokens=5), headers=bearer)
            used = answer.json()["usage"]["total_tokens"]
            await served.until_idle()
            assert served.gateway.keyring is not None
            key = served.gateway.keyring.identify(bearer["authorization"])
            left.append(served.gateway.keyring.allowance(key).remaining_tokens)

    assert [10_000 - used * times for times in (1, 2, 3)] == left


async def test_keys_beside_which_nothing_can_be_written_serve_all_the_same(
    serve: Serve, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Said once, with the setting that helps."""
    secret, file = make_key(), tmp_path / "keys.json"
    write_keys(file, [Key("ann", hash_key(secret), "", tokens_per_day=10_000)])
    served = await serve(keys_file=file, use_file=tmp_path / "none" / "use.json")
    bearer = {"authorization": f"Bearer {secret}"}
    answers = [await served.client.post(CHAT, json=chat(), headers=bearer) for _ in range(2)]
    assert served.gateway.keyring is not None
    served.gateway.keyring.keep()

    assert [200, 200] == [answer.status_code for answer in answers]
    assert 1 == sum("GATEWAY_USE_FILE" in message for message in caplog.messages)
