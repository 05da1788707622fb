-- migrate:up
-- A trigger keeps its plan with the connection. Made while tables were small, it reads them from end to end for every move:
-- time squared in lines. What these two look up has a key, always.
ALTER FUNCTION count_shipped_units() SET enable_seqscan = off;
ALTER FUNCTION count_shipped_units() SET enable_bitmapscan = off;
ALTER FUNCTION count_shipped_units() SET enable_hashjoin = off;
ALTER FUNCTION count_shipped_units() SET enable_mergejoin = off;
ALTER FUNCTION count_lost_units() SET enable_seqscan = off;
ALTER FUNCTION count_lost_units() SET enable_bitmapscan = off;
ALTER FUNCTION count_lost_units() SET enable_hashjoin = off;
ALTER FUNCTION count_lost_units() SET enable_mergejoin = off;

-- migrate:down
ALTER FUNCTION count_lost_units() RESET ALL;
ALTER FUNCTION count_shipped_units() RESET ALL;
