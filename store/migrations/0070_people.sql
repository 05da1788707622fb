-- migrate:up
CREATE TABLE people (
    person_id      text PRIMARY KEY CHECK (person_id ~ '^[A-Za-z0-9][A-Za-z0-9._:/-]{0,63}$'),
    source         text NOT NULL DEFAULT 'local' CHECK (source IN ('local', 'oidc')),
    active         boolean NOT NULL DEFAULT true,
    created_at     timestamptz NOT NULL,
    deactivated_at timestamptz,
    CHECK (active = (deactivated_at IS NULL))
);
COMMENT ON TABLE people IS
    'Who may be asked to decide (R57): an id, no name. oidc: came with a token of the identity provider. Never deleted.';

CREATE TABLE person_roles (
    person_id  text NOT NULL REFERENCES people,
    role       text NOT NULL CHECK (role IN (
                   'CS_AGENT', 'CS_SUPERVISOR', 'FINANCE', 'WAREHOUSE', 'ORDER_OPS', 'RULE_EDITOR', 'ADMIN')),
    granted_at timestamptz NOT NULL,
    granted_by text NOT NULL CHECK (granted_by <> ''),
    PRIMARY KEY (person_id, role),
    CONSTRAINT person_roles_not_by_oneself CHECK (granted_by <> person_id)
);
COMMENT ON TABLE person_roles IS 'Roles now held. Of oidc people: as their latest token said.';

CREATE TABLE delegations (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delegator  text NOT NULL REFERENCES people,
    delegate   text NOT NULL REFERENCES people,
    starts_at  timestamptz NOT NULL,
    ends_at    timestamptz NOT NULL,
    revoked_at timestamptz,
    CHECK (delegator <> delegate),
    CHECK (ends_at > starts_at)
);
COMMENT ON TABLE delegations IS 'Who decides for whom, always with an end. What was lent to a delegate is not lent on.';
CREATE INDEX delegations_by_delegate ON delegations (delegate, ends_at);

-- migrate:down
DROP TABLE delegations;
DROP TABLE person_roles;
DROP TABLE people;
