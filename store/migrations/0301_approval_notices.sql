-- migrate:up
CREATE TABLE approval_notices (
    approval_id  text NOT NULL REFERENCES approvals,
    person_id    text NOT NULL REFERENCES people,
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed', 'needless')),
    attempts     integer NOT NULL DEFAULT 0 CHECK (attempts BETWEEN 0 AND 4),
    next_try_at  timestamptz NOT NULL,
    leased_until timestamptz,
    settled_at   timestamptz,
    PRIMARY KEY (approval_id, person_id),
    CHECK ((state = 'pending') = (settled_at IS NULL))
);
COMMENT ON TABLE approval_notices IS
    'Whom the company''s messenger tells that a decision is asked of them (decision 0054): once each, whatever dies in between.';
CREATE INDEX approval_notices_due ON approval_notices (next_try_at) WHERE state = 'pending';
INSERT INTO access_rules (object, relay, worker, operator, bi, console) VALUES
('approval_notices', 'SELECT, INSERT, UPDATE (state, attempts, next_try_at, leased_until, settled_at)', '', 'SELECT', '',
    'SELECT');
-- Who decides and whether it is still asked; not what it is about.
UPDATE access_rules SET relay = 'SELECT (approval_id, kind, role, state, requested_by, excluded, opened_at)'
WHERE object = 'approvals';
UPDATE access_rules SET relay = 'SELECT (person_id, active)' WHERE object = 'people';
UPDATE access_rules SET relay = 'SELECT (person_id, role)' WHERE object = 'person_roles';
UPDATE access_rules SET relay = 'SELECT (delegator, delegate, starts_at, ends_at, revoked_at)' WHERE object = 'delegations';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET relay = '' WHERE object IN ('approvals', 'people', 'person_roles', 'delegations');
DELETE FROM access_rules WHERE object = 'approval_notices';
DROP TABLE approval_notices;
SELECT settle_access();
