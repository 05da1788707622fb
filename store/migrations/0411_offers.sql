-- migrate:up
-- Offers in time (R62): before a unit's warranty ends its buyer hears once that it can be replaced instead of repaired.
CREATE TABLE offers (
    order_no   text NOT NULL,
    line_id    text NOT NULL,
    unit       integer NOT NULL CHECK (unit >= 0),
    ends       text NOT NULL CHECK (ends IN ('warranty', 'shelf_life')),
    expires    date NOT NULL,
    by_channel text NOT NULL CHECK (by_channel <> ''),
    made_at    timestamptz NOT NULL,
    refused_at timestamptz,
    PRIMARY KEY (order_no, line_id, unit),
    FOREIGN KEY (order_no, line_id) REFERENCES order_lines
);
COMMENT ON TABLE offers IS
    'One offer a unit, ever: the row is the claim. refused_at: its buyer has said no. Taken: a warranty replacement of the unit was applied for after it was made.';
CREATE INDEX offers_by_time ON offers (made_at);

-- The few orders that are looked through every morning.
CREATE INDEX orders_with_warranty ON orders (order_no) WHERE erased_at IS NULL
    AND jsonb_path_exists(start, '$.lines[*].after_sales ? (@.warranty_until != null || @.warranty_days != null)');

ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened', 'return.status_changed', 'automation.fired', 'offer.made']);

INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('offers', 'SELECT, INSERT', 'SELECT', 'SELECT', 'SELECT, UPDATE (refused_at)');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'offers';
UPDATE subscriptions SET types = array_remove(types, 'offer.made') WHERE types <> '{offer.made}';
DELETE FROM deliveries WHERE subscription_id IN (SELECT subscription_id FROM subscriptions WHERE types = '{offer.made}');
DELETE FROM subscriptions WHERE types = '{offer.made}';
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened', 'return.status_changed', 'automation.fired']);
DROP INDEX orders_with_warranty;
DROP TABLE offers;
SELECT settle_access();
