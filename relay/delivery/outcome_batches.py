"""Outcomes of rows, many in one transaction: each method here is a micro-batch that returns after the commit."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from datetime import datetime
from typing import TypeVar

from domain.records import EventRecord
from relay.micro_batch import Batch
from store.inbox.inbox import InboxStore

K = TypeVar("K")
V = TypeVar("V")
Noted = tuple[int, str]
"""Row id and note."""
MARK_S = 0.2
"""Nobody waits for the mark that a row was signalled; a row that lost it is signalled again, and its order dedupes."""


class OutcomeBatches:
    """`delivered`: row ids; `parked` and `dead`: row id and note; `later`: row id, when to try again, note;
    `stale`: order number, time, events."""

    def __init__(self, inbox: InboxStore) -> None:
        self._inbox = inbox
        self.delivered: Batch[int, None] = Batch(self._delivered, linger_s=MARK_S)
        self.parked: Batch[Noted, None] = Batch(self._noting(inbox.park))
        self.dead: Batch[Noted, None] = Batch(self._noting(inbox.dead))
        self.later: Batch[tuple[int, datetime, str], None] = Batch(self._later)
        self.stale: Batch[tuple[str, datetime, list[EventRecord]], None] = Batch(self._stale)

    def start(self) -> None:
        for batch in (self.delivered, self.parked, self.dead, self.later, self.stale):
            batch.start()

    async def stop(self) -> None:
        for batch in (self.delivered, self.parked, self.dead, self.later, self.stale):
            await batch.stop()

    async def _delivered(self, ids: Sequence[int]) -> Sequence[None]:
        await self._inbox.mark_delivered(ids)
        return [None] * len(ids)

    def _noting(
        self, write: Callable[[Sequence[int], str], Awaitable[None]]
    ) -> Callable[[Sequence[Noted]], Awaitable[Sequence[None]]]:
        async def noting(rows: Sequence[Noted]) -> Sequence[None]:
            for note, ids in _grouped((note, row_id) for row_id, note in rows).items():
                await write(ids, note)
            return [None] * len(rows)

        return noting

    async def _later(self, rows: Sequence[tuple[int, datetime, str]]) -> Sequence[None]:
        for note, tries in _grouped((note, (row_id, at)) for row_id, at, note in rows).items():
            await self._inbox.retry_later([row_id for row_id, _ in tries], max(at for _, at in tries), note)
        return [None] * len(rows)

    async def _stale(self, rows: Sequence[tuple[str, datetime, list[EventRecord]]]) -> Sequence[None]:
        by_order = _grouped((order_no, (at, events)) for order_no, at, events in rows)
        told = [
            (order_no, max(at for at, _ in some), [event for _, events in some for event in events])
            for order_no, some in by_order.items()
        ]
        await self._inbox.finish_outside(told)
        return [None] * len(rows)


def _grouped(pairs: Iterable[tuple[K, V]]) -> dict[K, list[V]]:
    groups: dict[K, list[V]] = {}
    for key, value in pairs:
        groups.setdefault(key, []).append(value)
    return groups
