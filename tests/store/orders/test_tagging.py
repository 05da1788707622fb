"""Lines without tags: stored without a warehouse, never split, tagged from the catalogue when it knows better."""

import pytest

from domain.catalog.records import SkuRecord
from domain.order import OrderLine, SkuTags
from domain.policy import Policy
from domain.records import NO_WAREHOUSE, SettlePayment, Untagged
from store.errors import NotTaggedYet, UnknownSku
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_write, an_order

ORDER = an_order(
    lines=(
        OrderLine(line_id="L1", sku="A", qty=3, unit_price_minor=2_000),
        OrderLine(line_id="L2", sku="B", qty=2, unit_price_minor=2_000, tags=SkuTags(warehouse="WH-2")),
    )
)
PAID = SettlePayment(write=a_write(payment=a_payment()), policy=Policy())


async def known(pool: Pool, *ship_from: str) -> None:
    await CatalogStore(pool).put([SkuRecord(sku="A", ship_from=ship_from, supplier="ACME")], "anna", NOW)


async def test_a_known_sku_without_tags_is_taken_and_an_unknown_one_refused(orders: OrderStore, pool: Pool) -> None:
    with pytest.raises(UnknownSku):
        await orders.register(ORDER, "run-1", NOW)
    await known(pool)
    first = await orders.register(ORDER, "run-1", NOW)
    assert first.untagged == (Untagged(line_id="L1", sku="A"),)
    assert first.priced.lines[0].tags.warehouse == NO_WAREHOUSE and first.priced.payable_minor == 10_200
    assert await orders.register(ORDER, "run-1", NOW) == first
    assert await pool.fetchval("SELECT count(*) FROM order_lines WHERE warehouse IS NULL") == 1


async def test_it_is_not_split_before_it_is_tagged(orders: OrderStore, pool: Pool, stock: StockStore) -> None:
    await known(pool)
    await orders.register(ORDER, "run-1", NOW)
    with pytest.raises(NotTaggedYet, match="L1"):
        await orders.settle(PAID)
    assert (await orders.retag(ORDER.order_no)).untagged == (Untagged(line_id="L1", sku="A"),)
    assert await pool.fetchval("SELECT count(*) FROM child_orders") == 0
    await known(pool, "WH-7")
    tagged = await orders.retag(ORDER.order_no)
    assert tagged.untagged == () and [line.tags.warehouse for line in tagged.priced.lines] == ["WH-7", "WH-2"]
    assert tagged.priced.lines[0].tags.supplier == "ACME"
    await orders.write(a_write(payment=a_payment()))
    settled = await orders.settle(PAID.model_copy(update={"write": a_write(seq=2, payment=a_payment())}))
    assert {child.warehouse for child in settled.children} == {"WH-7", "WH-2"}
    assert await pool.fetchval("SELECT paid_minor FROM orders") == 10_200, "booked once"


async def test_tags_once_found_stay(orders: OrderStore, pool: Pool) -> None:
    await known(pool)
    await orders.register(ORDER, "run-1", NOW)
    await known(pool, "WH-7")
    first = await orders.retag(ORDER.order_no)
    await known(pool, "WH-8")
    assert await orders.retag(ORDER.order_no) == first
