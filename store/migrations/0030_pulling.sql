-- migrate:up
CREATE TABLE pulls (
    connector text NOT NULL,
    kind      text NOT NULL CHECK (kind IN ('payment', 'refund', 'outbound', 'parcel')),
    number    text NOT NULL CHECK (number <> ''),
    pulled_at timestamptz NOT NULL,
    PRIMARY KEY (connector, kind, number)
);
COMMENT ON TABLE pulls IS
    'When an outside system was last asked about something of ours (R12): who waits longest is asked first, and nobody is asked more often than the provider allows.';
COMMENT ON COLUMN pulls.number IS 'Order, refund, child or waybill number, by kind.';

CREATE TABLE pull_connectors (
    connector    text PRIMARY KEY,
    ticked_at    timestamptz NOT NULL,
    answered_at  timestamptz,
    failed_ticks integer NOT NULL DEFAULT 0 CHECK (failed_ticks >= 0),
    outages      integer NOT NULL DEFAULT 0 CHECK (outages >= 0),
    error        text NOT NULL DEFAULT '',
    asked        bigint NOT NULL DEFAULT 0,
    found        bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE pull_connectors IS
    'How each connector is doing. failed_ticks: one after another, until now; outages: those that a person was told of; asked, found: ever.';

CREATE INDEX child_orders_under_way ON child_orders (updated_at)
    WHERE status NOT IN ('CREATED', 'RISK_HOLD', 'BACKORDER', 'CUSTOMS_HOLD', 'SIGNED', 'CANCELLED', 'REFUSED');

-- migrate:down
DROP INDEX child_orders_under_way;
DROP TABLE pull_connectors;
DROP TABLE pulls;
