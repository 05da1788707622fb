-- migrate:up
CREATE TABLE drifts (
    id        bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    day       date NOT NULL,
    order_no  text NOT NULL REFERENCES orders ON DELETE CASCADE,
    kind      text NOT NULL CHECK (kind IN ('payment', 'refund', 'outbound', 'parcel', 'view', 'workflow')),
    number    text NOT NULL,
    expected  text NOT NULL,
    found     text NOT NULL,
    found_at  timestamptz NOT NULL,
    healed_at timestamptz,
    CONSTRAINT drifts_once_a_day UNIQUE (day, order_no, kind, number, expected)
);
COMMENT ON TABLE drifts IS
    'What the daily reconciliation found to differ (R65): expected, as the source or the workflow says, against what our books said; healed_at: when it was seen to agree.';
COMMENT ON COLUMN drifts.kind IS
    'Who disagrees with the books: the payment channel (payment, refund), the warehouse (outbound), the courier (parcel), the workflow''s own view (view), or nobody answers for the order any more (workflow).';
CREATE INDEX drifts_unhealed ON drifts (id) WHERE healed_at IS NULL;

CREATE TABLE reconciliations (
    day         date PRIMARY KEY,
    looked_at   integer NOT NULL CHECK (looked_at >= 0),
    asked       integer NOT NULL CHECK (asked >= 0),
    unanswered  integer NOT NULL CHECK (unanswered >= 0),
    finished_at timestamptz NOT NULL
);
COMMENT ON TABLE reconciliations IS
    'One row a day that was reconciled: orders looked at, questions asked, questions left without an answer.';

-- migrate:down
DROP TABLE reconciliations;
DROP TABLE drifts;
