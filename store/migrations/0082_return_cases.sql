-- migrate:up
CREATE TABLE return_cases (
    return_no       text PRIMARY KEY CHECK (return_no <> ''),
    order_no        text NOT NULL REFERENCES orders,
    run_id          text NOT NULL CHECK (run_id <> ''),
    type            text NOT NULL CHECK (type IN (
                        'return_refund', 'refund_only', 'exchange', 'cancel_unshipped', 'warranty_replacement')),
    channel         text NOT NULL,
    actor_kind      text NOT NULL CHECK (actor_kind IN ('buyer', 'cs_agent', 'system')),
    actor_id        text NOT NULL CHECK (actor_id <> ''),
    on_behalf_of    text,
    reason          text NOT NULL,
    fault           text NOT NULL CHECK (fault IN ('buyer', 'seller', 'none')),
    application     jsonb NOT NULL,
    admitted        jsonb NOT NULL,
    linked_to       text REFERENCES return_cases,
    policy_version  integer NOT NULL,
    held_minor      bigint NOT NULL DEFAULT 0 CHECK (held_minor >= 0),
    payout_minor    bigint CHECK (payout_minor >= 0),
    refunded_minor  bigint NOT NULL DEFAULT 0 CHECK (refunded_minor >= 0),
    freed_at        timestamptz,
    seq             integer NOT NULL DEFAULT 0 CHECK (seq >= 0),
    status          text NOT NULL DEFAULT 'APPLIED' CHECK (status IN (
                        'APPLIED', 'SUPERVISOR_REVIEW', 'WAITING_RETURN', 'IN_RETURN', 'RECEIVED', 'INSPECTED',
                        'FINANCE_REVIEW', 'REFUNDING', 'REFUNDED', 'REPLACEMENT_QC', 'REPLACEMENT_SHIPPED', 'EXCHANGED',
                        'REJECTED', 'CANCELLED_BY_BUYER', 'CLOSED_NOT_SENT', 'REFUND_FAILED')),
    reception       text NOT NULL DEFAULT 'NOT_EXPECTED' CHECK (reception IN (
                        'NOT_EXPECTED', 'AWAITED', 'IN_TRANSIT', 'RECEIVED', 'MISSING', 'LOST', 'CANCELLED')),
    acceptance      text NOT NULL DEFAULT 'PENDING' CHECK (acceptance IN ('PENDING', 'ACCEPTED', 'REJECTED', 'DISPUTED')),
    waiting_for     text NOT NULL DEFAULT '',
    needs_attention boolean NOT NULL DEFAULT false,
    sla_owner       text NOT NULL DEFAULT '',
    due_at          timestamptz,
    close_reason    text,
    applied_at      timestamptz NOT NULL,
    ended_at        timestamptz,
    updated_at      timestamptz NOT NULL,
    CONSTRAINT return_cases_freed_hold_nothing CHECK (freed_at IS NULL OR held_minor = 0),
    CONSTRAINT return_cases_paid_within_payout CHECK (refunded_minor <= coalesce(payout_minor, 0))
);
COMMENT ON TABLE return_cases IS
    'One row an after-sales case: its application, what it holds of the order, and the read model that its workflow writes with a rising seq.';
COMMENT ON COLUMN return_cases.held_minor IS 'This case''s share of orders.returning_minor.';
COMMENT ON COLUMN return_cases.payout_minor IS 'What was reserved for payout; set once.';
COMMENT ON COLUMN return_cases.freed_at IS 'When its units and money became free again.';
CREATE INDEX return_cases_by_order ON return_cases (order_no, applied_at);
CREATE INDEX return_cases_newest ON return_cases (applied_at DESC, return_no DESC);
CREATE INDEX return_cases_open ON return_cases (status, due_at) WHERE ended_at IS NULL;

ALTER TABLE refunds ADD COLUMN return_no text REFERENCES return_cases;
CREATE INDEX refunds_by_case ON refunds (return_no) WHERE return_no IS NOT NULL;

CREATE TABLE return_units (
    return_no  text NOT NULL REFERENCES return_cases,
    line_id    text NOT NULL,
    unit       integer NOT NULL CHECK (unit >= 0),
    seq        integer NOT NULL,
    reception  text NOT NULL,
    acceptance text NOT NULL,
    grade      text CHECK (grade IN ('good', 'minor', 'scrap')),
    PRIMARY KEY (return_no, line_id, unit)
);
COMMENT ON TABLE return_units IS 'Units of a case on the axes of its goods: where it is, whether we agree, how it was graded.';

CREATE TABLE return_parcels (
    carrier    text NOT NULL CHECK (carrier <> ''),
    waybill_no text NOT NULL CHECK (waybill_no <> ''),
    return_no  text NOT NULL REFERENCES return_cases,
    way        text NOT NULL CHECK (way IN ('own', 'pickup')),
    bound_at   timestamptz NOT NULL,
    CONSTRAINT return_parcels_one_owner PRIMARY KEY (waybill_no, carrier)
);
COMMENT ON TABLE return_parcels IS
    'Waybills on the way back. A carrier''s waybill belongs to one case; a linked case takes it over from the one it reopens.';
CREATE INDEX return_parcels_by_case ON return_parcels (return_no, bound_at);

CREATE TABLE return_scans (
    return_no text NOT NULL REFERENCES return_cases,
    scan_id   text NOT NULL,
    scanned   text NOT NULL,
    result    text NOT NULL,
    line_id   text,
    unit      integer,
    grade     text,
    photos    text[] NOT NULL DEFAULT '{}',
    by_whom   text NOT NULL CHECK (by_whom <> ''),
    at        timestamptz NOT NULL,
    PRIMARY KEY (return_no, scan_id)
);
COMMENT ON TABLE return_scans IS 'What was scanned at the inspection desk and what became of it (R54). A repeated scan is one scan.';
CREATE TRIGGER return_scans_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON return_scans
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE return_timeline (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    return_no   text NOT NULL REFERENCES return_cases,
    at          timestamptz NOT NULL,
    actor       text NOT NULL CHECK (actor <> ''),
    role        text NOT NULL,
    action      text NOT NULL CHECK (action <> ''),
    from_status text,
    to_status   text,
    detail      jsonb NOT NULL,
    write_seq   integer NOT NULL,
    write_pos   integer NOT NULL,
    CONSTRAINT return_timeline_once UNIQUE (return_no, write_seq, write_pos, action, actor)
);
COMMENT ON TABLE return_timeline IS 'The story of a case, one for all roles (R58).';
CREATE TRIGGER return_timeline_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON return_timeline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE TABLE return_audited (
    return_no text NOT NULL REFERENCES return_cases,
    write_seq integer NOT NULL,
    write_pos integer NOT NULL,
    PRIMARY KEY (return_no, write_seq, write_pos)
);
COMMENT ON TABLE return_audited IS 'Which audit rows of a case''s writes are in the log: a repeated write adds none again.';

-- migrate:down
DROP TABLE return_audited;
DROP TABLE return_timeline;
DROP TABLE return_scans;
DROP TABLE return_parcels;
DROP TABLE return_units;
ALTER TABLE refunds DROP COLUMN return_no;
DROP TABLE return_cases;
