-- migrate:up
ALTER TABLE child_orders ADD COLUMN customs_mode text;
COMMENT ON COLUMN child_orders.customs_mode IS 'How the child crosses the border (R38); NULL: it does not.';

CREATE TABLE customs_parameters (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    valid_from   date NOT NULL,
    parameters   jsonb NOT NULL CHECK ((parameters ->> 'valid_from')::date = valid_from),
    published_by text NOT NULL CHECK (published_by <> ''),
    published_at timestamptz NOT NULL
);
COMMENT ON TABLE customs_parameters IS
    'Legal values by the day from which they hold, as a person has confirmed them; of one day the newest row counts. Never changed.';
CREATE TRIGGER customs_parameters_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON customs_parameters
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE customs_years (
    identity   text NOT NULL CHECK (identity <> ''),
    year       integer NOT NULL,
    used_minor bigint NOT NULL DEFAULT 0 CHECK (used_minor >= 0),
    PRIMARY KEY (identity, year)
);
COMMENT ON TABLE customs_years IS
    'What each buyer has used of the annual limit of cross-border purchases. identity is a reference or a hash, never a number of a document.';

CREATE TABLE customs_declarations (
    child_no        text PRIMARY KEY REFERENCES child_orders ON DELETE CASCADE,
    order_no        text NOT NULL,
    identity        text NOT NULL CHECK (identity <> ''),
    day             date NOT NULL,
    mode            text NOT NULL CHECK (mode IN ('personal', 'cbec', 'general_trade')),
    state           text NOT NULL CHECK (state IN ('HELD', 'ASSESSED', 'DECLARED', 'WITHDRAWN')),
    dutiable_minor  bigint NOT NULL CHECK (dutiable_minor >= 0),
    assessed_minor  bigint NOT NULL CHECK (assessed_minor >= 0),
    tax_minor       bigint CHECK (tax_minor >= 0),
    counted_minor   bigint NOT NULL DEFAULT 0 CHECK (counted_minor >= 0),
    parameters_from date,
    assessment      jsonb,
    why             text NOT NULL DEFAULT '',
    reference       text,
    changed_at      timestamptz NOT NULL,
    CHECK (state IN ('HELD', 'WITHDRAWN') OR tax_minor IS NOT NULL)
);
COMMENT ON TABLE customs_declarations IS
    'One row a child that crosses the border: what it owes, and how far its declaration has come. HELD: over a limit, a person decides.';
COMMENT ON COLUMN customs_declarations.identity IS
    'The same on the documents of order, payment and logistics of this child.';
COMMENT ON COLUMN customs_declarations.counted_minor IS 'What it took from customs_years; given back when it is withdrawn.';
CREATE INDEX customs_declarations_of_a_day ON customs_declarations (identity, day, mode);

-- migrate:down
DROP TABLE customs_declarations;
DROP TABLE customs_years;
DROP TABLE customs_parameters;
ALTER TABLE child_orders DROP COLUMN customs_mode;
