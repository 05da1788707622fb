-- migrate:up
CREATE TABLE import_mappings (
    name     text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 60),
    mapping  jsonb NOT NULL,
    saved_by text NOT NULL,
    saved_at timestamptz NOT NULL
);
COMMENT ON TABLE import_mappings IS
    'Which column of a shop''s order files feeds which field, as people have chosen it in the console (decision 0052). Names of columns, no data of files.';
INSERT INTO access_rules (object, console) VALUES ('import_mappings', 'SELECT, INSERT, UPDATE');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'import_mappings';
DROP TABLE import_mappings;
