"""What changes in the books is told to open pages: one connection that listens, a process; a queue a page."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import asyncpg
import structlog

log = structlog.get_logger("oms.console")
CHANNEL = "oms_console"
"""As the triggers of the migrations name it: `order NO`, or the name of a table."""
AGAIN_S = 2.0
MOST_WAITING = 200
"""Of one page; what comes on top is told as one `everything`."""
EVERYTHING = "everything"


class LiveHub:
    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._pages: set[asyncio.Queue[str | None]] = set()
        self._closed = False

    async def run(self) -> None:
        """Until cancelled. A lost connection is made anew; whoever looks is told that anything may have changed."""
        while True:
            try:
                await self._listen()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as why:
                log.warning("live updates pause", error=type(why).__name__)
            await asyncio.sleep(AGAIN_S)

    async def _listen(self) -> None:
        connection = await asyncpg.connect(self._url, timeout=10, server_settings={"application_name": "console-live"})
        lost = asyncio.Event()
        try:
            connection.add_termination_listener(lambda _connection: lost.set())
            await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, said: self.tell(str(said)))
            self.tell(EVERYTHING)
            await lost.wait()
        finally:
            with contextlib.suppress(OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await connection.close(timeout=2)

    def tell(self, what: str) -> None:
        for page in self._pages:
            if page.qsize() < MOST_WAITING:
                page.put_nowait(what)

    def close(self) -> None:
        """Ends the streams, so that the process can."""
        self._closed = True
        for page in self._pages:
            page.put_nowait(None)

    @contextlib.asynccontextmanager
    async def page(self) -> AsyncIterator[asyncio.Queue[str | None]]:
        """What is told while a page is open; None: this process ends."""
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        self._pages.add(queue)
        try:
            if self._closed:
                queue.put_nowait(None)
            yield queue
        finally:
            self._pages.discard(queue)
