"""The HTTP/1.1 protocol of uvicorn with the limits that it lacks: size of the headers, time to send them, and how many
connections may be open at all. For every door of ours: relay, codec server."""

import asyncio
from dataclasses import dataclass

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_TOO_LARGE = b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


@dataclass(frozen=True)
class HeadLimits:
    """Sizes in bytes, times in seconds."""

    head: int = 16_384
    """Request line and all headers together; more is answered 431."""
    head_s: float = 10.0
    """From the first byte (or the connection) to the end of the headers: uvicorn itself waits for ever."""
    keep_alive_s: float = 20.0
    connections: int = 1_000
    """Above these a request is answered 503; above twice as many a connection is closed without a word."""


class HeadTooLarge(Exception):
    """Raised inside the parser, which turns it into a failed parse; it never leaves this file."""


class BoundedHttp(HttpToolsProtocol):
    """One connection. Subclassed by `bounded` with the limits of one server."""

    limits = HeadLimits()
    _timer: asyncio.TimerHandle | None = None
    _awaiting_head = True
    _raw = 0
    _parsed = 0
    _head_too_large = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        if len(self.connections) > 2 * self.limits.connections:
            transport.abort()
            return
        self._arm(self.limits.head_s)

    def connection_lost(self, exc: Exception | None) -> None:
        self._disarm()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        awaited = self._awaiting_head
        super().data_received(data)
        if not awaited or not self._awaiting_head or self.transport.is_closing():
            return
        # An unfinished header line is not seen by the parser's callbacks, so its bytes are counted here.
        self._raw += len(data)
        if self._raw > self.limits.head:
            self._refuse_head()

    def on_message_begin(self) -> None:
        self._awaiting_head, self._raw, self._parsed = True, 0, 0
        self._arm(self.limits.head_s)
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value))
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._awaiting_head = False
        self._disarm()
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        # Blank lines between requests would otherwise hold a connection open for ever.
        self._arm(self.limits.keep_alive_s + self.limits.head_s)
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        if self._head_too_large:
            self._refuse_head()
        else:
            super().send_400_response(msg)

    def _count(self, size: int) -> None:
        self._parsed += size
        if self._parsed > self.limits.head:
            self._head_too_large = True
            raise HeadTooLarge

    def _refuse_head(self) -> None:
        self.transport.write(_TOO_LARGE)
        self.transport.close()

    def _arm(self, seconds: float) -> None:
        self._disarm()
        self._timer = self.loop.call_later(seconds, self.timeout_keep_alive_handler)

    def _disarm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None


def bounded(limits: HeadLimits) -> type[BoundedHttp]:
    """The protocol class to hand to `uvicorn.Config(http=…)`."""
    return type("BoundedHttp", (BoundedHttp,), {"limits": limits})
