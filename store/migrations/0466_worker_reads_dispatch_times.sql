-- migrate:up
-- The worker tries and runs automations, those that a deadline sets off too.
UPDATE access_rules SET worker = 'SELECT' WHERE object = 'dispatch_times';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = '' WHERE object = 'dispatch_times';
SELECT settle_access();
