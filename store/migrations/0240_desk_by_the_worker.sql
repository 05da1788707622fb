-- migrate:up
-- Goods, money and drafts of rules are the worker's to write, for a person who has been proven (decision 0046): who logs in
-- as the operator looks at them, and moves none of them.
UPDATE access_rules SET operator = 'SELECT'
WHERE object IN ('approvals', 'orders', 'order_lines', 'child_orders', 'unit_claims', 'payments', 'payment_balances', 'refunds',
    'refund_parts', 'chargebacks', 'outside_bookings', 'stock', 'stock_moves', 'rule_drafts');
REVOKE EXECUTE ON FUNCTION locked_approval(text), withdraw_approval(text, timestamptz), use_approval(text, timestamptz, text),
    decide_chargeback(text, text, timestamptz) FROM oms_operator;
SELECT settle_access();

-- migrate:down
GRANT EXECUTE ON FUNCTION locked_approval(text), withdraw_approval(text, timestamptz), use_approval(text, timestamptz, text),
    decide_chargeback(text, text, timestamptz) TO oms_operator;
UPDATE access_rules SET operator = 'SELECT, INSERT' WHERE object IN ('payments', 'refund_parts', 'outside_bookings', 'stock_moves',
    'rule_drafts');
UPDATE access_rules SET operator = 'SELECT, INSERT (approval_id, kind, subject, order_no, version, role, requested_by, excluded,
    content, content_hash, workflow_id, opened_at)' WHERE object = 'approvals';
UPDATE access_rules SET operator = 'SELECT, UPDATE (refund_reserved_minor, refunded_minor)' WHERE object = 'orders';
UPDATE access_rules SET operator = 'SELECT, UPDATE (refunded_units)' WHERE object = 'order_lines';
UPDATE access_rules SET operator = 'SELECT, UPDATE (seq)' WHERE object = 'child_orders';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (held)' WHERE object = 'unit_claims';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (charged_back_minor, reserved_minor)' WHERE object = 'payment_balances';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (seq, status, updated_at)' WHERE object = 'refunds';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (accounted_at)' WHERE object = 'chargebacks';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (available, frozen, reserved, scrapped, second_hand, shipped)'
WHERE object = 'stock';
SELECT settle_access();
