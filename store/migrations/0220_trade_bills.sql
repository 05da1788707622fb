-- migrate:up
CREATE TABLE trade_bills (
    channel text NOT NULL CHECK (channel <> ''),
    day date NOT NULL,
    lines int NOT NULL CHECK (lines >= 0),
    found int NOT NULL CHECK (found BETWEEN 0 AND lines),
    strange int NOT NULL CHECK (strange BETWEEN 0 AND lines),
    read_at timestamptz NOT NULL,
    PRIMARY KEY (channel, day)
);
COMMENT ON TABLE trade_bills IS
    'The channels'' own bills, a day each, once read and compared. strange: lines of orders that are not ours.';
INSERT INTO access_rules (object, relay, worker, operator, bi) VALUES
('trade_bills', '', 'SELECT, INSERT', 'SELECT', 'SELECT');
SELECT settle_access();

-- migrate:down
DELETE FROM access_rules WHERE object = 'trade_bills';
DROP TABLE trade_bills;
