"""Money pays an order only when source, channel, merchant, transaction and amount are its own (F11, F13, R13)."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from temporalio.testing import ActivityEnvironment

from activities.connectors import Connector, SystemAnswer
from activities.messages import PaymentState
from activities.polling import Pull, PullActivities
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from bench.scenarios.environment.providers import no_answer
from bench.scenarios.order import LineIn, OrderIn
from bench.scenarios.ordered import stocked
from domain.facts import Fact
from domain.refunds.outside import BookAs
from domain.states import OrderStatus, PaymentStatus
from starter.clients.errors import NotNow
from store.outside_money.booking import BookingRefused
from store.polling.due import Subject
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore, Scope
from tests.outside_money.money import ask, decide, open_tickets, payment
from tests.outside_money.test_other_payments import PAID, goes_on
from tests.returns.orders import cups, paid
from workflows.messages import FACTS, FactBatch, ResolveTicket
from workflows.order.messages import CancelOrder, Refresh

MINUTES = timedelta(minutes=40)
A_DAY = timedelta(hours=26)


def more_cups() -> OrderIn:
    return OrderIn(order_no="SO26112002", lines=(LineIn(id="L1", sku="CUP", qty=2, unit_price=3_000),))


async def by_callback(life: ScenarioOrder, fact: Fact) -> None:
    await life.house.deliver(fact, event_id=f"notice of {fact.order_no}")


async def by_signal(life: ScenarioOrder, fact: Fact) -> None:
    await life.handle.signal(FACTS, FactBatch(facts=(fact,)))
    await life.house.rest()


async def by_poll(life: ScenarioOrder, fact: Fact) -> None:
    house = life.house

    async def answer(subject: Subject) -> SystemAnswer:
        return SystemAnswer((fact,) if subject.number == life.order.order_no else ())

    connector = Connector(Scope("wechat", "money"), answer, 1)
    pulls = PullActivities(PullStore(house.pool), FindingStore(house.pool), {"wechat": connector}, house.clocks.now)
    await house.pass_until(house.now() + timedelta(minutes=1))
    await ActivityEnvironment().run(pulls.tick, Pull(connector="wechat"))
    house._delivery.wake()
    await house.delivered()
    await house.rest()


async def by_refresh(life: ScenarioOrder, fact: Fact) -> None:
    life.house.systems.payments[life.order.order_no] = fact
    await life.house.pass_until(life.house.now() + timedelta(minutes=1))
    await life.house.client.refresh(life.order.order_no, Refresh(by="u-cs"))
    await life.house.rest()
    del life.house.systems.payments[life.order.order_no]


async def by_a_ticket(life: ScenarioOrder, fact: Fact) -> None:
    """Somebody answers for a channel that does not: it is paid, by this."""
    house = life.house
    house.systems.script("payment.query", *[no_answer("payment.query")] * 4)
    await house.pass_until(house.now() + MINUTES)
    (ticket,) = await open_tickets(life)
    told = PaymentState(state="PAID", fact=fact).model_dump(mode="json")
    answer = ResolveTicket(ticket_id=ticket.ticket_id, action="supply", result=told, remark="seen there", by="u-fin")
    await life.handle.execute_update("resolve_ticket", answer)
    await house.office.open_for_business()
    (asked,) = await house.office.waiting(ticket.ticket_id)
    await life.handle.execute_update("decide", house.office.decision(asked, "u-fin2"))
    await house.rest()


WAYS: dict[str, Callable[[ScenarioOrder, Fact], Awaitable[None]]] = {
    "callback": by_callback, "signal": by_signal, "poll": by_poll, "refresh": by_refresh, "ticket": by_a_ticket,
}  # fmt: skip
OTHERS: dict[str, tuple[dict[str, object], str]] = {
    "another channel": ({"source": "alipay", "key": "alipay:pay:1"}, "paid through alipay"),
    "no channel at all": ({"source": "qimen", "key": "qimen:pay:1"}, "qimen tells that it is paid"),
    "another merchant": ({"merchant_id": "1999999999"}, "went to merchant 1999999999 of wechat, we are 1900000001"),
    "no transaction": ({"transaction_id": None}, "names no transaction"),
    "another amount": ({"amount_minor": PAID - 1}, "59.99 CNY"),
    "another currency": ({"currency": "USD"}, "paid in USD"),
}


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("way", WAYS)
async def test_what_is_not_wholly_the_orders_pays_nothing_and_is_one_ticket(
    house: ScenarioEnvironment, way: str, other: str
) -> None:
    change, word = OTHERS[other]
    life = await stocked(house, cups())
    fact = payment(life, PAID).model_copy(update=change)
    await WAYS[way](life, fact)
    view = await life.view()
    at_the_deadline = way == "ticket"  # then the channel is asked again, and knows of no payment
    assert view.status is (OrderStatus.CLOSED if at_the_deadline else OrderStatus.PENDING_PAYMENT)
    assert view.paid_minor == 0
    assert not await house.pool.fetchval("SELECT count(*) FROM payments") and not house.systems.pushed
    tickets = [t.error for t in await open_tickets(life) if t.step == "payment does not fit"]
    assert len(tickets) == 1 and word in tickets[0], tickets


@pytest.mark.parametrize("way", WAYS)
async def test_its_own_money_pays_whoever_tells_it(house: ScenarioEnvironment, way: str) -> None:
    life = await stocked(house, cups())
    await WAYS[way](life, payment(life, PAID))
    view = await life.view()
    assert (view.status, view.paid_minor) == (OrderStatus.AWAITING_SHIPMENT, PAID)


def used_again(first: ScenarioOrder, second: ScenarioOrder, key: str = "") -> Fact:
    """The first order's transaction, told as the second's."""
    used = f"42{first.order.order_no}"
    told = payment(second, PAID)
    return told.model_copy(update={"transaction_id": used, "key": key or f"wechat:pay:{used}"})


@pytest.mark.parametrize("key", ["", "wechat:pay:told-otherwise"])
@pytest.mark.parametrize("way", ["callback", "signal", "poll", "refresh"])
async def test_a_used_transaction_is_a_mismatch_that_names_both_orders_and_the_order_goes_on(
    house: ScenarioEnvironment, way: str, key: str
) -> None:
    first, second = await paid(house), await stocked(house, more_cups())
    fact = used_again(first, second, key)
    await WAYS[way](second, fact)
    (ticket,) = await open_tickets(second)
    assert first.order.order_no in ticket.error and second.order.order_no in ticket.error
    assert [e["outcome"] for e in await second.events() if e["key"] == fact.key] == ["MISMATCH"]
    view = await second.view()
    assert (view.status, view.payment_status, view.paid_minor) == (
        OrderStatus.PENDING_PAYMENT, PaymentStatus.CREATED, 0,
    )  # fmt: skip

    await by_signal(second, fact)
    assert len(await open_tickets(second)) == 1, "told again, it is not news"
    number = await ask_and_be_refused(second)
    assert "SO26112001" in number
    await second.pay()
    assert (await second.view()).status is OrderStatus.AWAITING_SHIPMENT
    assert (await first.view()).paid_minor == PAID


async def ask_and_be_refused(life: ScenarioOrder) -> str:
    with pytest.raises(BookingRefused) as refused:
        await ask(life, BookAs.GIVE_BACK)
    return str(refused.value)


async def test_an_order_told_of_a_used_transaction_closes_at_its_deadline(house: ScenarioEnvironment) -> None:
    first, second = await paid(house), await stocked(house, more_cups())
    await by_callback(second, used_again(first, second))
    await house.pass_until(house.now() + MINUTES)
    assert (await second.view()).status is OrderStatus.CLOSED
    await house.pass_until(house.now() + A_DAY)
    assert not house.systems.refunds and len(await open_tickets(second)) == 1


async def test_a_used_transaction_found_at_the_deadline_is_a_persons_question(house: ScenarioEnvironment) -> None:
    first, second = await paid(house), await stocked(house, more_cups())
    house.systems.payments[second.order.order_no] = used_again(first, second)
    await house.pass_until(house.now() + MINUTES)
    assert (await second.view()).status is OrderStatus.PENDING_PAYMENT
    asked = {t.step: t for t in await open_tickets(second)}
    assert set(asked) == {"payment does not fit", "query payment"}
    answer = ResolveTicket(
        ticket_id=asked["query payment"].ticket_id, action="give_up", remark="it is the other's", by="u-ops"
    )
    await second.handle.execute_update("resolve_ticket", answer)
    await house.rest()
    assert (await second.view()).status is OrderStatus.CLOSED


async def test_a_used_transaction_that_comes_late_is_not_given_back(house: ScenarioEnvironment) -> None:
    first, second = await paid(house), await stocked(house, more_cups())
    await house.pass_until(house.now() + MINUTES)
    assert (await second.view()).payment_status is PaymentStatus.CLOSED
    await by_callback(second, used_again(first, second))
    view = await second.view()
    assert (view.status, view.payment_status, view.paid_minor) == (OrderStatus.CLOSED, PaymentStatus.CLOSED, 0)
    (ticket,) = await open_tickets(second)
    assert ticket.step == "payment does not fit" and first.order.order_no in ticket.error
    await second.pay()
    await house.pass_until(house.now() + MINUTES)
    assert house.systems.refunds == {f"R{second.order.order_no}-L1": PAID}, "its own late money goes back"


async def test_an_order_can_be_cancelled_after_a_used_transaction(house: ScenarioEnvironment) -> None:
    first, second = await paid(house), await stocked(house, more_cups())
    await by_callback(second, used_again(first, second))
    done = await house.client.cancel(second.order.order_no, CancelOrder(by="buyer", reason="changed my mind"))
    assert done.refund_minor == 0 and (await second.view()).status is OrderStatus.CLOSED


async def test_finance_may_book_what_is_another_channels(house: ScenarioEnvironment) -> None:
    """What pays no order by itself still pays it by decision, once: the wall is not in its way."""
    life = await stocked(house, cups())
    other = payment(life, PAID, "alipay").model_copy(update={"merchant_id": "2088000000000001"})
    await by_signal(life, other)
    number = await ask(life, BookAs.PAYMENT)
    with pytest.raises(NotNow):
        await goes_on(life, number)
    await decide(life, number)
    await goes_on(life, number)
    assert (await life.view()).paid_minor == PAID
