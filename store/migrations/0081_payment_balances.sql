-- migrate:up
CREATE TABLE payment_balances (
    payment_key        text PRIMARY KEY REFERENCES payments,
    order_no           text NOT NULL REFERENCES orders,
    paid_at            timestamptz NOT NULL,
    paid_minor         bigint NOT NULL CHECK (paid_minor >= 0),
    reserved_minor     bigint NOT NULL DEFAULT 0,
    charged_back_minor bigint NOT NULL DEFAULT 0 CHECK (charged_back_minor >= 0),
    CONSTRAINT payment_balances_within_paid CHECK (
        reserved_minor >= 0 AND reserved_minor + charged_back_minor <= paid_minor)
);
COMMENT ON TABLE payment_balances IS
    'What is left of each payment: refunds are borne by payments, each by at most what it brought (several payments an order).';
CREATE INDEX payment_balances_by_order ON payment_balances (order_no);

CREATE TABLE refund_parts (
    refund_no    text NOT NULL REFERENCES refunds,
    payment_key  text NOT NULL REFERENCES payments,
    amount_minor bigint NOT NULL CHECK (amount_minor > 0),
    PRIMARY KEY (refund_no, payment_key)
);
COMMENT ON TABLE refund_parts IS 'Which payment bears how much of a refund.';
CREATE INDEX refund_parts_by_payment ON refund_parts (payment_key);
CREATE TRIGGER refund_parts_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON refund_parts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION open_payment_balance() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO payment_balances (payment_key, order_no, paid_at, paid_minor)
    VALUES (NEW.key, NEW.order_no, NEW.paid_at, NEW.amount_minor);
    RETURN NULL;
END $$;
CREATE TRIGGER payments_have_a_balance AFTER INSERT ON payments
    FOR EACH ROW EXECUTE FUNCTION open_payment_balance();

-- What was reserved before is borne by the oldest payments first, as it is from now on.
INSERT INTO payment_balances (payment_key, order_no, paid_at, paid_minor, reserved_minor)
SELECT key, order_no, paid_at, amount_minor,
    greatest(0, least(amount_minor, refund_reserved_minor - earlier))
FROM (SELECT p.key, p.order_no, p.paid_at, p.amount_minor, o.refund_reserved_minor,
        sum(p.amount_minor) OVER (PARTITION BY p.order_no ORDER BY p.paid_at, p.key) - p.amount_minor AS earlier
    FROM payments p JOIN orders o USING (order_no)) known;

CREATE TABLE chargebacks (
    chargeback_id text PRIMARY KEY CHECK (chargeback_id <> ''),
    payment_key   text NOT NULL REFERENCES payments,
    order_no      text NOT NULL REFERENCES orders,
    amount_minor  bigint NOT NULL CHECK (amount_minor > 0),
    overlap_minor bigint NOT NULL CHECK (overlap_minor BETWEEN 0 AND amount_minor),
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'lost', 'won')),
    opened_at     timestamptz NOT NULL,
    decided_at    timestamptz,
    CHECK ((state = 'open') = (decided_at IS NULL))
);
COMMENT ON TABLE chargebacks IS
    'Money that the buyer''s bank has taken back, or wants to. While one is open, no refund of its order is paid out (N17).';
COMMENT ON COLUMN chargebacks.overlap_minor IS
    'The part that refunds had given back already: claimed twice, to be contested by a person.';
CREATE INDEX chargebacks_by_order ON chargebacks (order_no);

-- migrate:down
DROP TABLE chargebacks;
DROP TRIGGER payments_have_a_balance ON payments;
DROP FUNCTION open_payment_balance();
DROP TABLE refund_parts;
DROP TABLE payment_balances;
