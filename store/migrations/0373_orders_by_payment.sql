-- migrate:up
-- A list by a payment status that few orders have walked all orders, newest first, until the page was full.
CREATE INDEX orders_newest_by_payment ON orders (payment_status, placed_at DESC, order_no DESC);

-- migrate:down
DROP INDEX orders_newest_by_payment;
