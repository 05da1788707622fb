"""A bank that takes money back and refunds together never give back more than was paid (N17)."""

import asyncio

import pytest

from bench.scenarios.environment.finance import accounted, decided
from domain.returns.records import RefundReserved, ReserveRefund
from store.errors import RefundDisputed, RefundExceedsPaid
from store.orders.orders import OrderStore
from store.outside_money.chargebacks import ChargebackRefused, ChargebackStore, NewChargeback
from store.pool import Pool
from store.returns import ReturnStore
from store.returns.errors import PayoutRefused
from tests.store.cases import LATER, a_case
from tests.store.examples import PAYABLE, a_refund, a_write


@pytest.fixture
def chargebacks(pool: Pool) -> ChargebackStore:
    return ChargebackStore(pool)


def taking(amount: int, number: str = "CB-1", order_no: str = "SO20261120") -> NewChargeback:
    return NewChargeback(chargeback_id=number, order_no=order_no, amount_minor=amount, by="u-fin")


async def test_payouts_are_on_hold_until_the_bank_has_decided(
    chargebacks: ChargebackStore, returns: ReturnStore, pool: Pool, order: str
) -> None:
    case = await a_case(returns, pool)
    payout = ReserveRefund(
        return_no=case.return_no, accepted=case.units, amount_minor=case.quote.total_minor, reason="back", at=LATER
    )
    await chargebacks.open(taking(500), LATER)
    with pytest.raises(PayoutRefused, match="on hold"):
        await returns.reserve_refund(payout)
    await decided(chargebacks, "CB-1", "won", LATER)
    assert (await returns.reserve_refund(payout)).parts


async def test_what_the_bank_took_cannot_be_refunded_and_what_it_gave_back_can(
    chargebacks: ChargebackStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    await chargebacks.open(taking(PAYABLE - 100), LATER)
    with pytest.raises(RefundExceedsPaid):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 101),)))
    await decided(chargebacks, "CB-1", "won", LATER)
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", PAYABLE),)))


async def test_what_was_refunded_before_is_named_to_be_contested(
    chargebacks: ChargebackStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", PAYABLE - 300),)))
    found = [await chargebacks.open(taking(1_000), LATER) for _ in range(2)]
    assert [f.overlap_minor for f in found] == [700, 700]
    assert await pool.fetchval("SELECT reserved_minor + charged_back_minor FROM payment_balances") == PAYABLE
    assert "700 of it had been refunded" in await pool.fetchval("SELECT error FROM tickets WHERE system = 'payment'")
    for _ in range(2):
        await decided(chargebacks, "CB-1", "lost", LATER)
    assert await pool.fetchval("SELECT count(*) FROM audit WHERE action LIKE 'chargeback%'") == 3


async def test_a_payout_and_a_chargeback_at_once_stay_within_what_was_paid(
    chargebacks: ChargebackStore, returns: ReturnStore, pool: Pool, order: str
) -> None:
    cases = [await a_case(returns, pool, f"RT-PAY-{n}", lines={"L1": 1} if n < 3 else {"L2": 1}) for n in range(5)]
    payouts = [
        ReserveRefund(return_no=c.return_no, accepted=c.units, amount_minor=2_040, reason="back", at=LATER)
        for c in cases
    ]
    answers = await asyncio.gather(
        *(returns.reserve_refund(p) for p in payouts[:3]),
        chargebacks.open(taking(PAYABLE), LATER),
        *(returns.reserve_refund(p) for p in payouts[3:]),
        return_exceptions=True,
    )
    assert all(not isinstance(a, Exception) or isinstance(a, PayoutRefused) for a in answers)
    paid = sum(2_040 for a in answers if isinstance(a, RefundReserved))
    taken = await pool.fetchval("SELECT charged_back_minor FROM payment_balances")
    assert paid + taken == PAYABLE


@pytest.mark.parametrize(
    "new", [taking(PAYABLE + 1), taking(1, order_no="SO-NOT-THERE")], ids=["more than was paid", "no such order"]
)
async def test_what_does_not_fit_is_refused(chargebacks: ChargebackStore, order: str, new: NewChargeback) -> None:
    with pytest.raises(ChargebackRefused):
        await chargebacks.open(new, LATER)


async def test_a_decision_stands(chargebacks: ChargebackStore, order: str) -> None:
    await chargebacks.open(taking(500), LATER)
    await decided(chargebacks, "CB-1", "lost", LATER)
    with pytest.raises(ChargebackRefused, match="was lost"):
        await decided(chargebacks, "CB-1", "won", LATER)
    with pytest.raises(ChargebackRefused, match="not in the books"):
        await decided(chargebacks, "CB-2", "won", LATER)
    with pytest.raises(ChargebackRefused, match="already"):
        await chargebacks.open(taking(501), LATER)


async def test_what_one_person_says_of_a_bank_counts_when_a_second_one_says_the_same(
    chargebacks: ChargebackStore, pool: Pool, order: str
) -> None:
    async def books() -> tuple[str, bool]:
        (row,) = await pool.fetch("SELECT state, accounted_at IS NOT NULL FROM chargebacks")
        return row[0], row[1]

    await chargebacks.open(taking(500), LATER)
    for _ in range(2):
        assert (await chargebacks.decide("CB-1", "lost", "u-fin", LATER)).waits_since == "u-fin"
    assert (await chargebacks.decide("CB-1", "won", "u-fin2", LATER)).waits_since == "u-fin2", "another word"
    assert await books() == ("open", False)
    assert (await chargebacks.decide("CB-1", "lost", "u-fin2", LATER)).state == "lost"
    for _ in range(2):
        assert (await chargebacks.account("CB-1", "u-fin", "compared", LATER)).waits_since == "u-fin"
    assert await books() == ("lost", False)
    assert (await chargebacks.account("CB-1", "u-fin2", "compared", LATER)).waits_since is None
    assert await books() == ("lost", True)


async def test_what_a_bank_took_for_good_holds_refunds_until_a_person_has_accounted_for_it(
    chargebacks: ChargebackStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    await chargebacks.open(taking(300), LATER)
    with pytest.raises(RefundDisputed, match="CB-1"):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 100),)))
    with pytest.raises(ChargebackRefused, match="not lost"):
        await accounted(chargebacks, "CB-1", LATER)
    await decided(chargebacks, "CB-1", "lost", LATER)
    with pytest.raises(RefundDisputed, match="lost"):
        await orders.write(a_write(seq=3, refunds=(a_refund("R-1", 100),)))
    await accounted(chargebacks, "CB-1", LATER)
    await orders.write(a_write(seq=3, refunds=(a_refund("R-1", PAYABLE - 300),)))
    with pytest.raises(RefundExceedsPaid):
        await orders.write(a_write(seq=4, refunds=(a_refund("R-2", 1),)))


async def test_a_refund_that_is_reserved_is_not_reserved_again_while_the_bank_disputes(
    chargebacks: ChargebackStore, orders: OrderStore, pool: Pool, order: str
) -> None:
    """So it is refused before it is sent a second time."""
    again = a_write(seq=3, refunds=(a_refund("R-1", 100),))
    await orders.write(again)
    await orders.write(again)
    await chargebacks.open(taking(500), LATER)
    with pytest.raises(RefundDisputed):
        await orders.write(again)
