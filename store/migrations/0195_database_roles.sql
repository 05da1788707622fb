-- migrate:up
-- One role a kind of process, none of which can log in: whoever logs in is made a member (docs/operations.md). Roles are
-- of the whole server, so that they may be there already; without CREATEROLE an administrator makes them first.
DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY['oms_owner', 'oms_relay', 'oms_worker', 'oms_operator', 'oms_bi'] LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = name);
        BEGIN
            EXECUTE format('CREATE ROLE %I NOLOGIN', name);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN NULL; -- by another database's migration, at this moment
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'role % is missing, and % may not make it: as an administrator run '
                    'deploy/database-roles.sql once, then migrate again', name, current_user;
        END;
    END LOOP;
    IF NOT pg_has_role(current_user, 'oms_owner', 'MEMBER') THEN
        BEGIN
            EXECUTE format('GRANT oms_owner TO %I', current_user);
        EXCEPTION WHEN insufficient_privilege THEN
            RAISE EXCEPTION '% is no member of oms_owner: as an administrator run deploy/database-roles.sql once, '
                'then migrate again', current_user;
        END;
    END IF;
END $$;

CREATE TABLE access_rules (
    object   text PRIMARY KEY,
    relay    text NOT NULL DEFAULT '',
    worker   text NOT NULL DEFAULT '',
    operator text NOT NULL DEFAULT '',
    bi       text NOT NULL DEFAULT ''
);
COMMENT ON TABLE access_rules IS
    'Who may do what: one row a table, view or sequence, in the words of GRANT, a column a role. settle_access() makes the database so; what has no row belongs to nobody but the owner, and fails a test.';

CREATE FUNCTION settle_access() RETURNS void LANGUAGE plpgsql AS $$
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
COMMENT ON FUNCTION settle_access() IS
    'At the end of every migration that makes something or changes access_rules: everything is the owner''s, and every role may do what its column says and nothing else.';

-- migrate:down
DO $$
DECLARE
    thing record;
BEGIN
    FOR thing IN SELECT c.oid::regclass AS name, c.relkind AS kind FROM pg_class c
        WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v') AND c.relowner = 'oms_owner'::regrole
    LOOP
        EXECUTE format('ALTER %s %s OWNER TO %I', CASE thing.kind WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END, thing.name, current_user);
    END LOOP;
    FOR thing IN SELECT p.oid::regprocedure AS name FROM pg_proc p
        WHERE p.pronamespace = 'public'::regnamespace AND p.proowner = 'oms_owner'::regrole
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO %I', thing.name, current_user);
    END LOOP;
END $$;
REVOKE ALL ON ALL TABLES IN SCHEMA public FROM oms_relay, oms_worker, oms_operator, oms_bi;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA public FROM oms_relay, oms_worker, oms_operator, oms_bi;
REVOKE ALL ON SCHEMA public FROM oms_owner, oms_relay, oms_worker, oms_operator, oms_bi;
DROP FUNCTION settle_access();
DROP TABLE access_rules;
