#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: one role and its databases for Temporal, one for us.
set -eu
TEMPORAL_PASSWORD="$(cat /run/secrets/temporal_database_password)"
OUR_PASSWORD="$(cat /run/secrets/oms_database_password)"
export TEMPORAL_PASSWORD OUR_PASSWORD
# Through the environment of psql: its command line can be read by every process of the container.
psql -v ON_ERROR_STOP=1 --username "$POSTGRES_USER" <<'SQL'
\getenv temporal TEMPORAL_PASSWORD
\getenv ours OUR_PASSWORD
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE ROLE oms LOGIN PASSWORD :'ours';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE oms OWNER oms;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, oms FROM PUBLIC;
SQL
