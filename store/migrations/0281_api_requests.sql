-- migrate:up
CREATE TABLE api_requests (
    service       text NOT NULL CHECK (service <> ''),
    key           text NOT NULL CHECK (length(key) BETWEEN 1 AND 255),
    said          bytea NOT NULL CHECK (length(said) = 32),
    attempt       integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    made_at       timestamptz NOT NULL,
    claimed_until timestamptz,
    status        integer CHECK (status BETWEEN 200 AND 499),
    answer        text,
    PRIMARY KEY (service, key),
    CHECK ((status IS NULL) = (answer IS NULL))
);
COMMENT ON TABLE api_requests IS
    'Changes asked for over the open API, by the caller''s own key: the same one again has the first answer. said: hash of method, address and body. claimed_until: somebody is at it; past, and without an answer: nobody knows, and it is done again under the same key.';
CREATE INDEX api_requests_by_age ON api_requests (made_at);
INSERT INTO access_rules (object, console) VALUES ('api_requests', 'SELECT, INSERT, UPDATE, DELETE');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'api_requests';
DROP TABLE api_requests;
