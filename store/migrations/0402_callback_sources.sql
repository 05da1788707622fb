-- migrate:up
CREATE TABLE callback_sources (
    source     text PRIMARY KEY CHECK (source <> ''),
    configured text[] NOT NULL,
    started_at timestamptz NOT NULL
);
COMMENT ON TABLE callback_sources IS
    'Sources of callbacks that a relay has last started with. configured: networks of its own settings from which each may call; empty: from anywhere.';

CREATE TABLE source_rules (
    source      text PRIMARY KEY CHECK (source <> ''),
    enabled     boolean NOT NULL,
    allow       text[] NOT NULL,
    changed_by  text NOT NULL CHECK (changed_by <> ''),
    approved_by text,
    changed_at  timestamptz NOT NULL,
    CONSTRAINT source_rules_by_two CHECK (NOT enabled OR approved_by <> changed_by)
);
COMMENT ON TABLE source_rules IS
    'What people have decided about a source of callbacks, on top of the settings: stopped by one, let in again or from other networks by two.';

INSERT INTO access_rules (object, relay, worker, operator, console, bi) VALUES
('callback_sources', 'SELECT, INSERT, UPDATE', 'SELECT', 'SELECT', 'SELECT', ''),
('source_rules', 'SELECT', 'SELECT, INSERT, UPDATE', 'SELECT', 'SELECT', '');
SELECT settle_access();

CREATE TRIGGER approvals_of_sources BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind = 'set_source') EXECUTE FUNCTION control_is_asked_by_the_worker();

-- migrate:down
DROP TRIGGER approvals_of_sources ON approvals;
DELETE FROM access_rules WHERE object IN ('callback_sources', 'source_rules');
DROP TABLE source_rules;
DROP TABLE callback_sources;
SELECT settle_access();
