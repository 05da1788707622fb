-- migrate:up
ALTER TABLE return_units ADD COLUMN written_at timestamptz NOT NULL DEFAULT '-infinity';
COMMENT ON COLUMN return_units.written_at IS
    'When the workflow task was done whose write told this: one that is done again counts from the same seq, and is later.';

-- migrate:down
ALTER TABLE return_units DROP COLUMN written_at;
