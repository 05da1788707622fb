-- migrate:up
-- The audit is looked through by person, by kind of action and by day. Rows are added in the order of time, so a summary
-- of each block is enough for days.
CREATE INDEX audit_by_actor ON audit (actor, id);
CREATE INDEX audit_by_kind ON audit (split_part(action, '.', 1), id);
CREATE INDEX audit_by_day ON audit USING brin (at);

-- migrate:down
DROP INDEX audit_by_day;
DROP INDEX audit_by_kind;
DROP INDEX audit_by_actor;
