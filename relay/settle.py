"""Writing down what became of rows, and asking a person where a machine cannot go on."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import structlog

from domain.facts import Fact
from domain.fate import MONEY, Target
from domain.records import EventRecord, TicketRecord
from domain.states import Outcome
from domain.tickets import Severity
from relay.books import Books
from relay.sender import Sent, Verdict
from relay.sorting import Plan
from store.inbox import Claimed, InboxStore
from store.tickets import TicketStore
from telemetry import deliveries, tickets_opened

log = structlog.get_logger("relay")
Clock = Callable[[], datetime]
LONGEST_WAIT_S = 15.0
"""Between two tries of a row during an outage: the backlog is through soon after its end."""
LONGEST_MISSING_S = 300.0
UNCLEAR_TRIES = 6
MISSING_TICKET_AFTER = 5


class Settling:
    """Every method leaves the row safe: what cannot be written now is claimed again when the lease ends."""

    def __init__(self, inbox: InboxStore, tickets: TicketStore, clock: Clock) -> None:
        self._books = Books(inbox)
        self._tickets = tickets
        self._clock = clock

    def start(self) -> None:
        self._books.start()

    async def stop(self) -> None:
        await self._books.stop()

    async def settle(self, plan: Plan, verdict: Verdict) -> None:
        """`verdict`: the worst of the row's signals; DELIVERED for a row without any."""
        row = plan.row
        if verdict.sent is Sent.OUTAGE:
            await self._later(row, min(0.5 * 2.0 ** min(row.attempts, 10), LONGEST_WAIT_S), verdict.note)
        elif verdict.sent is Sent.NO_WORKFLOW:
            await self._missing(plan, verdict.note)
        elif verdict.sent is Sent.UNCLEAR and row.attempts < UNCLEAR_TRIES:
            await self._later(row, 2.0**row.attempts, verdict.note)
        elif verdict.sent in (Sent.POISON, Sent.UNCLEAR):
            await self._bury(row, verdict.note)
        elif plan.parks:
            await self._park(plan)
        else:
            await self._finish(plan)

    async def give_back(self, rows: Sequence[Claimed]) -> None:
        """Claimed, but not tried: another relay may have them at once."""
        at = self._clock()
        await asyncio.gather(*(self._books.later.add((row.id, at, "the relay was stopped")) for row in rows))

    async def _finish(self, plan: Plan) -> None:
        # Signals first, stale facts second: a row that has been given an outcome is not claimed again.
        events: dict[str, list[EventRecord]] = {}
        for fact, target in plan.stale:
            events.setdefault(target.order_no, []).append(_stale(fact, target))
        for order_no, told in events.items():
            await self._books.stale.add((order_no, self._clock(), told))
        if plan.parts:
            await self._books.delivered.add(plan.row.id)
        self._count("delivered" if plan.parts else "stale", plan.row)

    async def _park(self, plan: Plan) -> None:
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

    async def _missing(self, plan: Plan, note: str) -> None:
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
        note="" if not target.ended else "after close",
        inbox_id=fact.inbox_id,
    )
