"""Packages on their way to buyers: waybill numbers with their labels, and the children that each of them carries.

What the world says about numbers is never refused. The same number for another child within its lifetime is one package
for both, or a mis-scan: a person is told once.
"""

import base64
from collections.abc import Sequence
from datetime import datetime

from domain.records import ChildState, TicketRecord
from store.pool import Connection
from store.tickets.tickets import open_ticket

LIFETIME = "30 days"
"""As long a number means the same package; carriers use it again after months."""

# The label as soon as it is known.
KEEP = """
INSERT INTO parcels AS p (carrier, waybill_no, child_no, label_format, label, created_at, carried)
VALUES ($1, $2, $3, $4, $5, $6, $7)
ON CONFLICT (waybill_no, carrier, child_no) DO UPDATE SET
    label_format = coalesce(excluded.label_format, p.label_format), label = coalesce(excluded.label, p.label),
    carried = p.carried OR excluded.carried"""

# Which of these waybills are kept already, as this child's.
KEPT = """
SELECT p.waybill_no, p.carrier, p.child_no, u.carried FROM parcels p
JOIN unnest($1::text[], $2::text[], $3::text[], $4::bool[]) AS u (waybill_no, carrier, child_no, carried)
    USING (waybill_no, carrier, child_no) WHERE p.carried OR NOT u.carried"""

# Held to the end of the transaction: of two children told at once, the second sees the first.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 2))"

# The first two that have the number now. A child that was cancelled is in no package.
FIRST = f"""
SELECT p.child_no FROM parcels p JOIN child_orders c USING (child_no)
WHERE p.waybill_no = $1 AND p.carrier = $2 AND c.status <> 'CANCELLED'
    AND p.created_at > $3::timestamptz - interval '{LIFETIME}'
ORDER BY p.created_at, p.child_no LIMIT 2"""  # noqa: S608 - our own constant

ORDER_OF = "SELECT order_no FROM child_orders WHERE child_no = $1"


async def keep_packages(connection: Connection, states: Sequence[ChildState], at: datetime) -> None:
    """Most writes tell of waybills that are known: one look instead of a change a package."""
    keys = [(str(s.waybill_no), s.carrier or "", s.child_no, False) for s in states if s.waybill_no]
    keys += [(p.waybill_no, p.carrier or "", s.child_no, True) for s in states for p in s.packages]
    if not keys:
        return
    labels = {(s.waybill_no, s.child_no): s for s in states if s.label_b64}
    kept = {tuple(row) for row in await connection.fetch(KEPT, *(list(column) for column in zip(*keys, strict=True)))}
    for waybill_no, carrier, child_no, carried in sorted(keys):
        printed = None if carried else labels.get((waybill_no, child_no))
        if printed or (waybill_no, carrier, child_no, carried) not in kept:
            label = (printed.label_format, printed.label_b64) if printed else (None, None)
            await keep_package(connection, child_no, waybill_no, carrier, *label, at, carried=carried)


async def keep_package(
    connection: Connection,
    child_no: str,
    waybill_no: str,
    carrier: str,
    label_format: str | None,
    label_b64: str | None,
    at: datetime,
    *,
    carried: bool = False,
) -> None:
    label = base64.b64decode(label_b64) if label_b64 and label_format else None
    await connection.execute(LOCK, waybill_no)
    kind = label_format if label is not None else None
    await connection.execute(KEEP, carrier, waybill_no, child_no, kind, label, at, carried)
    sharing = [row["child_no"] for row in await connection.fetch(FIRST, waybill_no, carrier, at)]
    if len(sharing) == 2:
        await _tell(connection, waybill_no, sharing[0], sharing[1], at)


async def _tell(connection: Connection, waybill_no: str, first: str, child_no: str, at: datetime) -> None:
    """Once, however many there will be: the ticket is named after the first."""
    ticket = TicketRecord(
        ticket_id=f"T-shared-{waybill_no}-{first}",
        system="wms",
        step="shared package",
        error=f"waybill {waybill_no} was told for {first} and for {child_no}: one package, or a mis-scan. "
        "Scans of it count for all of its children",
        severity="info",
        child_no=child_no,
        actions=("give_up",),
        give_up_means="it is one package; a mis-scan is put right by telling the right number",
    )
    await open_ticket(connection, ticket, await connection.fetchval(ORDER_OF, child_no), at, outside=True)
