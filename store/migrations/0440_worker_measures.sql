-- migrate:up
-- The comparison of a day ends with how well the day went, and it is the worker that compares (0401).
UPDATE access_rules SET worker = 'SELECT' WHERE object IN ('sync_accuracy', 'payment_delays');
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = '' WHERE object IN ('sync_accuracy', 'payment_delays');
SELECT settle_access();
