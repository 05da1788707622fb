"""The channel's own bill of a day: what our books do not have is told, what they cannot be told of is a person's."""

from datetime import date, timedelta

import pytest
from temporalio.exceptions import ApplicationError
from temporalio.testing import ActivityEnvironment

from activities.money.bills import BillOfDay
from bench.scenarios.environment import ScenarioEnvironment
from domain.facts import Fact
from domain.polling.reconciling import SHANGHAI
from domain.states import RefundStatus
from providers.bills import Bill, BillLine, UnreadableBill
from store.outside_money.trade_bills import TradeBillStore
from store.tickets.tickets import TicketRow
from tests.outside_money.money import bills_of, open_tickets, read_bill, refund_by_hand, yesterday
from tests.returns.orders import paid, signed
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")


async def tickets(house: ScenarioEnvironment) -> list[TicketRow]:
    """Of nobody's order."""
    return [t for t in await house.tickets.list() if t.order_no is None]


async def told(house: ScenarioEnvironment) -> int:
    return int(await house.pool.fetchval("SELECT count(*) FROM inbox WHERE via = 'query'"))


def of_another_shop(fact: Fact, n: int) -> BillLine:
    more = {"key": f"wechat:refund:X{n}:SUCCESS", "order_no": f"OTHER-{n}", "refund_no": f"X{n}"}
    return BillLine(fact.model_copy(update=more), True)


async def test_a_merchant_number_shared_with_ten_thousand_other_orders_is_one_ticket(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house)
    fact = refund_by_hand(life, 1)
    await read_bill(house, *(of_another_shop(fact, n) for n in range(10_000)))
    (ticket,) = await tickets(house)
    for said in ("10000 payments or refunds, 100.00 CNY in all", "OTHER-0 (X0)", "and 9990 more"):
        assert said in ticket.error
    assert await told(house) == 0
    await read_bill(house, of_another_shop(fact, 1))
    assert len(await tickets(house)) == 1, "read again it says nothing new"


async def test_another_amount_than_ours_is_a_persons_to_compare(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    own = house.systems.payments[life.order.order_no]
    assert own is not None
    await read_bill(house, BillLine(own.model_copy(update={"amount_minor": (own.amount_minor or 0) + 1}), True))
    (ticket,) = await tickets(house)
    assert "60.01 CNY, here 60.00 CNY" in ticket.error and ticket.severity == "urgent"


async def test_a_refund_of_ours_that_nobody_told_the_end_of_has_ended(house: ScenarioEnvironment) -> None:
    life = await paid(house)
    house.systems.refund_answers = ["PROCESSING"] * 20
    await house.client.cancel(life.order.order_no, CancelOrder(by="buyer", reason="mistake"))
    await house.rest()
    (row,) = await house.pool.fetch("SELECT refund_no, amount_minor, status FROM refunds")
    assert row["status"] == RefundStatus.ACCEPTED
    fact = refund_by_hand(life, row["amount_minor"], row["refund_no"])
    await read_bill(house, BillLine(fact, False))
    assert await told(house) == 0 and not await tickets(house), "it is under way, as we know"
    await house.pool.execute("DELETE FROM trade_bills")
    await read_bill(house, BillLine(fact, True))
    assert await house.pool.fetchval("SELECT status FROM refunds") == RefundStatus.SUCCEEDED
    assert not await open_tickets(life)


async def test_a_refund_under_way_that_nobody_asked_for_here_is_named(house: ScenarioEnvironment) -> None:
    life = await signed(house)
    await read_bill(house, BillLine(refund_by_hand(life, 500), False))
    (ticket,) = await tickets(house)
    assert f"nobody asked for here: {life.order.order_no} (5030001)" in ticket.error
    assert await told(house) == 0


async def test_a_bill_that_breaks_off_tells_nothing(house: ScenarioEnvironment) -> None:
    life = await signed(house)

    async def broken(_day: date) -> Bill:
        yield [BillLine(refund_by_hand(life, 500), True)]
        raise UnreadableBill("wechat", "HASH", "not the file that was vouched for")

    with pytest.raises(ApplicationError, match="vouched"):
        await ActivityEnvironment().run(bills_of(house, broken).read, yesterday(house))
    assert (await told(house), await house.pool.fetchval("SELECT count(*) FROM trade_bills")) == (0, 0)


async def test_every_day_is_read_once_and_one_that_could_not_be_is_asked_about_until_it_is(
    house: ScenarioEnvironment,
) -> None:
    await signed(house)
    store = TradeBillStore(house._worker_pool)
    first = await house.pool.fetchval("SELECT min(registered_at) FROM orders")
    assert await store.due(["wechat"], first + timedelta(days=1)) == (), "the bill is made after ten the next morning"
    due = await store.due(["alipay", "wechat"], first + timedelta(days=3))
    assert [channel for channel, _ in due] == ["alipay", "wechat"] * 2
    (_, day), now = due[0], house.now()
    await store.unread("wechat", day, "HTTP 500", now)
    (ticket,) = await tickets(house)
    assert ticket.step == "trade bill not read"

    async def nothing(_day: date) -> Bill:
        yield []

    bills = bills_of(house, nothing)
    await ActivityEnvironment().run(bills.read, BillOfDay(channel="wechat", day=day.isoformat()))
    assert not await tickets(house)
    assert ("wechat", day) not in await store.due(["wechat"], first + timedelta(days=3))
    assert await store.due(["wechat"], first + timedelta(days=300)) != ()


async def test_what_our_books_have_and_two_days_bills_lack_is_a_persons_until_a_bill_has_it(
    house: ScenarioEnvironment,
) -> None:
    life = await signed(house)
    own = house.systems.payments[life.order.order_no]
    assert own is not None
    day = own.occurred_at.astimezone(SHANGHAI).date()
    told: list[BillLine] = []

    async def bill(_day: date) -> Bill:
        yield list(told)

    async def read(nth: int) -> None:
        of = BillOfDay(channel="wechat", day=(day + timedelta(days=nth)).isoformat())
        await ActivityEnvironment().run(bills_of(house, bill).read, of)

    await read(0)
    await read(1)
    (ticket,) = await open_tickets(life)
    assert ticket.step == "not in the channel's bill" and str(own.transaction_id) in ticket.error
    told.append(BillLine(own, True))
    await read(0)
    assert not await open_tickets(life)
