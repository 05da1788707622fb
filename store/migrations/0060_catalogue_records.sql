-- migrate:up
ALTER TABLE skus
    ADD COLUMN ship_from  text[],
    ADD COLUMN weight_g   integer CHECK (weight_g >= 0),
    ADD COLUMN length_mm  integer CHECK (length_mm > 0),
    ADD COLUMN width_mm   integer CHECK (width_mm > 0),
    ADD COLUMN height_mm  integer CHECK (height_mm > 0),
    ADD COLUMN battery    boolean NOT NULL DEFAULT false,
    ADD COLUMN hazard     boolean NOT NULL DEFAULT false,
    ADD COLUMN vat_bp     integer CHECK (vat_bp BETWEEN 0 AND 10000),
    ADD COLUMN ct_bp      integer CHECK (ct_bp BETWEEN 0 AND 9999),
    ADD COLUMN tariff_bp  integer CHECK (tariff_bp BETWEEN 0 AND 100000),
    ADD COLUMN postal_bp  integer CHECK (postal_bp BETWEEN 0 AND 10000),
    ADD COLUMN hs_code    text CHECK (hs_code ~ '^[0-9]{6,13}$'),
    ADD COLUMN updated_by text NOT NULL DEFAULT '';
UPDATE skus SET ship_from = ARRAY[warehouse];
ALTER TABLE skus
    ALTER COLUMN ship_from SET NOT NULL,
    ALTER COLUMN ship_from SET DEFAULT '{}',
    ADD CHECK (array_position(ship_from, '') IS NULL AND array_position(ship_from, NULL) IS NULL),
    ADD CHECK (num_nonnulls(length_mm, width_mm, height_mm) IN (0, 3)),
    ADD CONSTRAINT skus_customs_mode CHECK (customs IN ('domestic', 'personal', 'cbec', 'general_trade')),
    DROP COLUMN warehouse;
COMMENT ON COLUMN skus.ship_from IS
    'Warehouses the goods may leave, in order of preference. Empty: the SKU is known but untagged, and nobody guesses (R25).';
COMMENT ON COLUMN skus.postal_bp IS 'Rate for personal postal articles. Rates are basis points; NULL: not known.';
CREATE INDEX skus_untagged ON skus (sku) WHERE ship_from = '{}';

-- migrate:down
DELETE FROM skus WHERE ship_from = '{}';
ALTER TABLE skus ADD COLUMN warehouse text CHECK (warehouse <> '');
UPDATE skus SET warehouse = ship_from[1];
ALTER TABLE skus
    ALTER COLUMN warehouse SET NOT NULL,
    DROP CONSTRAINT skus_customs_mode,
    DROP COLUMN ship_from, DROP COLUMN weight_g, DROP COLUMN length_mm, DROP COLUMN width_mm, DROP COLUMN height_mm,
    DROP COLUMN battery, DROP COLUMN hazard, DROP COLUMN vat_bp, DROP COLUMN ct_bp, DROP COLUMN tariff_bp,
    DROP COLUMN postal_bp, DROP COLUMN hs_code, DROP COLUMN updated_by;
