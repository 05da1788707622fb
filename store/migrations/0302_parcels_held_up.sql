-- migrate:up
-- What of the parcels waits for somebody, among millions that do not: the first page counts them, the orders' list finds
-- their orders.
CREATE INDEX child_orders_held_up ON child_orders (status, order_no)
    WHERE status IN ('BACKORDER', 'RISK_HOLD', 'CUSTOMS_HOLD', 'EXCEPTION');

-- migrate:down
DROP INDEX child_orders_held_up;
