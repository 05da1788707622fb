-- migrate:up
-- What an order's units and money are read by; without it every look at some orders reads all lines that were ever shipped.
CREATE INDEX child_lines_by_order ON child_lines (order_no);

-- What has changed since the last night: the nightly look at owners reads only that.
CREATE INDEX orders_changed ON orders (updated_at, order_no);
CREATE INDEX return_cases_changed ON return_cases (updated_at, order_no);
CREATE INDEX tickets_answered ON tickets (resolved_at, order_no) WHERE resolved_at IS NOT NULL;
CREATE INDEX refunds_changed ON refunds (updated_at, order_no);

-- migrate:down
DROP INDEX refunds_changed;
DROP INDEX tickets_answered;
DROP INDEX return_cases_changed;
DROP INDEX orders_changed;
DROP INDEX child_lines_by_order;
