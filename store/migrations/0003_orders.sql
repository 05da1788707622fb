-- migrate:up
CREATE TABLE orders (
    order_no              text PRIMARY KEY CHECK (order_no ~ '^[A-Za-z0-9][A-Za-z0-9_-]{5,25}$'),
    run_id                text NOT NULL CHECK (run_id <> ''),
    channel               text NOT NULL CHECK (channel <> ''),
    channel_order_no      text NOT NULL CHECK (channel_order_no <> ''),
    kind                  text NOT NULL CHECK (kind IN ('normal', 'flash')),
    buyer_id              text NOT NULL,
    start                 jsonb NOT NULL,
    currency              text NOT NULL CHECK (currency ~ '^[A-Z]{3}$'),
    payable_minor         bigint NOT NULL CHECK (payable_minor >= 0),
    placed_at             timestamptz NOT NULL,
    pay_deadline          timestamptz NOT NULL,
    policy_version        integer NOT NULL REFERENCES policies,
    seq                   integer NOT NULL DEFAULT 0 CHECK (seq >= 0),
    status                text NOT NULL DEFAULT 'PENDING_PAYMENT' CHECK (status IN (
                              'PENDING_PAYMENT', 'AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED', 'SHIPPED', 'DELIVERED',
                              'COMPLETED', 'CLOSED')),
    payment_status        text NOT NULL DEFAULT 'NONE' CHECK (payment_status IN (
                              'NONE', 'CREATED', 'PAID', 'CLOSED', 'LATE')),
    waiting_for           text NOT NULL DEFAULT '',
    needs_attention       boolean NOT NULL DEFAULT false,
    payment_code          text,
    paid_minor            bigint NOT NULL DEFAULT 0 CHECK (paid_minor >= 0),
    refund_reserved_minor bigint NOT NULL DEFAULT 0,
    refunded_minor        bigint NOT NULL DEFAULT 0,
    paid_at               timestamptz,
    completed_at          timestamptz,
    closed_at             timestamptz,
    ended_at              timestamptz,
    registered_at         timestamptz NOT NULL,
    updated_at            timestamptz NOT NULL,
    CONSTRAINT orders_channel_number UNIQUE (channel, channel_order_no),
    CONSTRAINT orders_refund_within_paid CHECK (refund_reserved_minor BETWEEN 0 AND paid_minor),
    CONSTRAINT orders_refunded_was_reserved CHECK (refunded_minor BETWEEN 0 AND refund_reserved_minor)
);
COMMENT ON TABLE orders IS
    'One row an order: its start message, and the read model that its workflow writes with a rising seq (late writes lose).';
COMMENT ON COLUMN orders.start IS 'The StartOrder message as it came, address snapshot included.';
COMMENT ON COLUMN orders.refund_reserved_minor IS
    'Sum of all refunds ever asked for. The CHECK against paid_minor is what makes overpaying impossible.';

CREATE INDEX orders_newest ON orders (placed_at DESC, order_no DESC);
CREATE INDEX orders_newest_by_status ON orders (status, placed_at DESC, order_no DESC);
CREATE INDEX orders_newest_by_channel ON orders (channel, placed_at DESC, order_no DESC);
CREATE INDEX orders_newest_by_buyer ON orders (buyer_id, placed_at DESC, order_no DESC);
CREATE INDEX orders_by_channel_number ON orders (channel_order_no);
CREATE INDEX orders_needing_attention ON orders (placed_at DESC, order_no DESC) WHERE needs_attention;

CREATE TABLE order_lines (
    order_no         text NOT NULL REFERENCES orders ON DELETE CASCADE,
    line_id          text NOT NULL,
    pos              integer NOT NULL CHECK (pos >= 0),
    sku              text NOT NULL,
    name             text NOT NULL DEFAULT '',
    qty              integer NOT NULL CHECK (qty > 0),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    gross_minor      bigint NOT NULL,
    discount_minor   bigint NOT NULL CHECK (discount_minor >= 0),
    coupon_minor     bigint NOT NULL CHECK (coupon_minor >= 0),
    net_minor        bigint NOT NULL CHECK (net_minor >= 0),
    freight_minor    bigint NOT NULL CHECK (freight_minor >= 0),
    paid_minor       bigint NOT NULL,
    weight_g         bigint NOT NULL CHECK (weight_g >= 0),
    warehouse        text NOT NULL,
    supplier         text NOT NULL,
    logistics        text NOT NULL,
    customs          text NOT NULL,
    refunded_units   integer NOT NULL DEFAULT 0,
    PRIMARY KEY (order_no, line_id),
    UNIQUE (order_no, pos),
    CHECK (gross_minor = qty * unit_price_minor),
    CHECK (net_minor = gross_minor - discount_minor - coupon_minor),
    CHECK (paid_minor = net_minor + freight_minor),
    CONSTRAINT order_lines_refunded_within_qty CHECK (refunded_units BETWEEN 0 AND qty)
);
COMMENT ON TABLE order_lines IS
    'Lines with the price and the tags frozen when the order was registered; later catalogue changes do not reach them.';
COMMENT ON COLUMN order_lines.refunded_units IS 'Units named by refunds: no unit is refunded twice.';
CREATE INDEX order_lines_by_sku ON order_lines (sku);

-- migrate:down
DROP TABLE order_lines;
DROP TABLE orders;
