"""Assessments under one lock a buyer: limits count together, whoever is quicker, and nothing counts twice (R38)."""

import asyncio
from datetime import date, timedelta

import pytest

from domain.catalog.records import CustomsMode, SkuRecord, Tax
from domain.fulfilment.clearance import Assessment
from domain.fulfilment.customs import CustomsDecision, Parameters
from domain.order import Buyer, OrderLine, SkuTags
from domain.policy import Policy
from domain.records import ChildPlan, SettlePayment
from domain.states import ChildStatus
from store.errors import NoSuchOrder
from store.orders.customs import CustomsStore
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.catalog import CatalogStore
from store.stock.ledger import StockStore
from tests.store.examples import NOW, a_payment, a_write, an_order

RATES = Tax(vat_bp=1300, ct_bp=0, tariff_bp=1000, postal_bp=2000)
BUYER = Buyer(buyer_id="b-1", identity_ref="sha256:1f2e")


@pytest.fixture
def customs(pool: Pool) -> CustomsStore:
    return CustomsStore(pool)


class Shop:
    """Sells PERFUME from as many warehouses as an order has lines."""

    def __init__(self, pool: Pool) -> None:
        self.orders, self.catalog = OrderStore(pool), CatalogStore(pool)

    async def sells(
        self, number: str, *prices: int, mode: CustomsMode = "cbec", buyer: Buyer = BUYER, qty: int = 1
    ) -> tuple[ChildPlan, ...]:
        """A paid order: a child for each price, `qty` units each."""
        await self.catalog.put([SkuRecord(sku="PERFUME", ship_from=("BW-1",), customs="cbec", tax=RATES)], "t", NOW)
        await StockStore(self.orders._pool).receive("PERFUME", "BW-0", 100, f"GR-{number}")
        lines = tuple(
            OrderLine(
                line_id=f"L{n}", sku="PERFUME", qty=qty, unit_price_minor=price,
                tags=SkuTags(warehouse=f"BW-{n}", customs=mode),
            )
            for n, price in enumerate(prices)
        )  # fmt: skip
        payable = sum(prices) * qty
        order = an_order(number, lines=lines, freight=(), payable_minor=payable, buyer=buyer)
        await self.orders.register(order, "run-1", NOW)
        payment = a_payment(number, amount=payable)
        return (
            await self.orders.settle(SettlePayment(write=a_write(number, payment=payment), policy=Policy()))
        ).children


@pytest.fixture
def shop(pool: Pool) -> Shop:
    return Shop(pool)


async def assessed(customs: CustomsStore, order_no: str, n: int = 1, days: int = 0) -> Assessment:
    return await customs.assess(order_no, f"{order_no}-{n:02d}", NOW + timedelta(days=days))


async def used(pool: Pool) -> int:
    return int(await pool.fetchval("SELECT coalesce(sum(used_minor), 0) FROM customs_years"))


async def test_a_child_that_crosses_the_border_waits_for_customs_and_one_without_stock_for_stock_first(
    shop: Shop,
) -> None:
    children = await shop.sells("SO-CB-1", 100_000, 100_000)
    assert [(c.customs, c.status) for c in children] == [
        ("cbec", ChildStatus.CUSTOMS_HOLD), ("cbec", ChildStatus.BACKORDER),
    ]  # fmt: skip


async def test_within_the_limits_it_is_taxed_declared_and_counted_once(
    shop: Shop, customs: CustomsStore, pool: Pool
) -> None:
    await shop.sells("SO-CB-1", 100_000)
    first = await assessed(customs, "SO-CB-1")
    assert (first.decision, first.tax_minor, first.identity) == (CustomsDecision.CBEC_70PCT, 9_100, "sha256:1f2e")
    assert first.product_fee_minor + first.transport_fee_minor == 100_000
    assert await assessed(customs, "SO-CB-1") == first
    await customs.declared("SO-CB-1-01", "15001", NOW)
    assert await assessed(customs, "SO-CB-1") == first
    assert await used(pool) == 100_000


async def test_two_children_of_one_order_are_both_held_when_together_they_pass_the_limit(
    shop: Shop, customs: CustomsStore, pool: Pool
) -> None:
    await shop.sells("SO-CB-1", 300_000, 200_001)
    for n in (1, 2):
        found = await assessed(customs, "SO-CB-1", n)
        assert not found.may_go and "500001 together" in found.why
    assert await used(pool) == 0


async def test_orders_of_one_buyer_on_one_day_count_together_and_on_the_next_day_no_more(
    shop: Shop, customs: CustomsStore
) -> None:
    for number in ("SO-CB-1", "SO-CB-2"):
        await shop.sells(number, 260_000)
    assert (await assessed(customs, "SO-CB-1")).may_go
    assert not (await assessed(customs, "SO-CB-2")).may_go
    assert (await assessed(customs, "SO-CB-2", days=1)).may_go


async def test_another_buyer_is_another_matter(shop: Shop, customs: CustomsStore) -> None:
    await shop.sells("SO-CB-1", 260_000)
    await shop.sells("SO-CB-2", 260_000, buyer=Buyer(buyer_id="b-2"))
    assert (await assessed(customs, "SO-CB-1")).may_go
    second = await assessed(customs, "SO-CB-2")
    assert second.may_go and second.identity == "b-2"


async def test_racing_declarations_never_pass_the_annual_limit(shop: Shop, customs: CustomsStore, pool: Pool) -> None:
    numbers = [f"SO-CB-{n}" for n in range(8)]
    for number in numbers:
        await shop.sells(number, 450_000)
    found = await asyncio.gather(*(assessed(customs, number, days=n) for n, number in enumerate(numbers)))
    assert [f.may_go for f in found].count(True) == 5
    assert await used(pool) == 5 * 450_000


async def test_the_annual_limit_begins_anew_with_the_year_in_shanghai(
    shop: Shop, customs: CustomsStore, pool: Pool
) -> None:
    await pool.execute("INSERT INTO customs_years VALUES ('sha256:1f2e', 2026, 2600000)")
    await shop.sells("SO-CB-1", 100)
    assert not (await assessed(customs, "SO-CB-1")).may_go
    days = (date(2027, 1, 1) - NOW.date()).days
    assert (await assessed(customs, "SO-CB-1", days=days)).may_go


async def test_what_is_withdrawn_counts_no_more(shop: Shop, customs: CustomsStore, pool: Pool) -> None:
    for number in ("SO-CB-1", "SO-CB-2"):
        await shop.sells(number, 260_000)
    await assessed(customs, "SO-CB-1")
    for _ in "twice":
        await customs.withdraw("SO-CB-1-01", NOW)
    assert await used(pool) == 0
    assert (await assessed(customs, "SO-CB-2")).may_go


async def test_a_rate_that_nobody_knows_holds_the_child_until_the_catalogue_has_it(
    shop: Shop, customs: CustomsStore
) -> None:
    tags = SkuTags(warehouse="W", customs="cbec")
    lines = (OrderLine(line_id="L1", sku="NEW", qty=1, unit_price_minor=5, tags=tags),)
    await shop.orders.register(an_order("SO-CB-9", lines=lines, freight=(), payable_minor=5), "run-1", NOW)
    write = a_write("SO-CB-9", payment=a_payment("SO-CB-9", amount=5))
    await shop.orders.settle(SettlePayment(write=write, policy=Policy()))
    held = await assessed(customs, "SO-CB-9")
    assert not held.may_go and "SKU NEW has no ct_bp" in held.why
    await shop.catalog.put([SkuRecord(sku="NEW", ship_from=("W",), customs="cbec", tax=RATES)], "t", NOW)
    assert (await assessed(customs, "SO-CB-9")).may_go


async def test_published_values_count_from_their_day_on(shop: Shop, customs: CustomsStore, pool: Pool) -> None:
    day = (NOW + timedelta(days=1)).date()
    values = Parameters(valid_from=day, single_limit_minor=1_000_000, annual_limit_minor=2_600_000)
    await customs.publish(values, "anna", NOW)
    await shop.sells("SO-CB-1", 300_000, qty=2)
    assert not (await assessed(customs, "SO-CB-1")).may_go
    assert (await assessed(customs, "SO-CB-1", days=1)).may_go
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'customs.publish'") == 1


async def test_a_child_that_stays_inside_the_country_has_nothing_to_assess(shop: Shop, customs: CustomsStore) -> None:
    await shop.sells("SO-CB-1", 100, mode="domestic")
    with pytest.raises(NoSuchOrder):
        await assessed(customs, "SO-CB-1")
