-- migrate:up
-- A GiST index looks at its first column first. With the order's number there all rows of one large order look alike, and
-- inserting them takes time squared in lines; a hash of order and line tells them apart. The columns behind it decide.
ALTER TABLE unit_shares DROP CONSTRAINT unit_shares_no_overlap, ADD CONSTRAINT unit_shares_no_overlap EXCLUDE USING gist (
    hashtextextended(order_no || '/' || line_id, 0) WITH =, order_no WITH =, line_id WITH =,
    int4range(first_unit, first_unit + units) WITH &&);
ALTER TABLE child_lines DROP CONSTRAINT child_lines_no_unit_twice, ADD CONSTRAINT child_lines_no_unit_twice EXCLUDE USING gist (
    hashtextextended(order_no || '/' || line_id, 0) WITH =, order_no WITH =, line_id WITH =,
    int4range(first_unit, first_unit + qty) WITH &&);

-- migrate:down
ALTER TABLE unit_shares DROP CONSTRAINT unit_shares_no_overlap, ADD CONSTRAINT unit_shares_no_overlap EXCLUDE USING gist (
    order_no WITH =, line_id WITH =, int4range(first_unit, first_unit + units) WITH &&);
ALTER TABLE child_lines DROP CONSTRAINT child_lines_no_unit_twice, ADD CONSTRAINT child_lines_no_unit_twice EXCLUDE USING gist (
    order_no WITH =, line_id WITH =, int4range(first_unit, first_unit + qty) WITH &&);
