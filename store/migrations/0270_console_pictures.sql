-- migrate:up
-- The web console takes pictures of returns, finds a case by the code on its slip (guesses are counted), and prints slips.
UPDATE access_rules SET console = 'SELECT, INSERT' WHERE object = 'return_evidence';
UPDATE access_rules SET console = 'SELECT' WHERE object = 'return_codes';
UPDATE access_rules SET console = 'SELECT, INSERT, UPDATE (misses), DELETE' WHERE object = 'code_misses';
SELECT settle_access();

-- Whose turn it is, newest first.
CREATE INDEX return_cases_by_turn ON return_cases (sla_owner, applied_at DESC, return_no DESC) WHERE ended_at IS NULL;

-- migrate:down
DROP INDEX return_cases_by_turn;
UPDATE access_rules SET console = '' WHERE object IN ('return_codes', 'code_misses');
UPDATE access_rules SET console = 'SELECT' WHERE object = 'return_evidence';
SELECT settle_access();
