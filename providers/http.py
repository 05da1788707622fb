"""One HTTP call to an outside system: the exact bytes out, the exact bytes back, every transport fault typed.

    reply = await send(http, "qimen", "POST", url, headers=..., content=signed_bytes)
    raise_for_outage("qimen", reply)        # optional: 429 and 5xx, for systems without codes of their own

Providers that subclass the error tree pass their own classes in `Faults`.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass

import httpx

from providers.errors import Unavailable, UnknownOutcome

TIMEOUT = httpx.Timeout(connect=3.0, read=10.0, write=10.0, pool=3.0)
DEADLINE_S = 20.0
"""The whole call; the read time-out alone would never end against a server that drips one byte at a time."""
MAX_REPLY_BYTES = 4_000_000


@dataclass(frozen=True)
class Reply:
    """A complete HTTP reply of any status. `headers` names are lower case; `body` is decompressed, else untouched."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Faults:
    """The error classes to raise: `not_sent` when nothing reached the system, `unknown` when something may have."""

    not_sent: type[Unavailable] = Unavailable
    unknown: type[UnknownOutcome] = UnknownOutcome


PLAIN = Faults()


async def send(
    http: httpx.AsyncClient,
    system: str,
    method: str,
    url: str | httpx.URL,
    *,
    headers: Mapping[str, str] | None = None,
    content: bytes = b"",
    deadline_s: float = DEADLINE_S,
    faults: Faults = PLAIN,
) -> Reply:
    """Send once, never retry, never follow a redirect. Returns any complete reply, error statuses included.

    Raises `faults.not_sent` when no byte of the request can have been read (refused, no route, connect time-out), and
    `faults.unknown` for everything after that: time-out, reset, broken framing, a reply above `MAX_REPLY_BYTES`.
    """
    request = http.build_request(method, url, headers=headers, content=content, timeout=TIMEOUT)
    try:
        async with asyncio.timeout(deadline_s):
            return await _exchange(http, system, request, faults)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError) as e:
        raise faults.not_sent(system, _word(e), "no connection, so nothing was sent") from e
    except (httpx.UnsupportedProtocol, httpx.LocalProtocolError) as e:
        raise faults.not_sent(system, _word(e), "the request could not be built; check the address setting") from e
    except TimeoutError as e:
        raise faults.unknown(system, "DeadlinePassed", f"no complete reply within {deadline_s:g} s") from e
    except httpx.RequestError as e:
        raise faults.unknown(system, _word(e), "the connection failed after the request may have arrived") from e


async def _exchange(http: httpx.AsyncClient, system: str, request: httpx.Request, faults: Faults) -> Reply:
    response = await http.send(request, stream=True, follow_redirects=False)
    try:
        parts: list[bytes] = []
        size = 0
        async for part in response.aiter_bytes():
            size += len(part)
            if size > MAX_REPLY_BYTES:
                raise faults.unknown(system, "ReplyTooLarge", f"the reply is longer than {MAX_REPLY_BYTES} bytes")
            parts.append(part)
    finally:
        await response.aclose()
    headers = {name.lower(): value for name, value in response.headers.items()}
    return Reply(response.status_code, headers, b"".join(parts))


async def download(
    http: httpx.AsyncClient,
    system: str,
    url: str | httpx.URL,
    *,
    headers: Mapping[str, str] | None = None,
    most_bytes: int,
    deadline_s: float,
) -> AsyncIterator[bytes]:
    """A file, part by part as it comes, never redirected. Raises as `send` does, and `UnknownOutcome` for another
    status than 200 and for more than `most_bytes`."""
    request = http.build_request("GET", url, headers=headers, timeout=TIMEOUT)
    try:
        async with asyncio.timeout(deadline_s):
            response = await http.send(request, stream=True, follow_redirects=False)
            try:
                if response.status_code != 200:
                    raise UnknownOutcome(system, f"HTTP {response.status_code}", "the file is not given")
                size = 0
                async for part in response.aiter_bytes():
                    size += len(part)
                    if size > most_bytes:
                        raise UnknownOutcome(system, "ReplyTooLarge", f"the file is longer than {most_bytes} bytes")
                    yield part
            finally:
                await response.aclose()
    except TimeoutError as e:
        raise UnknownOutcome(system, "DeadlinePassed", f"the file was not here within {deadline_s:g} s") from e
    except httpx.RequestError as e:
        raise Unavailable(system, _word(e), "the file could not be fetched") from e


def raise_for_outage(system: str, reply: Reply, faults: Faults = PLAIN) -> None:
    """429 → `not_sent` with Retry-After; any 5xx → `unknown` (the system may have worked before it failed)."""
    if reply.status == 429:
        wait_s = retry_after_s(reply)
        raise faults.not_sent(system, "HTTP 429", "too many calls", retry_after_s=wait_s)
    if reply.status >= 500:
        raise faults.unknown(system, f"HTTP {reply.status}", "the system failed; query before repeating")


def retry_after_s(reply: Reply) -> float | None:
    """`Retry-After` in seconds, at most one hour; dates and nonsense are ignored."""
    text = reply.headers.get("retry-after", "")
    return min(float(text), 3600.0) if text.isascii() and text.isdigit() and len(text) < 8 else None


def _word(error: Exception) -> str:
    return type(error).__name__
