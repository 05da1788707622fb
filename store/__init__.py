"""Postgres: the only room that knows a table. Repositories take the pool; constraints carry the rules."""
