-- migrate:up
CREATE VIEW payment_delays AS
SELECT (paid_at AT TIME ZONE 'Asia/Shanghai')::date AS day, channel, count(*)::integer AS paid,
    count(*) FILTER (WHERE booked_at - paid_at > interval '300 seconds')::integer AS delayed,
    round(1000000.0 * count(*) FILTER (WHERE booked_at - paid_at > interval '300 seconds') / count(*))::integer
        AS delayed_ppm,
    greatest(0, ceil(extract(epoch FROM max(booked_at - paid_at))))::integer AS worst_s
FROM payments GROUP BY 1, 2;
COMMENT ON VIEW payment_delays IS
    'Per day (Shanghai, of payment) and channel: payments, those booked more than 300 s after the buyer paid (R19; exactly 300 s is in step), their share in parts per million.';

CREATE VIEW sync_accuracy AS
WITH told AS (
    -- A transition is known from the first time it was written down, whatever it could still move.
    SELECT order_no, key, min(source) AS source, min(occurred_at) AS at, min(recorded_at) AS known_at
    FROM order_events WHERE outcome IN ('APPLIED', 'HELD', 'STALE') AND source <> 'stock' GROUP BY order_no, key
), transitions AS (
    SELECT (at AT TIME ZONE 'Asia/Shanghai')::date AS day, source, known_at - at <= interval '300 seconds' AS in_step
    FROM told
    UNION ALL
    -- What the daily reconciliation saw at a source and nobody has written down since.
    SELECT day, CASE WHEN kind IN ('payment', 'refund', 'outbound', 'parcel') THEN split_part(expected, ':', 1) END, false
    FROM drifts WHERE healed_at IS NULL AND kind NOT IN ('view', 'workflow')
)
SELECT day, source, count(*)::integer AS transitions, count(*) FILTER (WHERE in_step)::integer AS in_step,
    round(10000.0 * count(*) FILTER (WHERE in_step) / count(*))::integer AS accuracy_bp
FROM transitions GROUP BY day, source;
COMMENT ON VIEW sync_accuracy IS
    'Per day (Shanghai, of the happening) and source: transitions, those in our books within 300 s, their share in basis points (R65).';

-- migrate:down
DROP VIEW sync_accuracy;
DROP VIEW payment_delays;
