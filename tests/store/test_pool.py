"""Connections go back to the pool as they are: nothing may be left in them."""

import re
from pathlib import Path

import pytest

from store.pool import Pool

STORE = Path(__file__).resolve().parents[2] / "store"
STAYS = re.compile(
    r"pg_(try_)?advisory_lock\w*\(|\bLISTEN\b|\bDECLARE\b.*\bCURSOR\b|\bTEMP(ORARY)?\s+TABLE\b"
    r"|\bSET\s+(SESSION|ROLE|TIME ZONE|search_path|statement_timeout)",
    re.IGNORECASE,
)  # fmt: skip


def test_no_statement_of_the_store_leaves_anything_in_its_session() -> None:
    files = [path for path in STORE.rglob("*.py") if path.name != "pool.py"]  # which says what is not done
    found = [f"{path.name}: {m[0]}" for path in files for m in STAYS.finditer(path.read_text("utf-8"))]
    assert found == []


async def test_a_transaction_that_was_left_open_is_rolled_back_on_release(pool: Pool) -> None:
    await pool.execute("CREATE TABLE t (n int)")
    with pytest.raises(ZeroDivisionError):
        async with pool.acquire() as connection:
            await connection.execute("BEGIN")
            await connection.execute("INSERT INTO t VALUES (1)")
            raise ZeroDivisionError
    assert await pool.fetchval("SELECT count(*) FROM t") == 0
