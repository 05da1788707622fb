-- migrate:up
-- What a count does not find leaves the available units and is scrapped; what it finds too much comes in (decision 0053).
ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN (
    'receive', 'reserve', 'release', 'ship', 'unship', 'write_off', 'shrink',
    'freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap'));
DROP TRIGGER approvals_of_controls ON approvals;
CREATE TRIGGER approvals_of_controls BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('change_people', 'publish_policy', 'publish_rules', 'forget_buyer', 'correct_stock'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();

-- migrate:down
DROP TRIGGER approvals_of_controls ON approvals;
CREATE TRIGGER approvals_of_controls BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('change_people', 'publish_policy', 'publish_rules', 'forget_buyer'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();
ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN (
    'receive', 'reserve', 'release', 'ship', 'unship', 'write_off',
    'freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap'));
