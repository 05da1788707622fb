"""What the books keep of a case: goods, waybills, scans, one story, linked cases."""

from datetime import timedelta
from typing import Any, Literal

import pytest

from domain.records import AuditEntry, StockMove
from domain.returns import ledger
from domain.returns.enums import Acceptance, CaseStatus, Grade, Reason, Reception, ReturnType
from domain.returns.models import CaseUnit, Parcel, ScanRecord, TimelineRecord
from domain.states import ChildStatus, RefundStatus
from domain.units import UnitRange
from store.errors import RefundExceedsUnits, StockWouldGoNegative
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import NoSuchReturn, ReturnRefused
from store.stock.ledger import StockBalance, StockStore
from tests.store.cases import LATER, a_case, a_case_write, an_arrived_order
from tests.store.examples import NOW, a_refund, a_settled_order, a_write

S = CaseStatus


async def a_balance(stock: StockStore, sku: str = "A") -> StockBalance:
    [found] = await stock.show(sku)
    return found


# --- goods ------------------------------------------------------------------------------------------------------------


async def test_s25_frozen_on_approval_and_out_of_it_by_grade_each_move_once(
    returns: ReturnStore, stock: StockStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool, lines={"L1": 3})
    [origin] = case.origins
    assert (origin.sku, origin.warehouse, origin.units) == ("A", "WH-1", 3)
    place = (case.return_no, "L1")
    frozen = (ledger.freeze(*place, origin.sku, origin.warehouse, 3),)
    graded = tuple(ledger.grade(*place, n, "A", "WH-1", grade) for n, grade in enumerate(Grade))
    before = await a_balance(stock)
    for _ in range(2):
        await returns.write(a_case_write(seq=1, moves=frozen))
    assert await a_balance(stock) == StockBalance("A", "WH-1", before.available, 0, 0, 3, 0, 0)
    for seq in (2, 2, 3):
        await returns.write(a_case_write(seq=seq, moves=graded))
    assert await a_balance(stock) == StockBalance("A", "WH-1", before.available + 1, 0, 0, 0, 1, 1)


async def test_s24_closing_the_case_lets_the_goods_stay_with_the_buyer(
    returns: ReturnStore, stock: StockStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool, lines={"L1": 2})
    before = await a_balance(stock)
    await returns.write(a_case_write(seq=1, moves=(ledger.freeze(case.return_no, "L1", "A", "WH-1", 2),)))
    closing = (ledger.close(case.return_no, "L1", "A", "WH-1", 2),)
    await returns.write(a_case_write(seq=2, status=S.CLOSED_NOT_SENT, moves=closing))
    assert await a_balance(stock) == before


async def test_no_more_comes_back_than_had_left(returns: ReturnStore, pool: Pool, order: str) -> None:
    case = await a_case(returns, pool)
    with pytest.raises(StockWouldGoNegative):
        await returns.write(a_case_write(moves=(ledger.freeze(case.return_no, "L1", "A", "WH-1", 4),)))


async def test_after_an_exchange_the_other_article_is_what_may_come_back(
    returns: ReturnStore, stock: StockStore, pool: Pool, order: str
) -> None:
    await stock.receive("A-LARGE", "WH-9", 1, "GR-9")
    case = await a_case(
        returns, pool, type=ReturnType.EXCHANGE, lines={"L1": 1}, reason=Reason.SIZE_DOES_NOT_FIT,
        replacements={"L1": "A-LARGE"},
    )  # fmt: skip
    sent = ("A-LARGE", "WH-9", 1)
    moves = (ledger.reserve(case.return_no, "L1", *sent), ledger.ship(case.return_no, "L1", *sent))
    await returns.write(a_case_write(status=S.EXCHANGED, moves=moves, ended=True))
    again = await a_case(returns, pool, "RT-AGAIN", lines={"L1": 2})
    assert [(o.first_unit, o.units, o.sku, o.warehouse) for o in again.origins] == [
        (0, 1, "A-LARGE", "WH-9"),
        (1, 1, "A", "WH-1"),
    ]


async def test_goods_are_counted_where_they_left_from_whatever_the_workflow_believes(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    """A line of three that left from two warehouses, none of them the line's own."""
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2"), ("A", "WH-7"), ("A", "WH-8")):
        await stock.receive(sku, warehouse, 10, f"GR-{sku}-{warehouse}")
    settled = await a_settled_order(orders)
    child = settled.children[0].child_no
    await pool.execute("UPDATE child_lines SET qty = 2 WHERE child_no = $1", child)
    await pool.execute(
        "INSERT INTO child_lines (order_no, child_no, line_id, first_unit, qty) VALUES ($1, $2, 'L1', 2, 1)",
        settled.children[1].child_no.rpartition("-")[0],
        settled.children[1].child_no,
    )
    left = [(child, "WH-7", 2), (settled.children[1].child_no, "WH-8", 1)]
    moves = [
        StockMove(ref=f"{no}/L1", kind=kind, sku="A", warehouse=place, qty=qty)
        for no, place, qty in left
        for kind in LEFT
    ]
    await orders.write(a_write(seq=2, moves=tuple(moves)))
    case = await a_case(returns, pool, lines={"L1": 3})
    number = case.return_no
    for _ in range(2):
        await returns.write(a_case_write(seq=1, moves=(ledger.freeze(number, "L1", "A", "WH-1", 3),)))
        await returns.write(a_case_write(seq=2, moves=(ledger.grade(number, "L1", 2, "A", "WH-1", Grade.GOOD),)))
        await returns.write(a_case_write(seq=3, moves=(ledger.close(number, "L1", "A", "WH-1", 2),)))
    found = {b.warehouse: (b.available, b.shipped, b.frozen) for b in await stock.show("A")}
    assert found == {"WH-1": (7, 0, 0), "WH-7": (8, 2, 0), "WH-8": (10, 0, 0)}


async def test_what_is_missing_of_a_parcel_with_two_runs_of_a_line_are_its_last_units(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    order = await an_arrived_order(orders, stock)
    child = f"{order}-01"
    await pool.execute("UPDATE child_lines SET qty = 1 WHERE child_no = $1", child)
    await pool.execute("INSERT INTO child_lines VALUES ($1, $2, 'L1', 1, 2)", order, child)
    lost = StockMove(ref=f"{child}/L1~1", kind="unship", sku="A", warehouse="WH-1", qty=1)
    await orders.write(a_write(order, seq=3, moves=(lost,)))
    case = await a_case(returns, pool, lines={"L1": 2})
    assert case.units == (UnitRange(line_id="L1", first_unit=0, units=2),)
    with pytest.raises(ReturnRefused, match="QTY_EXCEEDED"):
        await a_case(returns, pool, "RT-MORE", lines={"L1": 1})


LEFT: tuple[Literal["reserve", "ship"], ...] = ("reserve", "ship")


# --- parcels that the order itself gave back --------------------------------------------------------------------------


async def test_units_of_cancelled_and_short_picked_parcels_are_nobodys_to_return(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    for sku, warehouse in (("A", "WH-1"), ("B", "WH-2")):
        await stock.receive(sku, warehouse, 10, f"GR-{sku}")
    settled = await a_settled_order(orders)
    first, second = settled.children
    refunds = (
        a_refund("R-SHORT", 2_040, RefundStatus.REQUESTED, L1=1).model_copy(update={"children": (first.child_no,)}),
        a_refund("R-GONE", 4_080, RefundStatus.REQUESTED, L2=2).model_copy(update={"children": (second.child_no,)}),
    )
    place = {"ref": f"{first.child_no}/L1", "sku": "A", "warehouse": "WH-1"}
    moves = [
        StockMove.model_validate({**place, "kind": kind, "qty": qty}) for kind, qty in (("ship", 2), ("write_off", 1))
    ]
    states = [(first, ChildStatus.SIGNED), (second, ChildStatus.CANCELLED)]
    children = [{"child_no": c.child_no, "status": status} for c, status in states]
    await orders.write(a_write(seq=2, refunds=refunds, moves=tuple(moves), children=tuple(map(a_state, children))))
    whole = await a_case(returns, pool, lines={"L1": 2})
    assert whole.units == (UnitRange(line_id="L1", first_unit=0, units=2),)
    for lines in ({"L1": 1}, {"L2": 1}):
        with pytest.raises(ReturnRefused, match="QTY_EXCEEDED"):
            await a_case(returns, pool, f"RT-MORE-{next(iter(lines))}", lines=lines)
    with pytest.raises(RefundExceedsUnits):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-TWICE", 0, RefundStatus.REQUESTED, L2=1),)))


def a_state(fields: dict[str, Any]) -> Any:
    from domain.records import ChildState

    return ChildState(**fields, signed_at=NOW)


async def test_waiting_parcels_are_cancelled_whole_and_claimed(
    returns: ReturnStore, orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await stock.receive("A", "WH-1", 1, "GR-A")
    await stock.receive("B", "WH-2", 5, "GR-B")
    await a_settled_order(orders)  # L1: one unit there, two on backorder
    cancel: dict[str, Any] = {
        "type": ReturnType.CANCEL_UNSHIPPED,
        "reason": Reason.CANCEL_UNSHIPPED,
        "evidence": (),
    }
    case = await a_case(returns, pool, lines={"L1": 2}, **cancel)
    assert case.unshipped
    assert case.units == (UnitRange(line_id="L1", first_unit=1, units=2),)
    assert case.origins == ()
    rest = await a_case(returns, pool, "RT-REST", lines={"L1": 1, "L2": 2}, **cancel)
    assert rest.quote.total_minor + case.quote.total_minor == 10_200


# --- waybills, scans, story -------------------------------------------------------------------------------------------


async def test_one_package_brings_back_two_cases_and_a_person_is_told_once(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool)
    await a_case(returns, pool, "RT-OTHER")
    parcel = Parcel(carrier="sf", waybill_no="SF100")
    for seq in (1, 2):
        await returns.write(a_case_write(seq=seq, parcels=(parcel,)))
    await returns.write(a_case_write("RT-OTHER", parcels=(Parcel(carrier="yto", waybill_no="SF100"),)))
    assert await returns.by_waybill("sf", "SF100") == "RT20261120"
    assert await returns.by_waybill("yto", "SF100") == "RT-OTHER"
    assert await pool.fetchval("SELECT count(*) FROM tickets") == 0
    for seq in (2, 3):
        await returns.write(a_case_write("RT-OTHER", seq=seq, parcels=(parcel,)))
    (ticket,) = await pool.fetch("SELECT severity, step, error FROM tickets")
    assert (ticket["severity"], ticket["step"]) == ("info", "shared package")
    assert "RT20261120" in ticket["error"] and "RT-OTHER" in ticket["error"]
    assert await returns.by_waybill(None, "SF999") is None


async def test_a_cases_task_that_is_done_again_with_fewer_writes_wins_because_it_is_later(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool)
    unit = CaseUnit(line_id="L1", unit=0, reception=Reception.IN_TRANSIT, acceptance=Acceptance.PENDING)
    at = LATER + timedelta(hours=1)
    await returns.write(a_case_write(seq=3, at=at))
    await returns.write(a_case_write(seq=4, at=at, units=(unit,)))
    received = unit.model_copy(update={"reception": Reception.RECEIVED})
    again: dict[str, Any] = {"at": at + timedelta(seconds=10), "status": S.RECEIVED, "ended": True}
    await returns.write(a_case_write(seq=3, units=(received,), **again))
    row = await pool.fetchrow("SELECT seq, status, ended_at IS NOT NULL FROM return_cases")
    assert row is not None and tuple(row) == (3, "RECEIVED", True)
    assert await pool.fetchval("SELECT reception FROM return_units WHERE line_id = 'L1' AND unit = 0") == "RECEIVED"


async def test_one_story_for_all_roles_whatever_is_repeated(returns: ReturnStore, pool: Pool, order: str) -> None:
    await a_case(returns, pool)
    scan = ScanRecord(
        scan_id="s-1", scanned="RC-1", result="RESTOCK", line_id="L1", unit=0, grade=Grade.GOOD, by="u-wh", at=LATER
    )
    write = a_case_write(
        seq=2,
        status=S.INSPECTED,
        units=(
            CaseUnit(
                line_id="L1", unit=0, reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED, grade=Grade.GOOD
            ),
        ),
        scans=(scan,),
        timeline=(
            TimelineRecord(actor="u-sup", role="CS_SUPERVISOR", action="approve", to_status=S.WAITING_RETURN),
            TimelineRecord(actor="u-wh", role="WAREHOUSE", action="inspect", from_status=S.RECEIVED),
        ),
        audit=(AuditEntry(actor="u-sup", action="return.approve", detail={"return_no": "RT20261120"}),),
    )
    for again in (write, write, a_case_write(seq=1, status=S.WAITING_RETURN)):
        await returns.write(again)
    seen = await returns.view("RT20261120")
    assert seen is not None
    assert (seen.status, [line.action for line in seen.timeline]) == (
        S.INSPECTED,
        ["return.apply", "approve", "inspect"],
    )
    assert [unit.grade for unit in seen.units] == [Grade.GOOD]
    assert await pool.fetchval("SELECT count(*) FROM return_scans") == 1
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'return.approve'") == 1
    assert [v.return_no for v in await returns.list(order_no=order)] == ["RT20261120"]


async def test_a_case_that_is_not_there_takes_no_writes(returns: ReturnStore) -> None:
    assert await returns.view("RT-NOBODY") is None
    with pytest.raises(NoSuchReturn):
        await returns.write(a_case_write("RT-NOBODY"))


async def test_a_write_done_again_that_tells_something_else_drops_no_line(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool, lines={"L1": 2})
    said = [
        TimelineRecord(actor="u-wh", role="WAREHOUSE", action="scan", detail={"grade": g}) for g in ("good", "scrap")
    ]
    audit = [AuditEntry(actor="u-wh", action="return.refused", detail={"code": code}) for code in ("A", "B")]
    for line, entry in zip((*said, *said), (*audit, *audit), strict=True):
        await returns.write(a_case_write(seq=1, timeline=(line,), audit=(entry,)))
    seen = await returns.view("RT20261120")
    assert seen is not None
    assert [x.detail for x in seen.timeline if x.action == "scan"] == [{"grade": "good"}, {"grade": "scrap"}]
    kept = await pool.fetch("SELECT detail FROM audit WHERE action = 'return.refused' ORDER BY id")
    assert [row["detail"]["code"] for row in kept] == ["A", "B"]
