"""Orders come into the books once, priced by us, or not at all."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.catalog.records import SkuRecord
from domain.order import FreightCharge, OrderLine, SkuTags
from domain.policy import Policy
from store.errors import (
    CurrencyNotAccepted,
    DuplicateOrder,
    InvalidOrder,
    OrderRefused,
    PayableMismatch,
    UnknownSku,
)
from store.orders.orders import OrderStore
from store.pool import Pool
from store.rules.policies import PolicyStore
from store.stock.catalog import CatalogStore
from tests.store.examples import NOW, PAYABLE, an_order

COLD = (
    OrderLine(line_id="L1", sku="A", qty=1, unit_price_minor=100, tags=SkuTags(warehouse="WH-1", logistics="coold")),
)
UNTAGGED = (
    OrderLine(line_id="L1", sku="A", qty=1, unit_price_minor=100),
    OrderLine(line_id="L2", sku="NOT-THERE", qty=1, unit_price_minor=100),
    OrderLine(line_id="L3", sku="NOR-THIS", qty=1, unit_price_minor=100),
)


async def test_an_order_is_registered_with_its_price_policy_and_deadline(orders: OrderStore) -> None:
    registered = await orders.register(an_order(), "run-1", NOW)
    assert registered.priced.payable_minor == PAYABLE
    assert registered.policy == Policy()
    assert registered.pay_deadline == NOW + timedelta(minutes=30)
    assert await orders.start("SO20261120") == an_order()


async def test_a_flash_order_has_the_shorter_deadline(orders: OrderStore) -> None:
    registered = await orders.register(an_order(kind="flash"), "run-1", NOW)
    assert registered.pay_deadline == NOW + timedelta(minutes=15)


async def test_the_same_run_registering_again_gets_the_same_answer(orders: OrderStore, pool: Pool) -> None:
    first = await orders.register(an_order(), "run-1", NOW)
    await PolicyStore(pool).publish(Policy(payment_timeout_s=60), "ops")
    assert await orders.register(an_order(), "run-1", NOW + timedelta(hours=1)) == first


async def test_another_run_may_not_take_the_order_number(orders: OrderStore) -> None:
    await orders.register(an_order(), "run-1", NOW)
    with pytest.raises(DuplicateOrder):
        await orders.register(an_order(), "run-2", NOW)


async def test_the_same_run_may_not_bring_another_order_under_the_number(orders: OrderStore) -> None:
    await orders.register(an_order(), "run-1", NOW)
    with pytest.raises(DuplicateOrder):
        await orders.register(an_order(channel_order_no="C-OTHER"), "run-1", NOW)


async def test_a_channel_number_is_taken_by_one_order_and_the_refusal_names_it(orders: OrderStore) -> None:
    await orders.register(an_order("SO-ONE-1", channel_order_no="C-9"), "run-1", NOW)
    with pytest.raises(DuplicateOrder, match="SO-ONE-1"):
        await orders.register(an_order("SO-TWO-2", channel_order_no="C-9"), "run-2", NOW)
    await orders.register(an_order("SO-TWO-2", channel="mini-app", channel_order_no="C-9"), "run-2", NOW)


async def test_of_racing_registrations_one_wins(orders: OrderStore) -> None:
    tasks = [orders.register(an_order(channel_order_no="C-9"), f"run-{n}", NOW) for n in range(8)]
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    assert sum(isinstance(a, DuplicateOrder) for a in answers) == 7


async def test_lines_without_tags_are_looked_up_and_all_unknown_skus_are_listed(orders: OrderStore, pool: Pool) -> None:
    await CatalogStore(pool).put([SkuRecord(sku="A", ship_from=("WH-9",))], "anna", NOW)
    with pytest.raises(UnknownSku) as refusal:
        await orders.register(an_order(lines=UNTAGGED, freight=(), payable_minor=300), "run-1", NOW)
    assert refusal.value.skus == ("NOT-THERE", "NOR-THIS")


async def test_later_catalogue_changes_do_not_reach_a_registered_order(orders: OrderStore, pool: Pool) -> None:
    catalogue = CatalogStore(pool)
    await catalogue.put([SkuRecord(sku="A", ship_from=("WH-9",))], "anna", NOW)
    order = an_order(lines=UNTAGGED[:1], freight=(), payable_minor=100)
    first = await orders.register(order, "run-1", NOW)
    await catalogue.put([SkuRecord(sku="A", ship_from=("WH-1",))], "anna", NOW)
    assert await orders.register(order, "run-1", NOW) == first
    assert first.priced.lines[0].tags.warehouse == "WH-9"


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"payable_minor": PAYABLE - 1}, PayableMismatch),
        ({"currency": "USD"}, CurrencyNotAccepted),
        ({"lines": UNTAGGED}, UnknownSku),
        ({"lines": COLD}, InvalidOrder),
        ({"freight": (FreightCharge(amount_minor=200, lines=()),)}, InvalidOrder),
    ],
)
async def test_a_refused_registration_changes_nothing(
    orders: OrderStore, pool: Pool, changes: dict[str, Any], refusal: type[OrderRefused]
) -> None:
    with pytest.raises(refusal):
        await orders.register(an_order(**changes), "run-1", NOW)
    for table in ("orders", "order_lines", "policies", "audit"):
        assert await pool.fetchval(f"SELECT count(*) FROM {table}") == 0  # noqa: S608


async def test_an_order_of_ten_thousand_lines_is_registered_and_read_back_whole(orders: OrderStore) -> None:
    lines = tuple(
        OrderLine(line_id=f"L{n}", sku=f"S{n % 50}", qty=1, unit_price_minor=n, tags=SkuTags(warehouse=f"W{n % 3}"))
        for n in range(10_000)
    )
    order = an_order(lines=lines, freight=(), payable_minor=sum(range(10_000)))
    assert await orders.register(order, "run-1", NOW) == await orders.register(order, "run-1", NOW)
