-- migrate:up
CREATE TABLE refunds (
    refund_no    text PRIMARY KEY CHECK (refund_no <> ''),
    order_no     text NOT NULL REFERENCES orders,
    amount_minor bigint NOT NULL CHECK (amount_minor >= 0),
    status       text NOT NULL CHECK (status IN ('REQUESTED', 'ACCEPTED', 'SUCCEEDED', 'ABNORMAL', 'CLOSED')),
    seq          integer NOT NULL CHECK (seq >= 0),
    reason       text NOT NULL,
    units        jsonb NOT NULL,
    requested_at timestamptz NOT NULL,
    updated_at   timestamptz NOT NULL
);
COMMENT ON TABLE refunds IS
    'Money sent back. Acceptance by the channel is not success; SUCCEEDED is final; CLOSED means that a person has taken it over, so it keeps its reservation and only proof of success ends it.';
CREATE INDEX refunds_by_order ON refunds (order_no);
CREATE INDEX refunds_unsettled ON refunds (updated_at) WHERE status NOT IN ('SUCCEEDED', 'CLOSED');

CREATE FUNCTION refuse_refund_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.refund_no, NEW.order_no, NEW.amount_minor, NEW.units)
        IS DISTINCT FROM (OLD.refund_no, OLD.order_no, OLD.amount_minor, OLD.units) THEN
        RAISE EXCEPTION 'unable to change refund %: its order, amount and units are fixed', OLD.refund_no
            USING ERRCODE = 'restrict_violation';
    END IF;
    IF NEW.status <> OLD.status AND (OLD.status = 'SUCCEEDED' OR NEW.status = 'REQUESTED'
                                     OR (OLD.status = 'CLOSED' AND NEW.status <> 'SUCCEEDED')) THEN
        RAISE EXCEPTION 'unable to move refund % from % to %', OLD.refund_no, OLD.status, NEW.status
            USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER refunds_move_forward BEFORE UPDATE ON refunds
    FOR EACH ROW EXECUTE FUNCTION refuse_refund_change();
CREATE TRIGGER refunds_stay BEFORE DELETE ON refunds
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE refunds;
DROP FUNCTION refuse_refund_change();
