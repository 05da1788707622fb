"""One order on its own clock: time stands still until a test lets it pass.

The time-skipping API is experimental; this file and the fixture in conftest.py are the only places that know it.
"""

import asyncio
import os
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from typing import Any, cast
from unittest.mock import patch

from temporalio.api.enums.v1 import EventType, PendingActivityState, WorkflowExecutionStatus
from temporalio.client import (
    WithStartWorkflowOperation,
    WorkflowHandle,
    WorkflowHistory,
    WorkflowUpdateHandle,
    WorkflowUpdateStage,
)  # fmt: skip
from temporalio.common import WorkflowIDConflictPolicy
from temporalio.service import RPCError, RPCStatusCode
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from deploy.local.temporal import server_arguments, temporal_binary
from domain.facts import Fact, Kind
from domain.order import StartOrder
from domain.records import TicketRecord
from tests.workflows.orders import fact
from tests.workflows.world import World
from wire.converter import data_converter
from workflows.messages import ORDER_WORKFLOW, FactBatch, ResolveTicket, TicketAnswer, order_workflow_id
from workflows.order.messages import Cancelled, CancelOrder, ConfirmReceipt, OrderView, Placed, Refresh, Refreshed
from workflows.order.workflow import Order

REAL_SECONDS = 20.0
"""No wait in these tests may take longer on the real clock."""
CANCEL = CancelOrder(by="buyer", reason="changed my mind")
inbox_ids = count(1)


async def until(condition: Callable[[], Any], what: str) -> None:
    """The one bounded poll of these tests."""
    try:
        async with asyncio.timeout(REAL_SECONDS):
            while not condition():
                await asyncio.sleep(0.01)
    except TimeoutError:
        raise AssertionError(f"not within {REAL_SECONDS:.0f} s: {what}") from None


def kinds(history: WorkflowHistory) -> Counter[str]:
    """Events by kind, without those that only skipped time leaves."""
    names = (EventType.Name(e.event_type).removeprefix("EVENT_TYPE_") for e in history.events)
    return Counter(name for name in names if "TIME_SKIPPING" not in name and "OPTIONS_UPDATED" not in name)


async def open_server() -> WorkflowEnvironment:
    """A server of its own, with skipped time. `async with` ends it."""
    with patch.dict(os.environ, GOGC="400"):  # as LocalTemporal: a tenth less of a core for a test
        return await WorkflowEnvironment.start_time_skipping_v2(
            dev_server_existing_path=str(temporal_binary()),
            dev_server_extra_args=server_arguments(time_skipping=True),
            data_converter=data_converter(None, None),
            identity="tests",
        )


class Play:
    """An order, its world, and everything one can do to it. Every step returns when the order is at rest again."""

    def __init__(self, env: WorkflowEnvironment, queue: str, world: World) -> None:
        self.env = env
        self.queue = queue
        self.world = world
        self.handle: WorkflowHandle[Any, Any]
        self.order: StartOrder

    @asynccontextmanager
    async def worker(self) -> AsyncIterator[None]:
        async with Worker(
            self.env.client, task_queue=self.queue, workflows=[Order], activities=self.world.activities(),
            workflow_runner=UnsandboxedWorkflowRunner(),  # the whole system's tests run in the sandbox (tests/e2e)
            build_id="tests",  # else the SDK hashes the code of all loaded modules, seconds of a core
        ):  # fmt: skip
            yield

    # --- the order's life --------------------------------------------------------------------------------------------

    async def start(self, order: StartOrder, **how: Any) -> None:
        await self.begin(order, **how)
        await self.rest()

    async def begin(self, order: StartOrder, **how: Any) -> None:
        """Starts the order and waits for nothing: its worker may be away."""
        self.order = order
        with self.env.with_time_skipping_disabled():
            self.handle = await self.env.client.start_workflow(
                ORDER_WORKFLOW, order, id=order_workflow_id(order.order_no), task_queue=self.queue, result_type=str,
                **how,
            )  # fmt: skip

    async def place(self, message: Any, workflow_id: str) -> Placed:
        """Start and wait for the answer, as the typed client does. `message`: anything that travels."""
        with self.env.with_time_skipping_disabled():
            operation = WithStartWorkflowOperation[Any, Any](
                ORDER_WORKFLOW, message, id=workflow_id, task_queue=self.queue, result_type=str,
                id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
            )  # fmt: skip
            self.handle = self.env.client.get_workflow_handle(workflow_id, result_type=str)
            call = self.env.client.execute_update_with_start_workflow(
                "place", start_workflow_operation=operation, result_type=Placed
            )
            async with asyncio.timeout(REAL_SECONDS):
                return cast(Placed, await call)

    async def start_paid(self, order: StartOrder) -> None:
        await self.start(order)
        await self.pay()

    async def pass_time(self, time: timedelta) -> None:
        async with asyncio.timeout(REAL_SECONDS):
            await self.env.fast_forward(self.handle, time)
        await self.rest()

    async def finish(self) -> str:
        """Skips every wait until the order ends; its result."""
        async with asyncio.timeout(REAL_SECONDS):
            try:
                await self.env.fast_forward(self.handle)
            except RPCError as error:
                if error.status is not RPCStatusCode.NOT_FOUND:  # it has ended already
                    raise
            return cast(str, await self.handle.result())

    async def now(self) -> datetime:
        return await self.env.get_current_time(self.handle)

    # --- the world speaks --------------------------------------------------------------------------------------------

    async def signal(self, *facts: Fact) -> None:
        """Facts delivered together, as the relay would: each with the number of its inbox row."""
        rows = tuple(f.model_copy(update={"inbox_id": next(inbox_ids)}) for f in facts)
        self.world.told[self.order.order_no] |= {f.inbox_id for f in rows if f.inbox_id is not None}
        await self.handle.signal("facts", FactBatch(facts=rows))

    async def tell(self, *facts: Fact) -> None:
        await self.signal(*facts)
        await self.rest()

    async def happens(self, kind: Kind, *children: int, **more: Any) -> None:
        """The same thing happens to parcels (by number), and is told in one batch."""
        now = await self.now()
        await self.tell(*(fact(kind, self.child(n), now, **more) for n in children))

    async def ships(self, *children: int) -> None:
        for kind in (Kind.PICKING, Kind.PACKED, Kind.WAYBILL_RETURNED):
            await self.happens(kind, *children)

    async def pay(self, amount: int | None = None, **more: Any) -> Fact:
        paid = await self.buyer_pays(amount, **more)
        await self.tell(paid)
        return paid

    async def buyer_pays(self, amount: int | None = None, **more: Any) -> Fact:
        """Money reaches the channel; nobody has told the order yet."""
        value = self.order.payable_minor if amount is None else amount
        return self.world.channel.pay(self.order.order_no, value, await self.now(), **more)

    # --- people ------------------------------------------------------------------------------------------------------

    async def update(self, name: str, message: Any, result: type[Any] | None = None) -> Any:
        async with asyncio.timeout(REAL_SECONDS):
            answer = await self.handle.execute_update(name, message, result_type=result)
        await self.rest()
        return answer

    async def cancel(self) -> Cancelled:
        return cast(Cancelled, await self.update("cancel", CANCEL, Cancelled))

    async def begin_cancel(self) -> WorkflowUpdateHandle[Cancelled]:
        """Asks for it and does not wait for the answer."""
        asked = await self.handle.start_update(
            "cancel", CANCEL, result_type=Cancelled, wait_for_stage=WorkflowUpdateStage.ACCEPTED
        )
        await self.rest()
        return cast(WorkflowUpdateHandle[Cancelled], asked)

    async def send_cancel(self) -> "asyncio.Task[Cancelled]":
        """A cancellation sent while no worker is there: it waits at the server."""
        call = self.handle.execute_update("cancel", CANCEL, result_type=Cancelled)
        asked = asyncio.ensure_future(asyncio.wait_for(call, REAL_SECONDS))
        async with asyncio.timeout(REAL_SECONDS):
            while not (await self.handle.describe()).raw_description.HasField("pending_workflow_task"):
                await asyncio.sleep(0.005)
        return asked

    async def answer(self, asked: WorkflowUpdateHandle[Cancelled]) -> Cancelled:
        async with asyncio.timeout(REAL_SECONDS):
            return await asked.result()

    async def confirm(self) -> None:
        await self.update("confirm_receipt", ConfirmReceipt(by="buyer", proof="the buyer's"))

    async def refresh(self) -> Refreshed:
        return cast(Refreshed, await self.update("refresh", Refresh(by="buyer"), Refreshed))

    async def resolve(self, action: Any, result: dict[str, Any] | None = None, ticket_id: str = "") -> None:
        """Answers a ticket: the only blocking one, unless named. Where another person has to agree, they do."""
        number = ticket_id or (await self.ticket()).ticket_id
        said = ResolveTicket(ticket_id=number, action=action, remark="seen", by="ops", result=result)
        answer = cast(TicketAnswer, await self.update("resolve_ticket", said, TicketAnswer))
        if answer.approval_id is not None:
            await self.update("decide", self.world.office.decision(answer.approval_id))

    # --- looking -----------------------------------------------------------------------------------------------------

    async def view(self) -> OrderView:
        return cast(OrderView, await self.handle.query("view", result_type=OrderView))

    async def tickets(self) -> tuple[TicketRecord, ...]:
        return (await self.view()).open_tickets

    async def ticket(self) -> TicketRecord:
        """The one open ticket that blocks."""
        (found,) = [t for t in await self.tickets() if t.severity != "info"]
        return found

    async def notes(self) -> list[str]:
        return [t.step for t in await self.tickets() if t.severity == "info"]

    async def statuses(self) -> tuple[str, ...]:
        """Of the order, then of its parcels."""
        view = await self.view()
        return (view.status.value, *(c.status.value for c in view.children))

    def child(self, number: int) -> str:
        return f"{self.order.order_no}-{number:02d}"

    async def until_history(self, condition: Callable[[Counter[str]], bool]) -> None:
        """Until the history holds such events (counted by kind), although the order is not at rest."""
        async with asyncio.timeout(REAL_SECONDS):
            while not condition(kinds(await self.history())):
                await asyncio.sleep(0.02)

    async def history(self) -> WorkflowHistory:
        return await self.handle.fetch_history()

    async def rest(self) -> None:
        """Until nothing is under way: no workflow task, no activity except those that wait before a retry."""
        async with asyncio.timeout(REAL_SECONDS):
            while not await self._at_rest():
                await asyncio.sleep(0.005)

    async def _at_rest(self) -> bool:
        raw = (await self.handle.describe()).raw_description
        info = raw.workflow_execution_info
        if info.status == WorkflowExecutionStatus.WORKFLOW_EXECUTION_STATUS_CONTINUED_AS_NEW or info.history_length < 4:
            return False  # the first task of a run comes a moment after the run
        waits = PendingActivityState.PENDING_ACTIVITY_STATE_SCHEDULED
        return not raw.HasField("pending_workflow_task") and all(
            a.state == waits and a.attempt > 1 for a in raw.pending_activities
        )
