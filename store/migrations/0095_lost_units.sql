-- migrate:up
ALTER TABLE child_lines ADD COLUMN lost_units integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT child_lines_lost_within_qty CHECK (lost_units BETWEEN 0 AND qty);
COMMENT ON COLUMN child_lines.lost_units IS
    'Units that were booked as shipped, and of which the warehouse told afterwards that they were not in the parcel; counted by a trigger.';

ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN (
    'receive', 'reserve', 'release', 'ship', 'unship', 'write_off',
    'freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap'));

CREATE FUNCTION count_lost_units() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    child text := split_part(NEW.ref, '/', 1);
    line  text := regexp_replace(substr(NEW.ref, strpos(NEW.ref, '/') + 1), '~[0-9]+$', '');
BEGIN
    -- A parcel may carry several runs of a line; what is missing are its last units.
    UPDATE child_lines l SET lost_units = l.lost_units + lost.units
    FROM (SELECT first_unit, least(qty - lost_units, greatest(0, NEW.qty - (
                sum(qty - lost_units) OVER (ORDER BY first_unit DESC) - (qty - lost_units))))::int AS units
          FROM child_lines WHERE child_no = child AND line_id = line) lost
    WHERE l.child_no = child AND l.line_id = line AND l.first_unit = lost.first_unit;
    -- Never under what came back: that it came back shows that it had left.
    UPDATE order_lines l SET shipped_units = greatest(l.shipped_units - NEW.qty, l.goods_back_units)
    FROM child_lines c
    WHERE c.child_no = child AND c.line_id = line AND l.order_no = c.order_no AND l.line_id = c.line_id;
    RETURN NULL;
END $$;
CREATE TRIGGER stock_moves_count_lost AFTER INSERT ON stock_moves
    FOR EACH ROW WHEN (NEW.kind = 'unship') EXECUTE FUNCTION count_lost_units();

-- migrate:down
DROP TRIGGER stock_moves_count_lost ON stock_moves;
DROP FUNCTION count_lost_units();
ALTER TABLE stock_moves DROP CONSTRAINT stock_moves_kind_check;
ALTER TABLE stock_moves ADD CONSTRAINT stock_moves_kind_check CHECK (kind IN (
    'receive', 'reserve', 'release', 'ship', 'write_off',
    'freeze', 'unfreeze', 'grade_good', 'grade_minor', 'grade_scrap'));
ALTER TABLE child_lines DROP COLUMN lost_units;
