-- migrate:up
CREATE TABLE bank_words (
    word_no       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_no      text NOT NULL REFERENCES orders,
    chargeback_id text NOT NULL CHECK (chargeback_id <> ''),
    outcome       text NOT NULL CHECK (outcome IN ('won', 'lost')),
    amount_minor  bigint NOT NULL CHECK (amount_minor >= 0),
    currency      text NOT NULL,
    source        text NOT NULL CHECK (source <> ''),
    key           text NOT NULL CHECK (key <> ''),
    occurred_at   timestamptz NOT NULL,
    heard_at      timestamptz NOT NULL,
    CONSTRAINT bank_words_once UNIQUE (order_no, chargeback_id, outcome, amount_minor, currency)
);
COMMENT ON TABLE bank_words IS
    'What sources have said of a chargeback''s end, each word once, whether or not the chargeback was in the books then: one that is opened later ends by it.';
CREATE TRIGGER bank_words_only_grow BEFORE UPDATE OR DELETE ON bank_words
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- One way to the end of a chargeback, for a person's word and for a source's; nobody's role may write the state itself.
CREATE FUNCTION decide_chargeback(wanted text, verdict text, at timestamptz) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    was chargebacks%ROWTYPE;
BEGIN
    SELECT * INTO was FROM chargebacks WHERE chargeback_id = wanted FOR NO KEY UPDATE;
    IF was.state = 'open' THEN
        UPDATE chargebacks SET state = verdict, decided_at = at WHERE chargeback_id = wanted;
        IF verdict = 'won' THEN
            UPDATE payment_balances SET charged_back_minor = charged_back_minor - (was.amount_minor - was.overlap_minor)
            WHERE payment_key = was.payment_key;
        END IF;
    END IF;
    RETURN was.state;
END $$;
COMMENT ON FUNCTION decide_chargeback(text, text, timestamptz) IS
    'Once: the state before, NULL of one that is not in the books. Won: the money stays ours and can be refunded again; lost: it is gone.';
REVOKE ALL ON FUNCTION decide_chargeback(text, text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION decide_chargeback(text, text, timestamptz) TO oms_relay, oms_worker, oms_operator;

INSERT INTO access_rules (object, relay, worker, operator, bi) VALUES
('bank_words', 'SELECT, INSERT', 'SELECT, INSERT', 'SELECT',
    'SELECT (word_no, order_no, chargeback_id, outcome, amount_minor, currency, source, occurred_at, heard_at)');
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (accounted_at)', operator = 'SELECT, INSERT, UPDATE (accounted_at)'
WHERE object = 'chargebacks';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (accounted_at, decided_at, state)',
    operator = 'SELECT, INSERT, UPDATE (accounted_at, decided_at, state)'
WHERE object = 'chargebacks';
DELETE FROM access_rules WHERE object = 'bank_words';
DROP FUNCTION decide_chargeback(text, text, timestamptz);
DROP TABLE bank_words;
SELECT settle_access();
