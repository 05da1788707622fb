"""Where people and backends come in: the typed client, the importer and the `oms` command line."""
