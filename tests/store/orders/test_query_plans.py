"""A very large order settles in time, whatever orders its connection has seen before."""

import time

from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import SettlePayment
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_settled_order, a_write, an_order

LINES = 10_000
WITHIN_S = 12.0
"""Quiet machines need two seconds; with checks that read whole tables it is sixteen."""
NO = "SO-LARGE"


async def test_ten_thousand_lines_settle_after_small_orders_in_a_young_database(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await a_settled_order(orders, "SO-SMALL-0")
    await pool.execute("ANALYZE")
    for n in range(1, 9):  # by now this connection keeps plans that fit such tables
        await a_settled_order(orders, f"SO-SMALL-{n}")
    await stock.receive("C", "WH-1", LINES, "GR-1")
    tags = SkuTags(warehouse="WH-1")
    lines = tuple(OrderLine(line_id=f"L{n}", sku="C", qty=1, unit_price_minor=50, tags=tags) for n in range(LINES))
    total = LINES * 50
    await orders.register(an_order(NO, lines=lines, freight=(), payable_minor=total), "run-1", NOW)
    before = time.perf_counter()
    settled = await orders.settle(SettlePayment(write=a_write(NO, payment=a_payment(NO, None, total)), policy=Policy()))
    assert time.perf_counter() - before < WITHIN_S
    assert [len(child.lines) for child in settled.children] == [LINES]
