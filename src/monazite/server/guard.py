"""What stands before every request: whose it is, how large it may be, and the headers of every answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from urllib.parse import urlsplit

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from monazite.core.text import say
from monazite.server.wire import Json

__all__ = ["IMPORT_PATH", "LARGEST", "LARGEST_FILE", "POLICY", "Guard", "security_headers", "too_large"]

#: largest body of a request, bytes
LARGEST = 5_000_000
#: where files of publishers are read, and how large one may be
IMPORT_PATH, LARGEST_FILE = "/api/data/import", 20_000_000

#: what the page may load and do: its own files, nothing inline, nothing from elsewhere
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: tuple[tuple[bytes, bytes], ...] = (
    (b"content-security-policy", POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=()"),
)
_ALL = (*_HEADERS, (b"cache-control", b"no-store"))
_OWN = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

App = Callable[[Scope, Receive, Send], Awaitable[None]]


class Guard:
    """Answer only this machine, and put the security headers on every answer.

    A request under another host's name is refused (a page elsewhere could have been given our address under
    its own name), and so is a change asked for by another site's page.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Check, pass on, add headers."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                _add(message)
            await send(message)

        headers = {name.lower(): value for name, value in scope["headers"]}
        refusal = _refuse(scope["method"], headers)
        status = 403
        most = _most(scope["path"])
        if refusal is None and _length(headers) > most:
            refusal, status = too_large(scope["path"]), 413
        if refusal is not None:
            body = {"error": {"message": refusal, "kind": "Refused", "nearest": []}}
            await Json(body, status_code=status)(scope, receive, guarded)
            return
        await self.app(scope, _limited(receive, most), guarded)


def _limited(receive: Receive, most: int) -> Receive:
    """Stop reading a body that does not say how large it is once it is too large."""
    size = 0

    async def counted() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > most:
            raise HTTPException(413)
        return message

    return counted


def _most(path: str) -> int:
    return LARGEST_FILE if path == IMPORT_PATH else LARGEST


def too_large(path: str) -> str:
    """Say that a request to a path is too large, and what to do instead.

    Examples
    --------
    >>> too_large("/api/data/check")
    'The request is larger than 5 MB; send a smaller file.'
    """
    key = "server.import_large" if path == IMPORT_PATH else "server.http_413"
    return say(key, size=_most(path) // 1_000_000)


def security_headers() -> dict[str, str]:
    """Return the headers of every answer, for one that does not come past here.

    Examples
    --------
    >>> security_headers()["x-content-type-options"]
    'nosniff'
    """
    return {name.decode(): value.decode() for name, value in _ALL}


def _add(message: MutableMapping[str, Any]) -> None:
    """Add the headers that the answer does not have; the API is never kept, the rest asked for anew."""
    present = {name.lower() for name, _ in message["headers"]}
    extra = [pair for pair in _ALL if pair[0] not in present]
    message["headers"] = [*message["headers"], *extra]


def _refuse(method: str, headers: dict[bytes, bytes]) -> str | None:
    host = _host(headers.get(b"host", b"").decode("latin-1"))
    if host not in _OWN:
        return say("server.other_host")
    if method not in _SAFE:
        origin = headers.get(b"origin", b"").decode("latin-1")
        site = headers.get(b"sec-fetch-site", b"same-origin").decode("latin-1")
        if (origin and _origin(origin) not in _OWN) or site == "cross-site":
            return say("server.other_site")
    return None


def _length(headers: dict[bytes, bytes]) -> int:
    """Return how large a request says it is; what is no number says nothing."""
    said = headers.get(b"content-length", b"")
    return int(said) if said.isdigit() and len(said) < 20 else 0


def _origin(text: str) -> str:
    """Return the host of an origin, or nothing where it is none.

    Examples
    --------
    >>> _origin("http://localhost:8000"), _origin("null"), _origin("http://[::1")
    ('localhost', '', '')
    """
    try:
        return _host(urlsplit(text).netloc)
    except ValueError:
        return ""


def _host(text: str) -> str:
    """Return the name of a host without its port.

    Examples
    --------
    >>> _host("127.0.0.1:8765"), _host("[::1]:80"), _host("localhost")
    ('127.0.0.1', '::1', 'localhost')
    """
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0].lower()
