-- migrate:up
ALTER TABLE order_holds ADD COLUMN risk jsonb;
COMMENT ON COLUMN order_holds.risk IS
    'Of a hold by the return risk: score, threshold, and what gave points, the most first.';

-- What is known of a buyer's habits goes with the words.
CREATE OR REPLACE FUNCTION erase_words_of_holds() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE order_holds SET reason = '[erased]', remark = '', end_remark = '', risk = NULL WHERE order_no = NEW.order_no;
    RETURN NULL;
END $$;

-- migrate:down
CREATE OR REPLACE FUNCTION erase_words_of_holds() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    UPDATE order_holds SET reason = '[erased]', remark = '', end_remark = '' WHERE order_no = NEW.order_no;
    RETURN NULL;
END $$;
ALTER TABLE order_holds DROP COLUMN risk;
