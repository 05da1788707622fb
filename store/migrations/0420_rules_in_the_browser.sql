-- migrate:up
-- What a trial of a draft has shown to who stands in the console is kept as it is for who sits at a terminal.
UPDATE access_rules SET console = 'SELECT, INSERT' WHERE object = 'rule_simulations';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET console = 'SELECT' WHERE object = 'rule_simulations';
SELECT settle_access();
