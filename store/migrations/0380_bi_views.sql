-- migrate:up
-- What BI tools read (docs/insight.md): rows that the figures of domain/insight/definitions.py are counted from, and the
-- figures as they were reported. Nothing that a person wrote is in any of them, the names of cities neither.
CREATE VIEW bi_orders AS
SELECT o.order_no, o.channel, o.kind, o.currency, o.status, o.payment_status, o.payable_minor, o.paid_minor,
    o.refunded_minor, o.placed_at, to_char(o.placed_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS placed_month,
    o.paid_at, o.dispatch_by, CASE WHEN k.all_shipped THEN k.shipped_at END AS dispatched_at,
    CASE WHEN k.all_signed THEN k.signed_at END AS signed_at,
    greatest(0, floor(extract(epoch FROM CASE WHEN k.all_signed THEN k.signed_at END - o.placed_at) / 60))::bigint
        AS fulfilment_minutes,
    greatest(1, k.first_parcels, k.standing) AS parcels,
    (o.payment_status = 'PAID' OR (o.payable_minor = 0 AND o.status <> 'PENDING_PAYMENT'))
        AND NOT (o.status = 'CLOSED' AND k.shipped_at IS NULL) AS counts,
    EXISTS (SELECT FROM return_cases r WHERE r.order_no = o.order_no) AS after_sales,
    t.tickets > 0 AS abnormal, coalesce(t.by_hand, false) AS by_hand, o.completed_at, o.closed_at
FROM orders o
CROSS JOIN LATERAL (
    SELECT count(*) FILTER (WHERE c.replaces = '{}')::integer AS first_parcels,
        count(*) FILTER (WHERE c.status <> 'CANCELLED')::integer AS standing,
        bool_and(c.signed_at IS NOT NULL) FILTER (WHERE c.status <> 'CANCELLED') AS all_signed,
        max(c.signed_at) FILTER (WHERE c.status <> 'CANCELLED') AS signed_at,
        bool_and(c.shipped_at IS NOT NULL) FILTER (WHERE c.status <> 'CANCELLED') AS all_shipped,
        max(c.shipped_at) AS shipped_at
    FROM child_orders c WHERE c.order_no = o.order_no AND c.type = 'SHIPMENT'
) k
CROSS JOIN LATERAL (
    SELECT count(*) AS tickets, bool_or(action IN ('retry', 'supply', 'give_up') OR owner IS NOT NULL) AS by_hand
    FROM tickets WHERE order_no = o.order_no
) t;
COMMENT ON VIEW bi_orders IS 'An order a row: money, times, parcels, and what counts against it (docs/insight.md).';

CREATE VIEW bi_children AS
SELECT child_no, order_no, type, status, warehouse, carrier, planned_carrier, customs_mode, net_minor, freight_minor,
    paid_minor, shipping_cost_minor, shipped_at, signed_at, return_no
FROM child_orders;
COMMENT ON VIEW bi_children IS 'A child order a row: where it leaves from, by whom, when (docs/insight.md).';

CREATE VIEW bi_transitions AS
SELECT id, order_no, child_no, kind, source, outcome, from_status, to_status, occurred_at, recorded_at,
    ceil(extract(epoch FROM recorded_at - occurred_at))::bigint AS delay_s
FROM order_events;
COMMENT ON VIEW bi_transitions IS
    'What sources said of an order, a row each time that it was written down, and what it moved (docs/insight.md).';

CREATE VIEW bi_payments AS
SELECT order_no, channel, amount_minor, currency, paid_at,
    to_char(paid_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS paid_month, booked_at,
    ceil(extract(epoch FROM booked_at - paid_at))::bigint AS delay_s, booked_at - paid_at > interval '300 seconds' AS late
FROM payments;
COMMENT ON VIEW bi_payments IS 'A payment a row, and how long it took to be booked (docs/insight.md).';

CREATE VIEW bi_refunds AS
SELECT r.refund_no, r.order_no, r.return_no, r.amount_minor, r.status, c.applied_at, r.requested_at,
    CASE WHEN r.status = 'SUCCEEDED' THEN r.updated_at END AS paid_back_at,
    CASE WHEN r.status = 'SUCCEEDED' THEN to_char(r.updated_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') END
        AS paid_back_month,
    CASE WHEN r.status = 'SUCCEEDED'
        THEN greatest(0, floor(extract(epoch FROM r.updated_at - c.applied_at) / 60))::bigint END AS refund_minutes
FROM refunds r LEFT JOIN return_cases c USING (return_no);
COMMENT ON VIEW bi_refunds IS 'A refund a row, and how long it took from applying (docs/insight.md).';

CREATE VIEW bi_returns AS
SELECT return_no, order_no, type, channel, reason, fault, status, close_reason, held_minor, payout_minor,
    refunded_minor, applied_at, ended_at, to_char(ended_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS ended_month
FROM return_cases;
COMMENT ON VIEW bi_returns IS 'A return a row: why, how it ended, its money (docs/insight.md).';

CREATE VIEW bi_anomalies AS
SELECT ticket_id, order_no, child_no, system, step, severity, state, opened_at,
    to_char(opened_at AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM') AS opened_month, resolved_at,
    floor(extract(epoch FROM resolved_at - opened_at) / 3600)::bigint AS hours_open,
    coalesce(action IN ('retry', 'supply', 'give_up'), false) OR owner IS NOT NULL AS manual
FROM tickets WHERE order_no IS NOT NULL;
COMMENT ON VIEW bi_anomalies IS 'A ticket of an order a row, and whether a person dealt with it (docs/insight.md).';

CREATE VIEW bi_report_figures AS
SELECT r.period AS month, r.version, r.version = max(r.version) OVER (PARTITION BY r.period) AS newest, r.built_at,
    f.value ->> 'key' AS measure, (f.value ->> 'value')::bigint AS value, (f.value ->> 'part')::bigint AS part,
    (f.value ->> 'counted')::bigint AS counted,
    (SELECT coalesce(sum(l.value::bigint), 0)::bigint FROM json_each_text(f.value -> 'left_out') l) AS left_out,
    (f.value ->> 'p50')::bigint AS p50, (f.value ->> 'p90')::bigint AS p90
FROM insight_reports r CROSS JOIN LATERAL json_array_elements(r.content -> 'figures') f WHERE r.kind = 'health';
COMMENT ON VIEW bi_report_figures IS 'A figure of a version of a month''s health report a row (docs/insight.md).';

CREATE VIEW bi_report_parts AS
SELECT r.period AS month, r.version, r.version = max(r.version) OVER (PARTITION BY r.period) AS newest,
    f.value ->> 'key' AS measure, p.value ->> 'name' AS name, (p.value ->> 'value')::bigint AS value,
    (p.value ->> 'counted')::bigint AS counted, (p.value ->> 'p50')::bigint AS p50, (p.value ->> 'p90')::bigint AS p90
FROM insight_reports r CROSS JOIN LATERAL json_array_elements(r.content -> 'figures') f
CROSS JOIN LATERAL json_array_elements(f.value -> 'parts') p WHERE r.kind = 'health';
COMMENT ON VIEW bi_report_parts IS
    'What a figure is divided by, a row each: tiers of cities, ways of ending (docs/insight.md).';

INSERT INTO access_rules (object, operator, bi)
SELECT name, 'SELECT', 'SELECT' FROM unnest(ARRAY['bi_orders', 'bi_children', 'bi_transitions', 'bi_payments',
    'bi_refunds', 'bi_returns', 'bi_anomalies', 'bi_report_figures', 'bi_report_parts']) AS name;

-- What people write about a hold may name the buyer, and who of ours wrote it is no matter of a report.
UPDATE access_rules SET bi = 'SELECT (hold_id, order_no, child_no, children, kind, source, rule, placed_at, ends_at,
    ask_after_s, stopped, too_late, ended_at, ending, updated_at)' WHERE object = 'order_holds';
UPDATE access_rules SET bi = 'SELECT (sku, name, supplier, logistics, customs, updated_at, ship_from, weight_g,
    length_mm, width_mm, height_mm, battery, hazard, vat_bp, ct_bp, tariff_bp, postal_bp, hs_code)' WHERE object = 'skus';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET bi = 'SELECT' WHERE object IN ('order_holds', 'skus');
DELETE FROM access_rules WHERE object IN ('bi_orders', 'bi_children', 'bi_transitions', 'bi_payments', 'bi_refunds',
    'bi_returns', 'bi_anomalies', 'bi_report_figures', 'bi_report_parts');
DROP VIEW bi_report_parts;
DROP VIEW bi_report_figures;
DROP VIEW bi_anomalies;
DROP VIEW bi_returns;
DROP VIEW bi_refunds;
DROP VIEW bi_payments;
DROP VIEW bi_transitions;
DROP VIEW bi_children;
DROP VIEW bi_orders;
SELECT settle_access();
