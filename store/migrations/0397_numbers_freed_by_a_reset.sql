-- migrate:up
-- A workflow that was put back asks its next question under a number that is known: the question is written over.
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (action, actions, child_no, error, give_up_means, opened_at,
    remark, resolved_at, resolved_by, result, severity, state, step, system)'
WHERE object = 'tickets';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET worker = 'SELECT, INSERT, UPDATE (action, remark, resolved_at, resolved_by, result, state)'
WHERE object = 'tickets';
SELECT settle_access();
