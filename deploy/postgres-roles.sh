#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: Temporal's role and databases; ours, and a login a process of ours.
set -eu
for name in temporal oms oms_relay oms_worker oms_operator oms_console; do
  export "${name}_password=$(cat "/run/secrets/${name}_database_password")"
done
# Through the environment of psql: its command line can be read by every process of the container.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" <<'SQL'
\getenv temporal temporal_password
\getenv ours oms_password
\getenv relay oms_relay_password
\getenv worker oms_worker_password
\getenv operator oms_operator_password
\getenv console oms_console_password
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE ROLE oms LOGIN PASSWORD :'ours';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE oms OWNER oms;
\set migrator oms
\ir /database-roles.sql
CREATE ROLE oms_relay_login LOGIN PASSWORD :'relay';
CREATE ROLE oms_worker_login LOGIN PASSWORD :'worker';
CREATE ROLE oms_operator_login LOGIN PASSWORD :'operator';
CREATE ROLE oms_console_login LOGIN PASSWORD :'console';
GRANT oms_relay TO oms_relay_login WITH INHERIT TRUE, SET FALSE;
GRANT oms_worker TO oms_worker_login WITH INHERIT TRUE, SET FALSE;
GRANT oms_operator TO oms_operator_login WITH INHERIT TRUE, SET FALSE;
GRANT oms_console TO oms_console_login WITH INHERIT TRUE, SET FALSE;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, oms FROM PUBLIC;
GRANT CONNECT ON DATABASE oms TO oms_relay, oms_worker, oms_operator, oms_bi, oms_console;
SQL
