-- migrate:up
ALTER TABLE people DROP CONSTRAINT people_source_check;
ALTER TABLE people ADD CONSTRAINT people_source_check CHECK (source IN ('local', 'oidc', 'service'));
COMMENT ON TABLE people IS
    'Who may be asked to decide and may give commands (R57): an id, no name. oidc: came with a token of the identity provider; service: a backend, with its first proof. Never deleted.';

ALTER TABLE person_roles DROP CONSTRAINT person_roles_role_check;
ALTER TABLE person_roles ADD CONSTRAINT person_roles_role_check CHECK (role IN (
    'CS_AGENT', 'CS_SUPERVISOR', 'FINANCE', 'WAREHOUSE', 'ORDER_OPS', 'RULE_EDITOR', 'ADMIN', 'SERVICE'));

CREATE TABLE command_proofs (
    token_id     text PRIMARY KEY CHECK (token_id <> ''),
    workflow_id  text NOT NULL CHECK (workflow_id <> ''),
    command      text NOT NULL CHECK (command <> ''),
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    person_id    text NOT NULL REFERENCES people,
    role         text NOT NULL CHECK (role <> ''),
    on_behalf_of text CHECK (on_behalf_of <> ''),
    claims       jsonb NOT NULL,
    used_by      text NOT NULL CHECK (used_by <> ''),
    used_at      timestamptz NOT NULL
);
COMMENT ON TABLE command_proofs IS
    'A proof admits one command once. token_id: issuer and jti; claims: the verified token, as evidence; used_by: the one request that brought it, so that its repetition by a retry is known from a replay.';
CREATE INDEX command_proofs_by_workflow ON command_proofs (workflow_id, used_at);
CREATE TRIGGER command_proofs_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON command_proofs
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE command_proofs;
DELETE FROM person_roles WHERE role = 'SERVICE';
ALTER TABLE person_roles DROP CONSTRAINT person_roles_role_check;
ALTER TABLE person_roles ADD CONSTRAINT person_roles_role_check CHECK (role IN (
    'CS_AGENT', 'CS_SUPERVISOR', 'FINANCE', 'WAREHOUSE', 'ORDER_OPS', 'RULE_EDITOR', 'ADMIN'));
UPDATE people SET source = 'local' WHERE source = 'service';
ALTER TABLE people DROP CONSTRAINT people_source_check;
ALTER TABLE people ADD CONSTRAINT people_source_check CHECK (source IN ('local', 'oidc'));
