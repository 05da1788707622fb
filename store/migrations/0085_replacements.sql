-- migrate:up
ALTER TABLE child_orders
    ADD COLUMN type text NOT NULL DEFAULT 'SHIPMENT' CHECK (type IN ('SHIPMENT', 'EXCHANGE')),
    ADD COLUMN return_no text REFERENCES return_cases;
ALTER TABLE child_orders ADD CONSTRAINT child_orders_exchange_has_a_case CHECK ((type = 'EXCHANGE') = (return_no IS NOT NULL));
CREATE UNIQUE INDEX child_orders_one_replacement ON child_orders (return_no) WHERE return_no IS NOT NULL;
COMMENT ON COLUMN child_orders.type IS
    'EXCHANGE: the replacement of a case (R56); its goods are in replacement_lines, its workflow is the case''s.';

CREATE TABLE replacement_lines (
    child_no  text NOT NULL REFERENCES child_orders ON DELETE CASCADE,
    line_id   text NOT NULL,
    sku       text NOT NULL,
    warehouse text NOT NULL,
    qty       integer NOT NULL CHECK (qty > 0),
    PRIMARY KEY (child_no, line_id)
);
COMMENT ON TABLE replacement_lines IS 'What a replacement carries, by the line that it replaces.';

ALTER TABLE orders ADD COLUMN refund_not_before timestamptz;
COMMENT ON COLUMN orders.refund_not_before IS
    'The next refund of any case of this order is sent no earlier: a channel takes one refund of an order a minute.';

-- migrate:down
ALTER TABLE orders DROP COLUMN refund_not_before;
DROP TABLE replacement_lines;
DROP INDEX child_orders_one_replacement;
ALTER TABLE child_orders DROP CONSTRAINT child_orders_exchange_has_a_case, DROP COLUMN return_no, DROP COLUMN type;
