"""Units that after-sales cases have, had, or let go."""

from datetime import timedelta
from typing import Any

import pytest

from domain.ownership import OwnerFault
from domain.records import StockMove
from domain.returns.enums import Acceptance, CaseStatus, Reception, ReturnType
from domain.returns.models import Admitted, CaseUnit
from domain.returns.records import ReserveRefund
from domain.units import UnitRange
from store.orders.orders import OrderStore
from store.pool import Pool
from store.returns import ReturnStore
from store.stock.ledger import StockStore
from tests.store.cases import LATER, a_case, a_case_write, an_arrived_order
from tests.store.ownership.books import found, names

RETURN = "RT20261120"
HELD = 2_040
"""What the unit cost."""


@pytest.fixture
async def case(orders: OrderStore, stock: StockStore, pool: Pool) -> Admitted:
    """One unit of L1, which the buyer has had."""
    await an_arrived_order(orders, stock)
    return await a_case(ReturnStore(pool), pool)


async def moves_on(pool: Pool, seq: int, **changes: Any) -> None:
    await ReturnStore(pool).write(a_case_write(seq=seq, **changes))


def received(case: Admitted) -> dict[str, Any]:
    (run,) = case.units
    unit = CaseUnit(
        line_id=run.line_id, unit=run.first_unit, reception=Reception.RECEIVED, acceptance=Acceptance.ACCEPTED
    )
    freeze = StockMove(ref=f"{RETURN}/L1", kind="freeze", sku="A", warehouse="WH-1", qty=1)
    return {"units": (unit,), "moves": (freeze,), "reception": Reception.RECEIVED, "status": CaseStatus.RECEIVED}


def reserve(case: Admitted, amount: int, units: tuple[UnitRange, ...] | None = None) -> ReserveRefund:
    return ReserveRefund(
        return_no=RETURN, accepted=units or case.units, amount_minor=amount, reason="back",
        at=LATER + timedelta(minutes=5),
    )  # fmt: skip


async def test_an_open_case_owns_its_units(pool: Pool, case: Admitted) -> None:
    assert await found(pool) == []


async def test_units_that_came_back_are_the_cases_while_it_is_open(pool: Pool, case: Admitted) -> None:
    await moves_on(pool, 1, **received(case))
    assert await found(pool) == []


async def test_a_case_that_paid_less_than_the_unit_cost_keeps_the_rest_by_its_approval(
    pool: Pool, case: Admitted
) -> None:
    await moves_on(pool, 1, **received(case))
    await ReturnStore(pool).reserve_refund(reserve(case, HELD - 100))
    await moves_on(pool, 2, status=CaseStatus.REFUNDED, ended=True)
    assert await found(pool) == []


async def test_a_case_that_ended_without_paying_what_came_back_leaves_it_to_nobody(pool: Pool, case: Admitted) -> None:
    await moves_on(pool, 1, **received(case))
    await moves_on(pool, 2, status=CaseStatus.REJECTED, ended=True)
    (run,) = case.units
    assert await names(pool) == [(OwnerFault.CAME_BACK, "L1", str(run.first_unit))]


async def test_a_case_that_ended_unsent_leaves_the_unit_with_the_buyer(pool: Pool, case: Admitted) -> None:
    await moves_on(pool, 1, status=CaseStatus.CLOSED_NOT_SENT, ended=True)
    assert await found(pool) == []


async def test_a_payout_that_a_person_took_over_owns_its_units(pool: Pool, case: Admitted) -> None:
    await moves_on(pool, 1, **received(case))
    await moves_on(pool, 2, status=CaseStatus.REFUND_FAILED, ended=True)
    assert await found(pool) == []


async def test_a_unit_whose_money_went_back_while_the_buyer_keeps_it_has_one_owner(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await an_arrived_order(orders, stock)
    case = await a_case(ReturnStore(pool), pool, type=ReturnType.REFUND_ONLY)
    await ReturnStore(pool).reserve_refund(reserve(case, HELD))
    assert await found(pool) == []


async def test_a_unit_that_left_after_a_case_paid_it_has_two_owners(
    orders: OrderStore, stock: StockStore, pool: Pool
) -> None:
    await an_arrived_order(orders, stock)
    case = await a_case(ReturnStore(pool), pool, type=ReturnType.REFUND_ONLY)
    await ReturnStore(pool).reserve_refund(reserve(case, HELD))
    # The ledger only grows: the moment of leaving is moved by hand, past its guard.
    await pool.execute("ALTER TABLE stock_moves DISABLE TRIGGER stock_moves_only_grow")
    await pool.execute("UPDATE stock_moves SET at = $1 WHERE kind = 'ship'", LATER + timedelta(hours=1))
    assert [name for name, *_ in await names(pool)] == [OwnerFault.REFUNDED_AND_LEFT]
