-- migrate:up
CREATE TABLE courier_traces (
    waybill_no text NOT NULL,
    key        text NOT NULL,
    source     text NOT NULL,
    at         timestamptz NOT NULL,
    status     text NOT NULL,
    text       text NOT NULL,
    place      text NOT NULL DEFAULT '',
    PRIMARY KEY (waybill_no, key)
);
COMMENT ON TABLE courier_traces IS
    'Every courier scan (R33), whether or not it changes a state; workflows only hear of those that do.';

-- migrate:down
DROP TABLE courier_traces;
