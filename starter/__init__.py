"""The door for people and backends: the typed client, the importer and the `oms` command line."""
