-- migrate:up
CREATE TABLE tickets (
    ticket_id     text PRIMARY KEY CHECK (ticket_id <> ''),
    order_no      text,
    child_no      text,
    outside       boolean NOT NULL,
    state         text NOT NULL DEFAULT 'open' CHECK (state IN ('open', 'resolved')),
    severity      text NOT NULL CHECK (severity IN ('info', 'normal', 'urgent')),
    system        text NOT NULL,
    step          text NOT NULL,
    error         text NOT NULL,
    actions       text[] NOT NULL CHECK (actions <@ ARRAY['retry', 'supply', 'give_up']),
    give_up_means text NOT NULL DEFAULT '',
    owner         text,
    opened_at     timestamptz NOT NULL,
    resolved_at   timestamptz,
    resolved_by   text CHECK (resolved_by <> ''),
    action        text CHECK (action IN ('retry', 'supply', 'give_up', 'evidence')),
    remark        text,
    result        jsonb,
    CHECK (outside OR order_no IS NOT NULL),
    CONSTRAINT tickets_resolved_in_full CHECK (
        (state = 'resolved') = (resolved_at IS NOT NULL AND resolved_by IS NOT NULL AND action IS NOT NULL
                                AND remark IS NOT NULL))
);
COMMENT ON TABLE tickets IS
    'Questions for a person (R10). outside: opened by the relay, not by an order workflow, so no workflow waits for the answer.';
CREATE INDEX tickets_open ON tickets (severity, opened_at) WHERE state = 'open';
CREATE INDEX tickets_newest ON tickets (opened_at DESC, ticket_id DESC);
CREATE INDEX tickets_by_order ON tickets (order_no) WHERE order_no IS NOT NULL;

-- migrate:down
DROP TABLE tickets;
