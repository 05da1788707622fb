"""The rest of a full shop as rows: what money, messages, tickets and parcels leave behind beside the orders themselves.

Follows `rows.ROWS` in the same batch, over the same tables of some orders and returns.
"""

# fmt: off
BESIDE = (
    """
    INSERT INTO payment_balances (payment_key, order_no, paid_at, paid_minor)
    SELECT 'pay' || n, no, at, 6000 FROM some_orders WHERE status <> 'PENDING_PAYMENT'""",
    """
    INSERT INTO refund_parts (refund_no, payment_key, amount_minor)
    SELECT 'RF' || r, 'pay' || 5 * r, 1000 FROM some_returns WHERE status = 'REFUNDED'""",
    """
    INSERT INTO outside_money (order_no, kind, source, number, key, merchant_id, occurred_at, found_at, why)
    SELECT no, 'payment', 'wechat', 'TX' || n, 'outside' || n, 'm', at, at, 'twice' FROM some_orders
    WHERE n % 50 = 0""",
    """
    INSERT INTO chargebacks (chargeback_id, payment_key, order_no, amount_minor, overlap_minor, state, opened_at,
        decided_at)
    SELECT 'CB' || n, 'pay' || n, no, 6000, 0, 'won', at, at FROM some_orders WHERE n % 50 = 1""",
    """
    INSERT INTO bill_lines (channel, kind, number, day, amount_minor)
    SELECT CASE n % 3 WHEN 0 THEN 'alipay' ELSE 'wechat' END, 'payment', 'TX' || n, at::date, 6000
    FROM some_orders WHERE status <> 'PENDING_PAYMENT'""",
    """
    INSERT INTO return_units (return_no, line_id, unit, seq, reception, acceptance)
    SELECT no, 'L1', 0, 4, 'RECEIVED', 'ACCEPTED' FROM some_returns""",
    """
    INSERT INTO return_scans (return_no, scan_id, scanned, result, by_whom, at)
    SELECT no, 's1', 'SKU', 'expected', 'warehouse', at FROM some_returns""",
    """
    INSERT INTO outbox (event_id, order_no, type, at, body)
    SELECT 'evt_' || md5(n::text), no, 'order.status_changed', at, '{}' FROM some_orders""",
    """
    INSERT INTO deliveries (id, outbox_id, subscription_id, needs_ack, state, next_try_at, settled_at, attempts)
    OVERRIDING SYSTEM VALUE
    SELECT n, n, (ARRAY['crm', 'erp', 'bi'])[1 + n % 3], false,
        CASE n % 2000 WHEN 0 THEN 'failed' ELSE 'acknowledged' END, at, at, 1
    FROM some_orders""",
    """
    INSERT INTO delivery_attempts (delivery_id, n, started_at, ended_at, outcome)
    SELECT n, 1, at, at, 'ok' FROM some_orders""",
    """
    INSERT INTO drifts (day, order_no, kind, number, expected, found, found_at, healed_at)
    SELECT at::date, no, 'payment', no, 'CREATED', 'PAID', at, at FROM some_orders WHERE n % 20 = 1""",
    """
    INSERT INTO ticket_history (ticket_id, at, actor, action)
    SELECT 'T-' || no || '-1', at, 'order-ops', 'take' FROM some_orders WHERE n % 20 = 0""",
    """
    INSERT INTO order_plans (order_no, planned_at, explanation)
    SELECT no, at, '{}' FROM some_orders WHERE part > 0.9""",
    """
    INSERT INTO label_prints (child_no, copy, waybill_no, by, at)
    SELECT no || '-01', 1, 'YT' || n || 1, 'warehouse', at FROM some_orders""",
    """
    INSERT INTO inbox_repeats (inbox_id, at) SELECT n, at FROM some_orders WHERE n % 5 = 0""",
    """
    INSERT INTO inbox_refusals (source, remote_ip, reason, text, body_sha256, at)
    SELECT 'wechat', '192.0.2.1', 'signature', 'not signed', sha256('x'), at FROM some_orders WHERE n % 20 = 0""",
    """
    INSERT INTO pulls (connector, kind, number, pulled_at)
    SELECT 'wechat', 'payment', no, at FROM some_orders WHERE part > 0.9""",
    """
    INSERT INTO pull_queue (kind, scope, number, order_no, child_no, due_at)
    SELECT 'parcel', 'YTO', 'YT' || n || 1, no, no || '-01', now() + make_interval(secs => n % 20000)
    FROM some_orders WHERE part > 0.95 AND status = 'SHIPPED'""",
    """
    INSERT INTO command_proofs (token_id, workflow_id, command, content_hash, person_id, role, claims, used_by, used_at)
    SELECT 'token' || n, 'order/' || no, 'cancel', encode(sha256(no::bytea), 'hex'), 'p', 'ORDER_OPS', '{}', 'worker',
        at
    FROM some_orders WHERE n % 20 = 0""",
    """
    INSERT INTO order_marks (order_no, kind, text, marked_by, at)
    SELECT no, 'tag', 'vip', 'order-ops', at FROM some_orders WHERE n % 20 = 0""",
    """
    INSERT INTO automation_runs (automation_id, order_no, version, trigger, ref, happened_at, condition, facts, action,
        state, said, at, finished_at)
    SELECT 'tag-' || n % 7, no, 1, 'order_placed', no, at, '', '{}', '{}', 'done', '', at, at FROM some_orders
    WHERE n % 10 = 0""",
)
# fmt: on
