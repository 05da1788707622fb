"""Work beside the requests: a look at the books, again and again, for as long as the relay runs."""

import asyncio
from abc import ABC, abstractmethod
from contextlib import suppress

import structlog

log = structlog.get_logger("relay")


class Watch(ABC):
    """`name`: what it is about, for logs and tasks. A look that fails is logged and made again; the database may be
    away."""

    def __init__(self, name: str, every_s: float) -> None:
        self._name = name
        self._every_s = every_s
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name=self._name)

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    @abstractmethod
    async def look(self) -> object:
        """Once around. Safe to repeat, and safe beside another relay's."""

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as failure:
                log.error("unable to look after", what=self._name, error=repr(failure)[:200])
            await asyncio.sleep(self._every_s)
