-- migrate:up
ALTER TABLE child_orders
    ADD COLUMN replaces    text[] NOT NULL DEFAULT '{}',
    ADD COLUMN replaced_by text[] NOT NULL DEFAULT '{}',
    ADD COLUMN replan      jsonb,
    ADD COLUMN was         jsonb;
COMMENT ON COLUMN child_orders.replaces IS
    'Children whose units it took over: shipped together, split by hand, sourced again (R35, R36, R39).';
COMMENT ON COLUMN child_orders.replaced_by IS
    'Children that took over units of it; their money went with them. One that holds nothing more ended without a refund.';
COMMENT ON COLUMN child_orders.replan IS 'Why: because, remark, approval_id. On both sides of a change.';
COMMENT ON COLUMN child_orders.was IS 'What it held before: lines and money, as planned at the split.';

-- One child may take over units of a line that do not lie side by side.
ALTER TABLE child_lines DROP CONSTRAINT child_lines_pkey, ADD PRIMARY KEY (child_no, line_id, first_unit);

-- migrate:down
ALTER TABLE child_lines DROP CONSTRAINT child_lines_pkey, ADD PRIMARY KEY (child_no, line_id);
ALTER TABLE child_orders DROP COLUMN was, DROP COLUMN replan, DROP COLUMN replaced_by, DROP COLUMN replaces;
