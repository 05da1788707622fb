"""Reading a request body within limits, before anybody believes anything about it."""

import asyncio

from starlette.requests import ClientDisconnect, Request

from relay.inbound.limits import Limits

DRAIN_S = 1.0


class BodyRefused(Exception):
    """The body cannot be taken. `status` is the HTTP answer, `reason` one word for counting."""

    def __init__(self, status: int, reason: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.reason = reason
        self.text = text


async def read_body(request: Request, limits: Limits, most: int | None = None) -> bytes:
    """The raw bytes. `most`: bytes that the source may send, where its page says so.

    Raises `BodyRefused`: 415 compressed, 413 too large, 408 too slow, 400 cut short."""
    coding = request.headers.get("content-encoding", "identity").strip().lower()
    if coding not in ("", "identity"):
        # Signatures are over the plain bytes, and none of our sources compresses: a gzip bomb is never opened.
        raise BodyRefused(415, "encoded", "send the body without content-encoding")
    most = limits.body if most is None else most
    declared = request.headers.get("content-length", "0")
    if declared.isascii() and declared.isdigit() and int(declared[:19]) > most:
        await _drain(request)
        raise _too_large(most)
    try:
        async with asyncio.timeout(limits.body_s):
            return await _collect(request, most)
    except TimeoutError:
        raise BodyRefused(408, "slow", f"the body was not complete after {limits.body_s:g} s") from None
    except ClientDisconnect:
        raise BodyRefused(400, "cut", "the connection closed inside the body") from None


async def _collect(request: Request, most: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > most:
            await _drain(request)
            raise _too_large(most)
        parts.append(part)
    return b"".join(parts)


async def _drain(request: Request) -> None:
    """Swallow the rest for a moment: closing on unread bytes resets the connection, and the answer would be lost."""
    if request.headers.get("expect"):
        return
    try:
        async with asyncio.timeout(DRAIN_S):
            while (await request.receive()).get("more_body"):
                pass
    except TimeoutError:
        pass


def _too_large(most: int) -> BodyRefused:
    return BodyRefused(413, "too_large", f"the body has more than {most} bytes")
