"""Reports are built by the worker: read in one snapshot, computed beside the event loop, kept as a version."""

import asyncio
from collections import defaultdict
from contextlib import suppress
from datetime import datetime
from typing import Any, Literal

from pydantic import AwareDatetime
from temporalio import activity
from temporalio.exceptions import ApplicationError

from domain.clock import Clock
from domain.insight.definitions import Flag
from domain.insight.health import flags, health_report
from domain.insight.periods import NoSuchPeriod, month, week
from domain.insight.weekly import weekly_report
from domain.order import Id
from domain.records import TicketRecord, TicketResolution
from domain.strict import Strict
from store.errors import NoSuchTicket
from store.insight.reading import MonthRows, PeriodReader
from store.insight.reports import KeptReport, ReportStore
from store.pool import Pool
from store.tickets.tickets import TicketStore

Behind = dict[str, set[str]]


class BuildReport(Strict):
    """`period`: 2026-04, or 2026-W17; `as_of`: what is due by then is judged, the same on every attempt."""

    report: Literal["health", "weekly"]
    period: Id
    as_of: AwareDatetime


class ReportBuilt(Strict):
    """`new`: other facts than in the version before."""

    report: str
    period: str
    version: int
    new: bool


class NotBuilt(Strict):
    report: Literal["health", "weekly", "risk", "offers"]
    period: Id
    why: str


class InsightActivities:
    def __init__(self, pool: Pool, clock: Clock) -> None:
        self._reader = PeriodReader(pool)
        self._reports = ReportStore(pool)
        self._tickets = TicketStore(pool)
        self._clock = clock

    @property
    def methods(self) -> list[Any]:
        return [self.build, self.not_built]

    @activity.defn(name="insight.build")
    async def build(self, wanted: BuildReport) -> ReportBuilt:
        """May be repeated. Raises, finally, NoSuchPeriod for what is no month or week, or is not over."""
        kept = await self.built(wanted)
        await settle_ticket(self._tickets, wanted.report, wanted.period, self._clock())
        return ReportBuilt(report=kept.kind, period=kept.period, version=kept.version, new=kept.new)

    @activity.defn(name="insight.not_built")
    async def not_built(self, failed: NotBuilt) -> None:
        """Nobody waits for it but people: a ticket, which closes by itself when the report is built after all."""
        ticket = TicketRecord(
            ticket_id=ticket_of(failed.report, failed.period), system="insight", step="report not built",
            error=f"the report {failed.report} {failed.period} was not built: {failed.why}"[:1000],
            actions=("give_up",), give_up_means="nobody needs it; `oms report health --build` makes it at any time",
        )  # fmt: skip
        await self._tickets.open_outside(ticket, None, self._clock())

    async def built(self, wanted: BuildReport) -> KeptReport:
        try:
            span = month(wanted.period) if wanted.report == "health" else week(wanted.period)
        except NoSuchPeriod as error:
            raise ApplicationError(str(error), type="NoSuchPeriod", non_retryable=True) from None
        if span.since >= wanted.as_of:
            why = f"{wanted.period} has not begun: nothing can be said of it"
            raise ApplicationError(why, type="NoSuchPeriod", non_retryable=True)
        if wanted.report == "health":
            rows = await self._reader.month(span, wanted.as_of)
            text, behind = await asyncio.to_thread(_health, rows)
        else:
            found = await self._reader.week(span)
            report = weekly_report(span, found.parameters, found.anomalies, found.ways)
            text, behind = report.model_dump_json(), {entry.order_no: {Flag.ABNORMAL.value} for entry in report.top}
        return await self._reports.keep(wanted.report, wanted.period, text, sorted(behind.items()), self._clock())


def _health(rows: MonthRows) -> tuple[str, Behind]:
    facts = rows.facts()
    behind: Behind = defaultdict(set)
    for order in facts.orders:
        if said := {flag.value for flag in flags(order, facts)}:
            behind[order.order_no] = said
    elsewhere = ((Flag.RETURN_ENDED, rows.closures), (Flag.PAID_BACK, rows.refunds))
    for flag, found in elsewhere:
        for row in found:
            behind[row["order_no"]].add(flag.value)
    for order_no in rows.offered:
        behind[order_no].add(Flag.OFFERED.value)
    for anomaly in facts.anomalies:
        behind[anomaly.order_no].add(Flag.ABNORMAL.value)
    for flag, numbers in ((Flag.SYNC_LATE, rows.transitions["late"]), (Flag.PAYMENT_LATE, rows.payments["late"])):
        for order_no in numbers:
            behind[order_no].add(flag.value)
    return health_report(facts).model_dump_json(), behind


def ticket_of(report: str, period: str) -> str:
    return f"T-report-{report}-{period}"


async def settle_ticket(tickets: TicketStore, report: str, period: str, at: datetime) -> None:
    """What was asked about has been built after all."""
    ticket_id = ticket_of(report, period)
    found = await tickets.get(ticket_id)
    if found is None or found.state != "open":
        return
    done = TicketResolution(
        ticket_id=ticket_id, action="evidence", remark="the report has been built", resolved_by="system"
    )
    with suppress(NoSuchTicket):  # somebody was quicker
        await tickets.resolve_outside(done, at)
