-- migrate:up
CREATE TABLE subscriptions (
    subscription_id text PRIMARY KEY CHECK (subscription_id ~ '^[a-z][a-z0-9-]{1,39}$'),
    role            text NOT NULL CHECK (role IN ('marketing', 'sales', 'warehouse', 'finance', 'other')),
    url             text NOT NULL CHECK (url <> ''),
    secret_ref      text NOT NULL CHECK (secret_ref ~ '^OMS_SUBSCRIPTION_[A-Z0-9_]{1,60}$'),
    types           text[] NOT NULL CHECK (types <> '{}' AND types <@ ARRAY[
                        'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded',
                        'refund.abnormal', 'ticket.opened']),
    state           text NOT NULL DEFAULT 'enabled' CHECK (state IN ('enabled', 'disabled', 'removed')),
    why             text NOT NULL DEFAULT '',
    failing_since   timestamptz,
    quiet_until     timestamptz,
    times_disabled  integer NOT NULL DEFAULT 0,
    ticket_id       text,
    created_at      timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL
);
COMMENT ON TABLE subscriptions IS
    'Other systems that hear of our orders (R05, R74). Rows stay when they are removed; a disabled one still collects.';
COMMENT ON COLUMN subscriptions.secret_ref IS 'Name of the variable or secret file with the signing secret; never the secret.';
COMMENT ON COLUMN subscriptions.failing_since IS 'First failure after the last success.';
COMMENT ON COLUMN subscriptions.ticket_id IS 'Ticket opened when the relay disabled it; closed when a person enables it.';

CREATE TABLE outbox (
    id       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id text NOT NULL UNIQUE CHECK (event_id ~ '^evt_[0-9a-f]{32}$'),
    order_no text NOT NULL,
    type     text NOT NULL,
    at       timestamptz NOT NULL,
    body     text NOT NULL CHECK (octet_length(body) < 20000)
);
COMMENT ON TABLE outbox IS
    'Events to be told, written in the transaction of what they tell; only those that somebody subscribes to.';
COMMENT ON COLUMN outbox.event_id IS 'Made from the happening, so the same write written again adds nothing; the webhook-id.';
CREATE INDEX outbox_by_order ON outbox (order_no, id);

CREATE TABLE deliveries (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    outbox_id       bigint NOT NULL REFERENCES outbox ON DELETE CASCADE,
    subscription_id text NOT NULL,
    needs_ack       boolean NOT NULL,
    state           text NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'acknowledged', 'failed', 'dropped')),
    attempts        integer NOT NULL DEFAULT 0,
    failures        integer NOT NULL DEFAULT 0,
    next_try_at     timestamptz NOT NULL,
    leased_until    timestamptz,
    settled_at      timestamptz,
    ticket_id       text,
    CONSTRAINT deliveries_once UNIQUE (outbox_id, subscription_id),
    CHECK ((state = 'pending') = (settled_at IS NULL))
);
COMMENT ON TABLE deliveries IS
    'One event for one subscription. No foreign key to subscriptions: every write of an order would lock their few rows.';
COMMENT ON COLUMN deliveries.attempts IS 'All claims ever; the number of the attempt under way, by which its owner is known.';
COMMENT ON COLUMN deliveries.failures IS 'Failed attempts of the present schedule; a redelivery begins a new one.';
COMMENT ON COLUMN deliveries.needs_ack IS 'No acknowledgement in time becomes a ticket (R05).';
CREATE INDEX deliveries_due ON deliveries (subscription_id, next_try_at, id) WHERE state = 'pending';
CREATE INDEX deliveries_unheard ON deliveries (id) WHERE state = 'pending' AND needs_ack AND ticket_id IS NULL;
CREATE INDEX deliveries_failed ON deliveries (subscription_id, settled_at) WHERE state = 'failed';

CREATE TABLE delivery_attempts (
    delivery_id bigint NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    n           integer NOT NULL CHECK (n > 0),
    started_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    outcome     text,
    status      integer,
    note        text NOT NULL DEFAULT '',
    PRIMARY KEY (delivery_id, n),
    CHECK ((ended_at IS NULL) = (outcome IS NULL))
);
COMMENT ON TABLE delivery_attempts IS
    'Every attempt: when, and how it ended. Without an end: under way, or its relay died. No bodies, neither ours nor theirs.';

-- migrate:down
DROP TABLE delivery_attempts;
DROP TABLE deliveries;
DROP TABLE outbox;
DROP TABLE subscriptions;
