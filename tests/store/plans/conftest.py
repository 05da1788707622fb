"""Books that look to the planner like those of a million orders: a hundred days of rows, and counts that say so."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from bench.load.console.fill import fill
from bench.load.console.rows import tables
from store.pool import Pool, open_pool
from tests.postgres import administer, at, template

ORDERS = 1_000
MILLION = 1_000_000

# What the planner knows of a table's size is how densely its pages are filled; what keys are worth it knows in parts of
# all rows, so they grow with it.
MANY = """
UPDATE pg_class SET reltuples = reltuples * $1
WHERE relkind = 'r' AND reltuples > 0 AND relname = ANY ($2) AND relname NOT IN ('skus', 'stock')"""


async def _fill(url: str) -> None:
    await fill(url, ORDERS, a_day=ORDERS // 100)
    connection = await asyncpg.connect(url)
    try:
        for table in tables():
            # It would count the rows that there are.
            await connection.execute(f"ALTER TABLE {table} SET (autovacuum_enabled = false)")
        await connection.execute(MANY, MILLION / ORDERS, list(tables()))
    finally:
        await connection.close()


@pytest.fixture(scope="module")
def full_books() -> Iterator[str]:
    """The address of a database of this module's own."""
    name = f"oms_full_{secrets.token_hex(6)}"
    asyncio.run(administer(f"CREATE DATABASE {name} TEMPLATE {template()}"))
    asyncio.run(_fill(at(name)))
    yield at(name)
    asyncio.run(administer(f"DROP DATABASE {name} WITH (FORCE)"))


@pytest.fixture
async def full(full_books: str) -> AsyncIterator[Pool]:
    opened = await open_pool(full_books, max_size=2, application="test")
    yield opened
    await opened.close()
