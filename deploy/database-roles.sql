-- What a role without CREATEROLE cannot make by itself: run once, as an administrator of the server, before the
-- migrations (psql -v migrator=oms -f deploy/database-roles.sql). PostgreSQL 16 or newer. Again, it changes nothing.
-- `migrator`: the login that runs the migrations, and until now owned everything.
SELECT format('CREATE ROLE %I NOLOGIN', name) FROM unnest(
    ARRAY['oms_owner', 'oms_relay', 'oms_worker', 'oms_operator', 'oms_bi', 'oms_console']) AS name
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) \gexec
GRANT oms_owner TO :"migrator" WITH INHERIT TRUE, SET TRUE;
-- Then a login a process, each with a password of its own and nothing but its membership:
-- CREATE ROLE oms_relay_login LOGIN PASSWORD '…';
-- GRANT oms_relay TO oms_relay_login WITH INHERIT TRUE, SET FALSE;
