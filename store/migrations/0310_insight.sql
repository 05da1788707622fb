-- migrate:up
-- Health reports and weekly rankings (R64, R72). A version is kept as it was built: facts that come late make the next.
CREATE TABLE insight_parameters (
    version    integer PRIMARY KEY CHECK (version > 0),
    parameters jsonb NOT NULL,
    put_by     text NOT NULL CHECK (put_by <> ''),
    put_at     timestamptz NOT NULL
);
COMMENT ON TABLE insight_parameters IS
    'Tiers of cities, points of severity, the dispatch promise (R66, R72), in versions; without a row the built-in ones count.';

CREATE TABLE insight_reports (
    kind         text NOT NULL CHECK (kind IN ('health', 'weekly')),
    period       text NOT NULL CHECK (period ~ '^[0-9]{4}-(0[1-9]|1[0-2]|W[0-9]{2})$'),
    version      integer NOT NULL CHECK (version > 0),
    content      json NOT NULL,
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    built_at     timestamptz NOT NULL,
    PRIMARY KEY (kind, period, version)
);
COMMENT ON COLUMN insight_reports.content IS 'Text as it was built: content_hash is its SHA-256.';
COMMENT ON TABLE insight_reports IS
    'What was reported of a month or week. Built again of the same facts it is the same version; other facts make a new one.';

CREATE TABLE insight_report_orders (
    kind     text NOT NULL,
    period   text NOT NULL,
    version  integer NOT NULL,
    order_no text NOT NULL,
    flags    text[] NOT NULL CHECK (cardinality(flags) > 0),
    PRIMARY KEY (kind, period, version, order_no),
    FOREIGN KEY (kind, period, version) REFERENCES insight_reports
);
COMMENT ON TABLE insight_report_orders IS 'The orders behind the numbers of a report: what each of them counts as.';

CREATE TRIGGER insight_parameters_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON insight_parameters
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER insight_reports_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON insight_reports
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER insight_report_orders_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON insight_report_orders
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- A month's rows without reading those of other years.
CREATE INDEX order_events_by_happening ON order_events USING brin (occurred_at);
CREATE INDEX payments_by_paying ON payments USING brin (paid_at);
CREATE INDEX child_orders_by_signing ON child_orders (signed_at) WHERE signed_at IS NOT NULL;

INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('insight_parameters', 'SELECT, INSERT', 'SELECT', 'SELECT (version, parameters, put_at)', 'SELECT'),
('insight_reports', 'SELECT, INSERT', 'SELECT', 'SELECT', 'SELECT'),
('insight_report_orders', 'SELECT, INSERT', 'SELECT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object IN ('insight_parameters', 'insight_reports', 'insight_report_orders');
DROP INDEX child_orders_by_signing;
DROP INDEX payments_by_paying;
DROP INDEX order_events_by_happening;
DROP TABLE insight_report_orders;
DROP TABLE insight_reports;
DROP TABLE insight_parameters;
