-- migrate:up
-- A buyer's ended orders and returns lose what names a person; sums, states and the audit's chain stay (decision 0047).
CREATE TABLE erasures (
    approval_id text PRIMARY KEY REFERENCES approvals,
    buyer_id    text NOT NULL CHECK (buyer_id <> ''),
    asked_by    text NOT NULL,
    approved_by text NOT NULL CHECK (approved_by <> asked_by),
    orders      text[] NOT NULL,
    returns     text[] NOT NULL,
    begun_at    timestamptz NOT NULL,
    words_at    timestamptz,
    ended_at    timestamptz
);
COMMENT ON TABLE erasures IS
    'Buyers who were forgotten, by whose decision, and which orders and returns that was. words_at: the books are without words; ended_at: pictures and histories are gone, too.';
CREATE INDEX erasures_by_buyer ON erasures (buyer_id);
ALTER TABLE orders ADD COLUMN erased_at timestamptz;
COMMENT ON COLUMN orders.erased_at IS 'Its buyer was forgotten then: name, phone, address and free words are gone.';
ALTER TABLE audit ADD COLUMN erased_by bigint;
COMMENT ON COLUMN audit.erased_by IS
    'Row of the audit (buyer.erased) that vouches for this one: words of it are gone, so its own hash is no longer that of its content. No part of the hash.';

-- What only grows is changed by the owner's functions alone, which no login is.
DROP TRIGGER audit_only_grows ON audit;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT WHEN (current_user <> 'oms_owner') EXECUTE FUNCTION refuse_change();
DROP TRIGGER inbox_facts_stay ON inbox;
CREATE TRIGGER inbox_facts_stay BEFORE UPDATE OF source, event_id, via, kind, digest, facts, received_at ON inbox
    FOR EACH STATEMENT WHEN (current_user <> 'oms_owner') EXECUTE FUNCTION refuse_change();
DROP TRIGGER label_prints_only_grow ON label_prints;
CREATE TRIGGER label_prints_only_grow BEFORE UPDATE OR TRUNCATE ON label_prints
    FOR EACH STATEMENT WHEN (current_user <> 'oms_owner') EXECUTE FUNCTION refuse_change();
DROP TRIGGER return_timeline_only_grows ON return_timeline;
CREATE TRIGGER return_timeline_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON return_timeline
    FOR EACH STATEMENT WHEN (current_user <> 'oms_owner') EXECUTE FUNCTION refuse_change();
DROP TRIGGER outside_bookings_only_grow ON outside_bookings;
CREATE TRIGGER outside_bookings_only_grow BEFORE UPDATE OR DELETE ON outside_bookings
    FOR EACH STATEMENT WHEN (current_user <> 'oms_owner') EXECUTE FUNCTION refuse_change();

CREATE FUNCTION without_words(given jsonb) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE AS $$
DECLARE
    free CONSTANT text[] := ARRAY['reason', 'remark', 'why', 'error', 'note', 'text', 'description', 'lowered_reason',
        'evidence', 'recipient', 'phone', 'street', 'district', 'postcode', 'openid', 'identity_ref', 'address'];
BEGIN
    RETURN CASE jsonb_typeof(given)
        WHEN 'object' THEN (SELECT coalesce(jsonb_object_agg(key, CASE
                WHEN key = ANY (free) AND jsonb_typeof(value) = 'string' AND value <> '""' THEN '"[erased]"'::jsonb
                ELSE without_words(value) END), '{}') FROM jsonb_each(given))
        WHEN 'array' THEN (SELECT coalesce(jsonb_agg(without_words(value) ORDER BY n), '[]')
            FROM jsonb_array_elements(given) WITH ORDINALITY AS e (value, n))
        ELSE given END;
END $$;
COMMENT ON FUNCTION without_words(jsonb) IS 'The same, without what people have written or are called; numbers, codes and amounts stay.';

CREATE FUNCTION begin_erasure(of_approval text, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    asked  approvals;
    whom   text;
    theirs text[];
BEGIN
    SELECT * INTO asked FROM approvals WHERE approval_id = of_approval;
    IF asked.kind IS DISTINCT FROM 'forget_buyer' OR asked.state <> 'approved' OR asked.used_at IS NULL THEN
        RAISE EXCEPTION '% is no approved and used question about forgetting a buyer', of_approval
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    whom := asked.content #>> '{change,buyer_id}';
    PERFORM 1 FROM orders WHERE buyer_id = whom ORDER BY order_no FOR NO KEY UPDATE;
    theirs := ARRAY(SELECT order_no FROM orders WHERE buyer_id = whom ORDER BY order_no);
    INSERT INTO erasures (approval_id, buyer_id, asked_by, approved_by, orders, returns, begun_at)
    VALUES (of_approval, whom, asked.requested_by, asked.decided_by, theirs,
        ARRAY(SELECT return_no FROM return_cases WHERE order_no = ANY (theirs) ORDER BY return_no), at)
    ON CONFLICT DO NOTHING;
END $$;
COMMENT ON FUNCTION begin_erasure(text, timestamptz) IS 'Only by an approval that has been spent for it; which orders it is stays as it was then.';

CREATE FUNCTION erase_words(of_approval text, at timestamptz) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
#variable_conflict use_variable
DECLARE
    it     erasures;
    kids   text[];
    ways   text[];
    told   bigint[];
    said   bigint;
    digest text;
BEGIN
    SELECT * INTO it FROM erasures WHERE approval_id = of_approval FOR UPDATE;
    IF NOT FOUND OR it.ended_at IS NOT NULL THEN
        RETURN;
    END IF;
    kids := ARRAY(SELECT child_no FROM child_orders WHERE order_no = ANY (it.orders));
    ways := ARRAY(SELECT waybill_no FROM parcels WHERE child_no = ANY (kids)
        UNION SELECT waybill_no FROM return_parcels WHERE return_no = ANY (it.returns));
    UPDATE orders SET erased_at = at, payment_code = NULL,
        start = jsonb_set(jsonb_set(start, '{address}', jsonb_build_object(
                'recipient', '[erased]', 'phone', '00000', 'province', '[erased]', 'city', '[erased]',
                'street', '[erased]', 'country', coalesce(start #> '{address,country}', '"CN"'))),
            '{buyer}', jsonb_build_object('buyer_id', buyer_id))
    WHERE order_no = ANY (it.orders);
    UPDATE orders SET start = jsonb_set(start, '{payment,openid}', '"erased"')
    WHERE order_no = ANY (it.orders) AND start #>> '{payment,openid}' IS NOT NULL;
    UPDATE child_orders SET address = NULL, replan = without_words(replan) WHERE child_no = ANY (kids);
    UPDATE parcels SET label = NULL, label_format = NULL WHERE child_no = ANY (kids) AND label IS NOT NULL;
    UPDATE label_prints SET reason = '[erased]' WHERE child_no = ANY (kids) AND reason <> '';
    UPDATE refunds SET reason = '[erased]' WHERE order_no = ANY (it.orders) AND reason <> '';
    UPDATE outside_bookings SET evidence = '[erased]' WHERE order_no = ANY (it.orders);
    UPDATE return_cases SET application = application || jsonb_strip_nulls(jsonb_build_object(
            'description', CASE WHEN application ->> 'description' IS NOT NULL THEN '[erased]' END,
            'lowered_reason', CASE WHEN application ->> 'lowered_reason' IS NOT NULL THEN '[erased]' END)),
        close_reason = CASE WHEN close_reason ~ '^[A-Z0-9_]*$' THEN close_reason ELSE '[erased]' END
    WHERE return_no = ANY (it.returns);
    UPDATE return_timeline SET detail = without_words(detail) WHERE return_no = ANY (it.returns);
    UPDATE order_events SET note = '' WHERE order_no = ANY (it.orders) AND note <> '';
    UPDATE ticket_history SET detail = without_words(detail)
    WHERE ticket_id IN (SELECT ticket_id FROM tickets WHERE order_no = ANY (it.orders));
    UPDATE tickets SET error = '[erased]', remark = CASE WHEN remark IS NOT NULL THEN '[erased]' END,
        result = without_words(result)
    WHERE order_no = ANY (it.orders);
    -- Carriers use a number again: what was scanned once another order's parcel had it is that order's.
    UPDATE courier_traces t SET text = '', place = '' WHERE t.waybill_no = ANY (ways)
        AND NOT EXISTS (SELECT FROM parcels p WHERE p.waybill_no = t.waybill_no AND p.child_no <> ALL (kids)
            AND p.created_at <= t.at AND p.created_at > (SELECT max(o.created_at) FROM parcels o
                WHERE o.waybill_no = t.waybill_no AND o.child_no = ANY (kids)));
    told := ARRAY(SELECT id FROM inbox i
        WHERE received_at >= (SELECT min(placed_at) FROM orders WHERE order_no = ANY (it.orders)) - interval '1 day'
            AND (i.order_no = ANY (it.orders)
                OR id IN (SELECT inbox_id FROM order_events e WHERE e.order_no = ANY (it.orders))
                OR EXISTS (SELECT FROM jsonb_to_recordset(i.facts)
                        AS f (order_no text, child_no text, waybill_no text, refund_no text)
                    WHERE f.order_no = ANY (it.orders) OR f.child_no = ANY (kids) OR f.waybill_no = ANY (ways))
                OR i.facts = '[]' AND EXISTS (SELECT FROM unnest(it.orders || ways) AS n (number)
                    WHERE position(convert_to(n.number, 'UTF8') IN i.body) > 0))
        ORDER BY id FOR NO KEY UPDATE);
    UPDATE inbox SET body = '', emptied_at = coalesce(emptied_at, at), facts = without_words(facts), note = ''
    WHERE id = ANY (told);
    -- The audit: what was said of them goes; that it was said, by whom and when stays. The row that vouches names the
    -- hashes as they stand in the chain and what is left of the rows, so that no other change hides behind it.
    PERFORM pg_advisory_xact_lock(hashtext('audit chain'));
    told := ARRAY(SELECT a.id FROM audit a WHERE a.erased_by IS NULL AND a.detail <> without_words(a.detail)
        AND (a.order_no = ANY (it.orders) OR a.detail ->> 'order_no' = ANY (it.orders)
            OR a.detail ->> 'return_no' = ANY (it.returns) OR a.detail ->> 'subject' = ANY (it.orders || it.returns)
            OR a.detail ->> 'ticket_id' IN (SELECT ticket_id FROM tickets WHERE order_no = ANY (it.orders))));
    IF it.words_at IS NOT NULL AND cardinality(told) = 0 THEN
        RETURN;
    END IF;
    UPDATE erasures SET words_at = coalesce(words_at, at) WHERE approval_id = of_approval;
    SELECT coalesce(max(id), 0) + 1 INTO said FROM audit;
    UPDATE audit SET detail = without_words(detail), erased_by = said WHERE id = ANY (told);
    digest := erased_rows(said);
    PERFORM append_audit(at, 'system', 'buyer.erased', NULL, jsonb_build_object('approval_id', of_approval,
        'orders', cardinality(it.orders), 'returns', cardinality(it.returns), 'audit_rows', cardinality(told),
        'erased_rows', digest), NULL, NULL);
END $$;
COMMENT ON FUNCTION erase_words(text, timestamptz) IS
    'Of the orders and returns of a begun erasure: names, phones, addresses, free words, bodies and labels. Done again it changes nothing.';

CREATE FUNCTION erased_rows(by_row bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT encode(sha256(convert_to(coalesce(string_agg(
        id || ':' || encode(hash, 'hex') || ':' || detail::text, ',' ORDER BY id), ''), 'UTF8')), 'hex')
    FROM audit WHERE erased_by = by_row
$$;
COMMENT ON FUNCTION erased_rows(bigint) IS 'What a row buyer.erased vouches for: hashes in the chain, and what is left.';

CREATE FUNCTION erase_approval(wanted text, kept jsonb, kept_hash text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM approvals a JOIN erasures e ON a.order_no = ANY (e.orders)
            WHERE a.approval_id = wanted AND e.ended_at IS NULL AND a.state <> 'open') THEN
        RAISE EXCEPTION '% is no decided question about an order that is being erased', wanted
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    UPDATE approvals SET content = kept, content_hash = kept_hash,
        remark = CASE WHEN remark IS NOT NULL THEN '[erased]' END
    WHERE approval_id = wanted AND NOT content ? 'erased';
END $$;
COMMENT ON FUNCTION erase_approval(text, jsonb, text) IS
    'The question without words; the hash of what was decided stands in the audit.';

CREATE FUNCTION end_erasure(of_approval text, at timestamptz) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    UPDATE erasures SET ended_at = coalesce(ended_at, at) WHERE approval_id = of_approval
$$;

-- A decided question stays as it was decided; an erased one without its words.
CREATE OR REPLACE FUNCTION keep_approval() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    erased boolean := current_user = 'oms_owner' AND NEW.content ? 'erased' AND NOT OLD.content ? 'erased';
BEGIN
    IF (NEW.approval_id, NEW.kind, NEW.subject, NEW.order_no, NEW.version, NEW.role, NEW.requested_by, NEW.excluded,
            NEW.workflow_id, NEW.opened_at)
        IS DISTINCT FROM (OLD.approval_id, OLD.kind, OLD.subject, OLD.order_no, OLD.version, OLD.role,
            OLD.requested_by, OLD.excluded, OLD.workflow_id, OLD.opened_at)
        OR NOT erased AND (NEW.content, NEW.content_hash) IS DISTINCT FROM (OLD.content, OLD.content_hash) THEN
        RAISE EXCEPTION 'approval % was asked so and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'open' AND ((NEW.state, NEW.decided_at, NEW.decided_by, NEW.decided_role, NEW.on_behalf_of)
            IS DISTINCT FROM (OLD.state, OLD.decided_at, OLD.decided_by, OLD.decided_role, OLD.on_behalf_of)
        OR NOT erased AND NEW.remark IS DISTINCT FROM OLD.remark) THEN
        RAISE EXCEPTION 'approval % is decided and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.used_at IS NOT NULL AND (NEW.used_at, NEW.used_for) IS DISTINCT FROM (OLD.used_at, OLD.used_for) THEN
        RAISE EXCEPTION 'approval % is used and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

DROP TRIGGER approvals_of_controls ON approvals;
CREATE TRIGGER approvals_of_controls BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('change_people', 'publish_policy', 'publish_rules', 'forget_buyer'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();

REVOKE ALL ON FUNCTION begin_erasure(text, timestamptz), erase_words(text, timestamptz),
    erase_approval(text, jsonb, text), end_erasure(text, timestamptz) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION begin_erasure(text, timestamptz), erase_words(text, timestamptz),
    erase_approval(text, jsonb, text), end_erasure(text, timestamptz) TO oms_worker;
INSERT INTO access_rules (object, worker, operator) VALUES ('erasures', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DROP TRIGGER approvals_of_controls ON approvals;
CREATE TRIGGER approvals_of_controls BEFORE INSERT ON approvals FOR EACH ROW
    WHEN (NEW.kind IN ('change_people', 'publish_policy', 'publish_rules'))
    EXECUTE FUNCTION control_is_asked_by_the_worker();
CREATE OR REPLACE FUNCTION keep_approval() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF (NEW.approval_id, NEW.kind, NEW.subject, NEW.order_no, NEW.version, NEW.role, NEW.requested_by, NEW.excluded,
            NEW.content, NEW.content_hash, NEW.workflow_id, NEW.opened_at)
        IS DISTINCT FROM (OLD.approval_id, OLD.kind, OLD.subject, OLD.order_no, OLD.version, OLD.role,
            OLD.requested_by, OLD.excluded, OLD.content, OLD.content_hash, OLD.workflow_id, OLD.opened_at) THEN
        RAISE EXCEPTION 'approval % was asked so and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.state <> 'open' AND (NEW.state, NEW.decided_at, NEW.decided_by, NEW.decided_role, NEW.on_behalf_of,
            NEW.remark) IS DISTINCT FROM (OLD.state, OLD.decided_at, OLD.decided_by, OLD.decided_role,
            OLD.on_behalf_of, OLD.remark) THEN
        RAISE EXCEPTION 'approval % is decided and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    IF OLD.used_at IS NOT NULL AND (NEW.used_at, NEW.used_for) IS DISTINCT FROM (OLD.used_at, OLD.used_for) THEN
        RAISE EXCEPTION 'approval % is used and stays so', OLD.approval_id USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
DROP FUNCTION end_erasure(text, timestamptz);
DROP FUNCTION erase_approval(text, jsonb, text);
DROP FUNCTION erase_words(text, timestamptz);
DROP FUNCTION erased_rows(bigint);
DROP FUNCTION begin_erasure(text, timestamptz);
DROP FUNCTION without_words(jsonb);
DROP TRIGGER outside_bookings_only_grow ON outside_bookings;
CREATE TRIGGER outside_bookings_only_grow BEFORE UPDATE OR DELETE ON outside_bookings
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER return_timeline_only_grows ON return_timeline;
CREATE TRIGGER return_timeline_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON return_timeline
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER label_prints_only_grow ON label_prints;
CREATE TRIGGER label_prints_only_grow BEFORE UPDATE OR TRUNCATE ON label_prints
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER inbox_facts_stay ON inbox;
CREATE TRIGGER inbox_facts_stay BEFORE UPDATE OF source, event_id, via, kind, digest, facts, received_at ON inbox
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
DROP TRIGGER audit_only_grows ON audit;
CREATE TRIGGER audit_only_grows BEFORE UPDATE OR DELETE OR TRUNCATE ON audit
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE audit DROP COLUMN erased_by;
ALTER TABLE orders DROP COLUMN erased_at;
DROP TABLE erasures;
DELETE FROM access_rules WHERE object = 'erasures';
SELECT settle_access();
