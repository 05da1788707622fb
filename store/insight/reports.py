"""Versions of reports: kept as they were built, with the orders behind their numbers."""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from domain.insight.parameters import InsightParameters
from domain.insight.periods import month, month_before
from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.insight.reading import read_parameters
from store.pool import Connection, Pool

ReportKind = Literal["health", "weekly"]
LONGEST_S = 60

LOCK = "SELECT pg_advisory_xact_lock(hashtext('insight ' || $1 || ' ' || $2))"
NEWEST = """
SELECT version, content_hash, content, built_at FROM insight_reports
WHERE kind = $1 AND period = $2 AND version = coalesce($3, version) ORDER BY version DESC LIMIT 1"""
KEEP = """
INSERT INTO insight_reports (kind, period, version, content, content_hash, built_at) VALUES ($1, $2, $3, $4, $5, $6)"""
VERSIONS = "SELECT version, built_at FROM insight_reports WHERE kind = $1 AND period = $2 ORDER BY version DESC"
PERIODS = """
SELECT DISTINCT ON (period) period, version, built_at FROM insight_reports WHERE kind = $1
ORDER BY period DESC, version DESC LIMIT $2"""
ORDERS = """
SELECT order_no, flags FROM insight_report_orders
WHERE kind = $1 AND period = $2 AND version = $3 AND $4 = ANY (flags) AND order_no > $5 ORDER BY order_no LIMIT $6"""
PUT = "INSERT INTO insight_parameters (version, parameters, put_by, put_at) VALUES ($1, $2, $3, $4)"


@dataclass(frozen=True)
class KeptReport:
    """`text`: the content as JSON, the same for the same facts. `new`: this building made the version."""

    kind: str
    period: str
    version: int
    built_at: datetime
    text: str
    new: bool = False


@dataclass(frozen=True)
class ReportOrders:
    """`next`: to go on after; None: that was all."""

    orders: tuple[str, ...]
    next: str | None


class ReportStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def keep(
        self, kind: ReportKind, period: str, text: str, orders: Iterable[tuple[str, Collection[str]]], at: datetime
    ) -> KeptReport:
        """The version that says so: the newest one if it does, else a new one. `orders`: number and flags."""
        content_hash = hashlib.sha256(text.encode()).hexdigest()
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(f"SET LOCAL statement_timeout = '{LONGEST_S}s'")
            await connection.execute(LOCK, kind, period)
            newest = await connection.fetchrow(NEWEST, kind, period, None)
            if newest is not None and newest["content_hash"] == content_hash:
                return KeptReport(kind, period, newest["version"], newest["built_at"], text)
            version = 1 if newest is None else newest["version"] + 1
            await connection.execute(KEEP, kind, period, version, text, content_hash, at)
            await connection.copy_records_to_table(
                "insight_report_orders",
                records=((kind, period, version, order_no, sorted(flags)) for order_no, flags in orders),
                columns=("kind", "period", "version", "order_no", "flags"),
                timeout=LONGEST_S,
            )
            return KeptReport(kind, period, version, at, text, new=True)

    async def read(self, kind: ReportKind, period: str, version: int | None = None) -> KeptReport | None:
        """None: no such version, or none at all. Without `version` the newest."""
        row = await self._pool.fetchrow(NEWEST, kind, period, version)
        return None if row is None else KeptReport(kind, period, row["version"], row["built_at"], row["content"])

    async def versions(self, kind: ReportKind, period: str) -> tuple[tuple[int, datetime], ...]:
        """Newest first."""
        return tuple((row["version"], row["built_at"]) for row in await self._pool.fetch(VERSIONS, kind, period))

    async def periods(self, kind: ReportKind, most: int = 36) -> tuple[str, ...]:
        """That have a report, newest first."""
        return tuple(row["period"] for row in await self._pool.fetch(PERIODS, kind, most))

    async def orders(
        self, kind: ReportKind, period: str, version: int, flag: str, after: str = "", most: int = 100
    ) -> ReportOrders:
        """The orders behind a number, by number."""
        rows = await self._pool.fetch(ORDERS, kind, period, version, flag, after, most + 1)
        found = tuple(row["order_no"] for row in rows[:most])
        return ReportOrders(found, found[-1] if len(rows) > most else None)

    async def put_parameters(self, parameters: InsightParameters, by: str, at: datetime) -> int:
        """The version that they are from now on; the same again adds none."""
        async with self._pool.acquire() as connection, connection.transaction():
            await connection.execute(LOCK, "parameters", "")
            return await _put(connection, parameters, by, at)


async def newest_and_before(pool: Pool) -> tuple[KeptReport | None, KeptReport | None]:
    """The health report of the newest month that has one, and that of the month before it."""
    reports = ReportStore(pool)
    months = await reports.periods("health", 1)
    if not months:
        return None, None
    before = month_before(month(months[0]).since).name
    return await reports.read("health", months[0]), await reports.read("health", before)


async def _put(connection: Connection, parameters: InsightParameters, by: str, at: datetime) -> int:
    before = await read_parameters(connection)
    if parameters.model_copy(update={"version": before.version}) == before:
        return before.version
    kept = parameters.model_copy(update={"version": before.version + 1})
    await connection.execute(PUT, kept.version, kept.model_dump(mode="json"), by, at)
    detail = {"version": kept.version}
    await append_entry(connection, AuditEntry(actor=by, action="insight.set", detail=detail), at)
    return kept.version
