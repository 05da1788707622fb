-- migrate:up
CREATE TABLE rule_drafts (
    draft_no     integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL CHECK (name <> ''),
    document     jsonb NOT NULL,
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    based_on     integer NOT NULL CHECK (based_on >= 0),
    copies       integer CHECK (copies <= based_on),
    warnings     jsonb NOT NULL DEFAULT '[]',
    drafted_by   text NOT NULL CHECK (drafted_by <> ''),
    drafted_at   timestamptz NOT NULL,
    UNIQUE (draft_no, drafted_by, content_hash)
);
COMMENT ON TABLE rule_drafts IS
    'Rule sets as somebody would have them (R28). Checked cell by cell before they come in; a change is a draft of its own.';
COMMENT ON COLUMN rule_drafts.based_on IS 'The version that counted then. Published only while it still does, so that no change is lost.';
COMMENT ON COLUMN rule_drafts.copies IS 'The version that this draft brings back.';

CREATE TABLE rule_sets (
    version      integer PRIMARY KEY CHECK (version >= 0),
    document     jsonb NOT NULL,
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    draft_no     integer UNIQUE,
    drafted_by   text NOT NULL CHECK (drafted_by <> ''),
    published_by text NOT NULL CHECK (published_by <> ''),
    published_at timestamptz NOT NULL,
    remark       text NOT NULL CHECK (remark <> ''),
    approval_id  text UNIQUE,
    FOREIGN KEY (draft_no, drafted_by, content_hash) REFERENCES rule_drafts (draft_no, drafted_by, content_hash),
    CONSTRAINT rule_sets_by_another_person CHECK (published_by <> drafted_by),
    CONSTRAINT rule_sets_drafted_and_approved CHECK (
        (version = 0) = (draft_no IS NULL) AND (version = 0) = (approval_id IS NULL))
);
COMMENT ON TABLE rule_sets IS
    'Published rule sets, one row a version. Never changed: an order keeps the version it started with. 0 is the built-in one.';

CREATE FUNCTION rule_set_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.version > 0 AND NOT EXISTS (
        SELECT FROM approvals WHERE approval_id = NEW.approval_id AND kind = 'publish_rules' AND state = 'approved'
            AND decided_by = NEW.published_by AND requested_by = NEW.drafted_by
            AND content ->> 'content_hash' = NEW.content_hash) THEN
        RAISE EXCEPTION 'rule set version % has no approval of this content by %', NEW.version, NEW.published_by
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER rule_sets_are_approved BEFORE INSERT ON rule_sets FOR EACH ROW EXECUTE FUNCTION rule_set_is_approved();

CREATE TABLE rule_simulations (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    draft_no    integer NOT NULL REFERENCES rule_drafts,
    summary     jsonb NOT NULL,
    by          text NOT NULL CHECK (by <> ''),
    at          timestamptz NOT NULL
);
COMMENT ON TABLE rule_simulations IS 'What a draft would have done to past orders, as whoever publishes it has seen it.';
CREATE INDEX rule_simulations_by_draft ON rule_simulations (draft_no, id);

CREATE TRIGGER rule_drafts_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_drafts
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rule_sets_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_sets
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER rule_simulations_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON rule_simulations
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE rule_simulations;
DROP TABLE rule_sets;
DROP TABLE rule_drafts;
DROP FUNCTION rule_set_is_approved();
