-- migrate:up
ALTER TABLE orders ADD COLUMN returning_minor bigint NOT NULL DEFAULT 0,
    ADD CONSTRAINT orders_returning_within_paid CHECK (
        returning_minor >= 0 AND refund_reserved_minor + returning_minor <= paid_minor);
COMMENT ON COLUMN orders.returning_minor IS
    'Held for open after-sales cases: the most that they can pay. Becomes refund_reserved_minor at payout, or free again.';

ALTER TABLE order_lines
    ADD COLUMN shipped_units integer NOT NULL DEFAULT 0,
    ADD COLUMN returning_units integer NOT NULL DEFAULT 0,
    ADD COLUMN goods_back_units integer NOT NULL DEFAULT 0,
    ADD COLUMN applications integer NOT NULL DEFAULT 0 CHECK (applications >= 0);
UPDATE order_lines l SET shipped_units = m.qty FROM (
    SELECT c.order_no, c.line_id, sum(m.qty) AS qty FROM child_lines c
    JOIN stock_moves m ON m.ref = c.child_no || '/' || c.line_id AND m.kind = 'ship' GROUP BY 1, 2) m
WHERE l.order_no = m.order_no AND l.line_id = m.line_id;
ALTER TABLE order_lines
    ADD CONSTRAINT order_lines_shipped_within_qty CHECK (shipped_units BETWEEN 0 AND qty),
    ADD CONSTRAINT order_lines_returning_within_qty CHECK (
        returning_units >= 0 AND refunded_units + returning_units <= qty),
    ADD CONSTRAINT order_lines_goods_back_within_shipped CHECK (goods_back_units BETWEEN 0 AND shipped_units);
COMMENT ON COLUMN order_lines.shipped_units IS 'Units that left in a parcel of this line: counted by a trigger from the stock moves.';
COMMENT ON COLUMN order_lines.returning_units IS 'Units that open cases hold; together with refunded_units never more than qty.';
COMMENT ON COLUMN order_lines.goods_back_units IS
    'Units that come back, or came back for good (invariant S3): never more than were shipped. An exchange gives them free, since another unit went out.';
COMMENT ON COLUMN order_lines.applications IS 'Cases that ever named this line.';

CREATE FUNCTION count_shipped_units() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    -- The ref of a parcel's move is child_no/line_id; a child number holds no slash, a line id may.
    UPDATE order_lines l SET shipped_units = l.shipped_units + NEW.qty
    FROM child_lines c
    WHERE c.child_no = split_part(NEW.ref, '/', 1) AND c.line_id = substr(NEW.ref, strpos(NEW.ref, '/') + 1)
        AND l.order_no = c.order_no AND l.line_id = c.line_id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_moves_count_shipped AFTER INSERT ON stock_moves
    FOR EACH ROW WHEN (NEW.kind = 'ship') EXECUTE FUNCTION count_shipped_units();

CREATE TABLE unit_claims (
    order_no   text NOT NULL,
    line_id    text NOT NULL,
    first_unit integer NOT NULL CHECK (first_unit >= 0),
    units      integer NOT NULL CHECK (units > 0),
    holder     text NOT NULL CHECK (holder <> ''),
    held       boolean NOT NULL DEFAULT true,
    PRIMARY KEY (holder, line_id, first_unit),
    FOREIGN KEY (order_no, line_id) REFERENCES order_lines ON DELETE CASCADE,
    CONSTRAINT unit_claims_no_unit_twice EXCLUDE USING gist (
        order_no WITH =, line_id WITH =, int4range(first_unit, first_unit + units) WITH &&) WHERE (held)
);
COMMENT ON TABLE unit_claims IS
    'Which units of a line a case or a refund has. No unit has two holders at once, so every refund is a plain sum of its units'' shares.';
COMMENT ON COLUMN unit_claims.holder IS 'Return number, or refund number of what an order gives back by itself.';
CREATE INDEX unit_claims_by_line ON unit_claims (order_no, line_id) WHERE held;

ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN (
    'receive', 'reserve', 'release', 'ship', 'write_off',
    'freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap'));

-- migrate:down
ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (
    kind IN ('receive', 'reserve', 'release', 'ship', 'write_off'));
DROP TABLE unit_claims;
DROP TRIGGER stock_moves_count_shipped ON stock_moves;
DROP FUNCTION count_shipped_units();
ALTER TABLE order_lines DROP COLUMN applications, DROP COLUMN goods_back_units, DROP COLUMN returning_units,
    DROP COLUMN shipped_units;
ALTER TABLE orders DROP COLUMN returning_minor;
