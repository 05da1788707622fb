-- migrate:up
-- What a person says of a bank's decision is money by hand: it counts when a second person says the same.
CREATE TABLE chargeback_sayings (
    chargeback_id text NOT NULL REFERENCES chargebacks (chargeback_id),
    word          text NOT NULL CHECK (word IN ('won', 'lost', 'accounted')),
    said_by       text NOT NULL CHECK (said_by <> ''),
    said_at       timestamptz NOT NULL,
    remark        text,
    PRIMARY KEY (chargeback_id, word)
);
COMMENT ON TABLE chargeback_sayings IS
    'The first of the two people who say how a chargeback ended, or that a lost one was accounted for; the second one carries it out.';
INSERT INTO access_rules (object, worker, console) VALUES ('chargeback_sayings', 'SELECT, INSERT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'chargeback_sayings';
DROP TABLE chargeback_sayings;
SELECT settle_access();
