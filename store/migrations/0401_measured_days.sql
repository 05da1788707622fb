-- migrate:up
-- How well a day went is worked out when it has been compared, and kept: the views read all events that there are.
CREATE TABLE measured_days (
    day     date NOT NULL,
    kind    text NOT NULL CHECK (kind IN ('told', 'paid')),
    source  text NOT NULL CHECK (source <> ''),
    n       integer NOT NULL CHECK (n >= 0),
    in_time integer NOT NULL CHECK (in_time BETWEEN 0 AND n),
    rate    integer NOT NULL,
    worst_s integer NOT NULL,
    PRIMARY KEY (day, kind, source)
);
COMMENT ON TABLE measured_days IS
    'Per compared day and source, as sync_accuracy (told) and payment_delays (paid) had it when the comparison was over: how many, how many of them known within 300 s. rate: basis points in time of what was told, parts per million late of what was paid; worst_s: of payments.';
INSERT INTO measured_days
SELECT a.day, 'told', a.source, a.transitions, a.in_step, a.accuracy_bp, 0 FROM sync_accuracy a
JOIN reconciliations r USING (day)
UNION ALL
SELECT d.day, 'paid', d.channel, d.paid, d.paid - d.delayed, d.delayed_ppm, d.worst_s FROM payment_delays d
JOIN reconciliations r USING (day);
INSERT INTO access_rules (object, worker, operator, console, bi)
VALUES ('measured_days', 'SELECT, INSERT, DELETE', 'SELECT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'measured_days';
DROP TABLE measured_days;
SELECT settle_access();
