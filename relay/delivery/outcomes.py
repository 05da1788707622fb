"""Writing down what became of rows, and asking a person where a machine cannot go on."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import structlog

from domain.clock import Clock
from domain.facts import Fact
from domain.fulfilment.fact_times import MOVES_NOTHING, is_of_an_earlier_parcel
from domain.inbox.event_routing import MONEY, Target
from domain.records import EventRecord, TicketRecord
from domain.states import Outcome
from domain.tickets import Severity
from relay.delivery.outcome_batches import OutcomeBatches
from relay.delivery.routing import RoutingPlan
from relay.delivery.signalling import SignalOutcome, SignalResult
from store.inbox.inbox import Claimed, InboxStore
from store.outside_money.found import MoneyAfterEnd
from store.tickets.tickets import TicketStore
from telemetry import deliveries, tickets_opened

log = structlog.get_logger("relay")
LONGEST_WAIT_S = 15.0
"""Between two tries of a row during an outage: the backlog is through soon after its end."""
LONGEST_MISSING_S = 300.0
UNCLEAR_TRIES = 6
MISSING_TICKET_AFTER = 5


class Settling:
    """Every method leaves the row safe: what cannot be written now is claimed again when the lease ends."""

    def __init__(self, inbox: InboxStore, tickets: TicketStore, after_end: MoneyAfterEnd, clock: Clock) -> None:
        self._books = OutcomeBatches(inbox)
        self._after_end = after_end
        self._tickets = tickets
        self._clock = clock

    def start(self) -> None:
        self._books.start()

    async def stop(self) -> None:
        await self._books.stop()

    async def settle(self, plan: RoutingPlan, verdict: SignalOutcome) -> None:
        """`verdict`: the worst of the row's signals; DELIVERED for a row without any."""
        row = plan.row
        if verdict.sent in (SignalResult.OUTAGE, SignalResult.BUSY):
            await self._later(row, min(0.5 * 2.0 ** min(row.attempts, 10), LONGEST_WAIT_S), verdict.note)
        elif verdict.sent is SignalResult.NO_WORKFLOW:
            await self._missing(plan, verdict.note)
        elif verdict.sent is SignalResult.UNCLEAR and row.attempts < UNCLEAR_TRIES:
            await self._later(row, 2.0**row.attempts, verdict.note)
        elif verdict.sent in (SignalResult.POISON, SignalResult.UNCLEAR):
            await self._bury(row, verdict.note)
        elif plan.parks:
            await self._park(plan)
        else:
            await self._finish(plan)

    async def give_back(self, rows: Sequence[Claimed]) -> None:
        """Claimed, but not tried: another relay may have them at once."""
        at = self._clock()
        await asyncio.gather(*(self._books.later.add((row.id, at, "the relay was stopped")) for row in rows))

    async def _finish(self, plan: RoutingPlan) -> None:
        # Signals first, stale facts second: a row that has been given an outcome is not claimed again.
        events: dict[str, list[EventRecord]] = {}
        for fact, target in plan.stale:
            events.setdefault(target.order_no, []).append(_stale(fact, target))
        for order_no, told in events.items():
            await self._books.stale.add((order_no, self._clock(), told))
        if plan.parts:
            await self._books.delivered.add(plan.row.id)
        self._count("delivered" if plan.parts else "stale", plan.row)

    async def _park(self, plan: RoutingPlan) -> None:
        plan = await self._without_outside_money(plan)
        if not plan.parks:
            await self._finish(plan)
            return
        note = "after close" if plan.closed else "its order is not known yet"
        await self._books.parked.add((plan.row.id, note))
        self._count("parked", plan.row, note)
        for fact, target in plan.closed[:1]:
            kinds = ", ".join(sorted({f.kind.value for f, _ in plan.closed}))
            money = any(f.kind in MONEY for f, _ in plan.closed)
            await self.ask(
                plan.row,
                step="event after close",
                error=f"{kinds} came for order {target.order_no}, which has ended; inbox row {plan.row.id}",
                order_no=target.order_no,
                child_no=fact.child_no or target.child_no,
                severity="urgent" if money else "info",
            )

    async def _without_outside_money(self, plan: RoutingPlan) -> RoutingPlan:
        """What came for an ended order and is no money of its own has its ticket (`store/outside_money/found.py`)."""
        orders: dict[str, list[Fact]] = {}
        for fact, target in plan.closed:
            if target.return_no is None:
                orders.setdefault(target.order_no, []).append(fact.model_copy(update={"inbox_id": plan.row.id}))
        done = {
            (order_no, key)
            for order_no, facts in orders.items()
            for key in await self._after_end.keep(order_no, facts, self._clock())
        }
        return replace(plan, closed=tuple((f, t) for f, t in plan.closed if (t.order_no, f.key) not in done))

    async def _missing(self, plan: RoutingPlan, note: str) -> None:
        """In the books, not ended, and yet no workflow: most often it ended a moment ago; else somebody ended it."""
        row = plan.row
        await self._later(row, min(2.0 ** min(row.attempts, 10) / 2, LONGEST_MISSING_S), note)
        if row.attempts < MISSING_TICKET_AFTER:
            return
        order_no = plan.parts[0].order_no
        what = order_no if "/" in order_no else f"order {order_no}"
        error = f"{what} is open in the books but has no running workflow; {len(row.facts)} facts wait"
        known = None if "/" in order_no else order_no
        await self.ask(row, step="order without workflow", error=error, order_no=known, severity="urgent")

    async def _later(self, row: Claimed, wait_s: float, note: str) -> None:
        await self._books.later.add((row.id, self._clock() + timedelta(seconds=wait_s), note))
        self._count("retry", row, note)

    async def _bury(self, row: Claimed, note: str) -> None:
        await self._books.dead.add((row.id, note))
        self._count("dead", row, note)
        await self.ask(row, step="dead letter", error=f"inbox row {row.id} cannot be delivered: {note}")

    async def ask(
        self,
        row: Claimed,
        *,
        step: str,
        error: str,
        order_no: str | None = None,
        child_no: str | None = None,
        severity: Severity = "normal",
    ) -> None:
        """One ticket a row, however often it is tried."""
        ticket = TicketRecord(
            ticket_id=f"T-inbox-{row.id}",
            system=row.source,
            step=step,
            error=error,
            severity=severity,
            child_no=child_no,
            actions=("give_up",),
            give_up_means=f"the message stays in the inbox; `oms event replay {row.id}` delivers it again",
        )
        if await self._tickets.open_outside(ticket, order_no, self._clock()):
            tickets_opened.labels(row.source, step).inc()
            log.warning("ticket opened", ticket=ticket.ticket_id, source=row.source, order_no=order_no, step=step)

    def _count(self, outcome: str, row: Claimed, note: str = "") -> None:
        deliveries.labels(outcome).inc()
        order_no = next((f.order_no for f in row.facts if f.order_no), None)
        told = {"outcome": outcome, "source": row.source, "event_id": row.event_id, "inbox_id": row.id}
        log.info("event settled", **told, order_no=order_no, note=note)


def _stale(fact: Fact, target: Target) -> EventRecord:
    status = (target.child_status or target.status).value
    return EventRecord(
        key=fact.key,
        kind=fact.kind,
        source=fact.source,
        occurred_at=fact.occurred_at,
        outcome=Outcome.DUPLICATE if target.applied else Outcome.STALE,
        child_no=target.child_no if target.child_status else None,
        from_status=status,
        to_status=status,
        note=_why_stale(fact, target),
        inbox_id=fact.inbox_id,
    )


def _why_stale(fact: Fact, target: Target) -> str:
    if target.since is not None and is_of_an_earlier_parcel(fact, target.since):
        return f"its time is before {target.since:%Y-%m-%d %H:%M:%S}: {MOVES_NOTHING}"
    return "after close" if target.ended else ""
