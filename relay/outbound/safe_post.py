"""One POST to an address that a person typed in: checked, connected to exactly what was checked, little read (SSRF).

The host name is resolved once an attempt. Every address it stands for is checked, and the connection goes to one of
these, so a name that answers differently the next moment leads nowhere. No redirects, cookies, proxies or reuse.
"""

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx

from domain.clock import Clock
from domain.outbound.webhook_target import Address, Reach, TargetRefused, WebhookTarget, admit, read_target

MOST_READ = 64 * 1024
"""Bytes of an answer. Nothing in it matters but the status; what is short is read so that its sender sees no reset."""
DRAIN_S = 2.0
CONNECT_S = 5.0
MOST_ADDRESSES = 3
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]


@dataclass(frozen=True)
class PostAnswer:
    """`retry_after_s`: what the receiver asked for, None if nothing readable."""

    status: int
    retry_after_s: float | None = None


class NoReply(Exception):
    """`outcome`: one word for counting. The text never repeats the address: its path may hold a token."""

    def __init__(self, outcome: str, text: str) -> None:
        super().__init__(text)
        self.outcome = outcome


class Poster:
    """`tls`: trust of another than the public authorities; `resolve`: host and port to addresses."""

    def __init__(
        self,
        reach: Reach,
        *,
        deadline_s: float,
        clock: Clock,
        resolve: Resolve | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._reach = reach
        self._deadline_s = deadline_s
        self._clock = clock
        # A name server that hangs must not hold up what else the process does in threads.
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="resolve")
        self._resolve = resolve or self._ask_the_system
        # A kept connection would have been verified for the name that opened it, not for the next one at its address.
        alone = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        # The transport itself, not a client: a client would keep cookies of one receiver for another.
        self._http = httpx.AsyncHTTPTransport(verify=tls or True, limits=alone, retries=0)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes) -> PostAnswer:
        """Raises `NoReply` unless a status came in time."""
        try:
            async with asyncio.timeout(self._deadline_s):
                target = read_target(url, self._reach)
                return await self._send(target, await self._checked(target), headers, body)
        except TargetRefused as why:
            raise NoReply("unsafe", str(why)) from None
        except (TimeoutError, httpx.TimeoutException):
            raise NoReply("timeout", f"no answer within {self._deadline_s:g} s") from None
        except httpx.ConnectError as failure:
            raise NoReply("unreachable", f"no connection: {_reason(failure)}") from None
        except httpx.RequestError as failure:
            raise NoReply("broken off", f"the connection failed: {type(failure).__name__}") from None

    async def close(self) -> None:
        await self._http.aclose()
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _checked(self, target: WebhookTarget) -> list[Address]:
        try:
            names = await self._resolve(target.host, target.port)
        except OSError:
            raise NoReply("unreachable", f"{target.host} cannot be resolved") from None
        if not names:
            raise NoReply("unreachable", f"{target.host} stands for no address")
        # All of them: a name that stands for a public and for one of our addresses is not a mistake.
        return [admit(target, name, self._reach) for name in names]

    async def _send(
        self, target: WebhookTarget, addresses: Sequence[Address], headers: Mapping[str, str], body: bytes
    ) -> PostAnswer:
        last: httpx.TransportError | None = None
        for address in addresses[:MOST_ADDRESSES]:
            try:
                response = await self._http.handle_async_request(_request(target, address, headers, body))
            except (httpx.ConnectError, httpx.ConnectTimeout) as failure:
                last = failure  # nothing was sent, so the next address is no second delivery
                continue
            try:
                await _drain(response)
            finally:
                await response.aclose()
            return PostAnswer(response.status_code, self._retry_after_s(response))
        raise last or httpx.ConnectError("no address")

    def _retry_after_s(self, response: httpx.Response) -> float | None:
        text = response.headers.get("retry-after", "").strip()
        if text.isascii() and text.isdigit() and len(text) < 10:
            return float(text)
        try:
            until = parsedate_to_datetime(text)
        except ValueError:
            return None
        until = until if until.tzinfo else until.replace(tzinfo=UTC)
        return max((until - self._clock()).total_seconds(), 0.0)

    async def _ask_the_system(self, host: str, port: int) -> Sequence[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        )
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def _request(target: WebhookTarget, address: Address, headers: Mapping[str, str], body: bytes) -> httpx.Request:
    scheme = "https" if target.tls else "http"
    url = httpx.URL(scheme=scheme, host=str(address), port=target.port, raw_path=target.path.encode("ascii"))
    waits = {"connect": CONNECT_S, "read": None, "write": None, "pool": None}  # the deadline bounds the rest
    return httpx.Request(
        "POST",
        url,
        headers={**headers, "host": target.authority, "connection": "close"},
        content=body,
        # The certificate has to be the name's, though the connection goes to its address.
        extensions={"timeout": waits, "sni_hostname": target.host},
    )


async def _drain(response: httpx.Response) -> None:
    """Whatever happens in here, the answer has been given with the status."""
    size = 0
    with suppress(httpx.HTTPError, httpx.StreamError, TimeoutError):
        async with asyncio.timeout(DRAIN_S):
            async for part in response.aiter_raw():
                size += len(part)
                if size >= MOST_READ:
                    return


def _reason(failure: Exception) -> str:
    cause: BaseException | None = failure
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is refused ({cause.verify_message})"
        if isinstance(cause, OSError) and cause.strerror:
            return cause.strerror
        cause = cause.__cause__ or cause.__context__
    return type(failure).__name__
