"""Keys: known or not, and what each may use."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import KeyInvalid, QuotaSpent
from gateway.keys import Key, Keyring, KeysUnreadable, hash_key, make_key, read_keys, write_keys
from tests.unit.gateway.clock import Clock

SECRET = "pk-" + "a" * 43
ZERO = json.dumps({"keys": [{"name": "a", "sha256": "", "created": "", "requests_per_minute": 0}]})
SPACED = json.dumps({"keys": [{"name": "a b", "sha256": "", "created": ""}]})


def ring(tmp_path: Path, clock: Clock, *, observe_only: bool = False, **limits: Any) -> tuple[Keyring, Key]:
    """Make a keyring with one key."""
    key = Key("ann", hash_key(SECRET), "2026-01-01T00:00:00+00:00", **limits)
    path = tmp_path / "keys.json"
    write_keys(path, [key])
    return Keyring(path, clock, lambda: 86_400.0 * 20_000 + clock(), observe_only=observe_only), key


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
    "text", ["", "[]", '{"keys": 1}', '{"keys": [{"name": "a"}]}', SPACED, ZERO]
)  # fmt: skip
def test_a_file_of_another_kind_is_told(tmp_path: Path, text: str) -> None:
    """In a sentence, and never as no keys at all."""
    path = tmp_path / "keys.json"
    path.write_text(text)

    with pytest.raises(KeysUnreadable):
        read_keys(path)
