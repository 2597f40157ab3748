"""Keys: known or not, and what each may use."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateway.errors import KeyInvalid, QuotaSpent
from gateway.keys import Key, Keyring, KeysUnreadable, hash_key, make_key, read_keys, write_keys
from tests.unit.gateway.clock import Clock

SECRET = "pk-" + "a" * 43
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
    keyring, key = ring(tmp_path, Clock(), observe_only=True, tokens_per_day=1)
    keyring.reserve(key, 50)

    assert 0 == keyring.allowance(key).remaining_tokens


@pytest.mark.parametrize(
    "text", ["", "[]", '{"keys": 1}', '{"keys": [{"name": "a"}]}', SPACED]
)  # fmt: skip
def test_a_file_of_another_kind_is_told(tmp_path: Path, text: str) -> None:
    """In a sentence, and never as no keys at all."""
    path = tmp_path / "keys.json"
    path.write_text(text)

    with pytest.raises(KeysUnreadable):
        read_keys(path)
