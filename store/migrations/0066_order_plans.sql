-- migrate:up
CREATE TABLE order_plans (
    order_no    text PRIMARY KEY REFERENCES orders ON DELETE CASCADE,
    planned_at  timestamptz NOT NULL,
    explanation jsonb NOT NULL CHECK (explanation ->> 'order_no' = order_no)
);
COMMENT ON TABLE order_plans IS
    'Why each order was split as it was (R34): reasons with rules and versions, what was rejected, what would have avoided the split, and all inputs, so that the plan can be made again.';
CREATE TRIGGER order_plans_only_grow BEFORE UPDATE OR TRUNCATE ON order_plans
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE order_plans;
