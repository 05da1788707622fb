-- migrate:up
-- Whoever reads events by a cursor must not miss one that was written before and committed after another: an event gets
-- its place once it is there for all to see, one after the other, under one lock, and without a gap.
ALTER TABLE outbox ADD COLUMN place bigint UNIQUE CHECK (place > 0);
COMMENT ON COLUMN outbox.place IS 'Where it stands for those who read by a cursor; NULL: nobody has asked since it was written.';
CREATE INDEX outbox_without_place ON outbox (id) WHERE place IS NULL;
CREATE TABLE outbox_places (
    one    boolean PRIMARY KEY DEFAULT true CHECK (one),
    placed bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE outbox_places IS 'One row: the last place that was given. Its lock is the order of places.';
INSERT INTO outbox_places DEFAULT VALUES;

CREATE FUNCTION place_events(most integer) RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
DECLARE
    last  bigint;
    given bigint;
BEGIN
    IF NOT EXISTS (SELECT FROM outbox WHERE place IS NULL) THEN
        RETURN (SELECT placed FROM outbox_places);
    END IF;
    SELECT placed INTO last FROM outbox_places FOR UPDATE;
    WITH fresh AS (
        SELECT id, last + row_number() OVER (ORDER BY id) AS place
        FROM (SELECT id FROM outbox WHERE place IS NULL ORDER BY id LIMIT most) u
    ), moved AS (
        UPDATE outbox o SET place = f.place FROM fresh f WHERE o.id = f.id RETURNING o.place
    ) SELECT coalesce(max(moved.place), last) INTO given FROM moved;
    UPDATE outbox_places SET placed = given WHERE placed < given;
    RETURN given;
END $$;
COMMENT ON FUNCTION place_events(integer) IS 'Places for events that have none; the last place given.';
REVOKE ALL ON FUNCTION place_events(integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION place_events(integer) TO oms_console;

-- Who writes events asks whether a program reads them.
UPDATE access_rules SET relay = 'SELECT (scopes, revoked_at, expires_at)' WHERE object = 'api_tokens';
INSERT INTO access_rules (object, console) VALUES ('outbox_places', 'SELECT');
UPDATE access_rules SET console = 'SELECT' WHERE object = 'outbox';
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE' WHERE object = 'skus';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = 'SELECT' WHERE object = 'skus';
UPDATE access_rules SET console = '' WHERE object = 'outbox';
DELETE FROM access_rules WHERE object = 'outbox_places';
UPDATE access_rules SET relay = '' WHERE object = 'api_tokens';
DROP FUNCTION place_events(integer);
DROP TABLE outbox_places;
DROP INDEX outbox_without_place;
ALTER TABLE outbox DROP COLUMN place;
SELECT settle_access();
