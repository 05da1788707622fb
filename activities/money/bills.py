"""Reads a channel's bill of one day and lets the orders hear what our books do not have (N17, R48)."""

from collections.abc import Callable, Mapping
from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, Field
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.clock import Clock
from domain.facts import Fact, Kind
from domain.order import Id
from domain.polling.bills import BillFindings
from domain.strict import Strict
from providers.bills import Bill, BillLine
from providers.errors import ProviderError
from store.outside_money.bill_gaps import OwnLine
from store.outside_money.trade_bills import LineInBooks, TradeBillStore
from store.polling.poll_results import FindingStore

ReadBill = Callable[[date], Bill]
Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
AT_ONCE = 500


class BillOfDay(Strict):
    channel: Id
    day: Day


class BillsAsked(Strict):
    now: AwareDatetime


class BillsDue(Strict):
    bills: tuple[BillOfDay, ...] = ()


class BillNotRead(Strict):
    channel: Id
    day: Day
    why: Annotated[str, Field(max_length=500)]


class BillActivities:
    def __init__(
        self, store: TradeBillStore, findings: FindingStore, bills: Mapping[str, ReadBill], clock: Clock
    ) -> None:
        """`bills`: by channel, of those that have any."""
        self._store, self._findings, self._bills, self._clock = store, findings, bills, clock

    @property
    def methods(self) -> list[Callable[..., Any]]:
        return [self.due, self.read, self.not_read]

    @activity.defn(name="bills.due")
    async def due(self, asked: BillsAsked) -> BillsDue:
        due = await self._store.due(sorted(self._bills), asked.now)
        return BillsDue(bills=tuple(BillOfDay(channel=channel, day=day.isoformat()) for channel, day in due))

    @activity.defn(name="bills.read")
    async def read(self, bill: BillOfDay) -> None:
        """May be repeated. Nothing is told before the whole bill has been read and has proven to be the channel's."""
        day, found = date.fromisoformat(bill.day), BillFindings()
        news: list[Fact] = []
        own: list[OwnLine] = []
        try:
            async for lines in self._bills[bill.channel](day):
                books = await self._store.compare([line.fact for line in lines])
                for line, here in zip(lines, books, strict=True):
                    _judge(line, here, found, news)
                own += [_own(line.fact) for line, here in zip(lines, books, strict=True) if here.ours]
        except ProviderError as error:
            raise ApplicationError(str(error), type=type(error).__name__) from error
        for start in range(0, len(news), AT_ONCE):
            told = [(fact.order_no or "", fact) for fact in news[start : start + AT_ONCE]]
            await self._findings.put(told, (), self._clock())
        await self._store.done(bill.channel, day, found, own, self._clock())

    @activity.defn(name="bills.not_read")
    async def not_read(self, bill: BillNotRead) -> None:
        await self._store.unread(bill.channel, date.fromisoformat(bill.day), bill.why, self._clock())


def _own(fact: Fact) -> OwnLine:
    kind = "payment" if fact.kind is Kind.PAYMENT_SUCCEEDED else "refund"
    return OwnLine(kind, fact.refund_no or fact.transaction_id or fact.key, fact.amount_minor or 0)


def _judge(line: BillLine, here: LineInBooks, found: BillFindings, news: list[Fact]) -> None:
    fact, amount = line.fact, line.fact.amount_minor or 0
    number = f"{fact.order_no} ({fact.refund_no or fact.transaction_id})"
    found.lines += 1
    if not here.ours:
        found.add_strange(number, amount)
    elif here.booked_minor is not None and here.booked_minor != amount:
        found.differing.append((number, amount, here.booked_minor))
    elif here.booked or here.known:
        return
    elif line.is_final:
        found.news += 1
        news.append(fact)
    elif not here.asked_for:
        found.under_way.append(number)
