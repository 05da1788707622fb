"""`python -m bench.insight [ORDERS]`: a month of so many orders is put into a database, and reported on twice."""

import asyncio
import hashlib
import random
import sys
import time
from collections.abc import Iterator
from datetime import timedelta

from activities.insight.reports import BuildReport, InsightActivities
from bench.insight.planting import (
    PlantedOrder,
    PlantedReturn,
    PlantedTicket,
    plant_facts,
    plant_news,
    plant_orders,
    plant_payments,
    plant_returns,
    plant_tickets,
)
from deploy.local.postgres import temporary_postgres
from domain.insight.periods import month
from store.migrate import migrate
from store.pool import Pool, open_pool

MONTH = month("2026-10")
CITIES = ("上海市", "杭州市", "昆明市", "兰州市", "成都市")


def orders_of(count: int) -> Iterator[PlantedOrder]:
    chance = random.Random(7)
    for n in range(count):
        placed = MONTH.since + timedelta(seconds=chance.randrange(30 * 86_400))
        left = placed + timedelta(hours=chance.randrange(1, 60))
        yield PlantedOrder(
            f"HR{n:08}", chance.choice(CITIES), placed, placed + timedelta(minutes=3), dispatched_at=left,
            signed_at=left + timedelta(hours=chance.randrange(20, 120)), parcels=chance.choice((1, 1, 1, 2, 3)),
            remade=chance.random() < 0.01,
        )  # fmt: skip


async def fill(pool: Pool, count: int) -> None:
    orders = list(orders_of(count))
    await plant_orders(pool, orders)
    numbers = [order.order_no for order in orders]
    await plant_facts(pool, numbers)
    await plant_news(pool, numbers, MONTH.since + timedelta(days=1), told=count, late=count // 300)
    await plant_payments(pool, numbers, MONTH.since + timedelta(days=3), paid=count, late=count // 1_000)
    returned = orders[::12]
    await plant_returns(
        pool, [PlantedReturn(o.order_no, o.placed_at + timedelta(days=5), "REFUNDED") for o in returned]
    )
    await plant_tickets(
        pool,
        [
            PlantedTicket(f"T-{o.order_no}", o.order_no, "qimen", "push", o.placed_at, timedelta(hours=4), n % 3 > 0)
            for n, o in enumerate(orders[:: 40])
        ],
    )  # fmt: skip
    await pool.execute("ANALYZE")


async def measure(count: int) -> None:
    with temporary_postgres() as server:
        url = server.url("report")
        await asyncio.to_thread(migrate, url)
        pool = await open_pool(url, max_size=4, statement_timeout_s=120)
        try:
            begun = time.monotonic()
            await fill(pool, count)
            took = time.monotonic() - begun
            events = await pool.fetchval("SELECT count(*) FROM order_events")
            print(f"{count} orders and {events} events are there after {took:.1f} s")
            await _report(pool)
        finally:
            await pool.close()


async def _report(pool: Pool) -> None:
    insight = InsightActivities(pool, lambda: MONTH.until)
    wanted = BuildReport(report="health", period=MONTH.name, as_of=MONTH.until + timedelta(hours=6))
    for _ in range(2):
        begun = time.monotonic()
        kept = await insight.built(wanted)
        digest = hashlib.sha256(kept.text.encode()).hexdigest()[:16]
        what = "new" if kept.new else "the same"
        took = time.monotonic() - begun
        print(f"built in {took:.1f} s: version {kept.version} ({what}), {len(kept.text)} bytes, {digest}")


if __name__ == "__main__":
    asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else 100_000))
