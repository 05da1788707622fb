-- migrate:up
-- The web console has a role of its own (decision 0040): it reads what its pages show, keeps its sessions, and writes
-- evidence of what it refused. What people do through it goes through the worker.
DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'oms_console') THEN
        BEGIN
            CREATE ROLE oms_console NOLOGIN;
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- by another database's migration, at this moment
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role oms_console is missing, and % may not make it: as an administrator run '
                    'deploy/database-roles.sql once, then migrate again', current_user;
        END;
    END IF;
END $$;

ALTER TABLE access_rules ADD COLUMN console text NOT NULL DEFAULT '';

CREATE OR REPLACE FUNCTION settle_access() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    thing record;
    rule  record;
BEGIN
    GRANT USAGE, CREATE ON SCHEMA public TO oms_owner;
    GRANT USAGE ON SCHEMA public TO oms_relay, oms_worker, oms_operator, oms_bi, oms_console;
    FOR thing IN
        SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner <> 'oms_owner'::regrole
            -- A sequence of a column goes with its table.
            AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')))
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO oms_owner',
            CASE thing.kind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, thing.name);
    END LOOP;
    FOR thing IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'oms_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO oms_owner', thing.name);
    END LOOP;
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, oms_relay, oms_worker, oms_operator, oms_bi, oms_console;
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, oms_relay, oms_worker, oms_operator, oms_bi, oms_console;
    FOR rule IN
        SELECT a.object, c.relkind AS kind, r.role, r.may FROM access_rules a
        JOIN pg_class c ON c.oid = to_regclass('public.' || quote_ident(a.object))
        CROSS JOIN LATERAL (VALUES ('oms_relay', a.relay), ('oms_worker', a.worker), ('oms_operator', a.operator),
            ('oms_bi', a.bi), ('oms_console', a.console)) AS r (role, may)
        WHERE r.may <> ''
    LOOP
        EXECUTE format('GRANT %s ON %s public.%I TO %I', rule.may,
            CASE rule.kind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, rule.object, rule.role);
    END LOOP;
END $$;

CREATE TABLE console_sessions (
    session_hash bytea PRIMARY KEY CHECK (length(session_hash) = 32),
    person_id    text NOT NULL CHECK (person_id <> ''),
    source       text NOT NULL CHECK (source IN ('local', 'oidc')),
    roles        text[],
    sign_in_id   text NOT NULL UNIQUE,
    credential   bytea NOT NULL,
    signed_in_at timestamptz NOT NULL,
    seen_at      timestamptz NOT NULL,
    expires_at   timestamptz NOT NULL CHECK (expires_at > signed_in_at),
    ended_at     timestamptz
);
COMMENT ON TABLE console_sessions IS
    'Who is signed in to the web console. session_hash: of the number in the cookie; sign_in_id: of the token that signed in, so that none does twice; roles: as the identity provider told them, NULL: as the books tell; credential: encrypted under the number in the cookie, which nobody here has.';
CREATE INDEX console_sessions_by_end ON console_sessions (expires_at);
CREATE INDEX console_sessions_by_person ON console_sessions (person_id) WHERE ended_at IS NULL;

CREATE TABLE person_scopes (
    person_id  text NOT NULL REFERENCES people,
    kind       text NOT NULL CHECK (kind IN ('channel', 'warehouse')),
    value      text NOT NULL CHECK (value <> ''),
    PRIMARY KEY (person_id, kind, value)
);
COMMENT ON TABLE person_scopes IS
    'The shops (channels) and warehouses that a person sees (R87). Nobody with no row of a kind is narrowed down by it.';

INSERT INTO access_rules (object, worker, operator, console) VALUES
('console_sessions', '', 'SELECT (person_id, source, signed_in_at, seen_at, expires_at, ended_at)',
    'SELECT, INSERT, UPDATE (seen_at, ended_at), DELETE'),
('person_scopes', 'SELECT, INSERT, DELETE', 'SELECT', 'SELECT');

-- What pages show. No tokens, no keys of subscriptions, no raw messages of machines.
UPDATE access_rules SET console = 'SELECT' WHERE object IN (
    'approvals', 'people', 'person_roles', 'delegations', 'audit',
    'orders', 'order_lines', 'unit_shares', 'child_orders', 'child_lines', 'parcels', 'order_plans', 'order_events',
    'courier_traces', 'customs_declarations', 'customs_years', 'replacement_lines', 'unit_claims', 'label_prints',
    'payments', 'payment_balances', 'payment_delays', 'refunds', 'refund_parts', 'chargebacks', 'outside_money',
    'outside_bookings', 'ownership_findings', 'trade_bills',
    'stock', 'stock_moves', 'skus', 'policies', 'rule_drafts', 'rule_sets', 'rule_simulations', 'customs_parameters',
    'return_cases', 'return_units', 'return_parcels', 'return_scans', 'return_timeline', 'return_evidence',
    'tickets', 'ticket_history', 'ticket_notices', 'ticket_notice_sends',
    'callback_board', 'callback_watch', 'callback_alerts', 'pull_connectors', 'drifts', 'reconciliations',
    'sync_accuracy', 'nightly_care');
UPDATE access_rules SET console = 'SELECT (id, source, reason, at)' WHERE object = 'inbox_refusals';
UPDATE access_rules SET console = 'SELECT (id, source, event_id, via, kind, received_at, state, order_no, attempts, delivered_at)'
WHERE object = 'inbox';
GRANT EXECUTE ON FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer) TO oms_console;
GRANT EXECUTE ON FUNCTION active_person(text) TO oms_console;

-- What changes is told to whoever looks at it. The text names a number at most.
CREATE FUNCTION tell_of_order() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('oms_console', 'order ' || NEW.order_no);
    RETURN NULL;
END $$;
CREATE FUNCTION tell_of_table() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('oms_console', TG_TABLE_NAME);
    RETURN NULL;
END $$;
CREATE TRIGGER orders_tell AFTER INSERT OR UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION tell_of_order();
CREATE TRIGGER tickets_tell AFTER INSERT OR UPDATE ON tickets FOR EACH STATEMENT EXECUTE FUNCTION tell_of_table();
CREATE TRIGGER approvals_tell AFTER INSERT OR UPDATE ON approvals FOR EACH STATEMENT EXECUTE FUNCTION tell_of_table();
CREATE TRIGGER return_cases_tell AFTER INSERT OR UPDATE ON return_cases
    FOR EACH STATEMENT EXECUTE FUNCTION tell_of_table();
SELECT settle_access();

-- migrate:down
DROP TRIGGER return_cases_tell ON return_cases;
DROP TRIGGER approvals_tell ON approvals;
DROP TRIGGER tickets_tell ON tickets;
DROP TRIGGER orders_tell ON orders;
DROP FUNCTION tell_of_table();
DROP FUNCTION tell_of_order();
REVOKE EXECUTE ON FUNCTION append_audit(timestamptz, text, text, text, jsonb, integer, integer) FROM oms_console;
REVOKE EXECUTE ON FUNCTION active_person(text) FROM oms_console;
UPDATE access_rules SET console = '';
DELETE FROM access_rules WHERE object IN ('console_sessions', 'person_scopes');
DROP TABLE person_scopes;
DROP TABLE console_sessions;
SELECT settle_access();
REVOKE ALL ON SCHEMA public FROM oms_console;
CREATE OR REPLACE FUNCTION settle_access() RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    thing record;
    rule  record;
BEGIN
    GRANT USAGE, CREATE ON SCHEMA public TO oms_owner;
    GRANT USAGE ON SCHEMA public TO oms_relay, oms_worker, oms_operator, oms_bi;
    FOR thing IN
        SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
            AND c.relowner <> 'oms_owner'::regrole
            -- A sequence of a column goes with its table.
            AND NOT (c.relkind = 'S' AND EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype IN ('a', 'i')))
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO oms_owner',
            CASE thing.kind WHEN 'v' THEN 'VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, thing.name);
    END LOOP;
    FOR thing IN
        SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner <> 'oms_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = p.oid AND d.deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO oms_owner', thing.name);
    END LOOP;
    REVOKE ALL ON ALL TABLES IN SCHEMA public FROM PUBLIC, oms_relay, oms_worker, oms_operator, oms_bi;
    REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM PUBLIC, oms_relay, oms_worker, oms_operator, oms_bi;
    FOR rule IN
        SELECT a.object, c.relkind AS kind, r.role, r.may FROM access_rules a
        JOIN pg_class c ON c.oid = to_regclass('public.' || quote_ident(a.object))
        CROSS JOIN LATERAL (VALUES ('oms_relay', a.relay), ('oms_worker', a.worker), ('oms_operator', a.operator),
            ('oms_bi', a.bi)) AS r (role, may)
        WHERE r.may <> ''
    LOOP
        EXECUTE format('GRANT %s ON %s public.%I TO %I', rule.may,
            CASE rule.kind WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END, rule.object, rule.role);
    END LOOP;
END $$;
ALTER TABLE access_rules DROP COLUMN console;
