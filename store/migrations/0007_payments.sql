-- migrate:up
CREATE TABLE payments (
    key            text PRIMARY KEY,
    order_no       text NOT NULL REFERENCES orders,
    channel        text NOT NULL,
    transaction_id text NOT NULL,
    merchant_id    text NOT NULL,
    amount_minor   bigint NOT NULL CHECK (amount_minor >= 0),
    currency       text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    paid_at        timestamptz NOT NULL,
    booked_at      timestamptz NOT NULL,
    CONSTRAINT payments_transaction_once UNIQUE (channel, transaction_id)
);
COMMENT ON TABLE payments IS 'Money received. One transaction of a channel pays one order, once.';
CREATE INDEX payments_by_order ON payments (order_no);
CREATE TRIGGER payments_only_grow BEFORE UPDATE OR DELETE ON payments
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE payments;
