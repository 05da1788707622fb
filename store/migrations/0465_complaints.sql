-- migrate:up
-- What channels and customer service tell of complaints (R21): counted in the report of the month of their orders.
CREATE TABLE complaints (
    channel       text NOT NULL CHECK (channel <> ''),
    complaint_no  text NOT NULL CHECK (complaint_no <> ''),
    order_no      text NOT NULL REFERENCES orders,
    about         text NOT NULL CHECK (about IN ('late', 'lost', 'damaged', 'wrong', 'quality', 'money', 'service', 'other')),
    complained_at timestamptz NOT NULL,
    told_by       text NOT NULL CHECK (told_by <> ''),
    told_at       timestamptz NOT NULL,
    PRIMARY KEY (channel, complaint_no)
);
COMMENT ON TABLE complaints IS
    'One row a complaint, under its number at the channel of its order. A channel that has told of one is a source: orders of the others are left out of the figure, and counted as left out. Nothing that the buyer wrote is kept.';
CREATE INDEX complaints_by_order ON complaints (order_no);
CREATE TRIGGER complaints_stay BEFORE UPDATE OR DELETE OR TRUNCATE ON complaints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('complaints', 'SELECT, INSERT', 'SELECT', 'SELECT (channel, order_no, about, complained_at, told_at)', 'SELECT');

-- An improvement may be held by a book of automations or forms as well.
ALTER TABLE insight_actions DROP CONSTRAINT insight_actions_held_by_check;
ALTER TABLE insight_actions ADD CONSTRAINT insight_actions_held_by_check
    CHECK (held_by IN ('rules', 'policy', 'automations', 'forms', 'insight'));

-- What is looked through every morning: units with a shelf life, too.
DROP INDEX orders_with_warranty;
CREATE INDEX orders_with_an_end ON orders (order_no) WHERE erased_at IS NULL AND jsonb_path_exists(start,
    '$.lines[*].after_sales ? (@.warranty_until != null || @.warranty_days != null || @.shelf_life_until != null)');
SELECT settle_access();

-- migrate:down
DROP INDEX orders_with_an_end;
CREATE INDEX orders_with_warranty ON orders (order_no) WHERE erased_at IS NULL
    AND jsonb_path_exists(start, '$.lines[*].after_sales ? (@.warranty_until != null || @.warranty_days != null)');
ALTER TABLE insight_actions DROP CONSTRAINT insight_actions_held_by_check;
ALTER TABLE insight_actions ADD CONSTRAINT insight_actions_held_by_check
    CHECK (held_by IN ('rules', 'policy', 'insight')) NOT VALID;
DELETE FROM access_rules WHERE object = 'complaints';
DROP TABLE complaints;
SELECT settle_access();
