-- migrate:up
-- What is done about an anomaly so that it does not come again (R73): it closes with the version that holds it, or not.
CREATE TABLE insight_actions (
    action_no    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    week         text NOT NULL CHECK (week ~ '^[0-9]{4}-W[0-9]{2}$'),
    anomaly_id   text NOT NULL CHECK (anomaly_id <> ''),
    order_no     text NOT NULL,
    what         text NOT NULL,
    text         text NOT NULL CHECK (btrim(text) <> ''),
    owner        text NOT NULL REFERENCES people,
    due          date NOT NULL,
    opened_by    text NOT NULL CHECK (opened_by <> ''),
    opened_at    timestamptz NOT NULL,
    held_by      text CHECK (held_by IN ('rules', 'policy', 'insight')),
    held_version integer,
    closed_by    text CHECK (closed_by <> ''),
    closed_at    timestamptz,
    CONSTRAINT insight_actions_once UNIQUE (week, anomaly_id, text),
    CONSTRAINT insight_actions_closed_with_what_holds_it CHECK (
        (closed_at IS NULL) = (held_by IS NULL) AND (closed_at IS NULL) = (held_version IS NULL)
        AND (closed_at IS NULL) = (closed_by IS NULL))
);
COMMENT ON TABLE insight_actions IS
    'Improvements that a weekly meeting has agreed on, with owner and due date (R73). held_by, held_version: the rule set, policy or report parameters, published after it was opened, that keep the anomaly (what: system and step) from coming again.';
CREATE INDEX insight_actions_by_week ON insight_actions (week, action_no);
CREATE FUNCTION keep_insight_action() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.closed_at IS NOT NULL THEN
        RAISE EXCEPTION 'action % is closed and stays so', OLD.action_no USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER insight_actions_kept BEFORE UPDATE ON insight_actions
    FOR EACH ROW EXECUTE FUNCTION keep_insight_action();
CREATE TRIGGER insight_actions_stay BEFORE DELETE OR TRUNCATE ON insight_actions
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('insight_actions', 'SELECT, INSERT, UPDATE (held_by, held_version, closed_by, closed_at)', 'SELECT',
    'SELECT (action_no, week, anomaly_id, order_no, what, due, opened_at, held_by, held_version, closed_at)', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'insight_actions';
DROP TABLE insight_actions;
DROP FUNCTION keep_insight_action();
