-- migrate:up
-- From the console people take tickets, hand them on, and close those that no workflow waits for. The answer to any other
-- is a command to its workflow: what the console is must not close one here by itself.
UPDATE access_rules SET console = 'SELECT, UPDATE (action, owned_at, owner, remark, resolved_at, resolved_by, result, state)'
WHERE object = 'tickets';
UPDATE access_rules SET console = 'SELECT, INSERT' WHERE object = 'ticket_history';

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
CREATE INDEX tickets_open_alike ON tickets (system, step, opened_at) WHERE state = 'open';
SELECT settle_access();

-- migrate:down
DROP INDEX tickets_open_alike;
DROP TRIGGER tickets_console ON tickets;
DROP FUNCTION console_closes_notes_only();
UPDATE access_rules SET console = 'SELECT' WHERE object IN ('tickets', 'ticket_history');
SELECT settle_access();
