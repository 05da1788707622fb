-- migrate:up
CREATE TABLE order_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_no    text NOT NULL REFERENCES orders ON DELETE CASCADE,
    key         text NOT NULL,
    kind        text NOT NULL,
    source      text NOT NULL,
    occurred_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    outcome     text NOT NULL CHECK (outcome IN ('APPLIED', 'HELD', 'STALE', 'DUPLICATE', 'MISMATCH')),
    child_no    text,
    from_status text NOT NULL,
    to_status   text NOT NULL,
    note        text NOT NULL DEFAULT '',
    inbox_id    bigint,
    write_seq   integer,
    write_pos   integer,
    CONSTRAINT order_events_once_per_write UNIQUE (order_no, write_seq, write_pos, key, outcome),
    CHECK ((write_seq IS NULL) = (write_pos IS NULL))
);
COMMENT ON TABLE order_events IS
    'What became of every fact (R07): the timeline of an order. write_seq, write_pos: its place in the order write that told it; both empty when the order had already ended.';
COMMENT ON COLUMN order_events.inbox_id IS 'Row of the inbox that carried the fact; no foreign key, so that the inbox can be emptied.';
CREATE UNIQUE INDEX order_events_applied_once ON order_events (order_no, key) WHERE outcome = 'APPLIED';
CREATE UNIQUE INDEX order_events_once_after_end ON order_events (order_no, key, inbox_id) WHERE write_seq IS NULL;

-- migrate:down
DROP TABLE order_events;
