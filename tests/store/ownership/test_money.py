"""Every fen that came in has one owner: the sums of the books of one order, told with amount and number."""

from datetime import timedelta

import pytest

from domain.facts import Kind
from domain.ownership import OwnerFault
from domain.records import TicketRecord, TicketResolution
from domain.states import Outcome, RefundStatus
from store.orders.orders import OrderStore
from store.outside_money.chargebacks import ChargebackStore, NewChargeback
from store.pool import Pool
from tests.store.examples import NOW, a_write, an_event
from tests.store.ownership.books import CANCELLED, FIRST, ORDER, found, paid, refund, write

__all__ = ["paid"]
REFUND = a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3),))


async def amounts(pool: Pool) -> list[tuple[OwnerFault, int, str]]:
    return [(v.found, v.amount_minor, v.holder) for v in await found(pool) if not v.units]


async def test_what_covers_units_and_what_was_given_back_is_all_that_came_in(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED, REFUND)
    assert await amounts(pool) == []


async def test_a_refund_of_less_than_the_units_cost_leaves_the_rest_without_an_owner(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 6_000, FIRST, 3),)))
    assert await amounts(pool) == [(OwnerFault.MONEY_LEFT_OVER, 120, "")]


async def test_a_refund_of_more_than_the_units_cost_counts_twice(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 6_200, FIRST, 3),)))
    assert await amounts(pool) == [(OwnerFault.MONEY_TWICE, 80, "")]


async def test_money_that_left_over_and_is_in_dispute_is_the_banks_question(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED)
    await ChargebackStore(pool).open(NewChargeback("CB-1", ORDER, 6_120, "u-fin"), NOW + timedelta(hours=1))
    assert await amounts(pool) == []


async def test_a_dispute_about_delivered_units_is_healthy(pool: Pool, paid: str) -> None:
    await ChargebackStore(pool).open(NewChargeback("CB-1", ORDER, 6_120, "u-fin"), NOW + timedelta(hours=1))
    assert await found(pool) == []


async def test_a_refund_that_goes_out_while_the_bank_takes_the_money_back_is_told(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED, REFUND)
    await ChargebackStore(pool).open(NewChargeback("CB-1", ORDER, 100, "u-fin"), NOW)
    assert (OwnerFault.REFUNDED_IN_DISPUTE, 6_120, "R-1") in await amounts(pool)


async def test_a_refund_that_waits_for_the_dispute_is_healthy(orders: OrderStore, pool: Pool, paid: str) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3, RefundStatus.REQUESTED),)))
    await ChargebackStore(pool).open(NewChargeback("CB-1", ORDER, 100, "u-fin"), NOW)
    assert await found(pool) == []


async def test_a_refund_that_came_to_nothing_needs_a_ticket_that_names_it(
    orders: OrderStore, pool: Pool, paid: str
) -> None:
    await write(orders, CANCELLED, a_write(seq=3, refunds=(refund("R-1", 6_120, FIRST, 3, RefundStatus.ABNORMAL),)))
    assert await amounts(pool) == [(OwnerFault.REFUND_FAILED, 6_120, "R-1")]
    asked = TicketRecord(
        ticket_id=f"T-{ORDER}-1", system="wechat", step="refund not paid out", error="refund R-1 of 6120 ended ABNORMAL"
    )
    await write(orders, a_write(seq=4, tickets=(asked,)))
    assert await amounts(pool) == []


@pytest.mark.parametrize("answered", [False, True])
async def test_a_refund_that_the_books_refused_is_owned_by_its_ticket_and_by_who_answered_it(
    orders: OrderStore, pool: Pool, paid: str, answered: bool
) -> None:
    asked = TicketRecord(
        ticket_id=f"T-{ORDER}-1", system="wechat", step="refund refused by our books", error="refund R-1: too much"
    )
    await write(orders, CANCELLED, a_write(seq=3, tickets=(asked,)))
    if answered:
        answer = TicketResolution(
            ticket_id=asked.ticket_id, action="give_up", remark="paid by bank transfer", resolved_by="u-fin"
        )
        await write(orders, a_write(seq=4, resolutions=(answer,)))
    assert await found(pool) == []


async def test_a_second_payment_that_did_not_fit_needs_a_ticket(orders: OrderStore, pool: Pool, paid: str) -> None:
    second = an_event(
        key="wechat:pay:TX-9", outcome=Outcome.MISMATCH, kind=Kind.PAYMENT_SUCCEEDED, note="paid already by TX-1"
    )
    await write(orders, a_write(seq=2, events=(second,)))
    assert await amounts(pool) == [(OwnerFault.PAYMENT_NOT_BOOKED, 0, "wechat:pay:TX-9")]
    asked = TicketRecord(
        ticket_id=f"T-{ORDER}-1", system="wechat", step="payment does not fit", error="paid already by TX-1",
        severity="info",
    )  # fmt: skip
    await write(orders, a_write(seq=3, tickets=(asked,)))
    assert await amounts(pool) == []
