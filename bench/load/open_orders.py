"""`python -m bench.load.open_orders [--orders N]`: what `oms doctor` takes to look at very many open orders.

Fills a database of its own: each order has three lines of six units in two parcels that have left, the stock moves of
both, its payment and eight events, all with one owner. Rows are written as they would stand, past the triggers that
would count them. Then all are looked at page by page, as the doctor does; Temporal is not asked. Exit 0 only when
nothing was found, and within `--most-s`.
"""

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from datetime import UTC, datetime

import asyncpg

from deploy.local.postgres import DATABASE, temporary_postgres
from store.migrate import migrate
from store.open_work import OpenWorkStore
from store.ownership.check import OwnershipStore
from store.pool import open_pool

FILLED_AT_ONCE = 10_000

# $1, $2: the first and the last of the orders, by number.
ROWS = (
    """
    INSERT INTO orders (order_no, run_id, channel, channel_order_no, kind, buyer_id, start, currency, payable_minor,
        placed_at, pay_deadline, policy_version, seq, status, payment_status, waiting_for, paid_minor, paid_at,
        registered_at, updated_at)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'run', 'shop', n::text, 'normal', 'b' || n % 5000, '{}', 'CNY', 6000,
        at, at, 1, 8, 'SHIPPED', 'PAID', 'receipt', 6000, at, at, at
    FROM generate_series($1::int, $2::int) n, (SELECT now() - interval '1 hour' AS at) past""",
    """
    INSERT INTO order_lines (order_no, line_id, pos, sku, qty, unit_price_minor, gross_minor, discount_minor,
        coupon_minor, net_minor, freight_minor, paid_minor, weight_g, warehouse, supplier, logistics, customs,
        shipped_units)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'L' || l, l, 'SKU', l, 1000, l * 1000, 0, 0, l * 1000, 0, l * 1000, 1,
        'W1', 'S', 'standard', 'domestic', l
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO unit_shares (order_no, line_id, first_unit, units, net_minor, freight_minor)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'L' || l, 0, l, 1000, 0
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO payments (key, order_no, channel, transaction_id, merchant_id, amount_minor, currency, paid_at,
        booked_at)
    SELECT 'pay' || n, 'LOAD' || lpad(n::text, 8, '0'), 'wechat', n::text, 'm', 6000, 'CNY', now(), now()
    FROM generate_series($1::int, $2::int) n""",
    """
    INSERT INTO payment_balances (payment_key, order_no, paid_at, paid_minor)
    SELECT 'pay' || n, 'LOAD' || lpad(n::text, 8, '0'), now(), 6000 FROM generate_series($1::int, $2::int) n""",
    """
    INSERT INTO child_orders (child_no, order_no, nn, status, seq, warehouse, reasons, net_minor, freight_minor,
        paid_minor, shipped_at, updated_at)
    SELECT 'LOAD' || lpad(n::text, 8, '0') || '-0' || c, 'LOAD' || lpad(n::text, 8, '0'), c, 'SHIPPED', 8, 'W1', '[]',
        3000, 0, 3000, now(), now()
    FROM generate_series($1::int, $2::int) n, generate_series(1, 2) c""",
    """
    INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'LOAD' || lpad(n::text, 8, '0') || '-0' || CASE l WHEN 3 THEN 2 ELSE 1 END,
        'L' || l, 0, l
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l""",
    """
    INSERT INTO stock_moves (ref, kind, sku, warehouse, qty, at)
    SELECT 'LOAD' || lpad(n::text, 8, '0') || '-0' || CASE l WHEN 3 THEN 2 ELSE 1 END || '/L' || l, k, 'SKU', 'W1', l,
        now() - interval '1 hour'
    FROM generate_series($1::int, $2::int) n, generate_series(1, 3) l, unnest('{reserve,ship}'::text[]) k""",
    """
    INSERT INTO order_events (order_no, key, kind, source, occurred_at, recorded_at, outcome, from_status, to_status,
        write_seq, write_pos)
    SELECT 'LOAD' || lpad(n::text, 8, '0'), 'k' || e, 'PACKED', 'qimen', now(), now(), 'APPLIED', 'PICKING', 'PACKED',
        e, 0
    FROM generate_series($1::int, $2::int) n, generate_series(1, 8) e""",
)


async def fill(url: str, orders: int) -> None:
    connection = await asyncpg.connect(url)
    try:
        for first in range(1, orders + 1, FILLED_AT_ONCE):
            last = min(first + FILLED_AT_ONCE - 1, orders)
            async with connection.transaction():
                await connection.execute("SET LOCAL session_replication_role = replica")
                for statement in ROWS:
                    await connection.execute(statement, first, last)
            print(f"\r{last} of {orders} orders", end="", flush=True)
        await connection.execute("INSERT INTO stock (sku, warehouse, shipped) VALUES ('SKU', 'W1', $1)", 6 * orders)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    print()


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
