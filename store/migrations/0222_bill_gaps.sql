-- migrate:up
-- Bills that were read before have no lines below: what they lack is not judged.
ALTER TABLE trade_bills ADD COLUMN own int CHECK (own BETWEEN 0 AND lines);
COMMENT ON COLUMN trade_bills.own IS 'Lines of orders of ours, each in bill_lines. NULL: read before they were kept.';

CREATE TABLE bill_lines (
    channel      text NOT NULL CHECK (channel <> ''),
    kind         text NOT NULL CHECK (kind IN ('payment', 'refund')),
    number       text NOT NULL CHECK (number <> ''),
    day          date NOT NULL,
    amount_minor bigint NOT NULL,
    PRIMARY KEY (channel, kind, number)
);
COMMENT ON TABLE bill_lines IS
    'Payments and refunds of our orders that a bill of the channel has, with the first day whose bill did: the channel''s own proof.';
CREATE TRIGGER bill_lines_only_grow BEFORE UPDATE OR DELETE ON bill_lines
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE bill_gaps (
    channel      text NOT NULL,
    kind         text NOT NULL CHECK (kind IN ('payment', 'refund')),
    number       text NOT NULL,
    day          date NOT NULL,
    order_no     text NOT NULL REFERENCES orders,
    amount_minor bigint NOT NULL,
    ticket_id    text NOT NULL,
    found_at     timestamptz NOT NULL,
    healed_at    timestamptz,
    PRIMARY KEY (channel, kind, number)
);
COMMENT ON TABLE bill_gaps IS
    'What our books have of a day and the channel''s bills lack, with its ticket; healed: a later bill has it.';
CREATE INDEX bill_gaps_by_ticket ON bill_gaps (ticket_id) WHERE healed_at IS NULL;

CREATE INDEX payments_by_channel_and_time ON payments (channel, booked_at);
CREATE INDEX refunds_by_success ON refunds (updated_at) WHERE status = 'SUCCEEDED';

INSERT INTO access_rules (object, relay, worker, operator, bi) VALUES
('bill_lines', '', 'SELECT, INSERT', 'SELECT', 'SELECT'),
('bill_gaps', '', 'SELECT, INSERT, UPDATE (healed_at)', 'SELECT', 'SELECT');
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (lines, found, strange, own, read_at)' WHERE object = 'trade_bills';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = 'SELECT, INSERT' WHERE object = 'trade_bills';
DELETE FROM access_rules WHERE object IN ('bill_lines', 'bill_gaps');
DROP INDEX refunds_by_success;
DROP INDEX payments_by_channel_and_time;
DROP TABLE bill_gaps;
DROP TABLE bill_lines;
ALTER TABLE trade_bills DROP COLUMN own;
SELECT settle_access();
