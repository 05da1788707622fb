-- migrate:up
CREATE TABLE approvals (
    approval_id  text PRIMARY KEY CHECK (approval_id LIKE 'A-%'),
    kind         text NOT NULL CHECK (kind <> ''),
    subject      text NOT NULL CHECK (subject <> ''),
    order_no     text,
    version      integer NOT NULL CHECK (version > 0),
    role         text NOT NULL CHECK (role <> ''),
    requested_by text NOT NULL CHECK (requested_by <> ''),
    excluded     text[] NOT NULL DEFAULT '{}',
    content      jsonb NOT NULL,
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    workflow_id  text CHECK (workflow_id <> ''),
    state        text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'approved', 'rejected', 'withdrawn')),
    opened_at    timestamptz NOT NULL,
    decided_at   timestamptz,
    decided_by   text REFERENCES people,
    decided_role text,
    on_behalf_of text REFERENCES people,
    remark       text CHECK (remark <> ''),
    withdrawn_at timestamptz,
    used_at      timestamptz,
    used_for     text CHECK (used_for <> ''),
    CONSTRAINT approvals_not_by_requester CHECK (decided_by <> requested_by AND on_behalf_of <> requested_by),
    CONSTRAINT approvals_by_another_person CHECK (
        NOT (decided_by = ANY (excluded)) AND NOT (on_behalf_of = ANY (excluded)) AND decided_by <> on_behalf_of),
    CONSTRAINT approvals_in_the_asked_role CHECK (decided_role = role),
    CONSTRAINT approvals_decided_in_full CHECK (
        (state IN ('approved', 'rejected')) = (decided_at IS NOT NULL AND decided_by IS NOT NULL
            AND decided_role IS NOT NULL AND remark IS NOT NULL)),
    CONSTRAINT approvals_withdrawn_when CHECK ((state = 'withdrawn') = (withdrawn_at IS NOT NULL)),
    CONSTRAINT approvals_used_once_approved CHECK ((used_at IS NULL) = (used_for IS NULL)
        AND (used_at IS NULL OR state = 'approved'))
);
COMMENT ON TABLE approvals IS
    'Questions to a role, each about one exact content (R44, A1, A2). The CHECKs stand behind the same rules in code.';
COMMENT ON COLUMN approvals.workflow_id IS 'Who waits for the answer; NULL: nobody, the answer is looked up here (rule sets).';
COMMENT ON COLUMN approvals.used_for IS 'What it has allowed, once: a refund number, a merge, …';
CREATE INDEX approvals_waiting ON approvals (role, opened_at) WHERE state = 'open';
CREATE INDEX approvals_by_order ON approvals (order_no) WHERE order_no IS NOT NULL;
CREATE INDEX approvals_by_subject ON approvals (subject);
CREATE UNIQUE INDEX approvals_one_yes_a_content ON approvals (kind, subject, content_hash) WHERE state = 'approved';

CREATE FUNCTION keep_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.approval_id, NEW.kind, NEW.subject, NEW.order_no, NEW.version, NEW.role, NEW.requested_by, NEW.excluded,
            NEW.content, NEW.content_hash, NEW.workflow_id, NEW.opened_at)
        IS DISTINCT FROM (OLD.approval_id, OLD.kind, OLD.subject, OLD.order_no, OLD.version, OLD.role,
            OLD.requested_by, OLD.excluded, OLD.content, OLD.content_hash, OLD.workflow_id, OLD.opened_at) THEN
        RAISE EXCEPTION 'approval % was asked so and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'open' AND (NEW.state, NEW.decided_at, NEW.decided_by, NEW.decided_role, NEW.on_behalf_of,
            NEW.remark) IS DISTINCT FROM (OLD.state, OLD.decided_at, OLD.decided_by, OLD.decided_role,
            OLD.on_behalf_of, OLD.remark) THEN
        RAISE EXCEPTION 'approval % is decided and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.used_at IS NOT NULL AND (NEW.used_at, NEW.used_for) IS DISTINCT FROM (OLD.used_at, OLD.used_for) THEN
        RAISE EXCEPTION 'approval % is used and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER approvals_kept BEFORE UPDATE ON approvals FOR EACH ROW EXECUTE FUNCTION keep_approval();
CREATE TRIGGER approvals_stay BEFORE DELETE OR TRUNCATE ON approvals
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE used_tokens (
    token_id    text PRIMARY KEY CHECK (token_id <> ''),
    approval_id text NOT NULL UNIQUE REFERENCES approvals,
    person_id   text NOT NULL REFERENCES people,
    used_by     text NOT NULL CHECK (used_by <> ''),
    used_at     timestamptz NOT NULL
);
COMMENT ON TABLE used_tokens IS
    'A token decides once. token_id: issuer and jti; used_by: the one request that brought it, so that its repetition by a retry is known from a replay.';
CREATE TRIGGER used_tokens_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON used_tokens
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE used_tokens;
DROP TABLE approvals;
DROP FUNCTION keep_approval();
