"""The audit only grows, and shows when somebody has reached past that."""

import asyncio

import asyncpg
import pytest

from domain.records import AuditEntry
from store.audit.audit import AuditStore
from store.pool import Pool
from tests.store.examples import NOW


def entry(n: int) -> AuditEntry:
    return AuditEntry(actor="ops", action="stock.receive", detail={"n": n, "名": "王"})


async def test_entries_appended_at_once_make_one_whole_chain(pool: Pool) -> None:
    audit = AuditStore(pool)
    await asyncio.gather(*(audit.append(entry(n), NOW) for n in range(40)))
    head = await audit.head()
    assert head is not None and head.id == 40
    assert await audit.broken_at() is None


@pytest.mark.parametrize(
    ("meddling", "broken"),
    [
        ("UPDATE audit SET actor = 'nobody' WHERE id = 3", 3),
        ("UPDATE audit SET detail = '{}' WHERE id = 3", 3),
        ("DELETE FROM audit WHERE id = 3", 4),
        ("DELETE FROM audit WHERE id = 1", 2),
    ],
)
async def test_a_changed_or_missing_row_shows(pool: Pool, meddling: str, broken: int) -> None:
    audit = AuditStore(pool)
    for n in range(5):
        await audit.append(entry(n), NOW)
    await pool.execute("ALTER TABLE audit DISABLE TRIGGER audit_only_grows")
    await pool.execute(meddling)
    assert await audit.broken_at() == broken


async def test_an_entry_has_an_actor(pool: Pool) -> None:
    with pytest.raises(asyncpg.CheckViolationError):
        await AuditStore(pool).append(AuditEntry(actor="", action="x"), NOW)


async def test_entries_are_listed_newest_first_by_order_and_actor(pool: Pool) -> None:
    audit = AuditStore(pool)
    for n in range(3):
        await audit.append(entry(n), NOW, order_no="SO20261120" if n else None)
    assert [row.detail["n"] for row in await audit.list()] == [2, 1, 0]
    assert [row.detail["n"] for row in await audit.list(order_no="SO20261120", before=3)] == [1]
    assert await audit.list(actor="nobody") == ()
