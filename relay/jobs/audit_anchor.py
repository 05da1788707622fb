"""Ties the audit down: its last row is written, signed, to a file outside the database whenever there is a new one."""

import asyncio

from domain.clock import Clock
from relay.jobs.periodic import Watch
from store.audit.anchor import AnchorFile
from store.audit.audit import AuditHead, AuditStore


class Anchoring(Watch):
    """Every relay may have one: two anchors of the same row do no harm. A full disk is logged and tried again."""

    def __init__(self, audit: AuditStore, file: AnchorFile, clock: Clock, *, every_s: float) -> None:
        super().__init__("audit anchor", every_s)
        self._audit = audit
        self._file = file
        self._clock = clock
        self._last: AuditHead | None = None

    async def look(self) -> None:
        """One line when the audit has grown since the last one."""
        head = await self._audit.head()
        if head is None or head == self._last:
            return
        await asyncio.to_thread(self._file.append, head, self._clock())
        self._last = head
