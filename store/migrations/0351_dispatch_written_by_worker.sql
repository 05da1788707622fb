-- migrate:up
-- Settling an order writes until when it was promised to leave.
UPDATE access_rules SET worker = replace(worker, 'UPDATE (', 'UPDATE (dispatch_by, ')
WHERE object = 'orders' AND worker LIKE '%UPDATE (%' AND worker NOT LIKE '%dispatch_by%';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = replace(worker, 'UPDATE (dispatch_by, ', 'UPDATE (') WHERE object = 'orders';
SELECT settle_access();
