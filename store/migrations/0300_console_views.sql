-- migrate:up
CREATE TABLE console_views (
    person_id text NOT NULL CHECK (person_id <> ''),
    page      text NOT NULL CHECK (page ~ '^[a-z-]{1,30}$'),
    name      text NOT NULL CHECK (length(name) BETWEEN 1 AND 40),
    query     text NOT NULL CHECK (length(query) <= 1000),
    saved_at  timestamptz NOT NULL,
    PRIMARY KEY (person_id, page, name)
);
COMMENT ON TABLE console_views IS
    'Lists as people have saved them for themselves: filters and columns, as the address has them. Who has signed in by the identity provider need not be a row of people.';
INSERT INTO access_rules (object, relay, worker, operator, bi, console) VALUES
('console_views', '', '', '', '', 'SELECT, INSERT, UPDATE (query, saved_at), DELETE');
-- Labels are given out in the console, too (R32).
UPDATE access_rules SET console = 'SELECT, INSERT' WHERE object = 'label_prints';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET console = 'SELECT' WHERE object = 'label_prints';
DELETE FROM access_rules WHERE object = 'console_views';
DROP TABLE console_views;
SELECT settle_access();
