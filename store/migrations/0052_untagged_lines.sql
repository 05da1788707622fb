-- migrate:up
ALTER TABLE order_lines ALTER COLUMN warehouse DROP NOT NULL;
COMMENT ON COLUMN order_lines.warehouse IS
    'NULL: the catalogue knew the SKU without tags when the order was registered. The order is not split before somebody has tagged it (R25).';

-- migrate:down
-- Refused while an order waits for tags.
ALTER TABLE order_lines ALTER COLUMN warehouse SET NOT NULL;
