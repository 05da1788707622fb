-- migrate:up
-- Lists of money and goods in the console: page after page, by the moment or the SKU.
CREATE INDEX payments_by_time ON payments (booked_at DESC, key DESC);
CREATE INDEX refunds_by_time ON refunds (requested_at DESC, refund_no DESC);
CREATE INDEX chargebacks_by_time ON chargebacks (opened_at DESC, chargeback_id DESC);
CREATE INDEX outside_money_by_time ON outside_money (found_at DESC, money_no DESC);
UPDATE access_rules SET console = 'SELECT' WHERE object IN ('bill_gaps', 'refund_parts');
SELECT settle_access();

-- migrate:down
DROP INDEX outside_money_by_time;
DROP INDEX chargebacks_by_time;
DROP INDEX refunds_by_time;
DROP INDEX payments_by_time;
UPDATE access_rules SET console = '' WHERE object = 'bill_gaps';
SELECT settle_access();
