-- migrate:up
CREATE TABLE skus (
    sku        text PRIMARY KEY CHECK (sku <> ''),
    name       text NOT NULL DEFAULT '',
    warehouse  text NOT NULL CHECK (warehouse <> ''),
    supplier   text NOT NULL CHECK (supplier <> ''),
    logistics  text NOT NULL CHECK (logistics <> ''),
    customs    text NOT NULL CHECK (customs <> ''),
    updated_at timestamptz NOT NULL
);
COMMENT ON TABLE skus IS
    'Catalogue tags by SKU: what splitting looks at when an order line brings no tags of its own (R25).';

-- migrate:down
DROP TABLE skus;
