-- migrate:up
CREATE TABLE label_prints (
    child_no   text NOT NULL REFERENCES child_orders ON DELETE CASCADE,
    copy       integer NOT NULL CHECK (copy >= 1),
    waybill_no text NOT NULL CHECK (waybill_no <> ''),
    by         text NOT NULL CHECK (by <> ''),
    reason     text,
    at         timestamptz NOT NULL,
    PRIMARY KEY (child_no, copy),
    CONSTRAINT label_prints_again_for_a_reason CHECK (copy = 1 OR reason <> '')
);
COMMENT ON TABLE label_prints IS
    'Each time a waybill label was given out to be printed (R32): the second time on, with the reason.';
CREATE TRIGGER label_prints_only_grow BEFORE UPDATE OR TRUNCATE ON label_prints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE label_prints;
