"""An audit that grows, is meddled with, and is held against its anchors."""

from domain.records import AuditEntry
from store.audit.anchor import AnchorFile, ChainVerified, judge
from store.audit.audit import AuditStore
from store.pool import Pool
from tests.store.examples import NOW

KEY = b"k" * 32


async def grow(pool: Pool, rows: int) -> AuditStore:
    audit = AuditStore(pool)
    for n in range(rows):
        await audit.append(AuditEntry(actor="ops", action="stock.receive", detail={"n": n}), NOW)
    return audit


async def verified(audit: AuditStore, file: AnchorFile) -> ChainVerified:
    anchors, problems = file.read()
    hashes = await audit.hashes([a.seq for a in anchors])
    return judge(await audit.head(), await audit.broken_at(), anchors, hashes, problems)


async def meddle(pool: Pool, *statements: str) -> None:
    await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
    for statement in statements:
        await pool.execute(statement)
