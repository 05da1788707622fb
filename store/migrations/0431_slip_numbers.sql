-- migrate:up
-- The merchant's own numbers for slips (decision 0073): one after the other within a period, given with the case.
CREATE TABLE slip_periods (
    period text PRIMARY KEY,
    last   integer NOT NULL CHECK (last > 0)
);
CREATE TABLE slip_numbers (
    return_no text PRIMARY KEY REFERENCES return_cases,
    slip_no   text NOT NULL UNIQUE CHECK (slip_no <> '')
);
COMMENT ON TABLE slip_numbers IS 'What the merchant calls a return on its slip, where the forms say so.';

-- What a buyer has answered to a shop's own questions goes with the rest of their words.
CREATE FUNCTION erase_answers() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE return_cases SET application = application - 'answers'
    WHERE order_no = NEW.order_no AND application -> 'answers' IS NOT NULL;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_erase_answers AFTER UPDATE OF erased_at ON orders FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_answers();

INSERT INTO access_rules (object, worker, operator, console) VALUES
('slip_periods', 'SELECT, INSERT, UPDATE', '', ''),
('slip_numbers', 'SELECT, INSERT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DROP TRIGGER orders_erase_answers ON orders;
DROP FUNCTION erase_answers();
DROP TABLE slip_numbers;
DROP TABLE slip_periods;
DELETE FROM access_rules WHERE object IN ('slip_periods', 'slip_numbers');
SELECT settle_access();
