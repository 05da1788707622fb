"""Workflows that somebody has ended, or put back, with Temporal's own buttons (decision 0065).

*Terminate* ends an order without the books hearing of it: here it is found within a minute, and a ticket says how it
starts again where it stood. *Reset* does that, and may put an order back to a moment before it had asked something:
what it no longer asks is closed in the books. Every worker looks; two that see the same do no harm.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice

import structlog
from temporalio.client import Client, WorkflowExecution, WorkflowQueryFailedError
from temporalio.service import RPCError

from activities.order_views import OrderViews
from domain.clock import Clock
from domain.records import TicketRecord, TicketResolution
from store.errors import NoSuchTicket
from store.open_work import OpenWorkStore
from store.pool import Pool
from store.tickets.tickets import TicketStore

log = structlog.get_logger("oms.worker")
LOOK_S = 20.0
LOOKED_BACK = timedelta(hours=6)
"""A worker that was away so long finds what was done meanwhile; the nightly comparison finds the rest."""
SYSTEM, STEP = "temporal", "order without workflow"
_PREFIX = "T-ended-"
MOST = 500
"""Workflows of one look; of a batch of thousands the next look takes the next ones."""
ENDED = (
    "ExecutionStatus IN ('Terminated', 'Canceled', 'TimedOut', 'Failed') AND WorkflowType IN ('Order', 'Return') "
    "AND CloseTime > '{since}'"
)
RUNNING = "ExecutionStatus = 'Running' AND WorkflowId IN ({ids})"
PAGE = 50


class EndedWorkflows:
    """`start_loops`: sees that the loops run, however they have ended."""

    def __init__(self, client: Client, pool: Pool, start_loops: Callable[[], Awaitable[None]], clock: Clock) -> None:
        self._client, self._start_loops, self._clock = client, start_loops, clock
        self._books, self._tickets = OpenWorkStore(pool), TicketStore(pool)
        self._view = OrderViews(client, lambda workflow_id: workflow_id)
        self._done: set[str] = set()
        """Runs whose workflow goes on, and has been asked what it still asks."""
        self._doubted: dict[str, set[str]] = {}
        """By run, tickets that the look before did not find with the workflow: what is being written is left alone."""
        self._next = 0
        """Where the turn of the next look begins."""

    async def keep_looking(self) -> None:
        """Until it is cancelled. A look that fails is made again: Temporal or the database may be away."""
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self.look()
            except Exception as failure:
                log.error("unable to look after ended workflows", error=repr(failure)[:200])

    async def look(self) -> None:
        """Once around."""
        await self._start_loops()
        query = ENDED.format(since=_moment(self._clock() - LOOKED_BACK))
        ended = {w.run_id: w async for w in self._client.list_workflows(query)}
        self._done &= ended.keys()
        self._doubted = {run_id: doubted for run_id, doubted in self._doubted.items() if run_id in ended}
        turn = self._turn(ended.values())
        asked = [t for t in await self._tickets.open_numbers(SYSTEM, STEP) if t.startswith(_PREFIX)]
        about = {ticket_id: _about(ticket_id) for ticket_id in asked}
        ids = sorted({*(run.id for run in turn), *about.values()})
        books = await self._books.standing(ids)
        # The books are read first: whoever ends says so to the books before.
        running = await self._running(ids)
        for ticket_id, workflow_id in about.items():
            if workflow_id in running or books.get(workflow_id) is not None:
                await self._close(ticket_id)
        for run in turn:
            if run.id not in books:  # a start that was refused, or one whose first write is on its way
                continue
            if books[run.id] is not None:
                self._done.add(run.run_id)
            elif run.id in running:
                await self._forget_what_is_not_asked(run)
            else:
                await self._ask(run)

    def _turn(self, ended: Iterable[WorkflowExecution]) -> list[WorkflowExecution]:
        """The last runs of workflows that are not done with, `MOST` a look."""
        by_id: dict[str, WorkflowExecution] = {}
        for one in ended:
            if one.run_id not in self._done and (one.id not in by_id or _closed(by_id[one.id]) < _closed(one)):
                by_id[one.id] = one
        start = self._next if self._next < len(by_id) else 0
        self._next = start + MOST
        return list(islice(by_id.values(), start, start + MOST))

    async def _running(self, ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for start in range(0, len(ids), PAGE):
            some = ", ".join(f"'{i}'" for i in ids[start : start + PAGE])
            found |= {w.id async for w in self._client.list_workflows(RUNNING.format(ids=some))}
        return found

    async def _ask(self, run: WorkflowExecution) -> None:
        what = run.id.replace("/", " ")
        status = run.status.name.lower() if run.status else "ended"
        again = f"temporal workflow reset --workflow-id {run.id} --type LastWorkflowTask --reason 'ended by mistake'"
        ticket = TicketRecord(
            ticket_id=_ticket_id(run), system=SYSTEM, step=STEP, severity="urgent", actions=("give_up",),
            error=f"{what} is open in the books, and its workflow was {status}: nothing of it goes on. It starts again "
            f"where it stood by `{again}`; this ticket then closes by itself",
            give_up_means="nothing starts again: settle it by hand, with the buyer and the warehouse",
        )  # fmt: skip
        if await self._tickets.open_outside(ticket, await self._books.order_of(run.id), self._clock()):
            log.warning("a workflow was ended from outside", workflow=run.id, status=status)

    async def _close(self, ticket_id: str) -> None:
        over = TicketResolution(
            ticket_id=ticket_id, action="evidence", remark="its workflow runs again, or has ended", resolved_by="system"
        )
        with suppress(NoSuchTicket):  # a person, or another worker, was quicker
            await self._tickets.resolve_outside(over, self._clock())

    async def _forget_what_is_not_asked(self, run: WorkflowExecution) -> None:
        """Of a workflow that was put back: its tickets of before that it does not know any more."""
        try:
            view = await self._view(run.id)
        except (RPCError, WorkflowQueryFailedError) as failure:  # the others are looked after all the same
            log.warning("a workflow that was put back does not answer", workflow=run.id, error=repr(failure)[:200])
            return
        if view is None:  # it has ended meanwhile, or is being put back just now
            return
        known = {str(ticket["ticket_id"]) for ticket in view["open_tickets"]}
        void = set(await self._books.tickets_before(run.id, _closed(run))) - known
        if void <= self._doubted.get(run.run_id, set()):
            self._done.add(run.run_id)
            if void:
                await self._tickets.void(sorted(void), self._clock())
                log.warning("tickets that a reset made void are closed", workflow=run.id, tickets=sorted(void))
        self._doubted[run.run_id] = void


def _ticket_id(run: WorkflowExecution) -> str:
    """One for each run: what is ended again is asked about again."""
    return f"{_PREFIX}{run.id.replace('/', '-')}-r{run.run_id[:8]}"


def _about(ticket_id: str) -> str:
    """The workflow's id."""
    return ticket_id.removeprefix(_PREFIX).rpartition("-r")[0].replace("-", "/", 1)


def _closed(run: WorkflowExecution) -> datetime:
    return run.close_time or run.start_time


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
