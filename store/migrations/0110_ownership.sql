-- migrate:up
CREATE TABLE ownership_findings (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    order_no  text NOT NULL REFERENCES orders ON DELETE CASCADE,
    key       text NOT NULL CHECK (key <> ''),
    text      text NOT NULL,
    found_at  timestamptz NOT NULL,
    healed_at timestamptz
);
COMMENT ON TABLE ownership_findings IS
    'Units and money that had no owner, or two, when the nightly check looked; each is the ticket T-own-{id}. healed_at: when it was seen to be in order again.';
COMMENT ON COLUMN ownership_findings.key IS 'What was found, line, units, refund: the same violation is one row until it has healed.';
CREATE UNIQUE INDEX ownership_findings_once ON ownership_findings (order_no, key) WHERE healed_at IS NULL;

CREATE FUNCTION units_in(m int4multirange) RETURNS bigint LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(sum(upper(r) - lower(r)), 0) FROM unnest(m) AS r
$$;
COMMENT ON FUNCTION units_in(int4multirange) IS 'How many units a set holds.';

-- Units told to be missing after the parcel had left; their ref has a number behind it (0095).
CREATE INDEX stock_moves_missing ON stock_moves (regexp_replace(ref, '~[0-9]+$', '')) WHERE kind = 'unship';

-- All that is open, and all that ended lately, page by page.
CREATE INDEX orders_open ON orders (order_no) WHERE ended_at IS NULL;
CREATE INDEX orders_ended ON orders (ended_at, order_no) WHERE ended_at IS NOT NULL;
CREATE INDEX return_cases_not_ended ON return_cases (return_no) WHERE ended_at IS NULL;
CREATE INDEX return_cases_ended ON return_cases (ended_at, return_no) WHERE ended_at IS NOT NULL;
CREATE INDEX inbox_unheard ON inbox (delivered_at) WHERE state = 'delivered';

-- migrate:down
DROP INDEX inbox_unheard;
DROP INDEX return_cases_ended;
DROP INDEX return_cases_not_ended;
DROP INDEX orders_ended;
DROP INDEX orders_open;
DROP INDEX stock_moves_missing;
DROP FUNCTION units_in(int4multirange);
DROP TABLE ownership_findings;
