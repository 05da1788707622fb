"""A second payment, or one at another channel, is nobody's until finance says what it counts as (R13, M2)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

import pytest

from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.return_case import case_of
from bench.scenarios.ordered import stocked
from domain.facts import Fact, Kind
from domain.refunds.outside import BookAs
from domain.returns.enums import ReturnType
from domain.states import OrderStatus, PaymentStatus
from starter.clients.errors import NotNow
from store.outside_money.booking import BookingRefused, OutsideMoneyStore
from tests.outside_money.money import (
    FINDERS,
    ask,
    book,
    booked,
    called_back,
    decide,
    open_tickets,
    payment,
    refund_by_hand,
)
from tests.returns.orders import cups, paid, signed
from tests.returns.test_disputes import answer
from workflows.order.messages import BookMoney, CancelOrder, MoneyBooked

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

PAID = 6_000
MINUTES = timedelta(minutes=20)
OTHERS: dict[str, Callable[[ScenarioOrder, int], Fact]] = {
    "second payment": payment,
    "other channel": partial(payment, source="alipay"),
}


async def goes_on(life: ScenarioOrder, money_no: int) -> MoneyBooked:
    """As `oms money book` tells the order's workflow."""
    done = await life.house.client.book_money(life.order.order_no, BookMoney(money_no=money_no, by="u-cs"))
    await life.house.pass_until(life.house.now() + MINUTES)
    return done


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("way", FINDERS)
async def test_it_is_one_ticket_goes_back_under_a_number_of_its_own_and_is_not_news_again(
    house: ScenarioEnvironment, way: str, other: str
) -> None:
    life = await paid(house)
    fact = OTHERS[other](life, 7_500)
    await FINDERS[way](house, fact)
    (ticket,) = await open_tickets(life)
    for told in (str(fact.transaction_id), fact.source, "75.00 CNY", "give_back", "book_payment"):
        assert told in ticket.error, told
    assert (await life.view()).paid_minor == PAID, "never booked as the order's payment"

    number = await ask(life, BookAs.GIVE_BACK)
    with pytest.raises(NotNow, match="is open"):
        await goes_on(life, number)
    await decide(life, number)
    assert (await book(life, number)).state == "approved"
    refund_no = f"R{life.order.order_no}-M{number}"
    assert (await goes_on(life, number)).refund_no == refund_no
    (call,) = house.systems.refund_calls
    assert (call.channel, call.refund_no, call.amount_minor, call.paid_minor, call.transaction_id) == (
        fact.source, refund_no, 7_500, 7_500, fact.transaction_id,
    )  # fmt: skip
    assert house.systems.refunds == {refund_no: 7_500} and not await open_tickets(life)
    bearer = await house.pool.fetchval("SELECT payment_key FROM refund_parts WHERE refund_no = $1", refund_no)
    assert bearer == fact.key
    await house.has_owners()

    view = await life.view()
    assert (view.paid_minor, view.refunded_minor) == (PAID + 7_500, 7_500)
    for again in FINDERS.values():
        await again(house, fact)
    assert not await open_tickets(life) and len(house.systems.refund_calls) == 1


@pytest.mark.parametrize("way", FINDERS)
async def test_at_another_channel_it_pays_the_order_only_by_decision(house: ScenarioEnvironment, way: str) -> None:
    life = await stocked(house, cups())
    fact = payment(life, PAID, "alipay")
    await FINDERS[way](house, fact)
    assert (await life.view()).status is OrderStatus.PENDING_PAYMENT
    (ticket,) = await open_tickets(life)
    assert "paid through alipay, the order is to be paid through wechat" in ticket.error

    number = await ask(life, BookAs.PAYMENT)
    await decide(life, number)
    assert (await goes_on(life, number)).refund_no is None
    view = await life.view()
    assert (view.status, view.payment_status, view.paid_minor) == (
        OrderStatus.AWAITING_SHIPMENT, PaymentStatus.PAID, PAID,
    )  # fmt: skip
    assert not await open_tickets(life) and house.systems.pushed
    await house.has_owners()

    for again in FINDERS.values():
        await again(house, fact)
    assert not await open_tickets(life)
    await life.house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="changed my mind"))
    await house.pass_until(house.now() + MINUTES)
    (call,) = house.systems.refund_calls
    assert (call.channel, call.amount_minor) == ("alipay", PAID), "what it took, it gives back"


async def test_of_an_ended_order_it_is_given_back_by_hand_and_that_refund_settles_both(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house)
    await house.pass_until(house.now() + timedelta(days=365))
    fact = payment(life, 7_500)
    await called_back(house, fact)
    with pytest.raises(BookingRefused, match=r"has ended\. Give it back in wechat's back office"):
        await ask(life, BookAs.GIVE_BACK)
    by_hand = refund_by_hand(life, 7_500).model_copy(update={"transaction_id": fact.transaction_id})
    await called_back(house, by_hand)
    assert len(await open_tickets(life)) == 2
    with pytest.raises(BookingRefused, match="is not the order's: no units"):
        await ask(life, BookAs.REFUND, units={"L1": 1})
    await booked(life, BookAs.REFUND)
    assert not await open_tickets(life)
    await house.has_owners()


async def test_what_does_not_fit_is_refused_by_name_and_changes_nothing(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    await called_back(house, payment(life, 7_500))
    with pytest.raises(BookingRefused, match="is AWAITING_SHIPMENT, not unpaid; give it back"):
        await ask(life, BookAs.PAYMENT)
    with pytest.raises(BookingRefused, match=r"tells 75.00 CNY"):
        await ask(life, BookAs.GIVE_BACK, amount_minor=7_501)
    with pytest.raises(BookingRefused, match="as give_back or book_payment, not as book_refund"):
        await ask(life, BookAs.REFUND)
    assert len(await OutsideMoneyStore(house.pool).list(life.order.order_no)) == 1
    number = await ask(life, BookAs.GIVE_BACK)
    await decide(life, number, "reject")
    with pytest.raises(NotNow):
        await goes_on(life, number)
    assert not house.systems.refunds and (await life.view()).paid_minor == PAID


async def test_another_currency_or_amount_never_pays_an_order(house: ScenarioEnvironment) -> None:
    life = await stocked(house, cups())
    await called_back(house, payment(life, PAID - 1, "alipay"))
    with pytest.raises(BookingRefused, match=r"59.99 CNY was paid, .* costs 60.00 CNY; give it back"):
        await ask(life, BookAs.PAYMENT)
    abroad = payment(life, PAID, currency="USD").model_copy(update={"key": "wechat:pay:usd", "transaction_id": "usd"})
    await called_back(house, abroad)
    with pytest.raises(BookingRefused, match="is in USD"):
        await ask(life, BookAs.GIVE_BACK)


async def a_return(life: ScenarioOrder) -> None:
    await life.ships(1)
    await life.happens(Kind.SIGNED)
    case = await case_of(life, ReturnType.RETURN_REFUND, {"L1": 1})
    await case.apply()
    await case.plain_life()


async def a_short_pick(life: ScenarioOrder) -> None:
    await life.happens(Kind.SHORT_PICKED, actual={"L1": 1})
    await life.happens(Kind.WAYBILL_RETURNED)
    await answer(life, "short pick", "give_up")


@pytest.mark.parametrize("of", [a_return, a_short_pick])
async def test_no_other_refund_is_borne_by_a_payment_that_is_to_go_back(
    house: ScenarioEnvironment, of: Callable[[ScenarioOrder], Awaitable[None]]
) -> None:
    """The older of the two, and booked when the worker died before it had reserved what goes back."""
    life = await paid(house)
    fact = payment(life, 7_500, "alipay").model_copy(update={"occurred_at": house.now() - timedelta(hours=1)})
    await called_back(house, fact)
    number = await ask(life, BookAs.GIVE_BACK)
    await decide(life, number)
    await OutsideMoneyStore(house.pool).book_payment(number, life.order.order_no, "u-cs", house.now())
    await of(life)
    await house.pass_until(house.now() + MINUTES)
    (bearer,) = await house.pool.fetch("SELECT payment_key FROM refund_parts")
    assert bearer["payment_key"] != fact.key
    assert [c.channel for c in house.systems.refund_calls] == ["wechat"]
    await goes_on(life, number)
    assert sorted(house.systems.refunds.values()) == [3_000, 7_500]
