-- migrate:up
-- Whom to ask next is read from the head of a queue, however many orders are open. A row is put in when there begins to
-- be something to ask; whether there still is, is looked at when its turn comes, and then it stays, waits or goes.
CREATE TABLE pull_queue (
    kind     text NOT NULL CHECK (kind IN ('payment', 'refund', 'outbound', 'parcel')),
    scope    text NOT NULL,
    number   text NOT NULL CHECK (number <> ''),
    order_no text NOT NULL,
    child_no text NOT NULL DEFAULT '',
    due_at   timestamptz NOT NULL,
    PRIMARY KEY (kind, scope, number, child_no)
);
COMMENT ON TABLE pull_queue IS
    'What outside systems are asked about by ourselves (R12), longest due first. What is over is taken out when its turn comes.';
COMMENT ON COLUMN pull_queue.child_no IS 'A package may carry several: each is looked at, the number is asked about once.';
COMMENT ON COLUMN pull_queue.scope IS 'Which connector may ask: channel of the payment, or carrier of the parcel; empty for a warehouse.';
CREATE INDEX pull_queue_next ON pull_queue (kind, scope, due_at, number);

CREATE FUNCTION ask_about_payment() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO pull_queue (kind, scope, number, order_no, due_at)
    VALUES ('payment', coalesce(NEW.start #>> '{payment,channel}', 'wechat'), NEW.order_no, NEW.order_no, NEW.registered_at)
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
CREATE TRIGGER asked_about AFTER INSERT ON orders FOR EACH ROW
    WHEN (NEW.payable_minor > 0 AND NEW.ended_at IS NULL) EXECUTE FUNCTION ask_about_payment();

CREATE FUNCTION ask_about_refund() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO pull_queue AS q (kind, scope, number, order_no, due_at)
    SELECT 'refund', coalesce(o.start #>> '{payment,channel}', 'wechat'), NEW.refund_no, NEW.order_no, NEW.requested_at
    FROM orders o WHERE o.order_no = NEW.order_no
    ON CONFLICT (kind, scope, number, child_no) DO UPDATE SET due_at = least(q.due_at, excluded.due_at);
    RETURN NULL;
END $$;
CREATE TRIGGER asked_about AFTER INSERT OR UPDATE OF status ON refunds FOR EACH ROW
    WHEN (NEW.status IN ('ACCEPTED', 'ABNORMAL')) EXECUTE FUNCTION ask_about_refund();

CREATE FUNCTION ask_about_outbound() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO pull_queue AS q (kind, scope, number, order_no, child_no, due_at)
    VALUES ('outbound', '', NEW.child_no, NEW.order_no, NEW.child_no, NEW.updated_at)
    ON CONFLICT (kind, scope, number, child_no) DO UPDATE SET due_at = least(q.due_at, excluded.due_at);
    RETURN NULL;
END $$;
CREATE TRIGGER asked_about_new_outbound AFTER INSERT ON child_orders FOR EACH ROW
    WHEN (NEW.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING', 'SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION'))
    EXECUTE FUNCTION ask_about_outbound();
CREATE TRIGGER asked_about_outbound AFTER UPDATE OF status ON child_orders FOR EACH ROW
    WHEN (NEW.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING', 'SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
        AND (OLD.status NOT IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING', 'SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
            OR NEW.status = 'INTERCEPTING' AND OLD.status <> 'INTERCEPTING'))
    EXECUTE FUNCTION ask_about_outbound();

CREATE FUNCTION ask_about_parcels(wanted text) RETURNS void LANGUAGE sql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
    INSERT INTO pull_queue (kind, scope, number, order_no, child_no, due_at)
    SELECT 'parcel', n.carrier, n.number, c.order_no, c.child_no, c.updated_at
    FROM child_orders c CROSS JOIN LATERAL (
        SELECT c.waybill_no AS number, c.carrier UNION
        SELECT k.waybill_no, k.carrier FROM parcels k WHERE k.child_no = c.child_no AND k.carried) n
    WHERE c.child_no = wanted AND c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
        AND n.number <> '' AND n.carrier <> ''
    ON CONFLICT DO NOTHING
$$;
CREATE FUNCTION ask_about_parcels_of_child() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER
SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM ask_about_parcels(NEW.child_no);
    RETURN NULL;
END $$;
CREATE TRIGGER asked_about_parcels AFTER UPDATE OF status, waybill_no, carrier ON child_orders FOR EACH ROW
    WHEN (NEW.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
        AND (OLD.status NOT IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION')
            OR (OLD.waybill_no, OLD.carrier) IS DISTINCT FROM (NEW.waybill_no, NEW.carrier)))
    EXECUTE FUNCTION ask_about_parcels_of_child();
CREATE TRIGGER asked_about_parcels AFTER INSERT OR UPDATE OF carried ON parcels FOR EACH ROW
    WHEN (NEW.carried) EXECUTE FUNCTION ask_about_parcels_of_child();

REVOKE ALL ON FUNCTION ask_about_payment(), ask_about_refund(), ask_about_outbound(), ask_about_parcels(text),
    ask_about_parcels_of_child() FROM PUBLIC;

INSERT INTO pull_queue (kind, scope, number, order_no, due_at)
SELECT 'payment', coalesce(start #>> '{payment,channel}', 'wechat'), order_no, order_no, registered_at FROM orders
WHERE ended_at IS NULL AND payable_minor > 0 AND status IN ('PENDING_PAYMENT', 'CLOSED') AND paid_minor = 0;
INSERT INTO pull_queue (kind, scope, number, order_no, due_at)
SELECT 'refund', coalesce(o.start #>> '{payment,channel}', 'wechat'), r.refund_no, r.order_no, r.requested_at
FROM refunds r JOIN orders o USING (order_no) WHERE r.status IN ('ACCEPTED', 'ABNORMAL');
INSERT INTO pull_queue (kind, scope, number, order_no, child_no, due_at)
SELECT 'outbound', '', c.child_no, c.order_no, c.child_no, c.updated_at FROM child_orders c JOIN orders o USING (order_no)
WHERE o.ended_at IS NULL AND c.status IN ('RELEASED', 'PICKING', 'PACKED', 'INTERCEPTING', 'SHIPPED', 'IN_TRANSIT',
    'OUT_FOR_DELIVERY', 'EXCEPTION');
SELECT ask_about_parcels(c.child_no) FROM child_orders c JOIN orders o USING (order_no)
WHERE o.ended_at IS NULL AND c.status IN ('SHIPPED', 'IN_TRANSIT', 'OUT_FOR_DELIVERY', 'EXCEPTION');

INSERT INTO access_rules (object, worker, operator, bi) VALUES ('pull_queue', 'SELECT, UPDATE (due_at), DELETE', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'pull_queue';
DROP TRIGGER asked_about_parcels ON parcels;
DROP TRIGGER asked_about_parcels ON child_orders;
DROP TRIGGER asked_about_outbound ON child_orders;
DROP TRIGGER asked_about_new_outbound ON child_orders;
DROP TRIGGER asked_about ON refunds;
DROP TRIGGER asked_about ON orders;
DROP FUNCTION ask_about_parcels_of_child();
DROP FUNCTION ask_about_parcels(text);
DROP FUNCTION ask_about_outbound();
DROP FUNCTION ask_about_refund();
DROP FUNCTION ask_about_payment();
DROP TABLE pull_queue;
SELECT settle_access();
