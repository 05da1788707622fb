"""A full shop as rows: orders of months, most of them over, with parcels, money, returns, tickets and messages.

The highest number is the newest order. What only an order's own page shows, by its number, the oldest nine tenths do
without: shares, events, scans. Rows are written as they would stand, past the triggers that would count them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.load.console.rows_beside import BESIDE

A_DAY = 10_000
"""Orders."""

# Orders of one batch, $1 to $2 of $3. `part`: how new, of 1; open are the newest 5 in 100.
SOME_ORDERS = """
CREATE TEMP TABLE some_orders AS
SELECT n, n::float / $3::int AS part, 'SO' || lpad(n::text, 10, '0') AS no,
    now() - make_interval(secs => ($3::int - n) * 86400.0 / $4::int) AS at,
    (ARRAY['tmall', 'jd', 'douyin', 'pdd'])[1 + n % 4] AS channel, 'b' || n % 200000 AS buyer,
    CASE WHEN n < $3::int * 0.95 THEN CASE WHEN n % 50 = 0 THEN 'CLOSED' ELSE 'COMPLETED' END
        ELSE (ARRAY['PENDING_PAYMENT', 'AWAITING_SHIPMENT', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED', 'SHIPPED',
            'SHIPPED', 'SHIPPED', 'DELIVERED', 'DELIVERED', 'DELIVERED'])[1 + n % 10] END AS status
FROM generate_series($1::int, $2::int) n"""

# Of one order in five, but the newest.
SOME_RETURNS = """
CREATE TEMP TABLE some_returns AS
SELECT n / 5 AS r, 'RT' || lpad((n / 5)::text, 9, '0') AS no, no AS order_no, at + interval '3 days' AS at, channel,
    buyer,
    CASE WHEN part < 0.97 THEN 'REFUNDED'
        ELSE (ARRAY['SUPERVISOR_REVIEW', 'WAITING_RETURN', 'IN_RETURN', 'RECEIVED', 'FINANCE_REVIEW'])[1 + n / 5 % 5]
    END AS status
FROM some_orders WHERE n % 5 = 0 AND part <= 0.99"""

ROWS = (
    """
    INSERT INTO orders (order_no, run_id, channel, channel_order_no, kind, buyer_id, start, currency, payable_minor,
        placed_at, pay_deadline, policy_version, seq, status, payment_status, waiting_for, needs_attention, paid_minor,
        paid_at, ended_at, completed_at, registered_at, updated_at, dispatch_by)
    SELECT no, 'run', channel, 'C' || n, 'normal', buyer, jsonb_build_object('address', jsonb_build_object(
        'recipient', '王芳', 'phone', '138' || lpad(n::text, 8, '0'), 'province', '浙江', 'city', '杭州',
        'district', '西湖', 'street', '文三路 1 号')), 'CNY', 6000, at, at, 1, 8, status,
        CASE status WHEN 'PENDING_PAYMENT' THEN 'CREATED' ELSE 'PAID' END, 'receipt', n % 2000 = 0 AND part > 0.95,
        CASE status WHEN 'PENDING_PAYMENT' THEN 0 ELSE 6000 END, CASE WHEN status <> 'PENDING_PAYMENT' THEN at END,
        CASE WHEN part < 0.95 THEN at + interval '20 days' END, NULL, at, at,
        CASE WHEN status <> 'PENDING_PAYMENT' THEN at + interval '2 days' END
    FROM some_orders""",
    """
    INSERT INTO order_lines (order_no, line_id, pos, sku, name, qty, unit_price_minor, gross_minor, discount_minor,
        coupon_minor, net_minor, freight_minor, paid_minor, weight_g, warehouse, supplier, logistics, customs,
        shipped_units)
    SELECT no, 'L' || l, l, 'SKU-' || (n + l * 7) % 5000, '商品', 2, 1000, 2000, 0, 0, 2000, 0, 2000, 100,
        'WH-' || l, 'S', 'standard', 'domestic',
        CASE WHEN status IN ('COMPLETED', 'SHIPPED', 'DELIVERED') THEN 2 ELSE 0 END
    FROM some_orders, generate_series(1, 3) l""",
    """
    INSERT INTO unit_shares (order_no, line_id, first_unit, units, net_minor, freight_minor)
    SELECT no, 'L' || l, 0, 2, 1000, 0 FROM some_orders, generate_series(1, 3) l WHERE part > 0.9""",
    """
    INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor,
        paid_minor, shipped_at, updated_at)
    SELECT no || '-0' || c, no, c, CASE WHEN status IN ('COMPLETED', 'DELIVERED') THEN 'SIGNED' WHEN status = 'CLOSED'
        THEN 'CANCELLED' WHEN status LIKE '%SHIPPED' THEN 'IN_TRANSIT'
        WHEN n % 300 = 1 THEN 'BACKORDER' WHEN n % 500 = 1 THEN 'RISK_HOLD' ELSE 'RELEASED' END,
        8, 'WH-' || c, '[]', 2000, 0, 2000, at + interval '1 day', at
    FROM some_orders, generate_series(1, 3) c WHERE status <> 'PENDING_PAYMENT'""",
    """
    INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty)
    SELECT no, no || '-0' || c, 'L' || c, 0, 2
    FROM some_orders, generate_series(1, 3) c WHERE status <> 'PENDING_PAYMENT' AND part > 0.9""",
    """
    INSERT INTO parcels (waybill_no, carrier, child_no, label_format, label, created_at, tracking_subscribed_at)
    SELECT 'YT' || n || c, 'YTO', no || '-0' || c, CASE WHEN part > 0.99 THEN 'ZPL' END,
        CASE WHEN part > 0.99 THEN '^XA^XZ'::bytea END, at, at
    FROM some_orders, generate_series(1, 3) c WHERE status NOT IN ('PENDING_PAYMENT', 'CLOSED')""",
    """
    INSERT INTO courier_traces (waybill_no, key, source, at, status, text, place)
    SELECT 'YT' || n || c, 'k' || t, 'kuaidi100', at + make_interval(hours => 10 * t), 'in_transit', '运输中', '杭州'
    FROM some_orders, generate_series(1, 3) c, generate_series(1, 3) t
    WHERE part > 0.97 AND status <> 'PENDING_PAYMENT'""",
    """
    INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at,
        booked_at)
    SELECT 'pay' || n, no, CASE n % 3 WHEN 0 THEN 'alipay' ELSE 'wechat' END, 'TX' || n, 'm', 6000, 'CNY', at, at
    FROM some_orders WHERE status <> 'PENDING_PAYMENT'""",
    """
    INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, from_status, to_status,
        write_seq, write_pos)
    SELECT no, 'k' || e, 'PACKED', 'qimen', at, at, 'APPLIED', 'PICKING', 'PACKED', e, 0
    FROM some_orders, generate_series(1, 4) e
    WHERE part > 0.9""",
    """
    INSERT INTO inbox (source, event_id, via, kind, digest, body, facts, received_at, state, order_no, next_try_at,
        delivered_at)
    SELECT (ARRAY['wechat', 'alipay', 'qimen', 'tms', 'kuaidi100'])[1 + n % 5], 'e' || n, 'callback', 'PACKED',
        sha256('x'), '', '[]', at, CASE WHEN n % 100000 = 0 THEN 'parked' ELSE 'applied' END, no, at,
        at + interval '1 second'
    FROM some_orders""",
    """
    INSERT INTO return_cases (return_no, order_no, run_id, type, channel, actor_kind, actor_id, reason, fault,
        application, admitted, policy_version, seq, status, waiting_for, needs_attention, sla_owner, due_at, applied_at,
        ended_at, updated_at, payout_minor, refunded_minor)
    SELECT no, order_no, 'run', 'return_refund', 'app', 'buyer', buyer, 'quality_problem', 'seller',
        jsonb_build_object('return_no', no, 'order_no', order_no, 'type', 'return_refund', 'channel', 'app', 'actor',
            jsonb_build_object('kind', 'buyer', 'id', buyer), 'lines', '{"L1": 1}'::jsonb, 'reason',
            'quality_problem', 'fault', 'seller'),
        jsonb_build_object('return_no', no, 'order_no', order_no, 'type', 'return_refund', 'currency', 'CNY', 'units',
            '[]'::jsonb, 'quote', jsonb_build_object('goods_minor', 1000, 'freight_minor', 0, 'total_minor', 1000,
            'full_minor', 1000, 'lines',
            '[{"line_id": "L1", "units": 1, "goods_minor": 1000, "freight_minor": 0}]'::jsonb),
            'route', '[]'::jsonb, 'unshipped', false, 'policy_version', 1, 'order_ended', true, 'applied_at', at),
        1, 4, status, 'the goods, to be sent back', false,
        CASE status WHEN 'REFUNDED' THEN '' WHEN 'SUPERVISOR_REVIEW' THEN 'CS_SUPERVISOR' WHEN 'FINANCE_REVIEW' THEN
            'FINANCE' WHEN 'RECEIVED' THEN 'WAREHOUSE' ELSE 'BUYER' END, at + interval '7 days', at,
        CASE WHEN status = 'REFUNDED' THEN at + interval '5 days' END, at, 1000,
        CASE WHEN status = 'REFUNDED' THEN 1000 ELSE 0 END
    FROM some_returns""",
    """
    INSERT INTO return_timeline (return_no, at, actor, role, action, detail, write_seq, write_pos)
    SELECT no, at, buyer, 'buyer', 'applied', '{}', e, 0 FROM some_returns, generate_series(1, 4) e WHERE r % 10 = 0""",
    """
    INSERT INTO return_parcels (carrier, waybill_no, return_no, way, bound_at, tracking_subscribed_at)
    SELECT 'YTO', 'RB' || r, no, 'own', at, at FROM some_returns""",
    """
    INSERT INTO refunds (refund_no, order_no, amount_minor, status, seq, reason, units, requested_at, updated_at,
        return_no)
    SELECT 'RF' || r, order_no, 1000, CASE WHEN r % 5000 = 0 THEN 'ABNORMAL' ELSE 'SUCCEEDED' END, 3, 'return', '{}',
        at, at, no
    FROM some_returns WHERE status = 'REFUNDED'""",
    """
    INSERT INTO approvals (approval_id, kind, subject, order_no, version, role, requested_by, content, content_hash,
        workflow_id, state, opened_at, decided_at, decided_by, decided_role, remark)
    SELECT 'A-' || no || '-1', 'refund_application', no, order_no, 1, 'CS_SUPERVISOR', buyer,
        '{"amount_minor": 1000, "currency": "CNY"}', encode(sha256(convert_to(
        '["refund_application","' || no || '",1,{"amount_minor":1000,"currency":"CNY"}]', 'UTF8')), 'hex'),
        'return/' || no,
        CASE status WHEN 'SUPERVISOR_REVIEW' THEN 'open' ELSE 'approved' END, at,
        CASE WHEN status <> 'SUPERVISOR_REVIEW' THEN at END, CASE WHEN status <> 'SUPERVISOR_REVIEW' THEN
        'cs-supervisor' END, CASE WHEN status <> 'SUPERVISOR_REVIEW' THEN 'CS_SUPERVISOR' END,
        CASE WHEN status <> 'SUPERVISOR_REVIEW' THEN 'ok' END
    FROM some_returns""",
    """
    INSERT INTO tickets (ticket_id, order_no, outside, state, severity, system, step, error, actions, opened_at,
        resolved_at, resolved_by, action, remark)
    SELECT 'T-' || no || '-1', no, false, CASE WHEN part < 0.99 THEN 'resolved' ELSE 'open' END,
        (ARRAY['info', 'normal', 'urgent'])[1 + n / 20 % 3], 'qimen', 'push', 'no answer', '{retry,give_up}', at,
        CASE WHEN part < 0.99 THEN at END, CASE WHEN part < 0.99 THEN 'order-ops' END,
        CASE WHEN part < 0.99 THEN 'retry' END, CASE WHEN part < 0.99 THEN 'ok' END
    FROM some_orders WHERE n % 20 = 0""",
    """
    INSERT INTO audit (id, at, actor, action, order_no, detail, write_seq, write_pos, prev_hash, hash)
    SELECT n, at, 'order-ops', 'label.print', no, '{}', 1, 0, '', '' FROM some_orders""",
)  # fmt: skip

GOODS = (
    """
    INSERT INTO skus (sku, name, supplier, logistics, customs, ship_from, updated_at)
    SELECT 'SKU-' || s, '商品 ' || s, 'S', 'standard', 'domestic', '{WH-1,WH-2,WH-3}', now()
    FROM generate_series(0, 4999) s""",
    """
    INSERT INTO stock (sku, warehouse, available, shipped)
    SELECT 'SKU-' || s, 'WH-' || w, 100, 1000 FROM generate_series(0, 4999) s, generate_series(1, 3) w""",
    """
    INSERT INTO stock_moves (ref, kind, sku, warehouse, qty, at)
    SELECT 'GR-' || s || '-' || m, 'receive', 'SKU-' || s, 'WH-' || 1 + m % 3, 1, now() - make_interval(hours => m)
    FROM generate_series(0, 4999) s, generate_series(1, 60) m""",
)


@dataclass(frozen=True)
class Index:
    name: str
    definition: str


def tables() -> Sequence[str]:
    """That are filled, each once."""
    return list(dict.fromkeys(statement.split()[2] for statement in (*ROWS, *BESIDE, *GOODS)))
