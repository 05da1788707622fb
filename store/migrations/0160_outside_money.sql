-- migrate:up
CREATE TABLE outside_money (
    money_no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_no       text NOT NULL REFERENCES orders,
    kind           text NOT NULL CHECK (kind IN ('refund', 'payment', 'chargeback')),
    source         text NOT NULL CHECK (source <> ''),
    number         text NOT NULL CHECK (number <> ''),
    key            text NOT NULL CHECK (key <> ''),
    transaction_id text,
    merchant_id    text NOT NULL,
    amount_minor   bigint CHECK (amount_minor >= 0),
    currency       text CHECK (currency ~ '^[A-Z]{3}$'),
    occurred_at    timestamptz NOT NULL,
    found_at       timestamptz NOT NULL,
    why            text NOT NULL,
    CONSTRAINT outside_money_once UNIQUE (order_no, kind, source, number)
);
COMMENT ON TABLE outside_money IS
    'Money of an order that moved without us: refunds made by hand, second and foreign payments, chargebacks. Each is found once, whoever tells it, and is the ticket T-money-{money_no}.';
COMMENT ON COLUMN outside_money.number IS 'The channel''s own: refund, transaction or chargeback.';
COMMENT ON COLUMN outside_money.amount_minor IS 'NULL: the channel tells none (Alipay''s notices of refunds).';
CREATE INDEX outside_money_by_key ON outside_money (order_no, key);
CREATE TRIGGER outside_money_only_grows BEFORE UPDATE OR DELETE ON outside_money
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE outside_bookings (
    money_no     bigint PRIMARY KEY REFERENCES outside_money,
    order_no     text NOT NULL REFERENCES orders,
    book_as      text NOT NULL CHECK (book_as IN ('book_refund', 'give_back', 'book_payment', 'book_chargeback')),
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    refund_no    text,
    payment_key  text,
    approval_id  text NOT NULL REFERENCES approvals,
    asked_by     text NOT NULL,
    approved_by  text NOT NULL,
    booked_by    text NOT NULL,
    booked_at    timestamptz NOT NULL,
    evidence     text NOT NULL CHECK (evidence <> ''),
    CONSTRAINT outside_bookings_by_two CHECK (approved_by <> asked_by)
);
COMMENT ON TABLE outside_bookings IS
    'Money from outside that counts, by whose decision, on which evidence. refund_no: the refund that it is, or that gives it back; payment_key: the payment that it is, of payments only.';
CREATE INDEX outside_bookings_by_refund ON outside_bookings (refund_no) WHERE refund_no IS NOT NULL;
CREATE INDEX outside_bookings_by_order ON outside_bookings (order_no);
CREATE TRIGGER outside_bookings_only_grow BEFORE UPDATE OR DELETE ON outside_bookings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE outside_bookings;
DROP TABLE outside_money;
