-- migrate:up
CREATE TABLE parcels (
    carrier                text NOT NULL DEFAULT '',
    waybill_no             text NOT NULL CHECK (waybill_no <> ''),
    child_no               text NOT NULL REFERENCES child_orders ON DELETE CASCADE,
    label_format           text CHECK (label_format IN ('PDF', 'ZPL')),
    label                  bytea,
    created_at             timestamptz NOT NULL,
    tracking_subscribed_at timestamptz,
    tracking_next_try_at   timestamptz NOT NULL DEFAULT '-infinity',
    CONSTRAINT parcels_one_owner PRIMARY KEY (waybill_no, carrier),
    CHECK ((label IS NULL) = (label_format IS NULL))
);
COMMENT ON TABLE parcels IS
    'Waybills with their labels. A carrier''s waybill belongs to one child for ever, so courier events always find their order.';
CREATE INDEX parcels_by_child ON parcels (child_no, created_at);
CREATE INDEX parcels_not_tracked ON parcels (created_at) WHERE tracking_subscribed_at IS NULL;

-- migrate:down
DROP TABLE parcels;
