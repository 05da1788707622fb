"""An order that a marketplace took the money for: told with its evidence, decided by finance, then paid like any other;
the channel's own word, and its bill, are held against it (decision 0067)."""

from datetime import timedelta
from typing import Any

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.ordered import stocked
from domain.access.desk import TellPayment
from domain.approvals import ApprovalRequest
from domain.facts import Fact, Kind
from domain.refunds.outside import BookAs
from domain.states import OrderStatus
from domain.strict import of
from providers.bills import BillLine
from starter.clients.errors import NotNow
from store.outside_money.booking import BookingRefused, OutsideMoneyStore
from store.outside_money.told import ToldPayments
from store.reserved_refunds import ReservedRefunds
from tests.outside_money.money import called_back, decide, open_tickets, read_bill
from tests.outside_money.test_other_payments import PAID, goes_on
from tests.returns.orders import cups
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

MERCHANTS = {"wechat": "1900000001"}
MINUTES = timedelta(minutes=20)


def a_payment(life: ScenarioOrder, **changed: Any) -> TellPayment:
    said = {
        "order_no": life.order.order_no, "channel": "wechat", "merchant_id": "1900000001",
        "transaction_id": f"42009{life.order.order_no[-6:]}", "amount_minor": PAID,
        "paid_at": life.house.now().isoformat(), "evidence": "statement of the marketplace, line 7",
    }  # fmt: skip
    return of(TellPayment, said | changed)


async def tell(life: ScenarioOrder, payment: TellPayment, by: str = "u-ops") -> ApprovalRequest:
    key = f"{payment.channel}:pay:{payment.transaction_id}"
    return await ToldPayments(life.house.pool, MERCHANTS).tell(payment, key, by, life.house.now())


def as_its_channel_tells(life: ScenarioOrder, payment: TellPayment, **changed: Any) -> Fact:
    return Fact(
        key=f"wechat:pay:{payment.transaction_id}", kind=Kind.PAYMENT_SUCCEEDED, source="wechat",
        occurred_at=payment.paid_at, order_no=life.order.order_no, transaction_id=payment.transaction_id,
        merchant_id="1900000001", amount_minor=PAID, currency="CNY",
    ).model_copy(update=changed)  # fmt: skip


async def test_it_pays_the_order_once_finance_agrees_and_the_bill_and_a_refund_find_it(
    house: ScenarioEnvironment,
) -> None:
    life = await stocked(house, cups())
    payment = a_payment(life)
    asked = await tell(life, payment)
    assert (asked.role, asked.content["number"], asked.content["evidence"]) == (
        "FINANCE", payment.transaction_id, "statement of the marketplace, line 7",
    )  # fmt: skip
    assert await tell(life, payment) == asked, "told again it is the same question"
    assert not await open_tickets(life) and (await life.view()).status is OrderStatus.PENDING_PAYMENT
    number = int(asked.content["money_no"])
    with pytest.raises(NotNow, match="is open"):
        await goes_on(life, number)
    await decide(life, number)
    await goes_on(life, number)
    view = await life.view()
    assert (view.status, view.paid_minor) == (OrderStatus.AWAITING_SHIPMENT, PAID) and house.systems.pushed
    assert await tell(life, payment) == asked, "also when it was decided"
    assert not [found for found in await OutsideMoneyStore(house.pool).list() if found.asked]

    of_the_marketplace = as_its_channel_tells(life, payment, order_no="TM998877")
    await read_bill(house, BillLine(of_the_marketplace, True))
    assert not await house.pool.fetchval("SELECT count(*) FROM tickets WHERE step LIKE '%bill%'")
    assert await house.pool.fetchval("SELECT number FROM bill_lines") == payment.transaction_id
    await house.pool.execute("DELETE FROM trade_bills")
    await read_bill(house, BillLine(of_the_marketplace.model_copy(update={"amount_minor": PAID + 1}), True))
    assert "other amounts" in await house.pool.fetchval("SELECT error FROM tickets WHERE step = 'trade bill differs'")

    await life.house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="changed my mind"))
    await house.pass_until(house.now() + MINUTES)
    (call,) = house.systems.refund_calls
    assert (call.order_no, call.amount_minor) == (life.order.order_no, PAID)
    found = await ReservedRefunds(house.pool).transaction_of(call.refund_no)
    assert found == payment.transaction_id, "under the order's number the channel has no payment"
    await house.has_owners()


async def test_what_does_not_fit_the_order_or_pays_another_is_refused_and_nothing_is_kept(
    house: ScenarioEnvironment,
) -> None:
    life = await stocked(house, cups())
    other = await stocked(house, cups().model_copy(update={"order_no": "SO26112002"}))
    for changed, why in (
        ({"amount_minor": PAID - 1}, r"59.99 CNY was paid, .* costs 60.00 CNY"),
        ({"currency": "USD"}, "60.00 USD was paid"),
        ({"channel": "alipay", "merchant_id": "2088"}, "is to be paid through wechat, not alipay"),
        ({"merchant_id": "1900000002"}, "went to merchant 1900000002 of wechat, we are 1900000001"),
        ({"paid_at": (house.now() + timedelta(hours=1)).isoformat()}, "still to come"),
        ({"order_no": "NONE-00"}, "there is no order NONE-00"),
    ):
        with pytest.raises(BookingRefused, match=why):
            await tell(life, a_payment(life, **changed))
    assert not await house.pool.fetchval("SELECT count(*) FROM outside_money")
    payment = a_payment(life)
    asked = await tell(life, payment)
    with pytest.raises(BookingRefused, match=r"was told for order .* already"):
        await tell(other, a_payment(other, transaction_id=payment.transaction_id))
    with pytest.raises(BookingRefused, match="is known already as M"):
        await tell(life, payment.model_copy(update={"paid_at": payment.paid_at - timedelta(days=1)}))
    await decide(life, int(asked.content["money_no"]))
    await goes_on(life, int(asked.content["money_no"]))
    with pytest.raises(BookingRefused, match="is booked already, for order"):
        await tell(other, a_payment(other, transaction_id=payment.transaction_id))
    with pytest.raises(BookingRefused, match="AWAITING_SHIPMENT, not unpaid"):
        await tell(life, a_payment(life, transaction_id="420099"))
    taken = await ToldPayments(house.pool).taken([("wechat", payment.transaction_id), ("wechat", "420099")])
    assert taken == {("wechat", payment.transaction_id): life.order.order_no}


async def test_the_channels_own_word_counts_before_a_persons(house: ScenarioEnvironment) -> None:
    """Where it fits, nobody is asked any more, and the money does not go back as another payment. Where it does not, a
    person looks, and what finance agrees to is not booked."""
    life = await stocked(house, cups())
    payment = a_payment(life)
    number = int((await tell(life, payment)).content["money_no"])
    await called_back(house, as_its_channel_tells(life, payment))
    await house.rest()
    assert (await life.view()).paid_minor == PAID and not await open_tickets(life)
    assert (await OutsideMoneyStore(house.pool).approval(number)).state == "withdrawn"
    with pytest.raises(BookingRefused, match="in the books already"):
        await OutsideMoneyStore(house.pool).ask(number, BookAs.GIVE_BACK, "u-cs", house.now(), evidence="by hand")

    life = await stocked(house, cups().model_copy(update={"order_no": "SO26112002"}))
    payment = a_payment(life)
    number = int((await tell(life, payment)).content["money_no"])
    await called_back(house, as_its_channel_tells(life, payment, amount_minor=PAID - 1))
    (ticket,) = await open_tickets(life)
    assert ticket.ticket_id == f"T-money-{number}" and "59.99" in ticket.error
    await decide(life, number)
    with pytest.raises(NotNow, match="tells it otherwise"):
        await goes_on(life, number)
    assert (await life.view()).status is OrderStatus.PENDING_PAYMENT
