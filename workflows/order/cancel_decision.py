"""A paid order is cancelled as the approval matrix says of a return of kind `cancel_unshipped` (R44): asked first, and
only then is anything stopped or paid back. Where the matrix asks nobody, it is done at once."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import Field
from temporalio import workflow
from temporalio.exceptions import ApplicationError

from activities.return_messages import CancelRoute
from activities.returns import ReturnActivities
from domain.approvals import ApprovalRequest, Decided, Kind, Role, ask
from domain.returns.enums import Level
from domain.strict import Strict
from workflows.approvals.approvals import Approvals, Waits
from workflows.approvals.reminders import ApprovalReminders, note_then_ticket
from workflows.durable.branches import Branches
from workflows.durable.carrying import Own, Table
from workflows.durable.local_steps import in_store
from workflows.order.messages import CancelOrder
from workflows.order.state import OrderState

KIND: Kind = "cancel_paid"
BY_DECISION = "a paid order is cancelled by decision"
SYSTEM = "orders"


class CancelAsked(Strict):
    """`levels`: who has to agree, in turn. `agreed`: the approvals so far, and `people` who gave them. `amount_minor`:
    what they agree to, at most."""

    message: CancelOrder
    levels: tuple[Level, ...]
    amount_minor: int
    asking: str = ""
    agreed: tuple[str, ...] = ()
    people: tuple[str, ...] = ()
    content: dict[str, Any] = Field(default_factory=dict)


class CancelDecision:
    """`worth`: what would go back now, minor units, with the children that it is for. `too_late`: it cannot be
    cancelled any more. `carry_out`: stops and pays back."""

    CARRIED = Table(
        _asked=CancelAsked | None,
        _reminders=Own(),
        left={
            "executing": "no run ends while an order is being cancelled",
            "_alone": "counts what older code has done in this run",
            "_state": "wiring", "_approvals": "its own part", "_branches": "wiring",
            "_worth": "wiring", "_too_late": "wiring", "_carry_out": "wiring",
        },
    )  # fmt: skip

    def __init__(
        self,
        state: OrderState,
        approvals: Approvals,
        branches: Branches,
        worth: Callable[[], tuple[int, dict[str, Any]]],
        too_late: Callable[[], bool],
        carry_out: Callable[[CancelOrder], Awaitable[object]],
    ) -> None:
        self._state = state
        self._approvals = approvals
        self._branches = branches
        self._worth = worth
        self._too_late = too_late
        self._carry_out = carry_out
        self._reminders = ApprovalReminders(state.tickets, note_then_ticket)
        self._asked: CancelAsked | None = None
        self._alone = 0
        self.executing = False

    def go_on(self) -> None:
        """In a new run, with the waiting for a decision."""
        if self._asked is not None:
            self._branches.take_on(self._decided())

    def why_not_now(self) -> str:
        """While it is being decided."""
        if self._asked is None:
            return ""
        return f"whether the order is cancelled is asked already ({self._asked.asking or 'approved'})"

    async def ask(self, message: CancelOrder) -> str:
        """The number of the question that it waits for; '' where nobody has to agree."""
        amount_minor, content = self._worth()
        if amount_minor == 0 or not self._by_decision():
            return ""
        route = await in_store(
            ReturnActivities.cancel_route,
            CancelRoute(order_no=self._state.order_no, amount_minor=amount_minor),
            summary="who agrees to the cancellation",
        )
        levels = tuple(level for level in route.levels if level is not Level.SYSTEM)
        if not levels:
            return ""
        asked = CancelAsked(message=message, levels=levels, amount_minor=amount_minor, content=content)
        request = await self._open(asked)
        self._branches.take_on(self._decided())
        await self._state.flushed()
        return request.approval_id

    def _by_decision(self) -> bool:
        """Of all, but those that older code has taken: each of them counts on the patch's name, whose answer would hold
        for a whole run."""
        if workflow.patched(_numbered(self._alone)):
            return True
        self._alone += 1
        return False

    async def _open(self, asked: CancelAsked) -> ApprovalRequest:
        """The next level is asked."""
        state, level = self._state, asked.levels[len(asked.agreed)]
        n = self._approvals.next_number()
        content = {
            "order_no": state.order_no, "level": level.value, "amount_minor": asked.amount_minor,
            "currency": state.currency, "payee": "original payment", "reason": asked.message.reason, **asked.content,
        }  # fmt: skip
        request = ask(
            KIND, subject=state.order_no, n=n, version=n, role=Role(level), requested_by=asked.message.by,
            content=content, order_no=state.order_no, excluded=asked.people,
        )  # fmt: skip
        await self._approvals.open(request)
        self._asked = asked.model_copy(update={"asking": request.approval_id})
        state.audit(asked.message.by, "order.cancel.asked", approval_id=request.approval_id, level=level.value)
        return request

    async def _decided(self) -> None:
        try:
            while self._asked is not None and len(self._asked.agreed) < len(self._asked.levels):
                if not await self._level(self._asked):
                    return
            if self._asked is not None:
                await self._execute(self._asked)
        finally:
            self._asked = None
            self.executing = False

    async def _level(self, asked: CancelAsked) -> bool:
        """True: this level has agreed."""
        if not asked.asking:
            await self._open(asked)
            assert self._asked is not None
            asked = self._asked
        request = self._approvals.request(asked.asking)
        decided = await self._decision(request)
        self._reminders.over(request.approval_id)
        if decided is None:
            self._not_done(f"{request.approval_id} was withdrawn: it cannot be cancelled any more")
            return False
        if not decided.approved:
            self._state.audit(decided.person_id, "order.cancel.rejected", approval_id=request.approval_id)
            self._not_done(f"{decided.person_id} has not agreed ({request.approval_id}): {decided.remark}")
            return False
        people = tuple(p for p in (decided.person_id, decided.on_behalf_of) if p)
        self._asked = asked.model_copy(
            update={"asking": "", "agreed": (*asked.agreed, request.approval_id), "people": (*asked.people, *people)}
        )
        return True

    async def _decision(self, request: ApprovalRequest) -> Decided | None:
        number, policy = request.approval_id, self._state.policy
        waits = Waits(policy.approval_reminder_s, policy.approval_escalation_s)
        deciding = asyncio.ensure_future(self._approvals.decided(number, waits, self._reminders.escalate))
        await workflow.wait_condition(lambda: deciding.done() or self._too_late())
        if not deciding.done():
            await self._approvals.withdraw(number, "system", "the order cannot be cancelled any more")
        return await deciding

    async def _execute(self, asked: CancelAsked) -> None:
        """Looked at once more, for time has passed: nothing is stopped that nobody has agreed to."""
        self.executing = True
        try:
            for number in asked.agreed:
                await self._approvals.use(number, f"cancel {self._state.order_no}")
        except ApplicationError as refused:
            self._not_done(f"{refused.message} ({refused.type})")
            return
        amount_minor, _ = self._worth()
        if self._too_late() or amount_minor > asked.amount_minor:
            self._not_done("it has gone on since it was asked: ask again if it is still wanted")
            return
        self._state.audit(asked.message.by, "order.cancel.agreed", approvals=", ".join(asked.agreed))
        await self._carry_out(asked.message)

    def _not_done(self, why: str) -> None:
        self._state.tickets.note(SYSTEM, "not cancelled", f"order {self._state.order_no}: {why}"[:500])


def _numbered(alone: int) -> str:
    """The patch that this command asks for."""
    return f"{BY_DECISION} {alone}"
