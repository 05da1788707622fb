"""`python -m bench.load.open_orders [--orders N]`: what `oms doctor` takes to look at very many open orders.

Fills a database of its own (`filled_store.py`). Then all are looked at page by page, as the doctor does; Temporal is
not asked. Exit 0 only when nothing was found, and within `--most-s`.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from bench.load.filled_store import fill
from deploy.local.postgres import DATABASE, temporary_postgres
from store.migrate import migrate
from store.open_work import OpenWorkStore
from store.ownership.check import OwnershipStore
from store.pool import open_pool


async def look(url: str) -> tuple[int, int, float]:
    """As `oms doctor` looks: orders, violations, seconds."""
    began, looked, found = time.perf_counter(), 0, 0
    pool = await open_pool(url, application="bench")
    try:
        owners, work = OwnershipStore(pool), OpenWorkStore(pool)
        async for page in owners.open_orders():
            found += len(await owners.violations(page, datetime.now(UTC)))
            looked += len(await owners.at_rest(page, datetime.now(UTC)))
        took = time.perf_counter() - began
        async for ids in work.open_ids():
            await work.standing(ids)
        print(f"open work by number: {time.perf_counter() - began - took:.1f} s more")
    finally:
        await pool.close()
    return looked, found, took


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.load.open_orders", description=__doc__)
    parser.add_argument("--orders", type=int, default=100_000)
    parser.add_argument("--most-s", type=float, default=60.0, help="how long the look may take (default 60)")
    options = parser.parse_args(words)
    with temporary_postgres() as server:
        url = server.url(DATABASE)
        migrate(url)
        asyncio.run(fill(url, options.orders))
        looked, found, took = asyncio.run(look(url))
    print(f"{looked} open orders looked at in {took:.1f} s, {1_000 * took / looked:.2f} ms each; {found} found")
    return 0 if (looked, found) == (options.orders, 0) and took <= options.most_s else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
