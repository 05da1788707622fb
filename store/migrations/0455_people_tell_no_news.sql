-- migrate:up
-- People, at `oms` or in the console, tell no order what has happened. The operator's role could put a whole message into
-- the inbox, which the relay then delivered as what a partner had told; and all that is refused to the console (0275,
-- 0276) was asked of the name of the session's own login, which is a member of oms_console and is never called so.
CREATE FUNCTION works_for_orders() RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT pg_has_role(current_user, 'oms_relay', 'USAGE') OR pg_has_role(current_user, 'oms_worker', 'USAGE')
        OR pg_has_role(current_user, 'oms_owner', 'USAGE')
$$;
COMMENT ON FUNCTION works_for_orders() IS
    'Whether this session is a relay''s, a worker''s or the owner''s; by membership, for logins have names of their own.';

DROP TRIGGER inbox_console ON inbox;
DROP FUNCTION console_only_replays();
CREATE FUNCTION people_only_replay() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state <> 'received' OR OLD.state = 'kept' OR NEW.leased_until IS NOT NULL OR NEW.next_try_at > now() THEN
        RAISE insufficient_privilege USING MESSAGE = format('message %s is told by the relay what became of it', OLD.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inbox_people BEFORE UPDATE ON inbox
    FOR EACH ROW WHEN (NOT works_for_orders()) EXECUTE FUNCTION people_only_replay();

DROP TRIGGER tickets_console ON tickets;
DROP FUNCTION console_closes_notes_only();
CREATE FUNCTION people_close_notes_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.state IS DISTINCT FROM OLD.state AND NOT OLD.outside AND NOT coalesce(
        (SELECT r.ended_at IS NOT NULL FROM return_cases r
            WHERE r.return_no = regexp_replace(OLD.ticket_id, '^T-|-[0-9]+$', '', 'g')),
        (SELECT o.ended_at IS NOT NULL FROM orders o WHERE o.order_no = OLD.order_no), true)
    THEN
        RAISE insufficient_privilege USING MESSAGE = format('ticket %s is answered through its workflow', OLD.ticket_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_people BEFORE UPDATE OF state ON tickets
    FOR EACH ROW WHEN (NOT works_for_orders()) EXECUTE FUNCTION people_close_notes_only();

-- What `oms` has written through the worker since decision 0046 is not left to its own role.
UPDATE access_rules SET operator = 'SELECT, UPDATE (attempts, leased_until, next_try_at, note, state)' WHERE object = 'inbox';
UPDATE access_rules SET operator = '' WHERE object = 'inbox_id_seq';
UPDATE access_rules SET operator = 'SELECT' WHERE object IN ('inbox_repeats', 'courier_traces', 'outbox', 'ticket_notices');
UPDATE access_rules SET operator = 'SELECT, UPDATE (failures, leased_until, next_try_at, settled_at, state)'
WHERE object = 'deliveries';
UPDATE access_rules SET operator = 'SELECT, UPDATE (action, owned_at, owner, remark, resolved_at, resolved_by, result, state)'
WHERE object = 'tickets';
SELECT settle_access();

-- migrate:down
DROP TRIGGER tickets_people ON tickets;
DROP FUNCTION people_close_notes_only();
DROP TRIGGER inbox_people ON inbox;
DROP FUNCTION people_only_replay();
DROP FUNCTION works_for_orders();
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (attempts, delivered_at, leased_until, next_try_at, note, order_no, state)'
WHERE object = 'inbox';
UPDATE access_rules SET operator = 'USAGE' WHERE object = 'inbox_id_seq';
UPDATE access_rules SET operator = 'SELECT, INSERT' WHERE object IN ('inbox_repeats', 'courier_traces', 'outbox', 'ticket_notices');
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (failures, leased_until, next_try_at, settled_at, state)'
WHERE object = 'deliveries';
UPDATE access_rules SET operator = 'SELECT, INSERT, UPDATE (action, owned_at, owner, remark, resolved_at, resolved_by, result, state)'
WHERE object = 'tickets';
CREATE FUNCTION console_only_replays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'oms_console' AND (NEW.state <> 'received' OR OLD.state = 'kept') THEN
        RAISE insufficient_privilege USING MESSAGE = format('message %s is told by the relay what became of it', OLD.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inbox_console BEFORE UPDATE ON inbox
    FOR EACH ROW WHEN (current_user = 'oms_console') EXECUTE FUNCTION console_only_replays();
CREATE FUNCTION console_closes_notes_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'oms_console' AND NEW.state IS DISTINCT FROM OLD.state AND NOT OLD.outside AND NOT coalesce(
        (SELECT r.ended_at IS NOT NULL FROM return_cases r
            WHERE r.return_no = regexp_replace(OLD.ticket_id, '^T-|-[0-9]+$', '', 'g')),
        (SELECT o.ended_at IS NOT NULL FROM orders o WHERE o.order_no = OLD.order_no), true)
    THEN
        RAISE insufficient_privilege USING MESSAGE = format('ticket %s is answered through its workflow', OLD.ticket_id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER tickets_console BEFORE UPDATE OF state ON tickets
    FOR EACH ROW EXECUTE FUNCTION console_closes_notes_only();
SELECT settle_access();
