-- migrate:up
-- Other systems hear of returns as of orders.
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened', 'return.status_changed']);

-- migrate:down
UPDATE subscriptions SET types = array_remove(types, 'return.status_changed')
WHERE types <> '{return.status_changed}';
DELETE FROM deliveries WHERE subscription_id IN
    (SELECT subscription_id FROM subscriptions WHERE types = '{return.status_changed}');
DELETE FROM subscriptions WHERE types = '{return.status_changed}';
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened']);
