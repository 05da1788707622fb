-- migrate:up
-- What business people publish in versions besides rules and policies (decision 0072): automations, forms of after-sales.
CREATE TABLE business_books (
    kind         text NOT NULL CHECK (kind IN ('automations', 'forms')),
    version      integer NOT NULL CHECK (version > 0),
    content      jsonb NOT NULL,
    since        jsonb NOT NULL DEFAULT '{}',
    published_by text NOT NULL REFERENCES people,
    published_at timestamptz NOT NULL,
    approval_id  text NOT NULL UNIQUE REFERENCES approvals,
    PRIMARY KEY (kind, version)
);
COMMENT ON TABLE business_books IS 'Automations and after-sales forms in versions: the newest of a kind counts. Each was approved by a second person.';
COMMENT ON COLUMN business_books.since IS 'Of automations: since when each counts as it is.';
CREATE FUNCTION book_is_approved() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM approvals WHERE approval_id = NEW.approval_id AND kind = 'publish_' || NEW.kind
            AND state = 'approved' AND decided_by = NEW.published_by
            AND (content #> '{change,book}') - 'version' = NEW.content - 'version') THEN
        RAISE EXCEPTION '% version % has no approval of this content by %', NEW.kind, NEW.version, NEW.published_by
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER business_books_approved BEFORE INSERT ON business_books FOR EACH ROW EXECUTE FUNCTION book_is_approved();
CREATE TRIGGER business_books_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON business_books
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER approvals_of_books BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('publish_automations', 'publish_forms', 'automation'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();
INSERT INTO held (name, roles) VALUES ('books', '{oms_worker}');

CREATE TABLE automation_switch (
    one        boolean PRIMARY KEY DEFAULT true CHECK (one),
    running    boolean NOT NULL,
    changed_by text NOT NULL CHECK (changed_by <> ''),
    changed_at timestamptz NOT NULL,
    why        text NOT NULL DEFAULT ''
);
COMMENT ON TABLE automation_switch IS 'One row. Off: nothing is done by any automation, until a version is published again. Its lock stands between the two.';
INSERT INTO automation_switch (running, changed_by, changed_at) VALUES (true, 'installation', now());

CREATE TABLE automation_listens (trigger text PRIMARY KEY);
COMMENT ON TABLE automation_listens IS 'Which triggers the book in force has: nothing is queued for the others.';

CREATE TABLE automation_events (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    trigger     text NOT NULL,
    order_no    text NOT NULL,
    child_no    text,
    ref         text NOT NULL,
    detail      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL DEFAULT clock_timestamp(),
    attempts    integer NOT NULL DEFAULT 0,
    next_try_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
COMMENT ON TABLE automation_events IS
    'What has happened and some automation may have to do with, written in the transaction of the fact itself. Taken out when it was judged.';

CREATE TABLE automation_runs (
    automation_id text NOT NULL,
    order_no      text NOT NULL REFERENCES orders,
    version       integer NOT NULL,
    trigger       text NOT NULL,
    child_no      text,
    ref           text NOT NULL,
    happened_at   timestamptz NOT NULL,
    condition     text NOT NULL,
    facts         jsonb NOT NULL,
    action        jsonb NOT NULL,
    state         text NOT NULL CHECK (state IN ('done', 'asked', 'not_done')),
    said          text NOT NULL,
    at            timestamptz NOT NULL,
    finished_at   timestamptz,
    PRIMARY KEY (automation_id, order_no)
);
COMMENT ON TABLE automation_runs IS
    'What automations did: one row an order and automation is the claim, in the transaction of what is done. facts: what the condition has read.';
CREATE INDEX automation_runs_newest ON automation_runs (at DESC);
CREATE INDEX automation_runs_of_order ON automation_runs (order_no);
CREATE INDEX automation_runs_asked ON automation_runs (at) WHERE state = 'asked';

CREATE TABLE automation_trials (
    content_hash text NOT NULL CHECK (content_hash ~ '^[0-9a-f]{64}$'),
    automation   jsonb NOT NULL,
    days         integer NOT NULL,
    looked_at    integer NOT NULL,
    would_do     jsonb NOT NULL,
    tried_by     text NOT NULL CHECK (tried_by <> ''),
    tried_at     timestamptz NOT NULL
);
COMMENT ON TABLE automation_trials IS 'What automations would have done with past orders: needed before one that moves goods or money is published.';
CREATE INDEX automation_trials_newest ON automation_trials (content_hash, tried_at DESC);

CREATE TABLE order_marks (
    order_no text NOT NULL REFERENCES orders,
    kind     text NOT NULL CHECK (kind IN ('tag', 'note')),
    text     text NOT NULL CHECK (text <> ''),
    marked_by text NOT NULL CHECK (marked_by <> ''),
    at       timestamptz NOT NULL,
    PRIMARY KEY (order_no, kind, text)
);
COMMENT ON TABLE order_marks IS 'Tags and notes that automations have put on orders.';
CREATE INDEX order_marks_by_tag ON order_marks (text) WHERE kind = 'tag';

CREATE FUNCTION tell_automations() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    told jsonb;
BEGIN
    IF NOT EXISTS (SELECT FROM automation_listens WHERE trigger = TG_ARGV[0]) THEN
        RETURN NULL;
    END IF;
    told := to_jsonb(NEW);
    INSERT INTO automation_events (trigger, order_no, child_no, ref, detail)
    VALUES (TG_ARGV[0], told ->> 'order_no', told ->> 'child_no', told ->> TG_ARGV[1], coalesce(told ->> TG_ARGV[2], ''));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION tell_automations() IS 'Arguments: the trigger, the column that names the thing, and one with what else was said.';
REVOKE ALL ON FUNCTION tell_automations() FROM PUBLIC;
CREATE TRIGGER automations_placed AFTER INSERT ON orders FOR EACH ROW
    EXECUTE FUNCTION tell_automations('order_placed', 'order_no', '');
CREATE TRIGGER automations_paid AFTER UPDATE OF payment_status ON orders FOR EACH ROW
    WHEN (NEW.payment_status = 'PAID' AND OLD.payment_status <> 'PAID')
    EXECUTE FUNCTION tell_automations('order_paid', 'order_no', '');
CREATE TRIGGER automations_split AFTER INSERT ON order_plans FOR EACH ROW
    EXECUTE FUNCTION tell_automations('order_split', 'order_no', '');
CREATE TRIGGER automations_returns AFTER INSERT ON return_cases FOR EACH ROW
    EXECUTE FUNCTION tell_automations('return_applied', 'return_no', '');
CREATE TRIGGER automations_tickets AFTER INSERT ON tickets FOR EACH ROW
    WHEN (NEW.order_no IS NOT NULL AND NEW.system <> 'automation')
    EXECUTE FUNCTION tell_automations('ticket_opened', 'ticket_id', '');
CREATE TRIGGER automations_stock AFTER INSERT ON order_events FOR EACH ROW
    WHEN (NEW.kind = 'STOCK_ARRIVED' AND NEW.outcome = 'APPLIED')
    EXECUTE FUNCTION tell_automations('stock_arrived', 'key', '');
CREATE TRIGGER automations_messages AFTER INSERT ON order_events FOR EACH ROW
    WHEN (NEW.kind IN ('BUYER_ADDRESS', 'BUYER_REMARK', 'BUYER_REFUND') AND NEW.outcome = 'APPLIED')
    EXECUTE FUNCTION tell_automations('channel_message', 'key', 'kind');

-- Where a buyer lives goes with the rest of what names them.
CREATE FUNCTION erase_facts_of_runs() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE automation_runs SET facts = '{}' WHERE order_no = NEW.order_no;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_erase_runs AFTER UPDATE OF erased_at ON orders FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_facts_of_runs();

ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened', 'return.status_changed', 'automation.fired', 'offer.made']);

INSERT INTO access_rules (object, worker, operator, console) VALUES
('business_books', 'SELECT, INSERT', 'SELECT', 'SELECT'),
('automation_switch', 'SELECT, UPDATE (running, changed_by, changed_at, why)', 'SELECT', 'SELECT'),
('automation_listens', 'SELECT, INSERT, DELETE', '', ''),
('automation_events', 'SELECT, UPDATE (attempts, next_try_at), DELETE', 'SELECT', 'SELECT'),
('automation_runs', 'SELECT, INSERT, UPDATE (facts, state, said, finished_at)', 'SELECT', 'SELECT'),
('automation_trials', 'SELECT, INSERT', 'SELECT', 'SELECT'),
('order_marks', 'SELECT, INSERT', 'SELECT', 'SELECT');
UPDATE access_rules SET worker = replace(worker, 'UPDATE (', 'UPDATE (owned_at, owner, ') WHERE object = 'tickets';
UPDATE access_rules SET worker = 'INSERT' WHERE object = 'ticket_history' AND worker = '';
SELECT settle_access();

-- migrate:down
DROP TRIGGER orders_erase_runs ON orders;
DROP FUNCTION erase_facts_of_runs();
DROP TRIGGER automations_messages ON order_events;
DROP TRIGGER automations_stock ON order_events;
DROP TRIGGER automations_tickets ON tickets;
DROP TRIGGER automations_returns ON return_cases;
DROP TRIGGER automations_split ON order_plans;
DROP TRIGGER automations_paid ON orders;
DROP TRIGGER automations_placed ON orders;
DROP FUNCTION tell_automations();
DROP TABLE order_marks;
DROP TABLE automation_trials;
DROP TABLE automation_runs;
DROP TABLE automation_events;
DROP TABLE automation_listens;
DROP TABLE automation_switch;
DROP TRIGGER approvals_of_books ON approvals;
DROP TABLE business_books;
DROP FUNCTION book_is_approved();
DELETE FROM held WHERE name = 'books';
UPDATE subscriptions SET types = array_remove(types, 'automation.fired') WHERE types <> '{automation.fired}';
DELETE FROM deliveries WHERE subscription_id IN (SELECT subscription_id FROM subscriptions WHERE types = '{automation.fired}');
DELETE FROM subscriptions WHERE types = '{automation.fired}';
ALTER TABLE subscriptions DROP CONSTRAINT subscriptions_types_check;
ALTER TABLE subscriptions ADD CONSTRAINT subscriptions_types_check CHECK (types <> '{}' AND types <@ ARRAY[
    'order.status_changed', 'parcel.status_changed', 'payment.received', 'refund.succeeded', 'refund.abnormal',
    'ticket.opened', 'return.status_changed', 'offer.made']);
UPDATE access_rules SET worker = '' WHERE object = 'ticket_history';
UPDATE access_rules SET worker = replace(worker, 'owned_at, owner, ', '') WHERE object = 'tickets';
DELETE FROM access_rules WHERE object IN ('business_books', 'automation_switch', 'automation_listens', 'automation_events',
    'automation_runs', 'automation_trials', 'order_marks');
SELECT settle_access();
