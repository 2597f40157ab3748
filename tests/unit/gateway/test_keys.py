"""Keys: known or not, and what each may use."""

import asyncio
import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import KeyInvalid, QuotaSpent
from gateway.keyfile import Key, KeysUnreadable, hash_key, make_key, read_keys, write_keys
from gateway.keys import Keyring
from gateway.spent import Spent, read_spent
from tests.unit.gateway.clock import Clock

SECRET = "pk-" + "a" * 43
DAY = 20_000


def filed(*changes: dict[str, Any]) -> str:
    """Write a file of keys that differ from good ones in something."""
    keys = [
        {"name": f"a{number}", "sha256": f"{number:064x}", "created": "", **change}
        for number, change in enumerate(changes)
    ]
    return json.dumps({"keys": keys})


def ring(
    tmp_path: Path, clock: Clock, *, observe_only: bool = False, spent: Spent | None = None, **limits: Any
) -> tuple[Keyring, Key]:
    """Make a keyring with one key."""
    key = Key("ann", hash_key(SECRET), "2026-01-01T00:00:00+00:00", **limits)
    path = tmp_path / "keys.json"
    write_keys(path, [key])
    wall = partial(wall_of, clock)
    return Keyring(path, clock, wall, observe_only=observe_only, spent=spent), key


def wall_of(clock: Clock) -> float:
    """Give the time of day by a clock that a test moves."""
    return 86_400.0 * DAY + clock()


def test_a_key_is_known_by_its_text_alone(tmp_path: Path) -> None:
    """The scheme may be written in any case; the key may not."""
    keyring, key = ring(tmp_path, Clock())

    assert key == keyring.identify(f"Bearer {SECRET}")
    assert key == keyring.identify(f"bearer {SECRET} ")


@pytest.mark.parametrize(
    "header", ["", "Bearer", "Bearer ", f"Basic {SECRET}", f"Bearer {SECRET.upper()}", SECRET]
)
def test_anything_else_is_refused(tmp_path: Path, header: str) -> None:
    """No header, another scheme, another text."""
    keyring, _ = ring(tmp_path, Clock())

    with pytest.raises(KeyInvalid):
        keyring.identify(header)


def test_the_file_holds_no_key(tmp_path: Path) -> None:
    """Only the hash is kept, and others than owner and group cannot read even that."""
    ring(tmp_path, Clock())
    path = tmp_path / "keys.json"

    assert SECRET not in path.read_text()
    assert 0o640 == path.stat().st_mode & 0o777


def test_new_keys_differ_and_are_long() -> None:
    """256 bits each."""
    keys = {make_key() for _ in range(100)}

    assert 100 == len(keys)
    assert {46} == {len(key) for key in keys}


def test_a_revoked_key_is_gone_within_a_second(tmp_path: Path) -> None:
    """The file is looked at again, without a restart."""
    clock = Clock()
    keyring, _ = ring(tmp_path, clock)
    write_keys(tmp_path / "keys.json", [])
    clock.pass_by(1.0)

    with pytest.raises(KeyInvalid):
        keyring.identify(f"Bearer {SECRET}")


def test_requests_refill_within_a_minute(tmp_path: Path) -> None:
    """Three a minute: a fourth must wait twenty seconds, and then may go."""
    clock = Clock()
    keyring, key = ring(tmp_path, clock, requests_per_minute=3)
    for _ in range(3):
        keyring.reserve(key, 1)
    with pytest.raises(QuotaSpent) as refused:
        keyring.reserve(key, 1)
    assert 20 == refused.value.retry_after_seconds
    clock.pass_by(20)
    keyring.reserve(key, 1)

    assert (3, 0) == (keyring.allowance(key).limit_requests, keyring.allowance(key).remaining_requests)


def test_chats_at_once_are_counted(tmp_path: Path) -> None:
    """A settled chat makes room."""
    keyring, key = ring(tmp_path, Clock(), concurrent=1)
    keyring.reserve(key, 10)
    with pytest.raises(QuotaSpent):
        keyring.reserve(key, 10)
    keyring.settle(key, 10, 4)
    keyring.reserve(key, 10)


def test_tokens_are_reserved_and_settled(tmp_path: Path) -> None:
    """What was reserved and not used is given back; a new day starts anew."""
    clock = Clock()
    keyring, key = ring(tmp_path, clock, tokens_per_day=100)
    keyring.reserve(key, 90)
    assert 10 == keyring.allowance(key).remaining_tokens
    with pytest.raises(QuotaSpent, match="10 are left, this asks for 11"):
        keyring.reserve(key, 11)
    keyring.settle(key, 90, 20)
    assert 80 == keyring.allowance(key).remaining_tokens
    clock.pass_by(86_400)

    assert 100 == keyring.allowance(key).remaining_tokens


def test_observing_counts_and_lets_pass(tmp_path: Path) -> None:
    """Limits can be tried before they bind."""
    keyring, key = ring(tmp_path, Clock(), observe_only=True, tokens_per_day=1, concurrent=1)
    keyring.reserve(key, 50)
    keyring.settle(key, 50, 2)
    for _ in range(2):
        keyring.reserve(key, 0)

    assert 0 == keyring.allowance(key).remaining_tokens
    # Of a request that is over several limits the first is counted.
    assert {"requests": 0, "concurrent": 1, "tokens": 2} == keyring.over


@pytest.mark.parametrize(
    ("limit", "limits", "tokens"),
    [("requests", {"requests_per_minute": 1}, 1), ("concurrent", {"concurrent": 1}, 1),
     ("tokens", {"tokens_per_day": 10}, 10)],
)  # fmt: skip
def test_what_is_refused_is_counted_by_its_limit(
    tmp_path: Path, limit: str, limits: dict[str, Any], tokens: int
) -> None:
    """And takes nothing from the key."""
    keyring, key = ring(tmp_path, Clock(), **limits)
    keyring.reserve(key, tokens)
    for _ in range(2):
        with pytest.raises(QuotaSpent):
            keyring.reserve(key, tokens)

    assert {limit: 2} == {name: count for name, count in keyring.over.items() if count}


def test_a_chat_over_midnight_counts_on_the_day_it_ends(tmp_path: Path) -> None:
    """Its end gives nothing back to a day that it was not taken from."""
    clock = Clock()
    keyring, key = ring(tmp_path, clock, tokens_per_day=100)
    keyring.reserve(key, 60)
    clock.pass_by(86_400)
    assert 40 == keyring.allowance(key).remaining_tokens
    keyring.reserve(key, 30)
    keyring.settle(key, 60, 20)

    assert 50 == keyring.allowance(key).remaining_tokens


@pytest.mark.parametrize("text", ["", '{"keys": 1}', None])
def test_a_file_that_is_broken_while_it_runs_changes_nothing(tmp_path: Path, text: str | None) -> None:
    """Half an edit locks nobody out; the next good file holds."""
    clock = Clock()
    keyring, key = ring(tmp_path, clock)
    path = tmp_path / "keys.json"
    if text is None:
        path.unlink()
    else:
        path.write_text(text)
    clock.pass_by(1.0)
    assert key == keyring.identify(f"Bearer {SECRET}")
    write_keys(path, [])
    clock.pass_by(1.0)

    with pytest.raises(KeyInvalid):
        keyring.identify(f"Bearer {SECRET}")


def test_every_key_is_compared_in_constant_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each of them, whichever was meant: the time taken tells nothing."""
    compared: list[str] = []

    def compare(one: str, other: str) -> bool:
        compared.append(one)
        return one == other

    keys = [Key(f"key-{number}", hash_key(f"pk-{number}"), "") for number in range(5)]
    write_keys(tmp_path / "keys.json", keys)
    keyring = Keyring(tmp_path / "keys.json", Clock())
    monkeypatch.setattr("gateway.keys.hmac.compare_digest", compare)
    assert "key-0" == keyring.identify("Bearer pk-0").name

    assert [key.sha256 for key in keys] == compared


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", '{"keys": 1}', '{"keys": [{"name": "a"}]}', "[" * 10_000, filed({"name": "a b"}),
        filed({"name": 5}), filed({"sha256": ""}), filed({"sha256": "Ä" * 64}), filed({"sha256": None}),
        filed({"requests_per_minute": 0}), filed({"requests_per_minute": 1e30}),
        filed({"concurrent": -1}), filed({"concurrent": True}), filed({"tokens_per_day": 10**30}),
        filed({"tokens_per_day": "many"}), filed({"name": "ann"}, {"name": "ann"}),
        filed({"sha256": "0" * 64}, {"sha256": "0" * 64}),
    ],
)  # fmt: skip
def test_a_file_of_another_kind_is_told(tmp_path: Path, text: str) -> None:
    """In a sentence, and never as no keys at all."""
    path = tmp_path / "keys.json"
    path.write_text(text)

    with pytest.raises(KeysUnreadable):
        read_keys(path)


# What a key used today


def test_a_restart_forgets_no_tokens(tmp_path: Path) -> None:
    """They are taken up on the same day, and not on the next."""
    file, clock = tmp_path / "use.json", Clock(0.0)
    keyring, key = ring(tmp_path, clock, spent=Spent(file), tokens_per_day=100)
    keyring.reserve(key, 90)
    keyring.settle(key, 90, 70)
    keyring.keep()
    same, _ = ring(tmp_path, clock, spent=Spent(file), tokens_per_day=100)
    clock.pass_by(86_400)
    following, _ = ring(tmp_path, clock, spent=Spent(file), tokens_per_day=100)

    clock.pass_by(-86_400)
    assert 30 == same.allowance(key).remaining_tokens
    clock.pass_by(86_400)
    assert 100 == following.allowance(key).remaining_tokens


def test_what_runs_when_the_process_is_killed_counts_as_asked_for(tmp_path: Path) -> None:
    """Nobody can say what it used, and a limit is not passed by it."""
    file, clock = tmp_path / "use.json", Clock(0.0)
    keyring, key = ring(tmp_path, clock, spent=Spent(file), tokens_per_day=100)
    keyring.reserve(key, 90)
    keyring.keep()
    after, _ = ring(tmp_path, clock, spent=Spent(file), tokens_per_day=100)

    assert 10 == after.allowance(key).remaining_tokens


def test_the_file_is_written_when_something_changed(tmp_path: Path) -> None:
    """Not at each look, and without those who were revoked."""
    file, clock = tmp_path / "use.json", Clock(0.0)
    keyring, key = ring(tmp_path, clock, spent=Spent(file))
    keyring.keep()
    assert not file.exists()
    keyring.reserve(key, 7)
    keyring.reserve(Key("gone", "0" * 64, ""), 5)
    keyring.keep()

    assert {"ann": 7} == read_spent(file, DAY)
    assert {} == read_spent(file, DAY + 1)
    assert {"keys.json", "use.json"} == {one.name for one in tmp_path.iterdir()}
    file.unlink()
    keyring.keep()
    assert not file.exists()


async def test_the_use_is_kept_while_it_runs_and_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every few seconds, and once more when it is stopped."""
    monkeypatch.setattr("gateway.keys.KEEP_SECONDS", 0.001)
    file = tmp_path / "use.json"
    keyring, key = ring(tmp_path, Clock(0.0), spent=Spent(file))
    task = asyncio.create_task(keyring.watch())
    keyring.reserve(key, 7)
    async with asyncio.timeout(10):
        while not file.exists():
            await asyncio.sleep(0.001)
    kept = read_spent(file, DAY)
    keyring.settle(key, 7, 3)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert ({"ann": 7}, {"ann": 3}) == (kept, read_spent(file, DAY))


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff\xfe", b'{"day": 20000}', b'{"day": 20000, "tokens": 5}', b"[" * 10_000,
     b'{"day": 20000, "tokens": {"ann": "many"}}', b'{"day": 20000, "tokens": {"ann": -5}}',
     b'{"day": 20000, "tokens": {"ann": 1e30}}', b'{"day": "today", "tokens": {"ann": 5}}'],
)  # fmt: skip
def test_a_file_of_use_that_is_broken_stops_nothing(tmp_path: Path, content: bytes) -> None:
    """It counts as none, and is written anew."""
    file = tmp_path / "use.json"
    file.write_bytes(content)
    keyring, key = ring(tmp_path, Clock(0.0), spent=Spent(file), tokens_per_day=100)
    assert 100 == keyring.allowance(key).remaining_tokens
    keyring.reserve(key, 7)
    keyring.keep()

    assert {"ann": 7} == read_spent(file, DAY)


def test_use_that_cannot_be_written_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """At the start, with the setting that helps; the gateway goes on."""
    keyring, key = ring(tmp_path, Clock(0.0), spent=Spent(tmp_path / "none" / "use.json"), tokens_per_day=100)
    for _ in range(3):
        keyring.reserve(key, 7)
        keyring.keep()

    assert 79 == keyring.allowance(key).remaining_tokens
    assert 1 == len(caplog.messages)
    assert "GATEWAY_USE_FILE" in caplog.messages[0]


def test_a_change_of_the_keys_keeps_the_file_s_inode(tmp_path: Path) -> None:
    """A container that the file is mounted into would go on to see the old one."""
    path = tmp_path / "keys.json"
    write_keys(path, [Key("ann", "0" * 64, ""), Key("bob", "1" * 64, "")])
    before = path.stat().st_ino
    write_keys(path, [Key("ann", "0" * 64, "")])

    assert (before, 0o640) == (path.stat().st_ino, path.stat().st_mode & 0o777)
    assert ["ann"] == [key.name for key in read_keys(path)]
    assert [path] == list(tmp_path.iterdir())
