-- migrate:up
ALTER TABLE return_parcels
    ADD COLUMN tracking_subscribed_at timestamptz,
    ADD COLUMN tracking_next_try_at timestamptz NOT NULL DEFAULT '-infinity';
CREATE INDEX return_parcels_not_tracked ON return_parcels (bound_at) WHERE tracking_subscribed_at IS NULL;
COMMENT ON COLUMN return_parcels.tracking_subscribed_at IS 'Since when its scans are pushed to us, as those of parcels on the way out.';

-- migrate:down
DROP INDEX return_parcels_not_tracked;
ALTER TABLE return_parcels DROP COLUMN tracking_next_try_at, DROP COLUMN tracking_subscribed_at;
