-- migrate:up
CREATE TABLE stock (
    sku         text NOT NULL CHECK (sku <> ''),
    warehouse   text NOT NULL CHECK (warehouse <> ''),
    available   bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
    reserved    bigint NOT NULL DEFAULT 0 CHECK (reserved >= 0),
    shipped     bigint NOT NULL DEFAULT 0 CHECK (shipped >= 0),
    frozen      bigint NOT NULL DEFAULT 0 CHECK (frozen >= 0),
    second_hand bigint NOT NULL DEFAULT 0 CHECK (second_hand >= 0),
    scrapped    bigint NOT NULL DEFAULT 0 CHECK (scrapped >= 0),
    PRIMARY KEY (sku, warehouse)
);
COMMENT ON TABLE stock IS
    'Units of a SKU in a warehouse by what they are good for. All columns together = everything ever received.';

CREATE TABLE stock_moves (
    ref       text NOT NULL CHECK (ref <> ''),
    kind      text NOT NULL CHECK (kind IN ('receive', 'reserve', 'release', 'ship', 'write_off')),
    sku       text NOT NULL,
    warehouse text NOT NULL,
    qty       bigint NOT NULL CHECK (qty > 0),
    at        timestamptz NOT NULL,
    PRIMARY KEY (ref, kind, sku, warehouse),
    FOREIGN KEY (sku, warehouse) REFERENCES stock
);
COMMENT ON TABLE stock_moves IS
    'Why the stock is what it is. A move (ref, kind, SKU, warehouse) happens once: ref is a child number or a goods receipt.';
CREATE INDEX stock_moves_by_sku ON stock_moves (sku, warehouse, at);
CREATE TRIGGER stock_moves_only_grow BEFORE UPDATE OR DELETE OR TRUNCATE ON stock_moves
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

-- migrate:down
DROP TABLE stock_moves;
DROP TABLE stock;
