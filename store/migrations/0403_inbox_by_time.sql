-- migrate:up
-- Messages of some days, whatever their source: rows come in the order of time, so a summary of each block is enough.
CREATE INDEX inbox_by_time ON inbox USING brin (received_at) WITH (pages_per_range = 32);

-- migrate:down
DROP INDEX inbox_by_time;
