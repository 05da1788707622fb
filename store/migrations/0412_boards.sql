-- migrate:up
-- Boards (R70): measures of the health report, in an order of one's own, for the roles that they are shared with.
CREATE TABLE boards (
    name     text PRIMARY KEY CHECK (length(name) BETWEEN 1 AND 40),
    measures text[] NOT NULL CHECK (cardinality(measures) BETWEEN 1 AND 40),
    roles    text[] NOT NULL CHECK (cardinality(roles) <= 20),
    saved_by text NOT NULL CHECK (saved_by <> ''),
    saved_at timestamptz NOT NULL
);
COMMENT ON TABLE boards IS
    'Widgets by the keys of domain/insight/definitions.py, as they are arranged. roles: who sees it beside whoever saved it.';
INSERT INTO access_rules (object, relay, worker, operator, bi, console) VALUES
('boards', '', '', '', '', 'SELECT, INSERT, UPDATE (measures, roles, saved_at), DELETE');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'boards';
DROP TABLE boards;
SELECT settle_access();
