-- migrate:up
CREATE TABLE return_codes (
    code      text PRIMARY KEY CHECK (code <> ''),
    return_no text NOT NULL UNIQUE REFERENCES return_cases,
    issued_at timestamptz NOT NULL
);
COMMENT ON TABLE return_codes IS 'The unguessable code of a case, printed on its slip (R50).';

CREATE TABLE code_misses (
    who      text NOT NULL CHECK (who <> ''),
    span     timestamptz NOT NULL,
    misses   integer NOT NULL CHECK (misses > 0),
    PRIMARY KEY (who, span)
);
COMMENT ON TABLE code_misses IS
    'Codes that nobody has, by who tried them and span of time: guessing is refused before it looks (abuse case 65).';

CREATE TABLE return_evidence (
    evidence_id  text PRIMARY KEY CHECK (evidence_id <> ''),
    return_no    text NOT NULL CHECK (return_no <> ''),
    order_no     text NOT NULL REFERENCES orders,
    purpose      text NOT NULL CHECK (purpose IN ('application', 'inspection')),
    pos          integer NOT NULL,
    content_type text NOT NULL CHECK (content_type IN ('image/jpeg', 'image/png', 'image/webp')),
    size         integer NOT NULL CHECK (size > 0),
    width        integer NOT NULL CHECK (width > 0),
    height       integer NOT NULL CHECK (height > 0),
    sha256       bytea NOT NULL CHECK (length(sha256) = 32),
    uploaded_by  text NOT NULL CHECK (uploaded_by <> ''),
    uploaded_at  timestamptz NOT NULL,
    CONSTRAINT return_evidence_quota CHECK (pos BETWEEN 1 AND CASE purpose WHEN 'application' THEN 9 ELSE 200 END),
    CONSTRAINT return_evidence_one_place UNIQUE (return_no, purpose, pos)
);
COMMENT ON TABLE return_evidence IS
    'Pictures of a case, by the name under which the object store has them (R42). At most nine an application: its CHECK is the quota. A case need not exist yet.';
CREATE INDEX return_evidence_by_order ON return_evidence (order_no);

-- migrate:down
DROP TABLE return_evidence;
DROP TABLE code_misses;
DROP TABLE return_codes;
