-- migrate:up
-- Who waits for a place is found by the place. Only an index: what a child misses is read from its own rows.
CREATE TABLE waiting_children (
    sku       text NOT NULL,
    warehouse text NOT NULL,
    child_no  text NOT NULL REFERENCES child_orders ON DELETE CASCADE,
    PRIMARY KEY (sku, warehouse, child_no)
);
COMMENT ON TABLE waiting_children IS 'Children in BACKORDER by what they hold units of. Kept by triggers of child_orders.';
CREATE INDEX waiting_children_by_child ON waiting_children (child_no);

CREATE FUNCTION child_waits() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM waiting_children WHERE child_no = NEW.child_no;
    INSERT INTO waiting_children (sku, warehouse, child_no)
    SELECT DISTINCT i.sku, c.warehouse, c.child_no FROM child_orders c
    JOIN child_lines l USING (child_no) JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
    WHERE c.child_no = NEW.child_no AND c.status = 'BACKORDER';
    RETURN NULL;
END $$;
-- At the end of the transaction: a new child's lines come after it.
CREATE CONSTRAINT TRIGGER child_waits AFTER INSERT OR UPDATE OF status, warehouse ON child_orders
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.status = 'BACKORDER') EXECUTE FUNCTION child_waits();
CREATE TRIGGER child_waits_no_more AFTER UPDATE OF status ON child_orders FOR EACH ROW
    WHEN (OLD.status = 'BACKORDER' AND NEW.status <> 'BACKORDER') EXECUTE FUNCTION child_waits();
REVOKE ALL ON FUNCTION child_waits() FROM PUBLIC;

INSERT INTO waiting_children (sku, warehouse, child_no)
SELECT DISTINCT i.sku, c.warehouse, c.child_no FROM child_orders c
JOIN child_lines l USING (child_no) JOIN order_lines i ON i.order_no = l.order_no AND i.line_id = l.line_id
WHERE c.status = 'BACKORDER';

INSERT INTO access_rules (object, relay, worker, operator, bi)
VALUES ('waiting_children', 'SELECT', 'SELECT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'waiting_children';
DROP TRIGGER child_waits_no_more ON child_orders;
DROP TRIGGER child_waits ON child_orders;
DROP FUNCTION child_waits();
DROP TABLE waiting_children;
SELECT settle_access();
