-- migrate:up
ALTER TABLE inbox_refusals
    ADD COLUMN calls integer NOT NULL DEFAULT 1 CHECK (calls > 0),
    ADD COLUMN span  timestamptz;
COMMENT ON COLUMN inbox_refusals.span IS
    'Of a flood: the minute of `calls` refusals for one reason that are one row. remote_ip *: many addresses together.';
CREATE UNIQUE INDEX inbox_refusals_of_a_flood ON inbox_refusals (source, remote_ip, reason, span) WHERE span IS NOT NULL;

CREATE OR REPLACE FUNCTION callback_buckets(since timestamptz, until timestamptz)
RETURNS TABLE (source text, bucket timestamptz, received bigint, accepted bigint, refused jsonb, rate_bp integer)
LANGUAGE sql STABLE AS $$
    WITH calls AS (
        SELECT i.source, i.received_at AS at, NULL::text AS reason, 1 AS n FROM inbox i
            WHERE i.via = 'callback' AND i.received_at >= since AND i.received_at < until
        UNION ALL
        SELECT i.source, r.at, NULL, 1 FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id
            WHERE r.via = 'callback' AND r.at >= since AND r.at < until
        UNION ALL
        SELECT f.source, f.at, f.reason, f.calls FROM inbox_refusals f WHERE f.at >= since AND f.at < until
    ), counted AS (
        SELECT c.source, date_bin('5 minutes', c.at, 'epoch') AS bucket, c.reason, sum(c.n) AS n
        FROM calls c GROUP BY 1, 2, 3
    ), summed AS (
        SELECT c.source, c.bucket, sum(n)::bigint AS received,
            coalesce(sum(n) FILTER (WHERE reason IS NULL), 0)::bigint AS accepted,
            coalesce(jsonb_object_agg(reason, n) FILTER (WHERE reason IS NOT NULL), '{}') AS refused
        FROM counted c GROUP BY 1, 2
    )
    SELECT s.*, ((20000 * s.accepted + s.received) / (2 * s.received))::integer FROM summed s
$$;

UPDATE access_rules SET relay = 'SELECT, INSERT, UPDATE (calls), DELETE', bi = 'SELECT (id, source, reason, at, calls, span)'
WHERE object = 'inbox_refusals';
SELECT settle_access();

-- migrate:down
UPDATE access_rules SET relay = 'SELECT, INSERT, DELETE', bi = 'SELECT (id, source, reason, at)'
WHERE object = 'inbox_refusals';
CREATE OR REPLACE FUNCTION callback_buckets(since timestamptz, until timestamptz)
RETURNS TABLE (source text, bucket timestamptz, received bigint, accepted bigint, refused jsonb, rate_bp integer)
LANGUAGE sql STABLE AS $$
    WITH calls AS (
        SELECT i.source, i.received_at AS at, NULL::text AS reason FROM inbox i
            WHERE i.via = 'callback' AND i.received_at >= since AND i.received_at < until
        UNION ALL
        SELECT i.source, r.at, NULL FROM inbox_repeats r JOIN inbox i ON i.id = r.inbox_id
            WHERE r.via = 'callback' AND r.at >= since AND r.at < until
        UNION ALL
        SELECT f.source, f.at, f.reason FROM inbox_refusals f WHERE f.at >= since AND f.at < until
    ), counted AS (
        SELECT c.source, date_bin('5 minutes', c.at, 'epoch') AS bucket, c.reason, count(*) AS n
        FROM calls c GROUP BY 1, 2, 3
    ), summed AS (
        SELECT c.source, c.bucket, sum(n)::bigint AS received,
            coalesce(sum(n) FILTER (WHERE reason IS NULL), 0)::bigint AS accepted,
            coalesce(jsonb_object_agg(reason, n) FILTER (WHERE reason IS NOT NULL), '{}') AS refused
        FROM counted c GROUP BY 1, 2
    )
    SELECT s.*, ((20000 * s.accepted + s.received) / (2 * s.received))::integer FROM summed s
$$;
DROP INDEX inbox_refusals_of_a_flood;
ALTER TABLE inbox_refusals DROP COLUMN span, DROP COLUMN calls;
SELECT settle_access();
