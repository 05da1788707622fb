-- migrate:up
CREATE TABLE policies (
    version      integer PRIMARY KEY CHECK (version >= 0),
    policy       jsonb NOT NULL CHECK ((policy ->> 'version')::integer = version),
    published_by text NOT NULL CHECK (published_by <> ''),
    published_at timestamptz NOT NULL DEFAULT now()
);
COMMENT ON TABLE policies IS
    'Durations, retries and split order, one row per published version. Never changed: an order keeps the version it started with.';

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'unable to % %: its rows are only ever added', lower(TG_OP), TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$;
COMMENT ON FUNCTION refuse_change() IS 'For tables that only grow: refuses UPDATE, DELETE and TRUNCATE, whoever asks.';

CREATE TRIGGER policies_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON policies
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE policies;
DROP FUNCTION refuse_change();
