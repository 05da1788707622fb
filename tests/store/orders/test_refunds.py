"""Money back never exceeds money in, and success counts once."""

import asyncio

import asyncpg
import pytest

from domain.facts import Kind
from domain.refunds.states import STEPS, RefundStep
from domain.states import RefundStatus
from store.errors import OrderRefused, RefundChanged, RefundExceedsPaid, RefundExceedsUnits
from store.orders.orders import OrderStore
from store.pool import Pool
from tests.store.examples import PAYABLE, a_refund, a_settled_order, a_write

S = RefundStatus


@pytest.fixture
async def order(orders: OrderStore) -> str:
    await a_settled_order(orders)
    return "SO20261120"


async def money(pool: Pool) -> tuple[int, int, int]:
    row = await pool.fetchrow("SELECT paid_minor, refund_reserved_minor, refunded_minor FROM orders")
    assert row is not None
    return tuple(row)


async def test_of_24_refunds_at_once_only_as_many_as_were_paid_for_are_taken(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    writes = [a_write(seq=n + 2, refunds=(a_refund(f"R-{n}", 1_800),)) for n in range(24)]
    answers = await asyncio.gather(*(orders.write(w) for w in writes), return_exceptions=True)
    refused = [a for a in answers if a is not None]
    assert len(refused) == 24 - PAYABLE // 1_800
    assert all(isinstance(a, RefundExceedsPaid) for a in refused)
    assert await money(pool) == (PAYABLE, 9_000, 0)


async def test_the_same_refund_reserves_and_succeeds_once(orders: OrderStore, pool: Pool, order: str) -> None:
    statuses = (S.REQUESTED, S.ACCEPTED, S.SUCCEEDED)
    for _ in range(2):
        for seq, status in enumerate(statuses, start=2):
            await orders.write(a_write(seq=seq, refunds=(a_refund("R-1", 500, status),)))
    assert await money(pool) == (PAYABLE, 500, 500)


async def test_one_write_may_carry_the_whole_life_of_a_refund(orders: OrderStore, pool: Pool, order: str) -> None:
    write = a_write(seq=2, refunds=tuple(a_refund("R-1", 500, s) for s in (S.REQUESTED, S.ACCEPTED, S.SUCCEEDED)))
    await orders.write(write)
    await orders.write(write)
    assert await money(pool) == (PAYABLE, 500, 500)


async def test_nothing_follows_success(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 500, S.SUCCEEDED),)))
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 500, S.ABNORMAL),)))
    assert await pool.fetchval("SELECT status FROM refunds") == "SUCCEEDED"


async def test_a_late_write_does_not_take_a_refund_back(orders: OrderStore, pool: Pool, order: str) -> None:
    await orders.write(a_write(seq=2, refunds=(a_refund(),)))
    await orders.write(a_write(seq=5, refunds=(a_refund(status=S.ABNORMAL),)))
    await orders.write(a_write(seq=4, refunds=(a_refund(status=S.ACCEPTED),)))
    assert await pool.fetchval("SELECT status FROM refunds") == "ABNORMAL"


async def test_a_refund_taken_over_by_a_person_stays_reserved_and_only_success_ends_it(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 500), a_refund("R-1", 500, S.CLOSED))))
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 500, S.ACCEPTED),)))
    assert await money(pool) == (PAYABLE, 500, 0)
    await orders.write(a_write(seq=4, refunds=(a_refund("R-1", 500, S.SUCCEEDED),)))
    assert await money(pool) == (PAYABLE, 500, 500)


@pytest.mark.parametrize("changed", [a_refund("R-1", 501), a_refund("R-1", 500, L1=2)])
async def test_a_refund_number_keeps_its_amount_and_units(orders: OrderStore, order: str, changed: object) -> None:
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 500, L1=1),)))
    with pytest.raises(RefundChanged):
        await orders.write(a_write(seq=3, refunds=(changed,)))


async def test_a_refund_number_belongs_to_one_order(orders: OrderStore, order: str) -> None:
    await a_settled_order(orders, "SO-OTHER-1")
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 500),)))
    with pytest.raises(RefundChanged):
        await orders.write(a_write("SO-OTHER-1", seq=2, refunds=(a_refund("R-1", 500),)))


@pytest.mark.parametrize("units", [{"L1": 4}, {"L1": -1}, {"L9": 1}])
async def test_units_that_the_order_does_not_have_cannot_be_refunded(
    orders: OrderStore, pool: Pool, order: str, units: dict[str, int]
) -> None:
    with pytest.raises(RefundExceedsUnits):
        await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 100, RefundStatus.REQUESTED, **units),)))
    assert await money(pool) == (PAYABLE, 0, 0)


async def test_the_same_units_refunded_twice_at_once_are_refunded_once(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    writes = [a_write(seq=n, refunds=(a_refund(f"R-{n}", 100, L1=2),)) for n in (2, 3)]
    answers = await asyncio.gather(*(orders.write(w) for w in writes), return_exceptions=True)
    assert sum(isinstance(a, OrderRefused) for a in answers) == 1
    assert await pool.fetchval("SELECT refunded_units FROM order_lines WHERE line_id = 'L1'") == 2


async def test_an_unpaid_order_refunds_nothing(orders: OrderStore, pool: Pool, order: str) -> None:
    with pytest.raises(RefundExceedsPaid):
        await orders.write(a_write(seq=2, refunds=(a_refund("R-1", PAYABLE + 1),)))


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET refund_reserved_minor = paid_minor + 1",
        "UPDATE orders SET refunded_minor = refund_reserved_minor + 1",
        "UPDATE refunds SET amount_minor = amount_minor + 1",
        "UPDATE refunds SET status = 'REQUESTED'",
        "DELETE FROM refunds",
        "DELETE FROM payments",
        "UPDATE payments SET amount_minor = 1",
        "UPDATE order_lines SET refunded_units = qty + 1",
    ],
)
async def test_the_database_itself_refuses(orders: OrderStore, pool: Pool, order: str, statement: str) -> None:
    await orders.write(a_write(seq=2, refunds=(a_refund("R-1", 500, S.SUCCEEDED),)))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await pool.execute(statement)


async def test_a_second_shortage_of_a_parcel_takes_the_units_before_the_first(
    orders: OrderStore, pool: Pool, order: str
) -> None:
    for seq, number in enumerate(("R-1", "R-2", "R-3"), 2):
        refund = a_refund(number, L1=1).model_copy(update={"children": ("SO20261120-01",)})
        await orders.write(a_write(seq=seq, refunds=(refund,)))
    rows = await pool.fetch("SELECT holder, first_unit, units FROM unit_claims ORDER BY holder")
    assert [tuple(row) for row in rows] == [("R-1", 2, 1), ("R-2", 1, 1), ("R-3", 0, 1)]
    with pytest.raises(RefundExceedsUnits):
        refund = a_refund("R-4", L1=1).model_copy(update={"children": ("SO20261120-01",)})
        await orders.write(a_write(seq=9, refunds=(refund,)))


@pytest.mark.parametrize("step", STEPS, ids=str)
async def test_the_database_takes_every_step_of_the_table(
    orders: OrderStore, pool: Pool, order: str, step: RefundStep | Kind
) -> None:
    for before in STEPS[step].before:
        number = f"R-{before}"
        await orders.write(a_write(seq=2, refunds=(a_refund(number, 500, before),)))
        await pool.execute("UPDATE refunds SET status = $2 WHERE refund_no = $1", number, STEPS[step].after.value)
        assert await pool.fetchval("SELECT status FROM refunds WHERE refund_no = $1", number) == STEPS[step].after
