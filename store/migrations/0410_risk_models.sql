-- migrate:up
-- The trained return risk (R59): what was counted of each order when it was paid, and the models learnt from that.
CREATE TABLE risk_features (
    order_no text PRIMARY KEY REFERENCES orders,
    paid_at  timestamptz NOT NULL,
    features jsonb NOT NULL
);
COMMENT ON TABLE risk_features IS
    'What the return risk of an order was made of when it was paid: models learn from nothing that was known only afterwards. Goes when the buyer is forgotten.';
CREATE INDEX risk_features_by_payment ON risk_features (paid_at);

CREATE TABLE risk_models (
    version    integer PRIMARY KEY CHECK (version > 0),
    month      text NOT NULL CHECK (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    outcome    text NOT NULL CHECK (outcome IN ('in_force', 'not_better', 'too_few', 'no_extra')),
    training   jsonb NOT NULL,
    model      jsonb,
    trained_by text NOT NULL CHECK (trained_by <> ''),
    trained_at timestamptz NOT NULL,
    CONSTRAINT risk_models_judge_with_a_model CHECK (outcome <> 'in_force' OR model IS NOT NULL)
);
COMMENT ON TABLE risk_models IS
    'Trainings of the return risk, in versions. The model of the newest judges orders where its outcome is in_force; else points do. training: figures of the month that was held out, model: coefficients.';
CREATE TRIGGER risk_models_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON risk_models
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

ALTER TABLE order_holds ADD COLUMN helped boolean;
COMMENT ON COLUMN order_holds.helped IS
    'Of a hold by the return risk: whoever looked says that the order would have come back, and now will not. Models learn from it.';

-- What is known of a buyer's habits goes with the words.
CREATE FUNCTION erase_risk_features() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
    DELETE FROM risk_features WHERE order_no = NEW.order_no;
    RETURN NULL;
END $$;
CREATE TRIGGER orders_erase_risk AFTER UPDATE OF erased_at ON orders FOR EACH ROW
    WHEN (OLD.erased_at IS NULL AND NEW.erased_at IS NOT NULL) EXECUTE FUNCTION erase_risk_features();

-- Who published a policy is in the audit, and is nothing for reports.
UPDATE access_rules SET bi = 'SELECT (version, policy, published_at)' WHERE object = 'policies';
INSERT INTO access_rules (object, worker, operator, bi, console) VALUES
('risk_features', 'SELECT, INSERT', '', '', 'SELECT'),
('risk_models', 'SELECT, INSERT', 'SELECT', '', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object IN ('risk_features', 'risk_models');
UPDATE access_rules SET bi = 'SELECT' WHERE object = 'policies';
DROP TRIGGER orders_erase_risk ON orders;
DROP FUNCTION erase_risk_features();
ALTER TABLE order_holds DROP COLUMN helped;
DROP TABLE risk_models;
DROP TABLE risk_features;
SELECT settle_access();
