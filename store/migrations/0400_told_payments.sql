-- migrate:up
ALTER TABLE outside_money ADD COLUMN told_by text CHECK (told_by <> '');
COMMENT ON COLUMN outside_money.told_by IS
    'Of a payment that a person or program of ours has told of, with its evidence: no ticket asks about it, finance is asked at once. NULL: a channel has told it.';
-- One transaction pays one order, whoever tells it: the other orders that name it are found by it.
CREATE INDEX outside_money_by_transaction ON outside_money (source, number) WHERE kind = 'payment';

-- migrate:down
DROP INDEX outside_money_by_transaction;
ALTER TABLE outside_money DROP COLUMN told_by;
