#!/bin/sh
# Run once by the PostgreSQL image on an empty volume: one role and its databases for Temporal, one for us.
set -eu
temporal="$(cat /run/secrets/temporal_database_password)"
ours="$(cat /run/secrets/oms_database_password)"
psql -v ON_ERROR_STOP=1 -v temporal="$temporal" -v ours="$ours" --username "$POSTGRES_USER" <<'SQL'
CREATE ROLE temporal LOGIN PASSWORD :'temporal';
CREATE ROLE oms LOGIN PASSWORD :'ours';
CREATE DATABASE temporal OWNER temporal;
CREATE DATABASE temporal_visibility OWNER temporal;
CREATE DATABASE oms OWNER oms;
REVOKE CONNECT ON DATABASE temporal, temporal_visibility, oms FROM PUBLIC;
SQL
