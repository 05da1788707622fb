-- migrate:up
COMMENT ON TABLE slip_periods IS 'How far the merchant''s numbers for slips have come in each period. Its row is the turn of who takes the next.';

-- migrate:down
COMMENT ON TABLE slip_periods IS NULL;
