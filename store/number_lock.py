"""Orders and returns share one row of numbers: tickets, approvals and workflows of both are named after them."""

from store.pool import Connection

# Held to the end of the transaction. Each side looks into the other's table before it takes a number; without this two
# transactions at once would both find it free.
LOCK = "SELECT pg_advisory_xact_lock(hashtextextended($1, 1))"


async def serialize(connection: Connection, number: str) -> None:
    """First, before a number is looked up to be taken: who comes second sees what the first has made of it."""
    await connection.execute(LOCK, number)
