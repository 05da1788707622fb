-- migrate:up
ALTER TABLE orders ADD COLUMN rules_version integer REFERENCES rule_sets;
COMMENT ON COLUMN orders.rules_version IS
    'The rule set that counted when the order was registered; it keeps it. NULL: taken in before there were rule sets.';

-- migrate:down
ALTER TABLE orders DROP COLUMN rules_version;
