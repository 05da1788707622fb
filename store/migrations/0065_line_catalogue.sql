-- migrate:up
ALTER TABLE order_lines ADD COLUMN catalogue jsonb;
COMMENT ON COLUMN order_lines.catalogue IS
    'The catalogue''s record of the SKU when the order was registered: where it may ship from, hazard, tax. NULL: it had none.';
ALTER TABLE child_orders
    ADD COLUMN planned_carrier     text,
    ADD COLUMN shipping_cost_minor bigint CHECK (shipping_cost_minor >= 0);
COMMENT ON COLUMN child_orders.planned_carrier IS
    'Cheapest configured tariff when the order was split (R37); NULL: the carrier system chooses.';
COMMENT ON COLUMN child_orders.shipping_cost_minor IS
    'What that carrier was expected to charge us. Not what the buyer pays.';

-- migrate:down
ALTER TABLE child_orders DROP COLUMN planned_carrier, DROP COLUMN shipping_cost_minor;
ALTER TABLE order_lines DROP COLUMN catalogue;
