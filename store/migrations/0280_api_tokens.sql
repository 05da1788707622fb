-- migrate:up
CREATE TABLE api_tokens (
    token_no     text PRIMARY KEY CHECK (token_no ~ '^[0-9a-f]{16}$'),
    service      text NOT NULL REFERENCES people CHECK (service ~ '^api/[a-z][a-z0-9-]{1,39}$'),
    public_key   bytea NOT NULL UNIQUE CHECK (length(public_key) = 32),
    scopes       text[] NOT NULL CHECK (scopes <> '{}'),
    channels     text[] CHECK (channels <> '{}'),
    warehouses   text[] CHECK (warehouses <> '{}'),
    per_minute   integer NOT NULL CHECK (per_minute BETWEEN 1 AND 60000),
    made_at      timestamptz NOT NULL,
    made_by      text NOT NULL,
    expires_at   timestamptz NOT NULL CHECK (expires_at > made_at),
    revoked_at   timestamptz,
    revoked_by   text,
    last_used_at timestamptz,
    CHECK ((revoked_at IS NULL) = (revoked_by IS NULL))
);
COMMENT ON TABLE api_tokens IS
    'Programs that use the open API (decision 0045). public_key: of the key that the token''s text makes; the text itself is with the program alone. channels, warehouses: NULL is all of them.';
CREATE INDEX api_tokens_by_service ON api_tokens (service);
INSERT INTO access_rules (object, relay, worker, operator, bi, console) VALUES
('api_tokens', '', 'SELECT, INSERT, UPDATE (revoked_at, revoked_by)', 'SELECT', '', 'SELECT, UPDATE (last_used_at)');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'api_tokens';
DROP TABLE api_tokens;
