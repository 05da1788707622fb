-- migrate:up
ALTER TABLE child_orders ADD COLUMN address jsonb;
COMMENT ON COLUMN child_orders.address IS
    'Where it goes although the order''s address was changed: it was being picked already. NULL: where the order goes.';
COMMENT ON COLUMN orders.start IS
    'The StartOrder message as it came; its address is the present one (R29). What has left keeps its own.';

-- migrate:down
COMMENT ON COLUMN orders.start IS 'The StartOrder message as it came, address snapshot included.';
ALTER TABLE child_orders DROP COLUMN address;
