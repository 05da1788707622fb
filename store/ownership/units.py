"""One owner for every paid unit: the steps of the statement over the books of some orders (store/ownership/check.py).

Sets of units are multiranges: one row a line, whatever its size. `$1` are order numbers, `$2` a moment: orders and
cases that have written since are still moving and are left alone until next time.
"""

OWNERS = """
WITH paid AS MATERIALIZED (
    SELECT o.order_no, o.ended_at IS NOT NULL AS ended, o.status = 'CLOSED' AS closed, o.paid_minor
    FROM orders o
    WHERE o.order_no = ANY($1::text[]) AND o.payment_status IN ('PAID', 'LATE') AND o.updated_at <= $2
        AND NOT EXISTS (SELECT FROM return_cases c WHERE c.order_no = o.order_no AND c.updated_at > $2)
), line AS MATERIALIZED (
    SELECT p.*, l.line_id, l.pos, l.sku, l.refunded_units, int4multirange(int4range(0, l.qty)) AS whole
    FROM paid p JOIN order_lines l USING (order_no)
    WHERE l.order_no = ANY($1::text[])
), run AS MATERIALIZED (
    -- Neighbouring units in one parcel, and what the stock ledger says of that parcel's units of this line. The first
    -- ones left, the last ones were missing.
    SELECT c.order_no, c.child_no, c.status, p.ended, l.line_id, l.first_unit, l.qty, m.reserved, m.left_at,
        sum(l.qty) OVER w AS carried,
        greatest(0, least(l.qty, m.gone - (sum(l.qty) OVER (w ORDER BY l.first_unit) - l.qty)))::int AS gone,
        c.order_no IN (SELECT s.order_no FROM child_orders s
            WHERE s.order_no = ANY($1::text[]) AND s.status = 'INTERCEPTING') AS stopping
    FROM paid p
    JOIN child_orders c ON c.order_no = p.order_no AND c.type = 'SHIPMENT'
    JOIN child_lines l ON l.child_no = c.child_no
    CROSS JOIN LATERAL (
        SELECT coalesce(sum(CASE kind WHEN 'reserve' THEN qty WHEN 'ship' THEN -qty WHEN 'release' THEN -qty
                WHEN 'write_off' THEN -qty ELSE 0 END), 0) AS reserved,
            coalesce(sum(qty) FILTER (WHERE kind = 'ship'), 0) - coalesce((
                SELECT sum(u.qty) FROM stock_moves u WHERE u.kind = 'unship'
                    AND regexp_replace(u.ref, '~[0-9]+$', '') = l.child_no || '/' || l.line_id), 0) AS gone,
            max(at) FILTER (WHERE kind = 'ship') AS left_at
        FROM stock_moves WHERE ref = l.child_no || '/' || l.line_id) m
    WHERE c.order_no = ANY($1::text[]) AND l.order_no = ANY($1::text[])
    WINDOW w AS (PARTITION BY l.child_no, l.line_id)
), part AS MATERIALIZED (
    -- Where each run is, as one word.
    SELECT r.order_no, r.line_id, r.child_no, r.left_at, f.what, f.span
    FROM run r CROSS JOIN LATERAL (VALUES
        (CASE
            WHEN r.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'SIGNED', 'EXCEPTION') THEN 'gone'
            WHEN r.status = 'REFUSED' THEN 'refused'
            WHEN r.status <> 'BACKORDER' AND r.reserved < r.carried AND r.status = 'CANCELLED' AND r.stopping
                THEN 'stopping'
            WHEN r.status <> 'BACKORDER' AND r.reserved < r.carried AND r.status = 'CANCELLED' THEN 'cancelled'
            WHEN r.status <> 'BACKORDER' AND r.reserved < r.carried THEN 'unreserved'
            WHEN r.ended THEN 'left behind'
            -- It keeps its stock and stands still: to be made anew, or until a case has ended that may pay it back.
            WHEN r.status = 'CANCELLED' THEN 'aside'
            ELSE 'waiting' END,
         int4range(r.first_unit, r.first_unit + CASE
            WHEN r.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'SIGNED', 'EXCEPTION', 'REFUSED') THEN r.gone
            ELSE r.qty END)),
        ('missing',
         CASE WHEN r.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'SIGNED', 'EXCEPTION', 'REFUSED')
            THEN int4range(r.first_unit + r.gone, r.first_unit + r.qty) ELSE 'empty' END)
    ) f (what, span) WHERE NOT isempty(f.span)
), kase AS MATERIALIZED (
    -- The order's cases; an exchange has sent another unit once its replacement has left, and has not come back.
    SELECT c.return_no, c.order_no, c.status, c.ended_at IS NOT NULL AS ended, c.status = 'EXCHANGED' AND EXISTS (
            SELECT FROM child_orders x WHERE x.return_no = c.return_no
                AND x.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'SIGNED', 'EXCEPTION'))
            AS replaced
    FROM paid p JOIN return_cases c USING (order_no)
    WHERE c.order_no = ANY($1::text[])
), claim AS MATERIALIZED (
    -- Units by who holds them, or did: an open case, or a refund (a payout of nothing has no row).
    SELECT k.order_no, k.line_id, k.holder, k.held, int4range(k.first_unit, k.first_unit + k.units) AS span,
        coalesce(h.return_no, b.return_no, r.return_no) AS return_no, r.requested_at,
        EXISTS (SELECT FROM outside_bookings z WHERE z.refund_no = k.holder) AS outside,
        CASE WHEN NOT k.held THEN 'let go' WHEN h.return_no IS NULL THEN 'refunded'
            WHEN NOT h.ended THEN 'returning' WHEN h.status = 'REFUND_FAILED' THEN 'refunded' ELSE 'let go' END AS what
    FROM paid p
    JOIN unit_claims k USING (order_no)
    LEFT JOIN refunds r ON r.refund_no = k.holder
    LEFT JOIN kase h ON h.return_no = k.holder
    LEFT JOIN kase b ON 'R' || b.return_no = k.holder
    WHERE k.order_no = ANY($1::text[])
), asked AS MATERIALIZED (
    -- Tickets that a person has open about the order, and those whose answer settled it by a person's word.
    SELECT t.order_no, t.child_no, t.step, t.error, substring(t.ticket_id FROM '^T-(.*)-[^-]*$') AS subject,
        CASE WHEN t.state = 'open' THEN 'ticket' ELSE 'settled' END AS what
    FROM paid p JOIN tickets t USING (order_no)
    WHERE t.order_no = ANY($1::text[]) AND t.severity <> 'info' AND t.system <> 'ownership'
        AND (t.state = 'open' OR (t.step, t.action) IN (
        ('short pick', 'supply'), ('delivery refused', 'give_up'), ('refund refused by our books', 'give_up'),
        ('refund not sent', 'give_up'), ('refund on hold', 'give_up'),
        ('replacement out of stock', 'give_up'), ('late parcel', 'give_up'),
        ('send back', 'give_up'), ('ship again', 'give_up'), ('left though it was stopped', 'give_up')))
), fact AS (
    SELECT order_no, line_id, what, span FROM part
    UNION ALL SELECT order_no, line_id, what, span FROM claim
    UNION ALL
    SELECT k.order_no, u.line_id, 'came back', int4range(u.unit, u.unit + 1)
    FROM kase k JOIN return_units u USING (return_no) WHERE k.ended AND NOT k.replaced AND u.reception = 'RECEIVED'
    UNION ALL  -- about a parcel
    SELECT n.order_no, n.line_id, t.what, n.span FROM asked t JOIN part n USING (order_no, child_no)
    WHERE t.what = 'ticket' OR t.step = 'short pick' AND n.what = 'missing'
        OR t.step = 'delivery refused' AND n.what = 'refused'
        OR t.step = 'left though it was stopped' AND n.what = 'cancelled'
        -- A person settled the part of it that its case did not pay; the whole of it the order pays back itself.
        OR t.step = 'ship again' AND t.error LIKE '%paid back a part%' AND n.what = 'cancelled'
    UNION ALL  -- about a case
    SELECT c.order_no, c.line_id, t.what, c.span
    FROM asked t JOIN claim c ON c.return_no = t.subject AND c.order_no = t.order_no
    UNION ALL  -- about a refund of the order that it could not even reserve
    SELECT n.order_no, n.line_id, t.what, n.span
    FROM asked t JOIN part n USING (order_no)
    WHERE t.child_no IS NULL AND t.subject = t.order_no AND t.step LIKE '%refund%'
        AND n.what IN ('cancelled', 'missing')
    UNION ALL  -- the same of an order that was closed before it was split: a payment that came late, and is disputed
    SELECT l.order_no, l.line_id, t.what, range_merge(l.whole)
    FROM asked t JOIN line l USING (order_no)
    WHERE t.child_no IS NULL AND t.subject = t.order_no AND t.step LIKE '%refund%' AND l.closed
        AND l.order_no NOT IN (SELECT c.order_no FROM child_orders c
            WHERE c.order_no = ANY($1::text[]) AND c.type = 'SHIPMENT')
    UNION ALL  -- nothing was paid for it, so nothing is owed
    SELECT n.order_no, n.line_id, 'settled', n.span * int4range(s.first_unit, s.first_unit + s.units)
    FROM part n JOIN unit_shares s USING (order_no, line_id)
    WHERE s.order_no = ANY($1::text[]) AND n.what IN ('cancelled', 'missing') AND s.net_minor + s.freight_minor = 0
), sets AS (
    SELECT l.order_no, l.line_id,
        coalesce(range_agg(f.span) FILTER (WHERE f.what = 'refunded'), '{}') AS refunded,
        coalesce(range_agg(f.span) FILTER (WHERE f.what = 'returning'), '{}') AS returning,
        coalesce(range_agg(f.span) FILTER (WHERE f.what IN ('waiting', 'stopping', 'aside')), '{}') AS waiting,
        coalesce(range_agg(f.span) FILTER (WHERE f.what = 'gone'), '{}') AS gone,
        coalesce(range_agg(f.span) FILTER (WHERE f.what = 'came back'), '{}') AS came_back,
        coalesce(range_agg(f.span) FILTER (WHERE f.what IN ('ticket', 'settled')), '{}') AS asked,
        coalesce(range_agg(f.span) FILTER (WHERE f.what IN ('cancelled', 'missing')), '{}') AS not_coming,
        -- Refunds of before claims were kept name how many units, not which.
        l.refunded_units > coalesce(sum(upper(f.span) - lower(f.span)) FILTER (WHERE f.what = 'refunded'), 0)
            AS uncounted,
        l.order_no NOT IN (SELECT c.order_no FROM child_orders c
            WHERE c.order_no = ANY($1::text[]) AND c.type = 'SHIPMENT') AS unsplit
    FROM line l LEFT JOIN fact f USING (order_no, line_id)
    GROUP BY l.order_no, l.line_id, l.refunded_units
), owner AS MATERIALIZED (
    SELECT l.*, s.refunded, s.came_back, s.unsplit,
        l.whole - s.refunded - s.returning - s.waiting - (s.gone - s.came_back) - s.asked
            - CASE WHEN s.uncounted THEN s.not_coming ELSE '{}' END
            -- Before the split everything waits; what cost nothing and was closed is owed to nobody.
            - CASE WHEN s.unsplit AND (NOT l.closed OR l.paid_minor = 0) THEN l.whole ELSE '{}' END AS ownerless
    FROM line l JOIN sets s USING (order_no, line_id)
)"""

# Units without an owner, by parcel where they are in one; and units with two.
UNITS = """
, unit_found AS (
    SELECT o.order_no, o.pos, o.line_id, o.sku, p.child_no, '' AS holder,
        CASE WHEN p.what = 'gone' THEN 'came back' ELSE p.what END AS found,
        o.ownerless * int4multirange(p.span) AS units
    FROM owner o JOIN part p USING (order_no, line_id)
    UNION ALL
    SELECT o.order_no, o.pos, o.line_id, o.sku, '', '', 'nowhere', o.ownerless - coalesce(p.spans, '{}')
    FROM owner o LEFT JOIN (SELECT order_no, line_id, range_agg(span) AS spans FROM part GROUP BY 1, 2) p
        USING (order_no, line_id)
    UNION ALL
    SELECT o.order_no, o.pos, o.line_id, o.sku, p.child_no, c.holder,
        CASE p.what WHEN 'waiting' THEN 'refunded and waiting' ELSE 'refunded and left' END,
        int4multirange(p.span * c.span) - CASE p.what WHEN 'gone' THEN o.came_back ELSE '{}' END
    FROM owner o
    JOIN part p USING (order_no, line_id)
    JOIN claim c USING (order_no, line_id)
    -- A case, or a refund made by hand, may pay for what the buyer has and keeps. What left after its
    -- money was given back nobody decided.
    WHERE c.what = 'refunded' AND c.span && p.span
        AND (p.what = 'waiting' OR p.what = 'gone' AND (p.left_at > c.requested_at
            OR c.return_no IS NULL AND NOT c.outside))
), unit_violation AS (
    SELECT f.order_no, f.pos, f.line_id, f.sku, coalesce(f.child_no, '') AS child_no, f.holder, f.found,
        lower(u.span) AS first_unit, upper(u.span) - lower(u.span) AS units
    FROM unit_found f CROSS JOIN LATERAL unnest(f.units) AS u (span)
)"""
