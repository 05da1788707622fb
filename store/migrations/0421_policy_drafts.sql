-- migrate:up
CREATE TABLE policy_drafts (
    draft_no    integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (name <> ''),
    policy      jsonb NOT NULL,
    based_on    integer NOT NULL,
    drafted_by  text NOT NULL CHECK (drafted_by <> ''),
    drafted_at  timestamptz NOT NULL,
    UNIQUE (drafted_by, drafted_at)
);
COMMENT ON TABLE policy_drafts IS 'Policies as somebody has written them down. Tried, asked for and published as they stand here.';
COMMENT ON COLUMN policy_drafts.based_on IS 'The version that counted then. Published only while it still does, so that no change is lost.';

CREATE TABLE policy_trials (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    draft_no    integer NOT NULL REFERENCES policy_drafts,
    summary     jsonb NOT NULL,
    by          text NOT NULL CHECK (by <> ''),
    at          timestamptz NOT NULL
);
COMMENT ON TABLE policy_trials IS 'What a draft would have meant for past orders and returns, as whoever decides about it has seen it.';
CREATE INDEX policy_trials_by_draft ON policy_trials (draft_no, id);

ALTER TABLE policies ADD COLUMN draft_no integer REFERENCES policy_drafts;
COMMENT ON COLUMN policies.draft_no IS 'The draft that it was; NULL from before there were drafts, and of the defaults.';
CREATE UNIQUE INDEX policies_of_draft ON policies (draft_no) WHERE draft_no IS NOT NULL;

CREATE TRIGGER policy_drafts_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_drafts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER policy_trials_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON policy_trials
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

INSERT INTO access_rules (object, worker, operator, console) VALUES
('policy_drafts', 'SELECT, INSERT', 'SELECT', 'SELECT'),
('policy_trials', 'SELECT', 'SELECT, INSERT', 'SELECT, INSERT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object IN ('policy_drafts', 'policy_trials');
ALTER TABLE policies DROP COLUMN draft_no;
DROP TABLE policy_trials;
DROP TABLE policy_drafts;
SELECT settle_access();
