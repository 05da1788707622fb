-- migrate:up
ALTER TABLE approval_notices ADD COLUMN way text NOT NULL DEFAULT 'messenger' CHECK (way IN ('messenger', 'mail'));
ALTER TABLE approval_notices DROP CONSTRAINT approval_notices_pkey;
ALTER TABLE approval_notices ADD PRIMARY KEY (approval_id, person_id, way);
COMMENT ON TABLE approval_notices IS
    'Whom the company''s messenger (decision 0054) or mail (0075) tells that a decision is asked of them: once each, whatever dies in between.';

-- migrate:down
DELETE FROM approval_notices WHERE way = 'mail';
ALTER TABLE approval_notices DROP CONSTRAINT approval_notices_pkey;
ALTER TABLE approval_notices ADD PRIMARY KEY (approval_id, person_id);
ALTER TABLE approval_notices DROP COLUMN way;
