-- migrate:up
ALTER TABLE parcels ADD COLUMN carried boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN parcels.carried IS
    'One of several packages of its child, on its way under this number; the number of an only package is the child''s own.';

-- migrate:down
ALTER TABLE parcels DROP COLUMN carried;
