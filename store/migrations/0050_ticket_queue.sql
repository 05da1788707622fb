-- migrate:up
ALTER TABLE tickets
    ADD COLUMN owned_at timestamptz,
    ADD COLUMN level integer NOT NULL DEFAULT 0 CHECK (level >= 0),
    ADD COLUMN escalated_at timestamptz,
    -- Rows of before may have a blank one.
    ADD CONSTRAINT tickets_remark_said CHECK (btrim(remark) <> '') NOT VALID;
COMMENT ON COLUMN tickets.owner IS 'Who looks after it; nobody yet while empty.';
COMMENT ON COLUMN tickets.level IS 'How often it was raised because nobody looked after it; names the group that was told.';
COMMENT ON COLUMN tickets.escalated_at IS 'When it was raised last.';

CREATE TABLE ticket_history (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES tickets,
    at        timestamptz NOT NULL,
    actor     text NOT NULL CHECK (actor <> ''),
    action    text NOT NULL CHECK (action IN ('take', 'assign', 'release', 'escalate')),
    detail    jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE ticket_history IS
    'What was done with a ticket between its opening and its answer, which both stand in its own row.';
CREATE INDEX ticket_history_of_one ON ticket_history (ticket_id, id);

CREATE TABLE ticket_notices (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    ticket_id text NOT NULL REFERENCES tickets,
    event     text NOT NULL CHECK (event IN ('opened', 'escalated')),
    level     integer NOT NULL,
    at        timestamptz NOT NULL,
    state     text NOT NULL DEFAULT 'new' CHECK (state IN ('new', 'addressed', 'needless')),
    CONSTRAINT ticket_notices_once UNIQUE (ticket_id, level)
);
COMMENT ON TABLE ticket_notices IS
    'That people are to be told of a ticket, written in the transaction of its opening or its raising. Level 0 is the opening.';
COMMENT ON COLUMN ticket_notices.state IS
    'new: not yet given to the channels; addressed: it was; needless: the ticket was answered or raised before that.';
CREATE INDEX ticket_notices_new ON ticket_notices (id) WHERE state = 'new';

CREATE TABLE ticket_notice_sends (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    notice_id    bigint NOT NULL REFERENCES ticket_notices,
    target       text NOT NULL CHECK (target ~ '^[0-9a-f]{12}$'),
    state        text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'sent', 'failed')),
    attempts     integer NOT NULL DEFAULT 0,
    next_try_at  timestamptz NOT NULL,
    leased_until timestamptz,
    settled_at   timestamptz,
    CONSTRAINT ticket_notice_sends_once UNIQUE (notice_id, target),
    CHECK ((state = 'pending') = (settled_at IS NULL))
);
COMMENT ON TABLE ticket_notice_sends IS 'One notice for one channel of notices.';
COMMENT ON COLUMN ticket_notice_sends.target IS 'Fingerprint of the channel''s address, which is a secret and stands nowhere here.';
CREATE INDEX ticket_notice_sends_due ON ticket_notice_sends (next_try_at, id) WHERE state = 'pending';

-- Events of tickets that belong to no order.
ALTER TABLE outbox ALTER COLUMN order_no DROP NOT NULL;

-- migrate:down
DELETE FROM outbox WHERE order_no IS NULL;
ALTER TABLE outbox ALTER COLUMN order_no SET NOT NULL;
DROP TABLE ticket_notice_sends;
DROP TABLE ticket_notices;
DROP TABLE ticket_history;
ALTER TABLE tickets
    DROP CONSTRAINT tickets_remark_said, DROP COLUMN escalated_at, DROP COLUMN level, DROP COLUMN owned_at;
