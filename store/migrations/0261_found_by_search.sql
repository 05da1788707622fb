-- migrate:up
-- One search box: whatever number a person has in hand leads to its order.
CREATE INDEX orders_by_end_of_phone ON orders (right(start #>> '{address,phone}', 4));
CREATE INDEX payments_by_transaction ON payments (transaction_id);

-- migrate:down
DROP INDEX payments_by_transaction;
DROP INDEX orders_by_end_of_phone;
