-- migrate:up
-- What nobody's role may write by itself goes through these functions of the owner. Their search path is pinned: names
-- in them mean our tables, whatever the caller has made.
ALTER FUNCTION chain_audit() SET search_path = public, pg_temp;

CREATE FUNCTION append_audit(
    at timestamptz, actor text, action text, order_no text, detail jsonb, write_seq integer, write_pos integer
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_column
BEGIN
    INSERT INTO audit (at, actor, action, order_no, detail, write_seq, write_pos)
    VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT ON CONSTRAINT audit_once_per_write DO NOTHING;
    -- A workflow task that is done again may tell something else at the same place of a write: a row of its own.
    IF NOT FOUND AND NOT EXISTS (SELECT FROM audit a WHERE a.order_no = $4 AND a.write_seq = $6 AND a.write_pos = $7
            AND a.actor = $2 AND a.action = $3 AND a.detail = $5) THEN
        INSERT INTO audit (at, actor, action, order_no, detail) VALUES ($1, $2, $3, $4, $5);
    END IF;
END $$;
COMMENT ON FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer) IS
    'The only way into the audit. An entry of an order''s write (seq and place in it) is added once.';

CREATE FUNCTION locked_approval(wanted text) RETURNS SETOF approvals
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT * FROM approvals WHERE approval_id = wanted FOR UPDATE
$$;
COMMENT ON FUNCTION locked_approval(text) IS 'The question, until the end of the transaction nobody else''s to decide.';

CREATE FUNCTION decide_approval(
    wanted text, verdict text, at timestamptz, by_whom text, in_role text, for_whom text, why text
) RETURNS void LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE approvals SET state = verdict, decided_at = at, decided_by = by_whom, decided_role = in_role,
        on_behalf_of = for_whom, remark = why
    WHERE approval_id = wanted AND verdict IN ('approved', 'rejected')
$$;
COMMENT ON FUNCTION decide_approval(text, text, timestamptz, text, text, text, text) IS
    'Once: the trigger of the table refuses a second decision, and its CHECKs who may not decide.';

CREATE FUNCTION withdraw_approval(wanted text, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE approvals SET state = 'withdrawn', withdrawn_at = at WHERE approval_id = wanted
$$;

CREATE FUNCTION use_approval(wanted text, at timestamptz, for_what text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE approvals SET used_at = at, used_for = for_what WHERE approval_id = wanted
$$;

CREATE FUNCTION drop_bodies(of_state text, before timestamptz, at timestamptz, most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    dropped integer;
BEGIN
    UPDATE inbox SET body = '', emptied_at = at WHERE id IN (
        SELECT id FROM inbox WHERE state = of_state AND emptied_at IS NULL
            AND received_at < least(before, now() - interval '1 day')
            AND state IN ('applied', 'stale', 'duplicate', 'mismatch', 'kept')
        ORDER BY received_at LIMIT most FOR NO KEY UPDATE SKIP LOCKED);
    GET DIAGNOSTICS dropped = ROW_COUNT;
    RETURN dropped;
END $$;
COMMENT ON FUNCTION drop_bodies(text, timestamptz, timestamptz, integer) IS
    'Retention: bodies of what is over, never of the last day; the facts stay.';

REVOKE ALL ON FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer), locked_approval(text),
    decide_approval(text, text, timestamptz, text, text, text, text), withdraw_approval(text, timestamptz),
    use_approval(text, timestamptz, text), drop_bodies(text, timestamptz, timestamptz, integer) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer)
    TO oms_relay, oms_worker, oms_operator;
GRANT EXECUTE ON FUNCTION locked_approval(text), decide_approval(text, text, timestamptz, text, text, text, text),
    withdraw_approval(text, timestamptz), use_approval(text, timestamptz, text) TO oms_worker, oms_operator;
GRANT EXECUTE ON FUNCTION drop_bodies(text, timestamptz, timestamptz, integer) TO oms_relay;

-- What was told stays as it was told, whoever writes.
CREATE TRIGGER inbox_facts_stay BEFORE UPDATE OF source, event_id, via, kind, digest, facts, received_at ON inbox
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER inbox_stays BEFORE DELETE OR TRUNCATE ON inbox
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TRIGGER inbox_stays ON inbox;
DROP TRIGGER inbox_facts_stay ON inbox;
DROP FUNCTION drop_bodies(text, timestamptz, timestamptz, integer);
DROP FUNCTION use_approval(text, timestamptz, text);
DROP FUNCTION withdraw_approval(text, timestamptz);
DROP FUNCTION decide_approval(text, text, timestamptz, text, text, text, text);
DROP FUNCTION locked_approval(text);
DROP FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer);
ALTER FUNCTION chain_audit() RESET search_path;
