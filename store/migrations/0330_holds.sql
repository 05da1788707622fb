-- migrate:up
CREATE TABLE order_holds (
    hold_id     text PRIMARY KEY CHECK (hold_id ~ '^H-.+-[0-9]+$'),
    order_no    text NOT NULL REFERENCES orders,
    child_no    text,
    children    text[] NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('risk', 'address', 'message', 'customs', 'stock_check', 'dispute', 'other')),
    source      text NOT NULL CHECK (source IN ('hand', 'rule', 'fact')),
    rule        text,
    reason      text NOT NULL CHECK (reason <> ''),
    remark      text NOT NULL,
    placed_by   text NOT NULL CHECK (placed_by <> ''),
    placed_at   timestamptz NOT NULL,
    ends_at     timestamptz CHECK (ends_at > placed_at),
    ask_after_s integer NOT NULL CHECK (ask_after_s >= 60),
    stopped     text[] NOT NULL,
    too_late    text[] NOT NULL,
    ended_at    timestamptz,
    ending      text CHECK (ending IN ('released', 'cause', 'too_late', 'nothing_left')),
    ended_by    text,
    end_remark  text NOT NULL,
    updated_at  timestamptz NOT NULL,
    seq         integer NOT NULL,
    CHECK ((ended_at IS NULL) = (ending IS NULL) AND (ended_at IS NULL) = (ended_by IS NULL)),
    CHECK ((source = 'rule') = (rule IS NOT NULL)),
    CHECK (child_no IS NULL OR child_no = ANY (children))
);
COMMENT ON TABLE order_holds IS
    'What must not leave yet, and why. child_no: the child that was held, NULL: the whole order; children: it and those that ship in its place. stopped: taken back from a warehouse, they ship again under new numbers; too_late: they ship.';
CREATE INDEX order_holds_of_order ON order_holds (order_no);
CREATE INDEX order_holds_open ON order_holds (kind, placed_at) WHERE ended_at IS NULL;

-- What people wrote about a hold goes with the buyer's other words.
CREATE FUNCTION erase_words_of_holds() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE order_holds SET reason = '[erased]', remark = '', end_remark = '' WHERE order_no = NEW.order_no;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_erase_holds AFTER UPDATE OF erased_at ON orders FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_words_of_holds();

INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('order_holds', 'SELECT, INSERT, UPDATE', 'SELECT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'order_holds';
DROP TRIGGER orders_erase_holds ON orders;
DROP FUNCTION erase_words_of_holds();
DROP TABLE order_holds;
SELECT settle_access();
