-- migrate:up
ALTER TABLE chargebacks ADD COLUMN accounted_at timestamptz CHECK (accounted_at IS NULL OR state = 'lost');
COMMENT ON COLUMN chargebacks.accounted_at IS
    'Of a lost one: when a person compared what the bank took with what is owed. Until then no refund of the order goes out.';

-- migrate:down
ALTER TABLE chargebacks DROP COLUMN accounted_at;
