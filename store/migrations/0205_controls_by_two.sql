-- migrate:up
-- People, roles, policies and rule sets change through an approval, which the worker carries out (decision 0039). Whoever
-- works with `oms` asks for a change; the database takes it from the worker only.
CREATE FUNCTION active_person(wanted text) RETURNS boolean LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    SELECT active FROM people WHERE person_id = wanted FOR SHARE
$$;
COMMENT ON FUNCTION active_person(text) IS
    'NULL: unknown. Nobody deactivates them before the transaction ends; to lock a row takes a right to change it, which readers have not.';

CREATE FUNCTION first_administrators(first text, second text, at timestamptz, by_whom text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    LOCK TABLE person_roles IN SHARE ROW EXCLUSIVE MODE;
    IF first = second THEN
        RAISE EXCEPTION 'two people have to be named: one asks, another decides';
    END IF;
    IF EXISTS (SELECT FROM person_roles r JOIN people p USING (person_id) WHERE r.role = 'ADMIN' AND p.active) THEN
        RAISE EXCEPTION 'there is an administrator already; changes of people are asked for and decided by another';
    END IF;
    INSERT INTO people (person_id, source, created_at) VALUES (first, 'local', at), (second, 'local', at)
        ON CONFLICT DO NOTHING;
    IF EXISTS (SELECT FROM people WHERE person_id IN (first, second) AND (NOT active OR source = 'service')) THEN
        RAISE EXCEPTION 'one of them is deactivated, or no person';
    END IF;
    INSERT INTO person_roles (person_id, role, granted_at, granted_by)
        VALUES (first, 'ADMIN', at, 'installation'), (second, 'ADMIN', at, 'installation') ON CONFLICT DO NOTHING;
    PERFORM append_audit(at, by_whom, 'people.first_administrators', NULL,
        jsonb_build_object('people', jsonb_build_array(first, second)), NULL, NULL);
END $$;
COMMENT ON FUNCTION first_administrators(text, text, timestamptz, text) IS
    'Of an empty installation: the one way to administrators that two people have not decided. Only while there is none.';

REVOKE ALL ON FUNCTION active_person(text), first_administrators(text, text, timestamptz, text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION active_person(text) TO oms_worker, oms_operator;
GRANT EXECUTE ON FUNCTION first_administrators(text, text, timestamptz, text) TO oms_operator;
REVOKE EXECUTE ON FUNCTION decide_approval(text, text, timestamptz, text, text, text, text) FROM oms_operator;

-- A question about the controls names who has asked; only the worker has seen that proven.
CREATE FUNCTION control_is_asked_by_the_worker() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT pg_has_role(current_user, 'oms_worker', 'MEMBER') THEN
        RAISE EXCEPTION 'a change of the controls (%) is asked for through the worker', NEW.kind
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_of_controls BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('change_people', 'publish_policy', 'publish_rules'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();

-- Whoever asks for a draft to be published need not have drafted it; whoever drafted it does not decide.
CREATE OR REPLACE FUNCTION rule_set_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > 0 AND NOT EXISTS (
        SELECT FROM approvals WHERE approval_id = NEW.approval_id AND kind = 'publish_rules' AND state = 'approved'
            AND decided_by = NEW.published_by AND (requested_by = NEW.drafted_by OR NEW.drafted_by = ANY (excluded))
            AND content ->> 'content_hash' = NEW.content_hash) THEN
        RAISE EXCEPTION 'rule set version % has no approval of this content by %', NEW.version, NEW.published_by
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;

UPDATE access_rules SET operator = 'SELECT'
WHERE object IN ('people', 'person_roles', 'delegations', 'policies', 'rule_sets', 'used_tokens');
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (revoked_at)' WHERE object = 'delegations';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = 'SELECT' WHERE object = 'delegations';
UPDATE access_rules SET operator = 'SELECT, INSERT' WHERE object IN ('policies', 'rule_sets', 'used_tokens');
UPDATE access_rules SET operator = 'SELECT, INSERT, DELETE' WHERE object = 'person_roles';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (revoked_at)' WHERE object = 'delegations';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (active, deactivated_at)' WHERE object = 'people';
CREATE OR REPLACE FUNCTION rule_set_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > 0 AND NOT EXISTS (
        SELECT FROM approvals WHERE approval_id = NEW.approval_id AND kind = 'publish_rules' AND state = 'approved'
            AND decided_by = NEW.published_by AND requested_by = NEW.drafted_by
            AND content ->> 'content_hash' = NEW.content_hash) THEN
        RAISE EXCEPTION 'rule set version % has no approval of this content by %', NEW.version, NEW.published_by
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
DROP TRIGGER approvals_of_controls ON approvals;
DROP FUNCTION control_is_asked_by_the_worker();
GRANT EXECUTE ON FUNCTION decide_approval(text, text, timestamptz, text, text, text, text) TO oms_operator;
DROP FUNCTION first_administrators(text, text, timestamptz, text);
DROP FUNCTION active_person(text);
SELECT settle_access();
