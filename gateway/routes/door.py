"""Who gets in: which names this server answers to, which pages may call it, and whose key it is.

A page of any site can make a browser send requests to a loopback address, under its own name if that
name resolves to it (DNS rebinding). So names that are not ours and foreign origins are turned away
before anything is read. Clients that are not browsers send neither.
"""

import ipaddress
from functools import lru_cache
from urllib.parse import SplitResult, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gateway.errors import HostUnknown, OriginForeign, PaddockError
from gateway.keyfile import Key
from gateway.keys import Allowance, Keyring
from gateway.routes.intake import KEY, REQUEST_ID
from gateway.routes.native import NATIVE_PATHS
from gateway.routes.reply import ErrorReply

# What needs a key once there are keys: whatever costs tokens or shows somebody's text. The page itself,
# health and the queue's numbers stay open, so that a person sees what to do.
_KEYED = ("/v1/", "/completion/", "/generate", "/tokenize", "/chat_tokenize", "/info")

# What browsers say of requests of our own page, and of those that a person typed in.
_OWN_SITES = ("same-origin", "none")


class Door:
    """Pure ASGI, before all routes."""

    def __init__(self, app: ASGIApp, keyring: Keyring | None, allowed_hosts: frozenset[str]) -> None:
        self._app = app
        self._keyring = keyring
        self._allowed_hosts = allowed_hosts
        # Most requests come under a few names; any other is looked at each time.
        self._is_ours = lru_cache(maxsize=64)(self._is_name_ours)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            try:
                self._check(scope, Headers(scope=scope))
            except PaddockError as error:
                is_native = scope["path"] in NATIVE_PATHS
                await ErrorReply(error, scope[REQUEST_ID], is_native=is_native)(scope, receive, send)
                return
        key: Key | None = scope.get(KEY)
        if self._keyring is None or key is None:
            await self._app(scope, receive, send)
            return
        keyring = self._keyring

        async def with_limits(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_limits(keyring.allowance(key)))
            await send(message)

        await self._app(scope, receive, with_limits)

    def _check(self, scope: Scope, headers: Headers) -> None:
        hosts = headers.getlist("host")
        host = hosts[0] if len(hosts) == 1 else ""
        if not self._is_ours(host):
            name = _name_of(host)
            raise HostUnknown(
                f"this server does not answer to the name {name!r}; GATEWAY_ALLOWED_HOSTS lists its names"
            )
        origin = headers.get("origin")
        if origin is not None and _parts(origin).netloc != host:
            raise OriginForeign(f"pages of {origin} may not call this server")
        path: str = scope["path"]
        is_keyed = path.startswith(_KEYED) or (path == "/" and scope["method"] == "POST")
        if headers.get("sec-fetch-site", "none") not in _OWN_SITES and (
            is_keyed or headers.get("sec-fetch-mode") != "navigate"
        ):
            # What a page embeds, such as a picture, is asked for without an origin, and so is a link's
            # address. A link may lead to the page; neither may start a generation.
            raise OriginForeign("pages of another site may not call this server")
        if self._keyring is not None and is_keyed:
            scope[KEY] = self._keyring.identify(headers.get("authorization", ""))

    def _is_name_ours(self, host: str) -> bool:
        """Say whether a name is one of ours: addresses cannot be rebound, other names must be listed."""
        name = _name_of(host)
        if name in self._allowed_hosts or name == "localhost":
            return True
        try:
            ipaddress.ip_address(name)
        except ValueError:
            return False
        return True


def _name_of(host: str) -> str:
    """Read a Host header's name; what has more than a name and a port has none."""
    parts = _parts(f"//{host}")
    return (parts.hostname or "") if parts.netloc == host and "@" not in host else ""


def _parts(address: str) -> SplitResult:
    """Split an address; one that is none has no parts, and so is not ours."""
    try:
        return urlsplit(address)
    except ValueError:
        return urlsplit("")


def _limits(left: Allowance) -> dict[str, str]:
    """Say what is left to a key, in OpenAI's headers; nothing where there is no limit."""
    told: dict[str, str] = {}
    if left.limit_requests is not None:
        told["x-ratelimit-limit-requests"] = str(left.limit_requests)
        told["x-ratelimit-remaining-requests"] = str(left.remaining_requests)
        told["x-ratelimit-reset-requests"] = f"{left.reset_requests_seconds:.0f}s"
    if left.limit_tokens is not None:
        told["x-ratelimit-limit-tokens"] = str(left.limit_tokens)
        told["x-ratelimit-remaining-tokens"] = str(left.remaining_tokens)
        told["x-ratelimit-reset-tokens"] = f"{left.reset_tokens_seconds:.0f}s"
    return told
