-- migrate:up
-- The console shows what came in, what of it was refused and what went out, and has messages delivered once more. It
-- reads no message as it came, and can say nothing of a message but that it is to be delivered again.
UPDATE access_rules SET console = 'SELECT (id, source, event_id, via, kind, facts, received_at, state, order_no, attempts, next_try_at, delivered_at, note), UPDATE (attempts, leased_until, next_try_at, note, state)'
WHERE object = 'inbox';
UPDATE access_rules SET console = 'SELECT (id, source, reason, at, calls)' WHERE object = 'inbox_refusals';
UPDATE access_rules SET console = 'SELECT' WHERE object IN ('inbox_repeats', 'deliveries', 'delivery_attempts');
UPDATE access_rules SET console = 'SELECT (id, event_id, order_no, type, at)' WHERE object = 'outbox';
UPDATE access_rules SET console = 'SELECT (subscription_id, role, types, state, why, failing_since, quiet_until, ticket_id, created_at, changed_at)'
WHERE object = 'subscriptions';

CREATE FUNCTION console_only_replays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = 'oms_console' AND (NEW.state <> 'received' OR OLD.state = 'kept') THEN
        RAISE insufficient_privilege USING MESSAGE = format('message %s is told by the relay what became of it', OLD.id);
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER inbox_console BEFORE UPDATE ON inbox
    FOR EACH ROW WHEN (current_user = 'oms_console') EXECUTE FUNCTION console_only_replays();
SELECT settle_access();

-- migrate:down
DROP TRIGGER inbox_console ON inbox;
DROP FUNCTION console_only_replays();
UPDATE access_rules SET console = 'SELECT (id, source, reason, at)' WHERE object = 'inbox_refusals';
UPDATE access_rules SET console = '' WHERE object IN ('inbox_repeats', 'deliveries', 'delivery_attempts', 'outbox', 'subscriptions');
UPDATE access_rules SET console = 'SELECT (id, source, event_id, via, kind, received_at, state, order_no, attempts, delivered_at)'
WHERE object = 'inbox';
SELECT settle_access();
