-- migrate:up
CREATE TABLE controls_at_once (
    number  text PRIMARY KEY CHECK (number <> ''),
    change  jsonb NOT NULL,
    done_by text NOT NULL CHECK (done_by <> ''),
    done_at timestamptz NOT NULL
);
COMMENT ON TABLE controls_at_once IS
    'Changes of the controls that one person made, since they only take power away: each number once, told again it is the first answer.';
CREATE TRIGGER controls_at_once_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON controls_at_once
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO access_rules (object, worker, operator) VALUES ('controls_at_once', 'SELECT, INSERT', 'SELECT');
SELECT settle_access();

-- migrate:down
DROP TABLE controls_at_once;
DELETE FROM access_rules WHERE object = 'controls_at_once';
SELECT settle_access();
