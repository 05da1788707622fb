-- migrate:up
-- What read a growing table from end to end (tests/store/plans). While a courier is away, for each of its parcels:
CREATE INDEX tickets_of_outages ON tickets (ticket_id) WHERE step = 'courier unreachable';
-- Lists of resolved tickets, which grow; the open ones have theirs.
CREATE INDEX tickets_by_age ON tickets (state, opened_at, ticket_id);
CREATE INDEX tickets_by_severity ON tickets (state, severity, opened_at, ticket_id);
CREATE INDEX tickets_loudest ON tickets
    (state, array_position(ARRAY['urgent', 'normal', 'info'], severity), opened_at, ticket_id);
-- For every replacement: whether there was one before.
CREATE INDEX child_orders_of_cases ON child_orders (return_no) WHERE return_no IS NOT NULL;
-- By time, for what is looked up a day at a time: blocks that cannot hold such a day are passed over. An order's write
-- changes none of these columns but once, and such an index has an entry a block range, not one a row.
CREATE INDEX orders_by_times ON orders USING brin (registered_at, paid_at, dispatch_by) WITH (pages_per_range = 32);
DROP INDEX order_events_by_happening;
CREATE INDEX order_events_by_times ON order_events USING brin (occurred_at, recorded_at) WITH (pages_per_range = 32);
CREATE INDEX order_plans_by_time ON order_plans USING brin (planned_at) WITH (pages_per_range = 32);
-- Newest first of one source, one automation, one subscription: whichever is rare.
DROP INDEX inbox_by_source;
CREATE INDEX inbox_newest_by_source ON inbox (source, id DESC);
CREATE INDEX automation_runs_newest_of_one ON automation_runs (automation_id, at DESC);
CREATE INDEX deliveries_newest ON deliveries (subscription_id, id DESC);
-- Rows of the audit without their words: few, and looked up when the chain is checked.
CREATE INDEX audit_erased ON audit (erased_by, id) WHERE erased_by IS NOT NULL;

-- migrate:down
DROP INDEX audit_erased;
DROP INDEX deliveries_newest;
DROP INDEX automation_runs_newest_of_one;
DROP INDEX inbox_newest_by_source;
CREATE INDEX inbox_by_source ON inbox (source, received_at);
DROP INDEX order_plans_by_time;
DROP INDEX order_events_by_times;
CREATE INDEX order_events_by_happening ON order_events USING brin (occurred_at);
DROP INDEX orders_by_times;
DROP INDEX child_orders_of_cases;
DROP INDEX tickets_loudest;
DROP INDEX tickets_by_severity;
DROP INDEX tickets_by_age;
DROP INDEX tickets_of_outages;
