"""Two want the same parcel stopped: the warehouse is asked by one of them at a time, and what stands still is his."""

from datetime import timedelta
from typing import Any, TypeVar

import pytest
from temporalio.client import WorkflowUpdateHandle, WorkflowUpdateStage

from bench.scenarios.environment import Servers
from bench.scenarios.environment.return_case import Case, case_of
from domain.catalog.records import SkuRecord
from domain.facts import Kind
from domain.order import OrderLine
from domain.returns.enums import ReturnType
from store.errors import UnitsNotThere
from store.orders.orders import OrderStore
from tests.scenarios.children import ADDRESS, CHILD, Desk, desk, line
from workflows.order.changes.messages import AddressChanged, ChangeAddress
from workflows.order.messages import Cancelled, CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

ONE = (line(1),)
DROPSHIP = SkuRecord(sku="SKU-1", ship_from=("SUP-A",), supplier="ACME")
Answer = TypeVar("Answer")
NEW = ADDRESS.model_copy(update={"street": "延安路 9 号"})


def untagged(qty: int) -> OrderLine:
    return OrderLine(line_id="L1", sku="SKU-1", qty=qty, unit_price_minor=1_000)


async def begun(d: Desk, update: str, message: Any, answer: type[Any]) -> WorkflowUpdateHandle[Any]:
    """Asked for, and not answered yet."""
    asked: WorkflowUpdateHandle[Any] = await d.life.handle.start_update(
        update, message, result_type=answer, wait_for_stage=WorkflowUpdateStage.ACCEPTED
    )
    await d.house.rest()
    return asked


async def moving(d: Desk) -> WorkflowUpdateHandle[AddressChanged]:
    return await begun(
        d, "change_address", ChangeAddress(address=NEW, by="u-cs", remark="the buyer has moved"), AddressChanged
    )


async def cancelling(d: Desk) -> WorkflowUpdateHandle[Cancelled]:
    return await begun(d, "cancel", CancelOrder(by="b-1", reason="not wanted any more"), Cancelled)


async def answered(d: Desk, asked: WorkflowUpdateHandle[Answer]) -> Answer:
    answer = await asked.result()
    await d.house.rest()
    return answer


async def not_wanted(d: Desk, lines: dict[str, int]) -> Case:
    case = await case_of(d.life, ReturnType.CANCEL_UNSHIPPED, lines, images=0)
    await case.apply()
    return case


def stops(d: Desk) -> list[str]:
    """Which children the warehouse was asked to stop, in turn."""
    return [attempt.key for attempt in d.house.systems.of("wms.cancel")]


async def test_a_case_waits_for_a_change_of_address_and_stops_the_child_that_it_makes(servers: Servers) -> None:
    async with desk(servers, *ONE) as d:
        d.house.systems.intercepts[CHILD[1]] = "pending"
        moved = await moving(d)
        case = await not_wanted(d, {"L1": 1})
        assert stops(d) == [CHILD[1]]
        await d.life.happens(Kind.INTERCEPTED, 1)
        assert (await answered(d, moved)).changed == (CHILD[2],)
        assert (await d.statuses(), stops(d)) == ({1: "CANCELLED", 2: "CANCELLED"}, [CHILD[1], CHILD[2]])
        await case.decide("u-sup")
        assert list(d.house.systems.refunds) == [f"R{case.return_no}"]
        assert (await d.life.detail()).order.status == "CLOSED"


async def test_a_case_that_cannot_stop_the_child_made_for_the_address_pays_nothing_for_it(servers: Servers) -> None:
    async with desk(servers, *ONE) as d:
        d.house.systems.intercepts |= {CHILD[1]: "pending", CHILD[2]: "too_late"}
        moved = await moving(d)
        case = await not_wanted(d, {"L1": 1})
        await d.life.happens(Kind.INTERCEPTED, 1)
        await answered(d, moved)
        await case.decide("u-sup")
        await d.life.ships(2)
        assert (await d.statuses(), d.house.systems.refunds) == ({1: "CANCELLED", 2: "SHIPPED"}, {})


async def test_a_cancelled_order_leaves_to_a_case_what_the_books_hold_for_it(servers: Servers) -> None:
    """The order's refund of these units would be refused, and a person asked to pay what the case pays."""
    async with desk(servers, *ONE) as d:
        d.house.systems.intercepts[CHILD[1]] = "pending"
        asked = await cancelling(d)
        case = await not_wanted(d, {"L1": 1})
        await d.life.happens(Kind.INTERCEPTED, 1)
        assert (await answered(d, asked)).cancelled == ()
        await case.decide("u-sup")
        assert (stops(d), await d.steps()) == ([CHILD[1]], [])
        assert list(d.house.systems.refunds) == [f"R{case.return_no}"]


async def test_a_silent_supplier_and_a_cancelled_order_stop_and_refund_once(servers: Servers) -> None:
    async with desk(servers, untagged(1), catalogue=[DROPSHIP], extra_stock={("SKU-1", "SUP-A"): 1}) as d:
        paid = (await d.life.detail()).order.paid_minor
        d.house.systems.intercepts[CHILD[1]] = "pending"
        await d.house.pass_until(d.house.now() + timedelta(hours=24, minutes=5))
        await d.answer("supplier silent", "give_up")
        asked = await cancelling(d)
        await d.life.happens(Kind.INTERCEPTED, 1)
        assert (await answered(d, asked)).cancelled == ()
        assert (sum(d.house.systems.refunds.values()), stops(d), await d.steps()) == (paid, [CHILD[1]], [])


async def test_what_has_no_paper_yet_is_pushed_once_and_with_the_new_address(servers: Servers) -> None:
    """Its goods arrive while the change is under way."""
    goods = SkuRecord(sku="SKU-1", ship_from=("WH-1",))
    async with desk(servers, untagged(1), line(2, warehouse="WH-2"), catalogue=[goods]) as d:
        (waits,) = [n for n, status in (await d.statuses()).items() if status == "BACKORDER"]
        (other,) = [n for n in (1, 2) if n != waits]
        d.house.systems.intercepts[CHILD[other]] = "pending"
        moved = await moving(d)
        await d.house.receive("SKU-1", "WH-1", 1)
        await d.life.happens(Kind.STOCK_ARRIVED, waits)
        await d.life.happens(Kind.INTERCEPTED, other)
        assert set((await answered(d, moved)).changed) == {CHILD[waits], CHILD[3]}
        assert (stops(d), await d.statuses()) == (
            [CHILD[other]],
            {waits: "RELEASED", other: "CANCELLED", 3: "RELEASED"},
        )
        assert {d.house.systems.streets[CHILD[n]] for n in (waits, 3)} == {NEW.street}


async def test_a_cancelled_order_waits_for_a_stop_that_fails_and_asks_again(servers: Servers) -> None:
    """The case could not stop it then; whoever comes next may ask the warehouse anew."""
    async with desk(servers, *ONE) as d:
        d.house.systems.intercepts[CHILD[1]] = "pending"
        await not_wanted(d, {"L1": 1})
        asked = await cancelling(d)
        assert stops(d) == [CHILD[1]]
        await d.life.happens(Kind.INTERCEPT_REFUSED, 1)
        assert stops(d) == [CHILD[1], CHILD[1]]
        await d.life.ships(1)
        assert (await answered(d, asked)).too_late == (CHILD[1],)
        assert d.house.systems.refunds == {}


async def test_what_the_books_refuse_to_source_elsewhere_is_refunded_and_the_order_goes_on(
    servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(self: OrderStore, message: Any) -> Any:
        raise UnitsNotThere(CHILD[1])

    monkeypatch.setattr(OrderStore, "resource", refuse)
    async with desk(servers, line(1, 2)) as d:
        await d.life.happens(Kind.PICKING, 1, actual={"L1": 1})
        await d.life.ships(1)
        await d.answer("short pick", "retry")
        await d.answer("short pick", "give_up")
        assert len(d.house.systems.refunds) == 1
        assert "not sourced elsewhere" in await d.steps()
        assert (await d.statuses(), (await d.life.detail()).order.status) == ({1: "SHIPPED"}, "SHIPPED")
