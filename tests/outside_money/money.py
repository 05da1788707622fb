"""Money that moves without us, how it is found, and what people do with it."""

from collections.abc import Callable, Mapping
from datetime import date, timedelta

from temporalio.testing import ActivityEnvironment

from activities.connectors import Connector, SystemAnswer
from activities.money.bills import BillActivities, BillOfDay
from activities.order_views import OrderViews
from activities.reconciling import Page, ReconcileActivities
from bench.scenarios.environment import ScenarioEnvironment, ScenarioOrder
from domain.approvals import Identity
from domain.facts import Fact, Kind
from domain.refunds.outside import BookAs
from providers.bills import Bill, BillLine
from store.outside_money.booking import BookingProgress, OutsideMoneyStore
from store.outside_money.found import MoneyAfterEnd
from store.outside_money.trade_bills import TradeBillStore
from store.polling.due import Subject
from store.polling.poll_results import FindingStore
from store.polling.polling import PullStore, Scope
from store.polling.reconciling import ReconcileStore
from store.tickets.tickets import TicketRow
from workflows.messages import order_workflow_id

EVIDENCE = "compared with the channel's own page"


def refund_by_hand(life: ScenarioOrder, amount_minor: int, number: str = "5030001") -> Fact:
    """Made in the merchant's back office: the channel has made its number."""
    return Fact(
        key=f"wechat:refund:{number}:SUCCESS", kind=Kind.REFUND_SUCCEEDED, source="wechat",
        occurred_at=life.house.now(), order_no=life.order.order_no, refund_no=number,
        transaction_id=f"42{life.order.order_no}", amount_minor=amount_minor, currency="CNY",
    )  # fmt: skip


def payment(life: ScenarioOrder, amount_minor: int, source: str = "wechat", currency: str = "CNY") -> Fact:
    """Another transaction than the order's own."""
    number = f"2026{life.order.order_no}9"
    return Fact(
        key=f"{source}:pay:{number}", kind=Kind.PAYMENT_SUCCEEDED, source=source, occurred_at=life.house.now(),
        order_no=life.order.order_no, transaction_id=number, merchant_id="1900000001", amount_minor=amount_minor,
        currency=currency,
    )  # fmt: skip


def chargeback(life: ScenarioOrder, amount_minor: int, number: str = "CB-1") -> Fact:
    return Fact(
        key=f"wechat:chargeback:{number}", kind=Kind.CHARGEBACK_OPENED, source="wechat",
        occurred_at=life.house.now(), order_no=life.order.order_no, chargeback_no=number,
        transaction_id=f"42{life.order.order_no}", amount_minor=amount_minor, currency="CNY",
    )  # fmt: skip


async def called_back(house: ScenarioEnvironment, fact: Fact) -> None:
    await house.deliver(fact)


async def seen_at_night(house: ScenarioEnvironment, fact: Fact) -> None:
    """The nightly comparison asks the channel what it has of the order; what is news goes to the order."""

    async def bill(subject: Subject) -> SystemAnswer:
        own = house.systems.payments.get(subject.number), house.systems.ended.get(subject.number)
        more = (fact,) if subject.kind == "payment" else ()
        return SystemAnswer((*(f for f in own if f is not None), *more))

    night = ReconcileActivities(
        ReconcileStore(house.pool), PullStore(house.pool), FindingStore(house.pool), MoneyAfterEnd(house.pool),
        {name: Connector(Scope(name, "money"), bill, 1) for name in {"wechat", fact.source}},
        OrderViews(house.temporal, order_workflow_id), house.now,
    )  # fmt: skip
    page = Page(day=house.now().date().isoformat(), since=house.now() - timedelta(days=400))
    await ActivityEnvironment().run(night.page, page)
    house._delivery.wake()
    await house.delivered()
    await house.rest()
    await ActivityEnvironment().run(night.page, page.model_copy(update={"since": None}))


def bills_of(house: ScenarioEnvironment, bill: Callable[[date], Bill]) -> BillActivities:
    """With the rights of production's worker."""
    pool = house._worker_pool
    return BillActivities(TradeBillStore(pool), FindingStore(pool), {"wechat": bill}, house.now)


def yesterday(house: ScenarioEnvironment) -> BillOfDay:
    return BillOfDay(channel="wechat", day=(house.now() - timedelta(days=1)).date().isoformat())


async def read_bill(house: ScenarioEnvironment, *lines: BillLine) -> None:
    """The channel's bill of yesterday has these lines, and everything that the channel has of the orders itself."""

    async def bill(_day: date) -> Bill:
        own = [f for f in (*house.systems.payments.values(), *house.systems.ended.values()) if f is not None]
        yield [*(BillLine(fact, True) for fact in own), *lines]

    await ActivityEnvironment().run(bills_of(house, bill).read, yesterday(house))
    house._delivery.wake()
    await house.delivered()
    await house.rest()


async def in_the_bill(house: ScenarioEnvironment, fact: Fact) -> None:
    await read_bill(house, BillLine(fact, True))


FINDERS = {"callback": called_back, "asked at night": seen_at_night, "trade bill": in_the_bill}


async def open_tickets(life: ScenarioOrder) -> list[TicketRow]:
    """Of the order, whoever opened them; notes too."""
    return list(await life.house.tickets.list(order_no=life.order.order_no))


async def ask(
    life: ScenarioOrder,
    book_as: BookAs,
    *,
    by: str = "u-cs",
    amount_minor: int | None = None,
    units: Mapping[str, int] | None = None,
) -> int:
    """The one that was found and waits; its number. Raises `BookingRefused`."""
    store, house = OutsideMoneyStore(life.house.pool), life.house
    found = (await store.list(life.order.order_no))[-1]
    await store.ask(found.money_no, book_as, by, house.now(), evidence=EVIDENCE, amount_minor=amount_minor, units=units)
    return found.money_no


async def decide(life: ScenarioOrder, money_no: int, verdict: str = "approve", person: str = "u-fin") -> None:
    office, house = life.house.office, life.house
    await office.open_for_business()
    approval = await OutsideMoneyStore(house.pool).approval(money_no)
    request = approval.request
    token = Identity(person, f"t-{request.approval_id}-{person}", request.approval_id, request.content_hash)
    await office.approvals.decide(office.decision(approval, person, verdict), token, "test", house.now(), None)


async def book(life: ScenarioOrder, money_no: int) -> BookingProgress:
    done = await OutsideMoneyStore(life.house.pool).book(money_no, "u-cs", life.house.now())
    await life.house.rest()
    return done


async def booked(life: ScenarioOrder, book_as: BookAs, **how: object) -> BookingProgress:
    """Asked for, approved by finance, booked."""
    number = await ask(life, book_as, **how)  # type: ignore[arg-type]
    await decide(life, number)
    return await book(life, number)
