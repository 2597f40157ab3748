"""The chat page's files, for machines where no web server stands in front.

The headers are the same as in frontend/'s web server configuration, which a test compares.
"""

from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

SECURITY_HEADERS = {
    "content-security-policy": CONTENT_SECURITY_POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    # Files change with the version, under the same names: ask each time, a 304 costs a millisecond.
    "cache-control": "no-cache",
}


class Page:
    """Static files, with the security headers on each.

    Raises: HTTPException 404 for what is no file, or not asked for by GET or HEAD.
    """

    def __init__(self, site_dir: Path) -> None:
        self._files: ASGIApp = StaticFiles(directory=site_dir, html=True)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in ("GET", "HEAD"):
            raise HTTPException(404)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
            await send(message)

        await self._files(scope, receive, with_headers)
