-- migrate:up
-- Any login could hold an advisory lock of ours for as long as it liked, and with it the audit, the changes of the controls
-- or a job of the relay. What is one at a time for everybody is a row of the owner's now; a role holds what it needs.
CREATE TABLE held (
    name  text PRIMARY KEY CHECK (name <> ''),
    roles text[] NOT NULL
);
COMMENT ON TABLE held IS
    'What only one transaction does at a time, and who may: its row is locked through hold() and hold_if_free().';
INSERT INTO held (name, roles) VALUES
    ('audit chain', '{oms_relay,oms_worker}'), ('people', '{oms_worker}'), ('policies', '{oms_worker}'),
    ('rule sets', '{oms_worker}'), ('courier unreachable', '{oms_worker}'), ('ticket escalation', '{oms_relay}'),
    ('callback board', '{oms_relay}');

CREATE FUNCTION hold(wanted text) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM FROM held WHERE name = wanted
        AND EXISTS (SELECT FROM unnest(roles) AS r WHERE pg_has_role(session_user, r, 'MEMBER')) FOR UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION '% may not hold %', session_user, wanted USING ERRCODE = 'insufficient_privilege';
    END IF;
END $$;
COMMENT ON FUNCTION hold(text) IS 'To the end of the transaction; whoever else wants it waits, as long as its lock_timeout says.';

CREATE FUNCTION hold_if_free(wanted text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM held, unnest(roles) AS r
            WHERE name = wanted AND pg_has_role(session_user, r, 'MEMBER')) THEN
        RAISE EXCEPTION '% may not hold %', session_user, wanted USING ERRCODE = 'insufficient_privilege';
    END IF;
    PERFORM FROM held WHERE name = wanted FOR UPDATE SKIP LOCKED;
    RETURN FOUND;
END $$;
COMMENT ON FUNCTION hold_if_free(text) IS 'The same; false when somebody has it.';
REVOKE ALL ON FUNCTION hold(text), hold_if_free(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION hold(text) TO oms_relay, oms_worker;
GRANT EXECUTE ON FUNCTION hold_if_free(text) TO oms_relay;

DO $$
DECLARE
    changed regprocedure;
BEGIN
    FOREACH changed IN ARRAY ARRAY['chain_audit()', 'erase_words(text, timestamptz)']::regprocedure[] LOOP
        EXECUTE replace(pg_get_functiondef(changed), $f$PERFORM pg_advisory_xact_lock(hashtext('audit chain'))$f$,
            $f$PERFORM FROM held WHERE name = 'audit chain' FOR UPDATE$f$);
    END LOOP;
END $$;
INSERT INTO access_rules (object) VALUES ('held');
SELECT settle_access();

-- migrate:down
DO $$
DECLARE
    changed regprocedure;
BEGIN
    FOREACH changed IN ARRAY ARRAY['chain_audit()', 'erase_words(text, timestamptz)']::regprocedure[] LOOP
        EXECUTE replace(pg_get_functiondef(changed), $f$PERFORM FROM held WHERE name = 'audit chain' FOR UPDATE$f$,
            $f$PERFORM pg_advisory_xact_lock(hashtext('audit chain'))$f$);
    END LOOP;
END $$;
DROP FUNCTION hold_if_free(text);
DROP FUNCTION hold(text);
DROP TABLE held;
DELETE FROM access_rules WHERE object = 'held';
SELECT settle_access();
