-- migrate:up
CREATE EXTENSION IF NOT EXISTS btree_gist;

CREATE TABLE unit_shares (
    order_no      text NOT NULL,
    line_id       text NOT NULL,
    first_unit    integer NOT NULL CHECK (first_unit >= 0),
    units         integer NOT NULL CHECK (units > 0),
    net_minor     bigint NOT NULL CHECK (net_minor >= 0),
    freight_minor bigint NOT NULL CHECK (freight_minor >= 0),
    PRIMARY KEY (order_no, line_id, first_unit),
    FOREIGN KEY (order_no, line_id) REFERENCES order_lines ON DELETE CASCADE,
    CONSTRAINT unit_shares_no_overlap EXCLUDE USING gist (
        order_no WITH =, line_id WITH =, int4range(first_unit, first_unit + units) WITH &&)
);
COMMENT ON TABLE unit_shares IS
    'What each unit of a line is worth, frozen at payment: runs of consecutive units with equal shares. Every refund is a sum of these.';
COMMENT ON COLUMN unit_shares.net_minor IS 'Goods share of ONE unit of the run; freight_minor likewise.';

-- migrate:down
DROP TABLE unit_shares;
DROP EXTENSION btree_gist;
