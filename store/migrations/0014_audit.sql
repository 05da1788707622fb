-- migrate:up
CREATE TABLE audit (
    id        bigint PRIMARY KEY,
    at        timestamptz NOT NULL,
    actor     text NOT NULL CHECK (actor <> ''),
    action    text NOT NULL CHECK (action <> ''),
    order_no  text,
    detail    jsonb NOT NULL,
    write_seq integer,
    write_pos integer,
    prev_hash bytea NOT NULL,
    hash      bytea NOT NULL,
    CONSTRAINT audit_once_per_write UNIQUE (order_no, write_seq, write_pos)
);
COMMENT ON TABLE audit IS
    'Who did what (R45). Rows are only added; each carries the hash of the one before, so a changed or missing row shows.';
CREATE INDEX audit_by_order ON audit (order_no, id) WHERE order_no IS NOT NULL;

CREATE FUNCTION audit_hash(r audit) RETURNS bytea LANGUAGE sql STABLE AS $$
    SELECT sha256(r.prev_hash || convert_to(jsonb_build_array(
        r.id, extract(epoch FROM r.at), r.actor, r.action, r.order_no, r.detail, r.write_seq, r.write_pos)::text, 'UTF8'))
$$;

CREATE FUNCTION chain_audit() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    last audit;
BEGIN
    -- Held to the end of the transaction: without it two appenders would follow the same row.
    PERFORM pg_advisory_xact_lock(hashtext('audit chain'));
    SELECT * INTO last FROM audit ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.prev_hash := coalesce(last.hash, '\x'::bytea);
    NEW.hash := audit_hash(NEW);
    RETURN NEW;
END $$;
CREATE TRIGGER audit_chained BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION chain_audit();
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE audit CASCADE;
DROP FUNCTION IF EXISTS audit_hash(audit);
DROP FUNCTION chain_audit();
