"""What a trigger looks up for every stock move has a key, and the guards beside it are nobody's way to a row."""

from store.pool import Pool

# As `count_shipped_units` (migrations 0080, 0172) asks.
LINE_OF_A_MOVE = """
EXPLAIN SELECT order_no FROM child_lines
WHERE child_no = split_part('SIZES00001-03/L5', '/', 1) AND line_id = substr('SIZES00001-03/L5', 15)"""

LINES = """
INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty)
SELECT 'SIZES00001', 'SIZES00001-' || n % 200, 'L' || n, 0, 1 FROM generate_series(1, 5000) n"""


async def test_the_line_of_a_move_is_found_by_its_key_among_thousands(pool: Pool) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute(LINES)
        await connection.execute("ANALYZE child_lines")
        await connection.execute("SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(LINE_OF_A_MOVE))
    assert "child_lines_pkey" in plan, plan
