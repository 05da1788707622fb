-- migrate:up
ALTER TABLE orders ADD COLUMN dispatch_by timestamptz;
COMMENT ON COLUMN orders.dispatch_by IS
    'Until when all of it was promised to leave: by its channel, else by the policy, counted from payment. NULL: not paid, or paid before this was kept.';
CREATE INDEX orders_to_dispatch ON orders (dispatch_by)
    WHERE status IN ('AWAITING_SHIPMENT', 'PARTIALLY_SHIPPED') AND dispatch_by IS NOT NULL;

-- What ships of an order: what was cancelled counts no more, and what ships in its place counts for itself.
CREATE VIEW dispatch_times AS
SELECT o.order_no, o.channel, o.paid_at, o.dispatch_by, d.dispatched_at, d.waiting,
    CASE WHEN d.waiting = 0 THEN d.dispatched_at <= o.dispatch_by WHEN o.dispatch_by < now() THEN false END AS on_time,
    CASE
        WHEN d.waiting = 0 THEN NULL
        WHEN EXISTS (SELECT FROM order_holds h WHERE h.order_no = o.order_no AND h.ended_at IS NULL) THEN 'hold'
        WHEN d.without_stock > 0 THEN 'stock'
        WHEN EXISTS (SELECT FROM tickets t WHERE t.order_no = o.order_no AND t.state = 'open'
            AND t.severity <> 'info' AND t.system <> 'dispatch') THEN 'ticket'
        ELSE 'warehouse' END AS waits_for
FROM orders o CROSS JOIN LATERAL (
    SELECT max(c.shipped_at) AS dispatched_at,
        count(*) FILTER (WHERE c.shipped_at IS NULL AND (c.status <> 'CANCELLED' OR EXISTS (SELECT FROM order_holds h
            WHERE h.order_no = o.order_no AND h.ended_at IS NULL AND c.child_no = ANY (h.stopped)))) AS waiting,
        count(*) FILTER (WHERE c.status = 'BACKORDER') AS without_stock
    FROM child_orders c WHERE c.order_no = o.order_no AND c.type = 'SHIPMENT') d
WHERE o.dispatch_by IS NOT NULL AND (d.waiting > 0 OR d.dispatched_at IS NOT NULL);
COMMENT ON VIEW dispatch_times IS
    'Orders with a promise of dispatch and something that leaves, or left. waiting: parcels that have not left; dispatched_at: when the last of those that have left did. on_time: true or false once it is decided, NULL while it may still be. waits_for: what keeps what has not left: hold, stock (a parcel waits for goods), ticket, warehouse. Measured: on time / (on time + late).';

INSERT INTO access_rules (object, relay, operator, bi, console) VALUES
('dispatch_times', 'SELECT', 'SELECT', 'SELECT', 'SELECT');
UPDATE access_rules SET relay = 'SELECT' WHERE object = 'order_holds';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET relay = '' WHERE object = 'order_holds';
DELETE FROM access_rules WHERE object = 'dispatch_times';
DROP VIEW dispatch_times;
DROP INDEX orders_to_dispatch;
ALTER TABLE orders DROP COLUMN dispatch_by;
SELECT settle_access();
