-- migrate:up
-- A replacement that the warehouse has cancelled may be sent anew, under another number; one at a time.
DROP INDEX child_orders_one_replacement;
CREATE UNIQUE INDEX child_orders_one_replacement ON child_orders (return_no)
    WHERE return_no IS NOT NULL AND status <> 'CANCELLED';

-- migrate:down
DROP INDEX child_orders_one_replacement;
CREATE UNIQUE INDEX child_orders_one_replacement ON child_orders (return_no) WHERE return_no IS NOT NULL;
