"""To which order, or after-sales case, a fact belongs, by whichever number it carries."""

from collections.abc import Sequence

from domain.facts import Fact
from domain.fate import Target
from domain.states import ChildStatus, OrderStatus
from store.pool import Connection

# One row a fact that has a target. The first number that is given decides; of waybills, the same carrier's first.
TARGETS = """
SELECT u.pos, o.order_no, o.status, o.ended_at IS NOT NULL AS ended, c.child_no, c.status AS child_status,
    k.return_no, k.ended_at IS NOT NULL AS case_ended,
    CASE WHEN k.return_no IS NOT NULL THEN k.ended_at IS NOT NULL AND EXISTS (SELECT FROM return_timeline t
        WHERE t.return_no = k.return_no AND t.detail ->> 'key' = u.key AND t.detail ->> 'outcome' = 'APPLIED')
    ELSE o.ended_at IS NOT NULL AND EXISTS (SELECT FROM order_events e
        WHERE e.order_no = o.order_no AND e.key = u.key AND e.outcome = 'APPLIED') END AS applied
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[])
    AS u (pos, order_no, child_no, waybill_no, carrier, refund_no, key)
LEFT JOIN LATERAL (
    SELECT p.child_no FROM parcels p WHERE p.waybill_no = u.waybill_no
    ORDER BY (p.carrier = u.carrier) IS TRUE DESC, p.created_at DESC LIMIT 1) p ON u.child_no IS NULL
LEFT JOIN child_orders c ON c.child_no = coalesce(u.child_no, p.child_no)
LEFT JOIN LATERAL (
    SELECT b.return_no FROM return_parcels b WHERE b.waybill_no = u.waybill_no AND p.child_no IS NULL
    ORDER BY (b.carrier = u.carrier) IS TRUE DESC, b.bound_at DESC LIMIT 1) b ON u.child_no IS NULL
LEFT JOIN refunds r ON r.refund_no = u.refund_no
LEFT JOIN return_cases k ON k.return_no = coalesce(r.return_no, c.return_no, b.return_no)
JOIN orders o ON o.order_no = CASE
    WHEN k.return_no IS NOT NULL THEN k.order_no
    WHEN u.order_no IS NOT NULL THEN u.order_no
    WHEN u.child_no IS NOT NULL OR u.waybill_no IS NOT NULL THEN c.order_no
    ELSE r.order_no END"""

# Parked rows of which every fact has a living order. Rows that someone else works on are passed over.
READY = """
UPDATE inbox SET state = 'received', next_try_at = now(), leased_until = NULL WHERE id IN (
    SELECT i.id FROM inbox i WHERE i.state = 'parked' AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(i.facts)
            AS f (order_no text, child_no text, waybill_no text, refund_no text)
        WHERE NOT EXISTS (SELECT FROM return_cases k WHERE k.ended_at IS NULL AND k.return_no = coalesce(
            (SELECT r.return_no FROM refunds r WHERE r.refund_no = f.refund_no),
            (SELECT c.return_no FROM child_orders c WHERE c.child_no = f.child_no),
            (SELECT b.return_no FROM return_parcels b WHERE b.waybill_no = f.waybill_no
                ORDER BY b.bound_at DESC LIMIT 1)))
        AND NOT EXISTS (SELECT FROM orders o WHERE o.ended_at IS NULL AND o.order_no = CASE
            WHEN f.order_no IS NOT NULL THEN f.order_no
            WHEN f.child_no IS NOT NULL THEN (SELECT c.order_no FROM child_orders c WHERE c.child_no = f.child_no)
            WHEN f.waybill_no IS NOT NULL THEN (SELECT c.order_no FROM parcels p JOIN child_orders c USING (child_no)
                WHERE p.waybill_no = f.waybill_no LIMIT 1)
            ELSE (SELECT r.order_no FROM refunds r WHERE r.refund_no = f.refund_no) END))
    ORDER BY i.id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)"""


async def orders_of(connection: Connection, facts: Sequence[Fact]) -> dict[str, Target]:
    rows = await connection.fetch(
        TARGETS,
        list(range(len(facts))),
        [f.order_no for f in facts],
        [f.child_no for f in facts],
        [f.waybill_no for f in facts],
        [f.carrier for f in facts],
        [f.refund_no for f in facts],
        [f.key for f in facts],
    )
    return {
        facts[row["pos"]].key: Target(
            order_no=row["order_no"],
            status=OrderStatus(row["status"]),
            ended=row["ended"] if row["return_no"] is None else row["case_ended"],
            child_no=row["child_no"],
            child_status=None if row["child_status"] is None else ChildStatus(row["child_status"]),
            applied=row["applied"],
            return_no=row["return_no"],
        )
        for row in rows
    }


async def unpark_ready(connection: Connection, limit: int) -> int:
    """Returns how many rows are to be delivered again."""
    done = await connection.execute(READY, limit)
    return int(done.rsplit(" ", 1)[-1])
