"""Writes the rows of a full shop: indexes away, rows in, indexes back, statistics."""

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.load.console.rows import A_DAY, GOODS, ROWS, SOME_ORDERS, SOME_RETURNS, Index, tables
from bench.load.console.rows_beside import BESIDE
from deploy.local import ports
from deploy.local.postgres import LocalPostgres

AT_ONCE = 50_000

# Those that hold no constraint: they are made anew when the rows are there.
INDEXES = """
SELECT i.indexrelid::regclass::text AS name, pg_get_indexdef(i.indexrelid) AS definition
FROM pg_index i JOIN pg_class t ON t.oid = i.indrelid
WHERE t.relname = ANY ($1) AND t.relnamespace = 'public'::regnamespace
    AND NOT EXISTS (SELECT FROM pg_constraint c WHERE c.conindid = i.indexrelid)"""


@contextmanager
def postgres_on_disk() -> Iterator[LocalPostgres]:
    """A server of its own, gone with its data at the end. Ten gigabytes are too many for the memory of tests."""
    with tempfile.TemporaryDirectory(prefix="oms-console-bench-") as folder:
        home = Path(folder)
        home.chmod(0o711)
        server = LocalPostgres(home, port=ports.free_port(), durable=False, die_with_parent=True)
        try:
            server.start()
            yield server
        finally:
            server.destroy()


async def fill(url: str, orders: int, a_day: int = A_DAY) -> None:
    """`a_day`: orders; so many are a hundred days' with the default and a million."""
    connection = await asyncpg.connect(url)
    try:
        began = time.perf_counter()
        await connection.execute(
            "SET session_replication_role = replica; SET synchronous_commit = off; SET maintenance_work_mem = '1GB'"
        )
        indexes = [Index(**row) for row in await connection.fetch(INDEXES, list(tables()))]
        for index in indexes:
            await connection.execute(f"DROP INDEX {index.name}")
        for statement in GOODS:
            await connection.execute(statement)
        for first in range(1, orders + 1, AT_ONCE):
            last = min(first + AT_ONCE - 1, orders)
            await connection.execute(SOME_ORDERS, first, last, orders, a_day)
            await connection.execute(SOME_RETURNS)
            for statement in (*ROWS, *BESIDE):
                await connection.execute(statement)
            await connection.execute("DROP TABLE some_orders, some_returns")
            print(f"{last} of {orders} orders, {time.perf_counter() - began:.0f} s", flush=True)
        for index in indexes:
            await connection.execute(index.definition)
        print(f"indexes, {time.perf_counter() - began:.0f} s", flush=True)
        await connection.execute(f"VACUUM ANALYZE {', '.join(tables())}")
        print(f"statistics, {time.perf_counter() - began:.0f} s", flush=True)
    finally:
        await connection.close()
