-- migrate:up
ALTER TABLE parcels DROP CONSTRAINT parcels_one_owner;
ALTER TABLE parcels ADD CONSTRAINT parcels_once_a_child PRIMARY KEY (waybill_no, carrier, child_no);
COMMENT ON TABLE parcels IS
    'Waybills with their labels. A package may carry several children, of one or several orders, and carriers use numbers again after months: a scan is of the newest packages of its number whose order was paid before it.';

ALTER TABLE return_parcels DROP CONSTRAINT return_parcels_one_owner;
ALTER TABLE return_parcels ADD CONSTRAINT return_parcels_once_a_case PRIMARY KEY (waybill_no, carrier, return_no);
COMMENT ON TABLE return_parcels IS
    'Waybills on the way back. One package may bring back the goods of several cases; a linked case takes it over from the one it reopens.';

-- migrate:down
DELETE FROM parcels p USING parcels q WHERE (p.waybill_no, p.carrier) = (q.waybill_no, q.carrier)
    AND (p.created_at, p.child_no) > (q.created_at, q.child_no);
ALTER TABLE parcels DROP CONSTRAINT parcels_once_a_child;
ALTER TABLE parcels ADD CONSTRAINT parcels_one_owner PRIMARY KEY (waybill_no, carrier);
COMMENT ON TABLE parcels IS
    'Waybills with their labels. A carrier''s waybill belongs to one child for ever, so courier events always find their order.';

DELETE FROM return_parcels p USING return_parcels q WHERE (p.waybill_no, p.carrier) = (q.waybill_no, q.carrier)
    AND (p.bound_at, p.return_no) > (q.bound_at, q.return_no);
ALTER TABLE return_parcels DROP CONSTRAINT return_parcels_once_a_case;
ALTER TABLE return_parcels ADD CONSTRAINT return_parcels_one_owner PRIMARY KEY (waybill_no, carrier);
COMMENT ON TABLE return_parcels IS
    'Waybills on the way back. A carrier''s waybill belongs to one case; a linked case takes it over from the one it reopens.';
