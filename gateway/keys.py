"""API keys: who may ask, and how much.

Keys are kept hashed in one JSON file that scripts/keys writes; a change is seen within a second.
Knows keys, limits and a clock that is passed in. Knows nothing of HTTP.
"""

import asyncio
import hmac
import logging
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gateway.errors import KeyInvalid, QuotaSpent
from gateway.keyfile import Key, KeysUnreadable, hash_key, read_keys
from gateway.spent import Spent

_LOG = logging.getLogger(__name__)

# What a key can be limited in.
LIMITS = ("requests", "concurrent", "tokens")
_RELOAD_SECONDS = 1.0
# How often at most the day's use is written: what a crash may forget.
KEEP_SECONDS = 5.0
_MINUTE, _DAY = 60.0, 86_400.0


@dataclass(slots=True)
class _Use:
    """What a key has used. Units: requests is a bucket that refills within a minute.

    held is what the chats that run now have reserved: a chat counts on the day on which it ends.
    """

    requests: float = 0.0
    requests_at: float = 0.0
    running: int = 0
    tokens: int = 0
    held: int = 0
    day: int = -1


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left to a key after a request, for its x-ratelimit headers; None is no limit."""

    limit_requests: int | None
    remaining_requests: int | None
    reset_requests_seconds: float
    limit_tokens: int | None
    remaining_tokens: int | None
    reset_tokens_seconds: float


class Keyring:
    """The keys in force, and what each has used: of its tokens today, of the rest since the gateway started.

    With observe_only a spent quota is counted and let pass; an unknown key never is. over counts, by limit,
    the requests that were more than a key may send.
    """

    def __init__(
        self,
        path: Path,
        clock: Callable[[], float] = time.monotonic,
        wall: Callable[[], float] = time.time,
        *,
        observe_only: bool = False,
        spent: Spent | None = None,
    ) -> None:
        self._path = path
        self._clock = clock
        self._wall = wall
        self._observe_only = observe_only
        self._keys: dict[str, Key] = {key.sha256: key for key in read_keys(path)}
        today, known = self._today(), spent.read(self._today()) if spent is not None else {}
        self._uses = {name: _Use(tokens=tokens, day=today) for name, tokens in known.items()}
        self._file = spent
        self._is_kept = True
        self.over = dict.fromkeys(LIMITS, 0)
        self._stamp = self._stamp_now()
        self._looked = clock()

    def identify(self, authorization: str) -> Key:
        """Give the key of an Authorization header. Raises: KeyInvalid."""
        self._reload()
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not given.strip():
            raise KeyInvalid("an API key is needed: send it as 'Authorization: Bearer KEY'")
        digest = hash_key(given.strip())
        found = None
        # Every key is compared in constant time, so the time taken tells nothing about any of them.
        for sha256, key in self._keys.items():
            if hmac.compare_digest(sha256, digest):
                found = key
        if found is None:
            raise KeyInvalid("this API key is not known here, or was revoked")
        return found

    def reserve(self, key: Key, tokens: int) -> None:
        """Take a request and its tokens out of a key's limits. Raises: QuotaSpent naming the limit."""
        use = self._use(key)
        spent = self._spent(key, use, tokens)
        if spent is not None:
            limit, refusal = spent
            self.over[limit] += 1
            if not self._observe_only:
                raise refusal
            _LOG.info("key %s is over a limit, and observed only: %s", key.name, refusal.message)
        self._is_kept = False
        use.requests += 1
        use.running += 1
        use.tokens += tokens
        use.held += tokens

    def settle(self, key: Key, reserved: int, used: int) -> None:
        """Give a request's slot back, and the tokens that it reserved and did not use."""
        use = self._use(key)
        self._is_kept = False
        use.running -= 1
        use.held -= reserved
        use.tokens += used - reserved

    async def watch(self) -> None:
        """Keep the day's use in its file until cancelled, and then once more."""
        writing: asyncio.Task[None] | None = None
        try:
            while self._file is not None:
                await asyncio.sleep(KEEP_SECONDS)
                if not self._is_kept:
                    # Apart: a slow disk must not hold up the streams.
                    writing = asyncio.create_task(asyncio.to_thread(self._file.write, *self._used()))
                    await asyncio.shield(writing)
        finally:
            # Order: what was written last stays.
            if writing is not None:
                await writing
            self.keep()

    def keep(self) -> None:
        """Write the day's use down, if it changed."""
        if self._file is not None and not self._is_kept:
            self._file.write(*self._used())

    def _used(self) -> tuple[int, dict[str, int]]:
        """Give the day, and the tokens that each key used on it; what runs counts as asked for."""
        self._is_kept = True
        today = self._today()
        uses = {key.name: self._uses[key.name] for key in self._keys.values() if key.name in self._uses}
        return today, {name: use.tokens for name, use in uses.items() if use.day == today}

    def allowance(self, key: Key) -> Allowance:
        """Say what is left to a key now."""
        use = self._use(key)
        requests, tokens = key.requests_per_minute, key.tokens_per_day
        return Allowance(
            limit_requests=requests,
            remaining_requests=None if requests is None else max(0, requests - math.ceil(use.requests)),
            reset_requests_seconds=0.0 if requests is None else use.requests * _MINUTE / requests,
            limit_tokens=tokens,
            remaining_tokens=None if tokens is None else max(0, tokens - use.tokens),
            reset_tokens_seconds=self._until_midnight(),
        )

    def _spent(self, key: Key, use: _Use, tokens: int) -> tuple[str, QuotaSpent] | None:
        if key.requests_per_minute is not None and use.requests + 1 > key.requests_per_minute:
            over = (use.requests + 1 - key.requests_per_minute) * _MINUTE / key.requests_per_minute
            return "requests", QuotaSpent(
                f"this key may send {key.requests_per_minute} requests a minute",
                retry_after_seconds=max(1, math.ceil(over)),
            )
        if key.concurrent is not None and use.running + 1 > key.concurrent:
            message = f"this key may have {key.concurrent} chats at once"
            return "concurrent", QuotaSpent(message, retry_after_seconds=1)
        if key.tokens_per_day is not None and use.tokens + tokens > key.tokens_per_day:
            left = max(0, key.tokens_per_day - use.tokens)
            return "tokens", QuotaSpent(
                f"this key has {key.tokens_per_day} tokens a day, {left} are left, this asks for {tokens}",
                retry_after_seconds=max(1, math.ceil(self._until_midnight())),
            )
        return None

    def _use(self, key: Key) -> _Use:
        """Give a key's use, refilled by the time that has passed."""
        use = self._uses.setdefault(key.name, _Use(requests_at=self._clock()))
        now, today = self._clock(), self._today()
        if key.requests_per_minute is not None:
            refill = (now - use.requests_at) * key.requests_per_minute / _MINUTE
            use.requests = max(0.0, use.requests - refill)
        use.requests_at = now
        if use.day != today:
            use.day, use.tokens = today, use.held
        return use

    def _today(self) -> int:
        return int(self._wall() // _DAY)

    def _until_midnight(self) -> float:
        """Give the seconds until the day, in UTC, is over."""
        return _DAY - self._wall() % _DAY

    def _reload(self) -> None:
        if self._clock() - self._looked < _RELOAD_SECONDS:
            return
        self._looked = self._clock()
        try:
            stamp = self._stamp_now()
            if stamp != self._stamp:
                self._stamp = stamp
                self._keys = {key.sha256: key for key in read_keys(self._path)}
        except KeysUnreadable as error:
            # Half an edit must not lock everybody out, nor let anybody in.
            _LOG.warning("the keys stay as they were: %s", error)

    def _stamp_now(self) -> tuple[Any, ...]:
        try:
            status = self._path.stat()
        except OSError as error:
            raise KeysUnreadable(f"{self._path} cannot be read: {error.strerror}") from None
        return status.st_mtime_ns, status.st_size, status.st_ino
