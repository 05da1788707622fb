"""No race and no repetition returns or refunds more than was shipped or paid (N7, N8, N18, M2, M6, S3)."""

import asyncio
from typing import Any

import asyncpg
import pytest

from domain.records import RefundRecord
from domain.returns.enums import CaseStatus, Reason, ReturnType
from domain.returns.models import Admitted
from domain.returns.records import RefundReserved, ReserveRefund
from domain.returns.refusals import Code
from domain.states import RefundStatus
from domain.units import UnitRange
from store.errors import RefundChanged, RefundExceedsPaid, RefundExceedsUnits
from store.orders.orders import OrderStore
from store.orders.registering import register
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import PayoutRefused, ReturnChanged, ReturnRefused
from tests.store.cases import LATER, POLICY, a_case, a_case_write, an_application, an_upload
from tests.store.examples import PAYABLE, a_payment, a_refund, a_write, an_order


async def held(pool: Pool) -> tuple[int, int, int]:
    row = await pool.fetchrow("SELECT returning_minor, refund_reserved_minor, refunded_minor FROM orders")
    assert row is not None
    return tuple(row)


async def line(pool: Pool, line_id: str = "L1") -> dict[str, int]:
    row = await pool.fetchrow(
        "SELECT returning_units, refunded_units, goods_back_units, shipped_units FROM order_lines WHERE line_id = $1",
        line_id,
    )
    assert row is not None
    return dict(row)


def payout(case: Admitted, units: tuple[UnitRange, ...] | None = None, amount: int | None = None) -> ReserveRefund:
    return ReserveRefund(
        return_no=case.return_no,
        accepted=case.units if units is None else units,
        amount_minor=case.quote.total_minor if amount is None else amount,
        reason="returned",
        at=LATER,
    )


async def test_of_ten_applications_for_the_same_unit_at_once_one_is_admitted(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    applications = [an_application(f"RT-RACE-{n}", lines={"L2": 2}) for n in range(10)]
    for application in applications:
        await an_upload(pool, application)
    answers = await asyncio.gather(
        *(returns.admit(a, f"run-{a.return_no}", LATER, POLICY) for a in applications), return_exceptions=True
    )
    assert sum(isinstance(a, Admitted) for a in answers) == 1
    refused = [a for a in answers if isinstance(a, ReturnRefused)]
    assert len(refused) == 9
    assert {r.refusals[0].code for r in refused} == {Code.QTY_EXCEEDED}
    assert (await line(pool, "L2"))["returning_units"] == 2
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action = 'return.refuse'") == 9


WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)"


async def test_an_order_and_a_return_of_one_number_at_once_do_not_both_get_it(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    application = an_application("SO-OR-RT")
    await an_upload(pool, application)
    async with pool.acquire() as connection, connection.transaction():
        await register(connection, an_order("SO-OR-RT"), "run-o", LATER)
        admitting = asyncio.create_task(returns.admit(application, "run-r", LATER, POLICY))
        async with asyncio.timeout(5):
            while not await pool.fetchval(WAITING):
                assert not admitting.done(), "it has not waited for its turn"
    with pytest.raises(ReturnRefused) as refused:
        await admitting
    assert [r.code for r in refused.value.refusals] == [Code.NUMBER_TAKEN]


async def test_a_refusal_leaves_one_audit_row_however_often_its_step_is_repeated(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    too_many = an_application(lines={"L2": 99})
    for run in ("run-1", "run-2"):
        for _ in range(2):
            again = [returns.admit(too_many, run, LATER, POLICY) for _ in range(3)]
            answers = await asyncio.gather(*again, return_exceptions=True)
            assert all(isinstance(a, ReturnRefused) for a in answers)
    rows = await pool.fetch("SELECT detail FROM audit WHERE action = 'return.refuse' ORDER BY id")
    assert [r["detail"]["run_id"] for r in rows] == ["run-1", "run-2"]


async def test_the_same_application_again_is_the_same_case(returns: ReturnStore, pool: Pool, order: str) -> None:
    first = await a_case(returns, pool)
    again = await asyncio.gather(*(returns.admit(an_application(), "run-1", LATER, POLICY) for _ in range(5)))
    assert set(again) == {first}
    assert (await line(pool))["returning_units"] == 1
    assert await held(pool) == (first.quote.total_minor, 0, 0)


async def test_a_return_number_keeps_its_content(returns: ReturnStore, pool: Pool, order: str) -> None:
    await a_case(returns, pool)
    with pytest.raises(ReturnChanged):
        await returns.admit(an_application(lines={"L1": 2}), "run-1", LATER, POLICY)
    with pytest.raises(ReturnChanged):
        await returns.admit(an_application(), "run-2", LATER, POLICY)


async def test_units_are_taken_from_the_first_one_on(returns: ReturnStore, pool: Pool, order: str) -> None:
    first = await a_case(returns, pool, "RT-FIRST", lines={"L1": 2})
    second = await a_case(returns, pool, "RT-SECOND", lines={"L1": 1})
    assert [(u.first_unit, u.units) for u in (*first.units, *second.units)] == [(0, 2), (2, 1)]


async def test_a_closed_case_gives_units_and_money_free(returns: ReturnStore, pool: Pool, order: str) -> None:
    await a_case(returns, pool, "RT-CLOSED", lines={"L1": 3})
    for _ in range(2):
        await returns.write(a_case_write("RT-CLOSED", 2, status=CaseStatus.CLOSED_NOT_SENT, ended=True))
    assert await held(pool) == (0, 0, 0)
    assert await line(pool) == {"returning_units": 0, "refunded_units": 0, "goods_back_units": 0, "shipped_units": 3}
    again = await a_case(returns, pool, "RT-AGAIN", lines={"L1": 3})
    assert [(u.first_unit, u.units) for u in again.units] == [(0, 3)]


async def test_units_of_a_case_cannot_be_refunded_by_the_order_as_well(
    returns: ReturnStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    await a_case(returns, pool, lines={"L2": 2})
    with pytest.raises(RefundExceedsUnits):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 100, RefundStatus.REQUESTED, L2=1),)))


async def test_money_of_a_case_cannot_be_refunded_by_the_order_as_well(
    returns: ReturnStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool, lines={"L2": 2})
    left = PAYABLE - case.quote.total_minor
    with pytest.raises(RefundExceedsPaid):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-1", left + 1),)))
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", left),)))


async def test_a_case_that_the_order_has_no_money_left_for_is_refused(
    returns: ReturnStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", PAYABLE - 2_039),)))
    with pytest.raises(ReturnRefused, match="QTY_EXCEEDED"):
        await a_case(returns, pool)


async def test_a_payout_is_reserved_once_however_often_it_is_asked_for(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool, lines={"L1": 2})
    answers = await asyncio.gather(*(returns.reserve_refund(payout(case)) for _ in range(24)))
    assert len({a.parts for a in answers}) == 1
    assert [(p.refund_no, p.amount_minor) for p in answers[0].parts] == [("RRT20261120", case.quote.total_minor)]
    assert await held(pool) == (0, case.quote.total_minor, 0)
    assert await line(pool) == {"returning_units": 0, "refunded_units": 2, "goods_back_units": 2, "shipped_units": 3}


async def test_24_payouts_of_one_order_at_once_pay_what_was_paid_and_no_fen_more(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    cases = [await a_case(returns, pool, f"RT-PAY-{n}", lines={"L1": 1} if n < 3 else {"L2": 1}) for n in range(5)]
    again = [payout(case) for case in cases for _ in range(5)][:24]
    answers = await asyncio.gather(*(returns.reserve_refund(p) for p in again))
    assert all(isinstance(a, RefundReserved) for a in answers)
    assert await held(pool) == (0, PAYABLE, 0)
    assert await pool.fetchval("SELECT sum(amount_minor) FROM refunds") == PAYABLE


async def test_units_that_were_not_accepted_are_free_again(returns: ReturnStore, pool: Pool, order: str) -> None:
    case = await a_case(returns, pool, lines={"L1": 3})
    one = (UnitRange(line_id="L1", first_unit=1, units=1),)
    await returns.reserve_refund(payout(case, one, 2_040))
    assert await line(pool) == {"returning_units": 0, "refunded_units": 1, "goods_back_units": 1, "shipped_units": 3}
    again = await a_case(returns, pool, "RT-AGAIN", lines={"L1": 2})
    assert [(u.first_unit, u.units) for u in again.units] == [(0, 1), (2, 1)]


@pytest.mark.parametrize(
    ("units", "amount"),
    [
        (None, 4_081),
        ((UnitRange(line_id="L1", first_unit=0, units=1),), 2_041),
        ((UnitRange(line_id="L1", first_unit=1, units=2),), 100),
        ((UnitRange(line_id="L2", first_unit=0, units=1),), 100),
        ((UnitRange(line_id="L1", first_unit=0, units=1),) * 2, 100),
    ],
    ids=["more than held", "more than the units are worth", "units of nobody", "another line", "a unit twice"],
)
async def test_a_payout_beyond_the_case_is_refused(
    returns: ReturnStore, pool: Pool, order: str, units: Any, amount: int
) -> None:
    case = await a_case(returns, pool, lines={"L1": 2})
    with pytest.raises(PayoutRefused):
        await returns.reserve_refund(payout(case, units, amount))
    assert await held(pool) == (case.quote.total_minor, 0, 0)


async def test_a_closed_case_pays_nothing(returns: ReturnStore, pool: Pool, order: str) -> None:
    case = await a_case(returns, pool)
    await returns.write(a_case_write(status=CaseStatus.REJECTED))
    with pytest.raises(PayoutRefused, match="let go"):
        await returns.reserve_refund(payout(case))


async def test_another_amount_after_the_payout_was_reserved_is_refused(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool)
    await returns.reserve_refund(payout(case))
    with pytest.raises(RefundChanged):
        await returns.reserve_refund(payout(case, amount=1))


async def test_an_exchange_holds_units_and_no_money_and_its_replacement_may_come_back(
    returns: ReturnStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool, type=ReturnType.EXCHANGE, lines={"L1": 3}, reason=Reason.SIZE_DOES_NOT_FIT)
    assert case.quote.total_minor == 0
    assert await held(pool) == (0, 0, 0)
    await returns.write(a_case_write(status=CaseStatus.EXCHANGED, ended=True))
    again = await a_case(returns, pool, "RT-AGAIN", lines={"L1": 3})
    assert again.quote.total_minor == 6_120


async def test_a_refund_that_succeeded_counts_once(returns: ReturnStore, pool: Pool, order: str) -> None:
    case = await a_case(returns, pool)
    [part] = (await returns.reserve_refund(payout(case))).parts
    told = RefundRecord(
        refund_no=part.refund_no, amount_minor=part.amount_minor, status=RefundStatus.SUCCEEDED, reason="returned"
    )
    for _ in range(2):
        await returns.write(a_case_write(seq=2, status=CaseStatus.REFUNDED, refunds=(told,)))
    assert await held(pool) == (0, part.amount_minor, part.amount_minor)
    seen = await returns.view(case.return_no)
    assert seen is not None
    assert seen.refunded_minor == part.amount_minor


async def test_several_payments_bear_a_refund_each_by_at_most_what_it_brought(
    returns: ReturnStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    second = a_payment(transaction="TX-SECOND", amount=500).model_copy(update={"paid_at": LATER})
    await orders.write(a_write(seq=3, payment=second, refunds=(a_refund("R-1", 6_500),)))
    first_case, last_case = [await a_case(returns, pool, f"RT-LINE-{name}", lines={name: 1}) for name in ("L1", "L2")]
    first = (await returns.reserve_refund(payout(first_case))).parts
    last = (await returns.reserve_refund(payout(last_case, amount=1_900))).parts
    assert [(p.refund_no, p.amount_minor) for p in first] == [("RRT-LINE-L1", 2_040)]
    assert [(p.refund_no, p.amount_minor) for p in last] == [("RRT-LINE-L2", 1_660), ("RRT-LINE-L2-2", 240)]
    assert [r["reserved_minor"] for r in await pool.fetch("SELECT * FROM payment_balances ORDER BY paid_at")] == [
        PAYABLE,
        240,
    ]


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE orders SET returning_minor = paid_minor - refund_reserved_minor + 1",
        "UPDATE orders SET returning_minor = -1",
        "UPDATE order_lines SET returning_units = qty - refunded_units + 1",
        "UPDATE order_lines SET goods_back_units = shipped_units + 1",
        "UPDATE order_lines SET shipped_units = qty + 1",
        "UPDATE payment_balances SET reserved_minor = paid_minor + 1",
        "UPDATE payment_balances SET charged_back_minor = paid_minor - reserved_minor + 1",
        "UPDATE return_cases SET refunded_minor = 1",
        "INSERT INTO unit_claims (order_no, line_id, first_unit, units, holder) "
        "SELECT order_no, line_id, first_unit, units, 'R-THIEF' FROM unit_claims",
        "DELETE FROM refund_parts",
        "DELETE FROM return_timeline",
        "UPDATE return_timeline SET actor = 'nobody'",
    ],
)
async def test_the_database_itself_refuses(returns: ReturnStore, pool: Pool, order: str, statement: str) -> None:
    case = await a_case(returns, pool)
    await a_case(returns, pool, "RT-PAID", lines={"L2": 1})
    await returns.reserve_refund(payout(case))
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await pool.execute(statement)
