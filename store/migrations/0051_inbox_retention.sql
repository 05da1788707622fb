-- migrate:up
ALTER TABLE inbox DROP CONSTRAINT inbox_state_check, DROP CONSTRAINT inbox_via_check;
ALTER TABLE inbox
    ADD CONSTRAINT inbox_state_check CHECK (state IN (
        'received', 'delivered', 'applied', 'held', 'stale', 'duplicate', 'mismatch', 'parked', 'dead', 'kept',
        'conflicting')),
    ADD CONSTRAINT inbox_via_check CHECK (via IN ('callback', 'query', 'conflict')),
    ADD COLUMN emptied_at timestamptz;
COMMENT ON COLUMN inbox.state IS
    'received: to be delivered; delivered: signalled; then what the order made of it: applied, held, stale, duplicate, mismatch; parked: its order is not known yet; dead: cannot be delivered, replayable; kept: holds no fact that can change a state; conflicting: refused, since its event id had come with another content; kept for a person, replayable.';
COMMENT ON COLUMN inbox.via IS
    'conflict: a refused second content of an event id, under that id, ~ and the beginning of its digest; no accepted call.';
COMMENT ON COLUMN inbox.emptied_at IS
    'When retention dropped the body. Event id, digest and facts stay: a late duplicate is still one.';
-- What retention looks for, and nothing else.
CREATE INDEX inbox_bodies ON inbox (state, received_at)
    WHERE emptied_at IS NULL AND state IN ('applied', 'stale', 'duplicate', 'mismatch', 'kept');

CREATE TABLE nightly_care (
    task text NOT NULL,
    day  date NOT NULL,
    at   timestamptz NOT NULL,
    note text NOT NULL DEFAULT '',
    PRIMARY KEY (task, day)
);
COMMENT ON TABLE nightly_care IS 'Which night''s tidying has been done, so that one of any number of relays does it.';

-- migrate:down
DROP TABLE nightly_care;
DROP INDEX inbox_bodies;
DELETE FROM inbox WHERE state = 'conflicting' OR via = 'conflict';
ALTER TABLE inbox DROP COLUMN emptied_at, DROP CONSTRAINT inbox_state_check, DROP CONSTRAINT inbox_via_check;
ALTER TABLE inbox
    ADD CONSTRAINT inbox_state_check CHECK (state IN (
        'received', 'delivered', 'applied', 'held', 'stale', 'duplicate', 'mismatch', 'parked', 'dead', 'kept')),
    ADD CONSTRAINT inbox_via_check CHECK (via IN ('callback', 'query'));
