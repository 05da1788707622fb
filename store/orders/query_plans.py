"""Plans that were made while tables were small are not used for the rows of a very large order.

PostgreSQL keeps the plan of a foreign-key check with the connection. Made when the table pointed at had one page, it
reads that table from end to end for every row: time squared in lines, until the table is analysed the next time.
"""

from store.pool import Connection

LARGE = 500
"""Rows; below, even the worst plan costs little."""


async def replan_statements(connection: Connection, rows: int) -> None:
    """Before that many rows that point at others are inserted at once."""
    if rows >= LARGE:
        await connection.execute("DISCARD PLANS")
