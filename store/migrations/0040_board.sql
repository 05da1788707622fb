-- migrate:up
ALTER TABLE inbox_repeats ADD COLUMN via text NOT NULL DEFAULT 'callback' CHECK (via IN ('callback', 'query'));
COMMENT ON COLUMN inbox_repeats.via IS
    'How this copy came: a message that we asked for first may be pushed later, and the other way round.';

CREATE FUNCTION callback_buckets(since timestamptz, until timestamptz)
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
COMMENT ON FUNCTION callback_buckets(timestamptz, timestamptz) IS
    'Calls of every source in spans of five minutes on the clock (R18). Repeats count as accepted, what we asked for ourselves does not count; spans without a call are left out. rate_bp: accepted by received in 1/10000, rounded half up.';

CREATE VIEW callback_board AS SELECT * FROM callback_buckets(now() - interval '7 days', now());
COMMENT ON VIEW callback_board IS 'callback_buckets of the last seven days, for dashboards.';

CREATE TABLE callback_watch (
    source          text PRIMARY KEY,
    evaluated_until timestamptz NOT NULL,
    bad_buckets     integer NOT NULL CHECK (bad_buckets >= 0),
    alerted         boolean NOT NULL CHECK (bad_buckets > 0 OR NOT alerted)
);
COMMENT ON TABLE callback_watch IS
    'How long each source''s run of bad spans is, and whether this run has had its alert; every span is judged once.';

CREATE TABLE callback_alerts (
    source      text NOT NULL,
    bucket      timestamptz NOT NULL,
    bad_buckets integer NOT NULL CHECK (bad_buckets > 0),
    received    bigint NOT NULL,
    accepted    bigint NOT NULL,
    below_bp    integer NOT NULL,
    ticket_id   text NOT NULL REFERENCES tickets,
    at          timestamptz NOT NULL,
    PRIMARY KEY (source, bucket)
);
COMMENT ON TABLE callback_alerts IS
    'One row a run of bad spans: bucket is the span that completed it, received and accepted are of that span.';

-- migrate:down
DROP TABLE callback_alerts;
DROP TABLE callback_watch;
DROP VIEW callback_board;
DROP FUNCTION callback_buckets(timestamptz, timestamptz);
ALTER TABLE inbox_repeats DROP COLUMN via;
