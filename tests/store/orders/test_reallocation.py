"""Children made anew: units, money and stock go over together, or nothing does."""

from collections.abc import Sequence
from typing import Any

import pytest

from domain.fulfilment.reallocation import Handover, Held, Part, Replan, replanned, together
from domain.records import ChildPlan, ChildState, Priced, StockMove
from domain.states import ChildStatus
from domain.units import UnitRange
from store.errors import ChildNumberTaken, NotEnoughStock, RefundExceedsUnits, UnitsNotThere, UnitsPaidBack
from store.orders.lines import priced_of, read_rows
from store.orders.orders import OrderStore
from store.pool import Pool
from store.stock.ledger import StockStore
from tests.store.examples import PAYABLE, a_refund, a_settled_order, a_write

ORDER = "SO20261120"


def as_held(plans: Sequence[ChildPlan]) -> list[Held]:
    taken: dict[str, int] = {}
    found = []
    for plan in plans:
        runs = []
        for line_id, qty in plan.lines.items():
            runs.append(UnitRange(line_id=line_id, first_unit=taken.get(line_id, 0), units=qty))
            taken[line_id] = taken.get(line_id, 0) + qty
        found.append(Held(plan, plan.status, tuple(runs)))
    return found


def a_replan(price: Priced, old: Sequence[Held], parts: Sequence[Part], seq: int = 2, first: int = 9) -> Replan:
    """As the workflow would ask: old children end, their stock is free, new ones are there."""
    skus = {line.line_id: line.sku for line in price.lines}
    made = replanned(ORDER, price, old, parts, first, "resplit")
    moves = [
        StockMove(
            ref=f"{h.plan.child_no}/{run.line_id}", kind="release", sku=skus[run.line_id], warehouse=h.plan.warehouse,
            qty=run.units,
        )
        for h in old if h.status is not ChildStatus.BACKORDER for run in h.runs
    ]  # fmt: skip
    numbers = tuple(c.child_no for c in made)
    states = [
        ChildState(child_no=h.plan.child_no, status=ChildStatus.CANCELLED, replaced_by=numbers) for h in old
    ] + [ChildState(child_no=c.child_no, status=c.status) for c in made]  # fmt: skip
    return Replan(
        write=a_write(ORDER, seq, moves=tuple(moves), children=tuple(states)),
        handovers=tuple(Handover(child_no=h.plan.child_no, runs=h.runs, all_of_it=True, to=numbers) for h in old),
        children=made, because="resplit", remark="by hand",
    )  # fmt: skip


async def price_of(pool: Pool) -> Priced:
    async with pool.acquire() as connection:
        return priced_of(await read_rows(connection, ORDER))


async def children(orders: OrderStore) -> dict[str, Any]:
    detail = await orders.view(ORDER)
    assert detail is not None
    return {c["child_no"]: c for c in detail.children}


async def test_units_money_and_reservations_go_over_and_the_old_numbers_stay_to_be_found(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    await stock.receive("B", "WH-2", 2, "GR-2")
    old = as_held((await a_settled_order(orders)).children)
    message = a_replan(await price_of(pool), old[:1], [Part(lines={"L1": 1}), Part(lines={"L1": 2})])
    await orders.replan(message)
    await orders.replan(message)
    shown = await children(orders)
    assert sum(c["paid_minor"] for c in shown.values()) == PAYABLE
    assert [shown[f"{ORDER}-{n}"]["lines"] for n in ("09", "10")] == [{"L1": 1}, {"L1": 2}]
    gone = shown[f"{ORDER}-01"]
    assert (gone["status"], gone["paid_minor"], gone["lines"]) == ("CANCELLED", 0, {"L1": 3})
    assert gone["replaced_by"] == [f"{ORDER}-09", f"{ORDER}-10"]
    assert gone["planned_minor"] == old[0].plan.paid_minor
    assert shown[f"{ORDER}-09"]["replaces"] == [f"{ORDER}-01"]
    assert shown[f"{ORDER}-09"]["replan"]["remark"] == "by hand"
    assert {b.sku: (b.available, b.reserved) for b in await stock.show()} == {"A": (0, 3), "B": (0, 2)}
    found = await orders.view(f"{ORDER}-01")
    assert found is not None and found.order.order_no == ORDER


async def test_units_that_do_not_lie_side_by_side_ship_as_one_child(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    await stock.receive("B", "WH-2", 2, "GR-2")
    first = as_held((await a_settled_order(orders)).children)
    price = await price_of(pool)
    await orders.replan(a_replan(price, first[:1], [Part(lines={"L1": 1})] * 3))
    made = [
        Held(c, c.status, c.runs) for c in replanned(ORDER, price, first[:1], [Part(lines={"L1": 1})] * 3, 9, "resplit")
    ]
    outer = [made[0], made[2]]
    await orders.replan(a_replan(price, outer, [together(outer)], seq=3, first=12))
    shown = await children(orders)
    assert shown[f"{ORDER}-12"]["lines"] == {"L1": 2}
    assert shown[f"{ORDER}-12"]["paid_minor"] == made[0].plan.paid_minor + made[2].plan.paid_minor
    assert sum(c["paid_minor"] for c in shown.values()) == PAYABLE
    assert {b.sku: (b.available, b.reserved) for b in await stock.show()} == {"A": (0, 3), "B": (0, 2)}


async def test_without_stock_where_it_is_to_ship_from_nothing_changes(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    await stock.receive("B", "WH-2", 2, "GR-2")
    await stock.receive("A", "WH-2", 2, "GR-3")
    old = as_held((await a_settled_order(orders)).children)
    message = a_replan(await price_of(pool), old, [Part(lines={"L1": 3, "L2": 2}, warehouse="WH-2")])
    with pytest.raises(NotEnoughStock, match="A in WH-2"):
        await orders.replan(message)
    assert set(await children(orders)) == {f"{ORDER}-01", f"{ORDER}-02"}
    assert sum(b.reserved for b in await stock.show()) == 5


async def test_units_are_handed_over_by_who_has_them(orders: OrderStore, stock: StockStore, pool: Pool) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    old = as_held((await a_settled_order(orders)).children)
    message = a_replan(await price_of(pool), old[:1], [Part(lines={"L1": 3})])
    wrong = Handover(child_no=f"{ORDER}-02", runs=message.handovers[0].runs, all_of_it=True, to=("x",))
    with pytest.raises(UnitsNotThere):
        await orders.replan(message.model_copy(update={"handovers": (wrong,)}))


async def test_units_that_were_paid_back_go_into_no_new_child(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    old = as_held((await a_settled_order(orders)).children)
    refund = a_refund("R-1", L1=1).model_copy(update={"children": (f"{ORDER}-01",)})
    await orders.write(a_write(ORDER, 2, refunds=(refund,)))
    with pytest.raises(UnitsPaidBack, match="line L1"):
        await orders.replan(a_replan(await price_of(pool), old[:1], [Part(lines={"L1": 3})], seq=3))
    assert set(await children(orders)) == {f"{ORDER}-01", f"{ORDER}-02"}


async def test_a_child_whose_units_others_ship_is_not_paid_back(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 3, "GR-1")
    old = as_held((await a_settled_order(orders)).children)
    await orders.replan(a_replan(await price_of(pool), old[:1], [Part(lines={"L1": 3})]))
    refund = a_refund("R-1", L1=3).model_copy(update={"children": (f"{ORDER}-01",)})
    with pytest.raises(RefundExceedsUnits):
        await orders.write(a_write(ORDER, 3, refunds=(refund,)))


async def test_children_that_were_made_otherwise_under_the_same_numbers_are_not_taken_for_the_same_again(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    """As after a workflow task that was lost: what it has made is there, and its numbers are given again."""
    await stock.receive("A", "WH-1", 3, "GR-1")
    old = as_held((await a_settled_order(orders)).children)
    price = await price_of(pool)
    as_it_was = a_replan(price, old[:1], [Part(lines={"L1": 3})])
    await orders.replan(as_it_was)
    before = await children(orders)
    with pytest.raises(UnitsNotThere):
        await orders.replan(a_replan(price, old[:1], [Part(lines={"L1": 1}), Part(lines={"L1": 2})]))
    with pytest.raises(UnitsNotThere):
        await orders.replan(as_it_was.model_copy(update={"because": "as before"}))
    with pytest.raises(ChildNumberTaken):
        await orders.replan(a_replan(price, old[1:], [Part(lines={"L2": 2})]))
    assert await children(orders) == before
    await orders.replan(as_it_was)
    assert await children(orders) == before
