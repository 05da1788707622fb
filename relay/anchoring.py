"""Ties the audit down: its last row is written, signed, to a file outside the database whenever there is a new one."""

import asyncio
from contextlib import suppress

import structlog

from relay.settle import Clock
from store.audit import AuditHead, AuditStore
from store.audit_anchor import AnchorFile

log = structlog.get_logger("relay")


class Anchoring:
    """Every relay may have one: two anchors of the same row do no harm. A full disk is logged and tried again."""

    def __init__(self, audit: AuditStore, file: AnchorFile, clock: Clock, *, every_s: float) -> None:
        self._audit = audit
        self._file = file
        self._clock = clock
        self._every_s = every_s
        self._last: AuditHead | None = None
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.create_task(self._run(), name="audit anchor")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    async def _run(self) -> None:
        while True:
            try:
                await self.look()
            except Exception as failure:
                log.error("unable to anchor the audit", error=repr(failure)[:200])
            await asyncio.sleep(self._every_s)

    async def look(self) -> None:
        """One line when the audit has grown since the last one."""
        head = await self._audit.head()
        if head is None or head == self._last:
            return
        await asyncio.to_thread(self._file.append, head, self._clock())
        self._last = head
