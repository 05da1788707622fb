"""One owner for every fen that came in: the steps that follow upon those of the units in the same statement.

A fen covers the share of a unit that has an owner, or was given back, or is in dispute, or a ticket names it. What a
case did not pay of a unit that it took stays ours by its approval.
"""

MONEY = """
, share AS MATERIALIZED (
    SELECT s.order_no, s.line_id, s.net_minor + s.freight_minor AS each_minor,
        int4multirange(int4range(s.first_unit, s.first_unit + s.units)) AS span
    FROM paid p JOIN unit_shares s USING (order_no)
    WHERE s.order_no = ANY($1::text[])
), covered AS MATERIALIZED (
    -- Units that have an owner and are not refunded, and apart from them those that a case was paid for.
    SELECT o.order_no, sum(s.each_minor * units_in(s.span * (o.whole - o.refunded - o.ownerless)))::int8 AS minor
    FROM owner o JOIN share s USING (order_no, line_id) GROUP BY o.order_no
), unsplit AS MATERIALIZED (
    SELECT o.order_no, sum(l.paid_minor)::int8 AS minor FROM owner o JOIN order_lines l USING (order_no, line_id)
    WHERE l.order_no = ANY($1::text[]) AND o.unsplit AND o.whole <> o.refunded AND isempty(o.ownerless)
    GROUP BY o.order_no
), taken AS MATERIALIZED (
    SELECT c.order_no, c.return_no, sum(s.each_minor * units_in(s.span * int4multirange(c.span)))::int8 AS minor
    FROM claim c JOIN share s USING (order_no, line_id)
    WHERE c.what = 'refunded' AND c.return_no IS NOT NULL GROUP BY c.order_no, c.return_no
), refund AS MATERIALIZED (
    SELECT r.order_no, r.refund_no, r.return_no, r.amount_minor, r.status, r.requested_at,
        EXISTS (SELECT FROM outside_bookings z WHERE z.refund_no = r.refund_no AND z.book_as = 'book_refund')
            AND NOT EXISTS (SELECT FROM outside_bookings z
                WHERE z.refund_no = r.refund_no AND z.payment_key IS NOT NULL) AS outside
    FROM paid p JOIN refunds r USING (order_no)
    WHERE r.order_no = ANY($1::text[])
), by_hand AS MATERIALIZED (
    -- What was given back outside by a person's decision is for its units, whatever it was; without units the buyer got
    -- it beside what the order covers.
    SELECT c.order_no, sum(s.each_minor * units_in(s.span * int4multirange(c.span)))::int8 AS minor
    FROM claim c JOIN share s USING (order_no, line_id)
    WHERE c.what = 'refunded' AND c.outside AND c.return_no IS NULL GROUP BY c.order_no
), by_case AS MATERIALIZED (
    SELECT order_no, sum(greatest(taken_minor, refund_minor))::int8 AS minor FROM (
        SELECT k.order_no,
            coalesce(t.minor, 0) AS taken_minor, coalesce(r.minor, 0) AS refund_minor
        FROM kase k
        LEFT JOIN (SELECT return_no, sum(minor) AS minor FROM taken GROUP BY 1) t USING (return_no)
        LEFT JOIN (SELECT return_no, sum(amount_minor) AS minor FROM refund GROUP BY 1) r USING (return_no)) paid_out
    GROUP BY order_no
), dispute AS MATERIALIZED (
    SELECT b.order_no, sum(b.amount_minor - b.overlap_minor)::int8 AS minor
    FROM paid p JOIN chargebacks b USING (order_no)
    WHERE b.order_no = ANY($1::text[]) AND b.state <> 'won' GROUP BY b.order_no
), balance AS (
    SELECT p.order_no, p.paid_minor - coalesce(c.minor, 0) - coalesce(u.minor, 0) - coalesce(r.minor, 0)
            - coalesce(h.minor, 0) - coalesce(b.minor, 0) AS minor,
        coalesce(d.minor, 0) AS disputed,
        p.order_no IN (SELECT order_no FROM asked WHERE subject = order_no AND step LIKE '%refund%') AS asked
    FROM paid p
    LEFT JOIN covered c USING (order_no) LEFT JOIN unsplit u USING (order_no) LEFT JOIN by_case b USING (order_no)
    LEFT JOIN dispute d USING (order_no) LEFT JOIN by_hand h USING (order_no)
    LEFT JOIN (SELECT order_no, sum(amount_minor) AS minor FROM refund
        WHERE return_no IS NULL AND NOT outside GROUP BY 1) r USING (order_no)
), money_violation AS (
    SELECT order_no, 'money left over' AS found, '' AS holder, (minor - disputed)::int8 AS amount_minor
    FROM balance WHERE minor > disputed AND NOT asked
    UNION ALL
    SELECT order_no, 'money twice', '', -minor::int8 FROM balance WHERE minor < 0
    UNION ALL
    -- While a chargeback is open no refund of its order goes out (N17).
    SELECT r.order_no, 'refunded in dispute', r.refund_no, r.amount_minor FROM refund r
    WHERE r.status IN ('ACCEPTED', 'SUCCEEDED') AND EXISTS (SELECT FROM chargebacks b
        WHERE b.order_no = r.order_no AND b.state = 'open' AND b.opened_at < r.requested_at)
    UNION ALL
    -- Accepted is not succeeded; a refund that came to nothing is a person's.
    SELECT r.order_no, 'refund failed', r.refund_no, r.amount_minor FROM refund r
    WHERE r.status = 'ABNORMAL' AND NOT EXISTS (SELECT FROM tickets t
        WHERE t.order_no = r.order_no AND strpos(t.error, r.refund_no) > 0 AND t.system <> 'ownership')
    UNION ALL
    -- Money at a channel that fits no order is a person's too: it is asked about, or was answered under a name.
    SELECT e.order_no, 'payment not booked', e.key, coalesce((
        SELECT (f ->> 'amount_minor')::int8 FROM inbox i CROSS JOIN LATERAL jsonb_array_elements(i.facts) f
        WHERE i.id = e.inbox_id AND f ->> 'key' = e.key LIMIT 1), 0)
    FROM order_events e
    WHERE e.order_no = ANY($1::text[]) AND e.kind = 'PAYMENT_SUCCEEDED' AND e.outcome = 'MISMATCH'
        AND e.recorded_at <= $2
        AND NOT EXISTS (SELECT FROM payments m WHERE m.key = e.key)
        AND NOT EXISTS (SELECT FROM tickets t WHERE t.order_no = e.order_no AND t.error = e.note)
        AND NOT EXISTS (SELECT FROM outside_money m WHERE m.order_no = e.order_no AND m.key = e.key)
)"""
