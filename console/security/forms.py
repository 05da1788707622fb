"""What browsers send: bounded in size and time, and from our own pages only."""

import asyncio
import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST = 8 * 2**20
"""Bytes of one request: a workbook of the catalogue, or a picture."""
SLOWEST_S = 30.0
MOST_FIELDS = 8_000
"""Of one form: a decision table has a field a cell."""
TOKEN_FIELD = "csrf"  # noqa: S105 - the field's name
TOKEN_HEADER = "x-csrf-token"  # noqa: S105
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class LimitedBody:
    """Counts what comes in, whatever its length was said to be."""

    def __init__(self, app: ASGIApp, largest: int = LARGEST) -> None:
        self._app = app
        self._largest = largest

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        came = 0

        async def limited() -> Message:
            nonlocal came
            message = await receive()
            came += len(message.get("body", b""))
            if came > self._largest:
                raise HTTPException(413)
            return message

        await self._app(scope, limited, send)


async def read_form(request: Request) -> FormData:
    """Read once, kept by the request. Raises `HTTPException`."""
    try:
        async with asyncio.timeout(SLOWEST_S):
            return await request.form(max_files=20, max_fields=MOST_FIELDS)
    except TimeoutError:
        raise HTTPException(408) from None
    except (MultiPartException, ClientDisconnect, UnicodeDecodeError):
        raise HTTPException(400) from None


def token_of(session_number: str) -> str:
    """What every form of a session carries. Whoever reads our tables cannot make it: the number is not there."""
    return hmac.new(session_number.encode(), b"forms of the console", hashlib.sha256).hexdigest()


async def is_from_our_page(request: Request, session_number: str, our_url: str) -> bool:
    """Of a request that changes something: sent by a page of ours to this session. Both are asked: where the browser
    says it comes from, and the session's token, in the header by scripts and in a field by plain forms."""
    if not says_our_origin(request, our_url):
        return False
    given = request.headers.get(TOKEN_HEADER)
    if given is None:
        field = (await read_form(request)).get(TOKEN_FIELD)
        given = field if isinstance(field, str) else ""
    return hmac.compare_digest(given.encode(), token_of(session_number).encode())


def says_our_origin(request: Request, our_url: str) -> bool:
    """A browser names the page that sends a form; what names none is no browser, and has no cookie to abuse."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = request.headers.get("origin")
    if origin is None:
        return True
    return origin == our_url or _is_this_host(request, origin)


def _is_this_host(request: Request, origin: str) -> bool:
    """127.0.0.1 and localhost are one machine; which hosts we answer to is bounded elsewhere."""
    return urlsplit(origin).netloc == request.headers.get("host")


def own_path(wanted: str) -> str:
    """Where to go on after signing in: a path of ours, or the first page. No other site, however it is written."""
    if not wanted.startswith("/") or wanted.startswith(("//", "/\\")) or "\\" in wanted:
        return "/"
    if any(ord(c) < 0x20 or ord(c) == 0x7F for c in wanted):
        return "/"
    parts = urlsplit(wanted)
    return "/" if parts.scheme or parts.netloc else wanted[:2_000]
