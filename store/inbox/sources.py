"""Sources of callbacks: which there are, what people have decided about them, and when they were last heard."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.access.callback_sources import SetSource
from domain.records import AuditEntry
from store.audit.audit import append_entry
from store.errors import ChangeRefused
from store.pool import Connection, Pool

STARTED = """
INSERT INTO callback_sources (source, configured, started_at) VALUES ($1, $2, $3)
ON CONFLICT (source) DO UPDATE SET configured = excluded.configured, started_at = excluded.started_at"""

RULES = "SELECT source, enabled, allow FROM source_rules"

SET = """
INSERT INTO source_rules (source, enabled, allow, changed_by, approved_by, changed_at)
VALUES ($1, $2, coalesce($3::text[], '{}'), $4, $5, $6)
ON CONFLICT (source) DO UPDATE SET enabled = excluded.enabled, allow = coalesce($3::text[], source_rules.allow),
    changed_by = excluded.changed_by, approved_by = excluded.approved_by, changed_at = excluded.changed_at"""

# Refusals have no index by source: only so far back.
REFUSED_WITHIN = timedelta(days=7)
LIST = """
SELECT s.source, s.configured, s.started_at, coalesce(r.enabled, true) AS enabled, coalesce(r.allow, '{}') AS allow,
    r.changed_by, r.approved_by, r.changed_at,
    (SELECT i.received_at FROM inbox i WHERE i.source = s.source ORDER BY i.id DESC LIMIT 1) AS heard_at,
    f.at AS refused_at, f.reason AS refused_because
FROM callback_sources s LEFT JOIN source_rules r USING (source)
LEFT JOIN LATERAL (SELECT x.at, x.reason FROM inbox_refusals x WHERE x.source = s.source AND x.at >= $1
    ORDER BY x.at DESC LIMIT 1) f ON true
ORDER BY s.source"""

KNOWN = "SELECT EXISTS (SELECT FROM callback_sources WHERE source = $1)"
NOW = "SELECT enabled, allow FROM source_rules WHERE source = $1"


@dataclass(frozen=True)
class SourceRule:
    """`allow`: networks; none: as the relay's settings have it."""

    enabled: bool
    allow: tuple[str, ...]


@dataclass(frozen=True)
class SourceRow:
    """`configured`: networks of the relay's settings; `heard_at`: of its last message that was believed."""

    source: str
    configured: tuple[str, ...]
    started_at: datetime
    enabled: bool
    allow: tuple[str, ...]
    changed_by: str | None
    approved_by: str | None
    changed_at: datetime | None
    heard_at: datetime | None
    refused_at: datetime | None
    refused_because: str | None


class SourceStore:
    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def started(self, sources: Mapping[str, Sequence[str]], at: datetime) -> None:
        """By a relay, with the networks of its settings."""
        async with self._pool.acquire() as connection, connection.transaction():
            for source, networks in sorted(sources.items()):
                await connection.execute(STARTED, source, list(networks), at)

    async def rules(self) -> dict[str, SourceRule]:
        rows = await self._pool.fetch(RULES)
        return {row["source"]: SourceRule(row["enabled"], tuple(row["allow"])) for row in rows}

    async def list(self, now: datetime) -> tuple[SourceRow, ...]:
        rows = await self._pool.fetch(LIST, now - REFUSED_WITHIN)
        return tuple(
            SourceRow(**{**row, "configured": tuple(row["configured"]), "allow": tuple(row["allow"])}) for row in rows
        )


async def set_source(connection: Connection, change: SetSource, by: str, approved_by: str | None, at: datetime) -> None:
    """Inside a transaction. One that is stopped keeps its networks. Raises `ChangeRefused`."""
    if not await connection.fetchval(KNOWN, change.source):
        raise ChangeRefused(f"no relay has a source of callbacks called {change.source}; nothing was changed")
    now = await connection.fetchrow(NOW, change.source)
    was = SourceRule(now["enabled"], tuple(now["allow"])) if now else SourceRule(True, ())
    if was == SourceRule(change.enabled, change.allow if change.enabled else was.allow):
        raise ChangeRefused(f"that is how {change.source} is already; nothing was changed")
    allow = list(change.allow) if change.enabled else None
    await connection.execute(SET, change.source, change.enabled, allow, by, approved_by, at)
    detail = {"source": change.source, "enabled": change.enabled, "allow": list(change.allow)}
    if approved_by is not None:
        detail["approved_by"] = approved_by
    await append_entry(connection, AuditEntry(actor=by, action="source.changed", detail=detail), at)
