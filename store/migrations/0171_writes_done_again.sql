-- migrate:up
-- A workflow task that is done again counts from the same seq again, and may tell something else at the same place of the
-- same write. Only the same line is not written twice.
ALTER TABLE order_events DROP CONSTRAINT order_events_once_per_write;
CREATE UNIQUE INDEX order_events_once_per_write ON order_events
    (order_no, write_seq, write_pos, key, outcome, coalesce(inbox_id, 0));
ALTER TABLE return_timeline DROP CONSTRAINT return_timeline_once;
CREATE UNIQUE INDEX return_timeline_once ON return_timeline
    (return_no, write_seq, write_pos, action, actor, md5(detail::text));

-- migrate:down
DROP INDEX return_timeline_once;
ALTER TABLE return_timeline ADD CONSTRAINT return_timeline_once UNIQUE (return_no, write_seq, write_pos, action, actor);
DROP INDEX order_events_once_per_write;
ALTER TABLE order_events
    ADD CONSTRAINT order_events_once_per_write UNIQUE (order_no, write_seq, write_pos, key, outcome);
