"""Whoever wants a parcel stopped, in whatever order, however the warehouse answers: every unit keeps one owner.

What each story ends with is looked at by the check of owners, as at the end of every story (`has_owners`).
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from temporalio.client import WorkflowUpdateHandle, WorkflowUpdateStage
from temporalio.service import RPCError

from bench.scenarios.environment import Servers
from bench.scenarios.environment.return_case import Case, case_of
from domain.facts import Kind
from domain.returns.enums import ReturnType
from starter.clients.approvals import ApprovalClient
from starter.clients.errors import NotNow
from starter.clients.return_errors import NoSuchReturn, ReturnRefused, StepRefused
from tests.scenarios.children import ADDRESS, CHILD, ORDER, Desk, desk, line
from workflows.messages import ResolveTicket
from workflows.order.changes.messages import ChangeAddress
from workflows.order.messages import CancelOrder

pytestmark = pytest.mark.usefixtures("cancelled_at_once")

LINES = (line(1, 2, 333, supplier="ACME"), line(2, 1, 500, warehouse="WH-2", supplier="ACME"))
MOVED = ADDRESS.model_copy(update={"street": "延安路 9 号"})
REFUSED = (NotNow, ReturnRefused, StepRefused, NoSuchReturn, RPCError)
"""What a person is told at the door, also by an order or a case that has ended meanwhile."""
ANSWERS = ("cancelled", "pending", "too_late")


class Claimants:
    """Everybody who may want a parcel stopped, once each. What is refused at the door is no fault."""

    def __init__(self, d: Desk, random: Random) -> None:
        self.d, self.random = d, random
        self.asked: list[WorkflowUpdateHandle[Any]] = []
        self.cases: list[Case] = []

    async def update(self, name: str, message: Any) -> None:
        self.asked.append(
            await self.d.life.handle.start_update(name, message, wait_for_stage=WorkflowUpdateStage.ACCEPTED)
        )

    async def buyer(self) -> None:
        await self.update("cancel", CancelOrder(by="b-1", reason="not wanted any more"))

    async def address(self) -> None:
        await self.update("change_address", ChangeAddress(address=MOVED, by="u-cs", remark="the buyer has moved"))

    async def case(self) -> None:
        lines = self.random.choice(({"L1": 2}, {"L2": 1}, {"L1": 2, "L2": 1}))
        case = await case_of(self.d.life, ReturnType.CANCEL_UNSHIPPED, lines, images=0)
        await case.apply()
        self.cases.append(case)

    async def merge(self) -> None:
        await self.d.approve(await self.d.merge(*await self.open_children(), warehouse="WH-2"))

    async def split(self) -> None:
        first = (await self.open_children())[:1]
        await self.d.approve(await self.d.resplit(first, {"L1": 1}, {"L1": 1}))

    async def supplier(self) -> None:
        await self.d.house.pass_until(self.d.house.now() + timedelta(hours=25))
        await self.give_up("supplier silent")

    async def open_children(self) -> list[int]:
        """Where there is none, one that is refused at the door."""
        return [n for n, status in (await self.d.statuses()).items() if status == "RELEASED"] or [1]

    async def give_up(self, *steps: str) -> None:
        for ticket in await self.d.house.tickets.list(order_no=ORDER):
            if ticket.step in steps and ticket.state == "open":
                message = ResolveTicket(ticket_id=ticket.ticket_id, action="give_up", remark="seen", by="u-ops")
                await self.d.house.client.resolve_ticket(ORDER, message)
        await self.d.house.rest()

    async def warehouse(self, *, at_last: bool = False) -> None:
        """Answers what it has left open, or lets it wait."""
        for n, status in (await self.d.statuses()).items():
            if status == "INTERCEPTING" and (at_last or self.random.random() < 0.5):
                await self.d.life.happens(self.random.choice((Kind.INTERCEPTED, Kind.INTERCEPT_REFUSED)), n)

    async def until_nothing_is_open(self) -> None:
        office = self.d.house.office
        for _ in range(12):
            await self.warehouse(at_last=True)
            await self.give_up("interception unanswered", "supplier silent")
            for case in self.cases:
                for approval in await office.waiting(case.return_no):
                    await office.decide(ApprovalClient(self.d.house.temporal), approval, None, "approve")
            await self.d.house.rest()
        await self.d.life.ships(*(n for n, status in (await self.d.statuses()).items() if status == "RELEASED"))


@pytest.mark.parametrize("seed", range(4))
async def test_every_unit_is_shipped_or_paid_back_and_never_both(servers: Servers, seed: int) -> None:
    random = Random(seed)
    async with desk(servers, *LINES, extra_stock={("SKU-1", "WH-2"): 2}) as d:
        d.house.systems.intercepts |= {number: random.choice(ANSWERS) for number in CHILD.values()}
        people = Claimants(d, random)
        story: list[Callable[[], Awaitable[None]]] = [
            people.buyer, people.address, people.case, people.merge, people.split, people.supplier
        ]  # fmt: skip
        random.shuffle(story)
        for wants in story:
            try:
                await wants()
            except REFUSED:
                continue
            await d.house.rest()
            await people.warehouse()
        await people.until_nothing_is_open()
        assert "INTERCEPTING" not in (await d.statuses()).values()
