"""Plain HTTP/1.1 over kept connections: a sender that measures must be lighter than what it measures.

A pool of a general client stalled for good after its first time-outs under load; here a connection that fails is thrown
away, and every request finds an idle one or opens its own.
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit


class NoAnswer(Exception):
    """The connection failed, or nothing came in time: the message may have arrived or not."""


@dataclass
class Line:
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter


class Lines:
    """To one server. `patience_s`: for one whole request."""

    def __init__(self, url: str, patience_s: float) -> None:
        parts = urlsplit(url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._patience_s = patience_s
        self._idle: list[Line] = []

    async def post(self, path: str, params: Mapping[str, str], headers: Mapping[str, str], body: bytes) -> int:
        """The status of the answer. Raises `NoAnswer`."""
        line: Line | None = None
        try:
            async with asyncio.timeout(self._patience_s):
                line = self._idle.pop() if self._idle else await self._open()
                line.writer.write(self._head(path, params, headers, len(body)) + body)
                status, stays = await _answer(line.reader)
        except (OSError, EOFError, ValueError, TimeoutError) as error:
            if line is not None:
                line.writer.close()
            raise NoAnswer(repr(error)) from None
        if stays:
            self._idle.append(line)
        else:
            line.writer.close()
        return status

    async def close(self) -> None:
        for line in self._idle:
            line.writer.close()
            with suppress(OSError):
                await line.writer.wait_closed()

    async def _open(self) -> Line:
        return Line(*await asyncio.open_connection(self._host, self._port))

    def _head(self, path: str, params: Mapping[str, str], headers: Mapping[str, str], length: int) -> bytes:
        query = f"?{urlencode(params)}" if params else ""
        told = {"host": f"{self._host}:{self._port}", "content-length": str(length), **headers}
        lines = [f"POST {path}{query} HTTP/1.1", *(f"{name}: {value}" for name, value in told.items()), "", ""]
        return "\r\n".join(lines).encode("latin-1")


async def _answer(reader: asyncio.StreamReader) -> tuple[int, bool]:
    """Status, and whether the connection stays. `asyncio.IncompleteReadError` is an `EOFError`."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
    fields = dict(line.split(":", 1) for line in head[1:] if ":" in line)
    await reader.readexactly(int(fields.get("content-length", "0")))
    return int(head[0].split(" ", 2)[1]), fields.get("connection", "").strip() != "close"
