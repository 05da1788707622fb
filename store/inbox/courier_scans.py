"""Courier scans: all of them, whether or not they change a state (R33)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from domain.trust.card_numbers import masked
from store.pool import Connection, Pool, clean

# Scans, once per waybill and key.
ADD = """
INSERT INTO courier_traces (waybill_no, key, source, at, status, text, place)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
    AS u (waybill_no, key, source, at, status, text, place)
ORDER BY u.waybill_no, u.key
ON CONFLICT DO NOTHING"""

# Newest first.
LIST = """
SELECT waybill_no, key, source, at, status, text, place FROM courier_traces
WHERE waybill_no = $1 ORDER BY at DESC, key LIMIT $2"""


class ScanRead(Protocol):
    """One scan as a courier's connector read it. `key` tells scans of one waybill apart."""

    @property
    def waybill_no(self) -> str: ...
    @property
    def key(self) -> str: ...
    @property
    def at(self) -> datetime: ...
    @property
    def status(self) -> str: ...
    @property
    def text(self) -> str: ...
    @property
    def place(self) -> str: ...


@dataclass(frozen=True)
class StoredScan:
    """One scan as stored."""

    waybill_no: str
    key: str
    source: str
    at: datetime
    status: str
    text: str
    place: str = ""


class TraceStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def add_many(self, source: str, scans: Sequence[ScanRead]) -> None:
        """Known ones do nothing."""
        async with self._pool.acquire() as connection:
            await add_traces(connection, [(source, scan) for scan in scans])

    async def list(self, waybill_no: str, limit: int = 500) -> tuple[StoredScan, ...]:
        """Newest first."""
        return tuple(StoredScan(**row) for row in await self._pool.fetch(LIST, waybill_no, limit))


async def add_traces(connection: Connection, traces: Sequence[tuple[str, ScanRead]]) -> None:
    """Scans with their sources, inside a transaction."""
    if traces:
        await connection.execute(
            ADD,
            [clean(t.waybill_no) for _, t in traces],
            [clean(t.key) for _, t in traces],
            [source for source, _ in traces],
            [t.at for _, t in traces],
            [clean(t.status) for _, t in traces],
            [masked(clean(t.text), {t.waybill_no}) for _, t in traces],
            [clean(t.place) for _, t in traces],
        )
