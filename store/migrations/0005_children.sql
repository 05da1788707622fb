-- migrate:up
CREATE TABLE child_orders (
    child_no      text PRIMARY KEY,
    order_no      text NOT NULL REFERENCES orders ON DELETE CASCADE,
    nn            integer NOT NULL CHECK (nn > 0),
    status        text NOT NULL CHECK (status IN (
                      'CREATED', 'RISK_HOLD', 'BACKORDER', 'CUSTOMS_HOLD', 'RELEASED', 'PICKING', 'PACKED', 'SHIPPED',
                      'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'SIGNED', 'INTERCEPTING', 'CANCELLED', 'EXCEPTION', 'REFUSED')),
    seq           integer NOT NULL CHECK (seq >= 0),
    warehouse     text NOT NULL,
    reasons       jsonb NOT NULL,
    net_minor     bigint NOT NULL CHECK (net_minor >= 0),
    freight_minor bigint NOT NULL CHECK (freight_minor >= 0),
    paid_minor    bigint NOT NULL,
    waybill_no    text,
    carrier       text,
    tms_ref       text,
    shipped_at    timestamptz,
    signed_at     timestamptz,
    updated_at    timestamptz NOT NULL,
    UNIQUE (order_no, nn),
    UNIQUE (order_no, child_no),
    CHECK (starts_with(child_no, order_no || '-')),
    CHECK (paid_minor = net_minor + freight_minor)
);
COMMENT ON TABLE child_orders IS
    'The parts into which an order was split (R29): own number, warehouse, status and money; amounts are sums of unit shares.';
COMMENT ON COLUMN child_orders.seq IS 'seq of the order write that last touched this child; a lower one never overwrites it.';
CREATE INDEX child_orders_waiting_for_stock ON child_orders (warehouse) WHERE status = 'BACKORDER';

CREATE TABLE child_lines (
    order_no   text NOT NULL,
    child_no   text NOT NULL,
    line_id    text NOT NULL,
    first_unit integer NOT NULL CHECK (first_unit >= 0),
    qty        integer NOT NULL CHECK (qty > 0),
    PRIMARY KEY (child_no, line_id),
    FOREIGN KEY (order_no, child_no) REFERENCES child_orders (order_no, child_no) ON DELETE CASCADE,
    FOREIGN KEY (order_no, line_id) REFERENCES order_lines ON DELETE CASCADE,
    CONSTRAINT child_lines_no_unit_twice EXCLUDE USING gist (
        order_no WITH =, line_id WITH =, int4range(first_unit, first_unit + qty) WITH &&)
);
COMMENT ON TABLE child_lines IS 'Which units of which line a child carries. No unit is in two children.';

-- migrate:down
DROP TABLE child_lines;
DROP TABLE child_orders;
