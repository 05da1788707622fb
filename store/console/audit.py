"""The audit for those who look through it: newest first, by person, kind, order and day, within one's shops."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from store.audit.audit import AuditRow
from store.console.scopes import SEEN, seen_by
from store.console.sessions import PersonScope
from store.pool import Pool

SHANGHAI = ZoneInfo("Asia/Shanghai")
NEWEST = 2**62
LIST = f"""
SELECT a.id, a.at, a.actor, a.action, a.order_no, a.detail FROM audit a LEFT JOIN orders o USING (order_no)
WHERE a.id < $3 AND ($4::text IS NULL OR a.actor = $4) AND ($5::text IS NULL OR split_part(a.action, '.', 1) = $5)
    AND ($6::text IS NULL OR a.order_no = $6) AND ($7::timestamptz IS NULL OR (a.at >= $7 AND a.at < $8)) AND {SEEN}
ORDER BY a.id DESC LIMIT $9"""  # noqa: S608 - our own words


@dataclass(frozen=True)
class AuditFilter:
    """`kind`: how an action begins, before the dot. `day`: of Shanghai."""

    actor: str | None = None
    kind: str | None = None
    order_no: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class AuditPage:
    rows: tuple[AuditRow, ...]
    next: str | None


class AuditPages:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def page(self, scope: PersonScope, wanted: AuditFilter, limit: int, before: int | None = None) -> AuditPage:
        """`before`: the last id of the page before this one."""
        begin = end = None
        if wanted.day is not None:
            begin = datetime(wanted.day.year, wanted.day.month, wanted.day.day, tzinfo=SHANGHAI)
            end = begin + timedelta(days=1)
        rows = await self._pool.fetch(
            LIST, *seen_by(scope), before or NEWEST, wanted.actor, wanted.kind, wanted.order_no, begin, end, limit + 1
        )
        found = tuple(AuditRow(**row) for row in rows[:limit])
        return AuditPage(found, str(found[-1].id) if len(rows) > limit else None)
