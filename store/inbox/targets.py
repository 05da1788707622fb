"""To which order, or after-sales case, a fact belongs, by whichever number it carries."""

from collections.abc import Sequence

from domain.facts import Fact
from domain.inbox.event_routing import Target
from domain.states import ChildStatus, OrderStatus
from store.packages import LIFETIME
from store.pool import Connection, Row

# A row for every order or case that a fact is about. The first number that is given decides. A waybill number is of the
# packages of the fact's own carrier, if there are such; of those whose order was paid, or whose case was applied for,
# before it happened, else of those that came later; of these the newest, with all that share the number within a
# package's lifetime. Known is a number under which the child goes, by this carrier: a label that was voided is none.
TARGETS = f"""
SELECT u.pos, o.order_no, o.status, o.ended_at IS NOT NULL AS ended, c.child_no, c.status AS child_status,
    k.return_no, k.ended_at IS NOT NULL AS case_ended,
    CASE WHEN k.return_no IS NULL THEN o.paid_at WHEN r.refund_no IS NULL THEN coalesce(l.applied_at, k.applied_at) END
        AS since,
    CASE WHEN k.return_no IS NOT NULL THEN k.ended_at IS NOT NULL AND EXISTS (SELECT FROM return_timeline t
        WHERE t.return_no = k.return_no AND t.detail ->> 'key' = u.key AND t.detail ->> 'outcome' = 'APPLIED')
    ELSE o.ended_at IS NOT NULL AND EXISTS (SELECT FROM order_events e
        WHERE e.order_no = o.order_no AND e.key = u.key AND e.outcome = 'APPLIED') END AS applied,
    EXISTS (SELECT FROM parcels known WHERE known.waybill_no = u.waybill_no AND known.child_no = c.child_no
        AND (known.carried OR known.waybill_no = c.waybill_no)
        AND (u.carrier IS NULL OR known.carrier = '' OR lower(known.carrier) = lower(u.carrier))) AS waybill_known
FROM unnest($1::int[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[])
    AS u (pos, order_no, child_no, waybill_no, carrier, refund_no, key, at)
LEFT JOIN LATERAL (
    SELECT s.child_no, s.return_no FROM (
        SELECT w.*, first_value(w.carrier) OVER best AS its_carrier, first_value(w.fits) OVER best AS its_fits,
            first_value(w.told_at) OVER best AS newest
        FROM (
            SELECT p.child_no, NULL AS return_no, p.carrier, p.created_at AS told_at,
                coalesce(po.paid_at <= u.at + interval '1 second', true) AS fits
            FROM parcels p JOIN child_orders pc USING (child_no) JOIN orders po USING (order_no)
            WHERE p.waybill_no = u.waybill_no AND (u.order_no IS NULL OR u.order_no = po.order_no)
            UNION ALL
            SELECT NULL, b.return_no, b.carrier, b.bound_at,
                coalesce(bl.applied_at, bk.applied_at) <= u.at + interval '1 second'
            FROM return_parcels b JOIN return_cases bk USING (return_no)
            LEFT JOIN return_cases bl ON bl.return_no = bk.linked_to
            WHERE b.waybill_no = u.waybill_no AND (u.order_no IS NULL OR u.order_no = bk.order_no)
        ) w
        WINDOW best AS (ORDER BY (w.carrier = u.carrier) IS TRUE DESC, w.fits DESC, w.told_at DESC)
    ) s
    WHERE s.carrier = s.its_carrier AND s.fits = s.its_fits AND s.told_at > s.newest - interval '{LIFETIME}'
) w ON u.child_no IS NULL AND u.waybill_no IS NOT NULL
LEFT JOIN child_orders c ON c.child_no = coalesce(u.child_no, w.child_no)
LEFT JOIN refunds r ON r.refund_no = u.refund_no
LEFT JOIN return_cases k ON k.return_no = coalesce(r.return_no, c.return_no, w.return_no)
LEFT JOIN return_cases l ON l.return_no = k.linked_to
JOIN orders o ON o.order_no = CASE
    WHEN k.return_no IS NOT NULL THEN k.order_no
    -- A refund of a payment that a marketplace took names an order of the marketplace's.
    WHEN u.order_no IS NOT NULL AND (r.refund_no IS NULL OR EXISTS (
        SELECT FROM orders named WHERE named.order_no = u.order_no)) THEN u.order_no
    WHEN u.child_no IS NOT NULL OR u.waybill_no IS NOT NULL THEN c.order_no
    ELSE r.order_no END
ORDER BY u.pos, o.order_no, c.child_no"""  # noqa: S608 - our own constant

# Parked rows of which every fact has a living order, or only living ones where a package is shared. Rows that someone
# else works on are passed over.
READY = f"""
UPDATE inbox SET state = 'received', next_try_at = now(), leased_until = NULL WHERE id IN (
    SELECT i.id FROM inbox i WHERE i.state = 'parked' AND NOT EXISTS (
        SELECT FROM jsonb_to_recordset(i.facts)
            AS f (order_no text, child_no text, waybill_no text, refund_no text, occurred_at timestamptz)
        WHERE NOT EXISTS (SELECT FROM return_cases k WHERE k.ended_at IS NULL AND k.return_no = coalesce(
            (SELECT r.return_no FROM refunds r WHERE r.refund_no = f.refund_no),
            (SELECT c.return_no FROM child_orders c WHERE c.child_no = f.child_no),
            (SELECT b.return_no FROM return_parcels b WHERE b.waybill_no = f.waybill_no
                ORDER BY b.bound_at DESC LIMIT 1)))
        AND NOT EXISTS (SELECT FROM orders o WHERE o.ended_at IS NULL AND o.order_no = CASE
            WHEN f.order_no IS NOT NULL THEN f.order_no
            WHEN f.child_no IS NOT NULL THEN (SELECT c.order_no FROM child_orders c WHERE c.child_no = f.child_no)
            WHEN f.waybill_no IS NOT NULL THEN (
                SELECT CASE WHEN bool_and(w.ended_at IS NULL) THEN min(w.order_no) END FROM (
                    SELECT wo.order_no, wo.ended_at, p.created_at, max(p.created_at) OVER () AS newest
                    FROM parcels p JOIN child_orders wc USING (child_no) JOIN orders wo USING (order_no)
                    WHERE p.waybill_no = f.waybill_no
                        AND coalesce(wo.paid_at <= f.occurred_at + interval '1 second', true)) w
                WHERE w.created_at > w.newest - interval '{LIFETIME}')
            ELSE (SELECT r.order_no FROM refunds r WHERE r.refund_no = f.refund_no) END))
    ORDER BY i.id LIMIT $1 FOR NO KEY UPDATE SKIP LOCKED)"""  # noqa: S608


async def orders_of(connection: Connection, facts: Sequence[Fact]) -> dict[str, tuple[Target, ...]]:
    """By fact key: several where a package carries several children."""
    rows = await connection.fetch(
        TARGETS,
        list(range(len(facts))),
        [f.order_no for f in facts],
        [f.child_no for f in facts],
        [f.waybill_no for f in facts],
        [f.carrier for f in facts],
        [f.refund_no for f in facts],
        [f.key for f in facts],
        [f.occurred_at for f in facts],
    )
    found: dict[str, tuple[Target, ...]] = {}
    for row in rows:
        key = facts[row["pos"]].key
        found[key] = (*found.get(key, ()), _target(row))
    return found


def _target(row: Row) -> Target:
    return Target(
        order_no=row["order_no"],
        status=OrderStatus(row["status"]),
        ended=row["ended"] if row["return_no"] is None else row["case_ended"],
        child_no=row["child_no"],
        child_status=None if row["child_status"] is None else ChildStatus(row["child_status"]),
        applied=row["applied"],
        return_no=row["return_no"],
        since=row["since"],
        waybill_known=row["waybill_known"],
    )


async def unpark_ready(connection: Connection, limit: int) -> int:
    """Returns how many rows are to be delivered again."""
    done = await connection.execute(READY, limit)
    return int(done.rsplit(" ", 1)[-1])
