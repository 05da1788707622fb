"""Children made anew at a person's request: asked for, approved by another supervisor, looked at again, carried out.

While it waits for the approval nothing stands still: once one of the children is picked, the question is withdrawn.
"""

import asyncio
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Role, ask
from domain.fulfilment.merging import BEFORE_PICKING, Mergeable, merge_verdict
from domain.fulfilment.reallocation import (
    Held,
    ReplanCode,
    UnableToReplan,
    check_resplit,
    replanned,
    together,
)
from domain.states import ChildStatus
from workflows.approvals.approvals import Approvals, Waits
from workflows.approvals.reminders import ApprovalReminders, note_then_ticket
from workflows.durable.branches import Branches
from workflows.durable.carrying import ByType, Own, Table
from workflows.order.changes.change_request import ChangeRequest, merge_request, resplit_request
from workflows.order.changes.halting import halt
from workflows.order.changes.messages import Requested, RequestMerge, RequestResplit
from workflows.order.changes.reallocation import Reallocation, ReallocationGroup, ReallocationRefused
from workflows.order.parcels.parcel import Parcel
from workflows.order.parcels.parcels import Parcels
from workflows.order.parcels.stop_claim import ONE_OWNER, Claimant
from workflows.order.state import OrderState

SYSTEM = "orders"
ON_HOLD = "ON_HOLD"
"""What a hold waits for (customs, a look at the risk) was decided about these children as they are."""


class FulfilmentChanges:
    CARRIED = Table(
        _reminders=Own(),
        _asked_for=ByType(list[str], sorted, set),
        _waiting=dict[str, ChangeRequest],
        left={
            "executing": "no run ends while children are made anew",
            "reallocation": "it keeps nothing",
            "_state": "wiring", "_parcels": "wiring", "_approvals": "its own part", "_branches": "wiring",
        },
    )  # fmt: skip

    def __init__(self, state: OrderState, parcels: Parcels, approvals: Approvals, branches: Branches) -> None:
        self._state = state
        self._parcels = parcels
        self._approvals = approvals
        self._branches = branches
        self.reallocation = Reallocation(state, parcels, branches)
        self._reminders = ApprovalReminders(state.tickets, note_then_ticket)
        self._asked_for: set[str] = set()
        self._waiting: dict[str, ChangeRequest] = {}
        """By the number of the approval that each waits for."""
        self.executing = False

    def go_on(self) -> None:
        """In a new run, with the waiting for decisions."""
        for number, change in self._waiting.items():
            self._branches.take_on(self._await_decision(change, self._approvals.request(number)))

    # --- asking ------------------------------------------------------------------------------------------------------

    def check_merge(self, message: RequestMerge) -> None:
        self._check(merge_request(message))

    def check_resplit(self, message: RequestResplit) -> None:
        self._check(resplit_request(message))

    async def request_merge(self, message: RequestMerge) -> Requested:
        return await self._request(merge_request(message))

    async def request_resplit(self, message: RequestResplit) -> Requested:
        return await self._request(resplit_request(message))

    def _check(self, change: ChangeRequest) -> None:
        """Raises `ApplicationError` with the rule's code as type."""
        if refused := self._why_not(change, change.approver):
            raise ApplicationError(refused[1], type=refused[0])
        if taken := sorted(self._asked_for.intersection(change.children)):
            raise ApplicationError(f"{', '.join(taken)}: a change of it waits for approval already", type="NotNow")

    async def _request(self, change: ChangeRequest) -> Requested:
        self._check(change)
        n = self._approvals.next_number()
        request = ask(
            change.kind,
            subject=self._state.order.order_no,
            n=n,
            version=n,
            role=Role.CS_SUPERVISOR,
            requested_by=change.by,
            content=self._content(change),
            order_no=self._state.order.order_no,
        )
        self._asked_for.update(change.children)
        self._state.audit(change.by, f"order.{change.kind}", approval_id=request.approval_id, remark=change.remark)
        await self._approvals.open(request)
        self._waiting[request.approval_id] = change
        self._branches.take_on(self._await_decision(change, request))
        return Requested(approval_id=request.approval_id)

    def _content(self, change: ChangeRequest) -> dict[str, Any]:
        plans = [self._parcels.by_number[number].state.plan for number in change.children]
        content: dict[str, Any] = {
            "children": [
                {"child_no": plan.child_no, "warehouse": plan.warehouse, "lines": dict(plan.lines)} for plan in plans
            ],
            "worth_minor": sum(plan.paid_minor for plan in plans),
            "currency": self._state.order.currency,
            "remark": change.remark,
        }
        if change.approver:
            content["asked"] = change.approver
        if change.warehouse:
            content["ship_from"] = change.warehouse
        if change.into:
            content["into"] = [{"lines": dict(p.lines), "warehouse": p.warehouse or ""} for p in change.into]
        return content

    # --- the rules, on the order as it stands ------------------------------------------------------------------------

    def _why_not(self, change: ChangeRequest, approver: str | None = None) -> tuple[str, str] | None:
        """Code and reason against it, as things stand."""
        parcels = [self._parcels.by_number.get(number) for number in change.children]
        known = [p for p in parcels if p is not None]
        if change.because == "merged":
            verdict = merge_verdict(
                [self._mergeable(p) for p in known],
                remark=change.remark,
                requester=change.by,
                approver=approver,
                target_warehouse=change.warehouse,
            )
            refused = None if verdict.allowed else (verdict.code.value, verdict.why)
        else:
            refused = self._why_not_resplit(change, known)
        if len(known) < len(parcels) and (refused is None or refused[0] != ReplanCode.REMARK_REQUIRED):
            missing = [n for n, p in zip(change.children, parcels, strict=True) if p is None]
            order_no = self._state.order.order_no
            return ReplanCode.UNKNOWN_CHILD.value, f"order {order_no} has no child {', '.join(missing)}"
        if refused is None and (on_hold := [why for p in known if (why := self._hold_on(p))]):
            return ON_HOLD, f"{', '.join(on_hold)}: ask again when it is released"
        return refused

    def _hold_on(self, parcel: Parcel) -> str:
        """What keeps it, in words; '' when nothing does."""
        child_no, status = parcel.state.child_no, parcel.state.status
        if status in (ChildStatus.CUSTOMS_HOLD, ChildStatus.RISK_HOLD):
            return f"{child_no} is on {status}"
        holds = " and ".join(hold.hold_id for hold in self._state.holds.on(child_no))
        return f"{child_no} is held by {holds}" if holds else ""

    def _why_not_resplit(self, change: ChangeRequest, parcels: list[Parcel]) -> tuple[str, str] | None:
        assert self._state.priced is not None
        try:
            stand = [p.state.held for p in parcels]
            check_resplit(self._state.priced, stand, change.into, change.remark)
            replanned(self._state.order.order_no, self._state.priced, stand, change.into, 1, change.because)
        except UnableToReplan as error:
            return error.code.value, str(error)
        return None

    def _mergeable(self, parcel: Parcel) -> Mergeable:
        assert self._state.priced is not None
        lines = parcel.state.plan.lines
        tags = [line.tags for line in self._state.priced.lines if line.line_id in lines]
        return Mergeable(
            child_no=parcel.state.child_no,
            status=parcel.state.status,
            address=self._parcels.address_of(parcel),
            customs=frozenset(t.customs for t in tags),
            logistics=frozenset(t.logistics for t in tags),
            suppliers=frozenset(t.supplier for t in tags),
            warehouse=parcel.state.plan.warehouse,
        )

    # --- awaiting the decision, and doing it --------------------------------------------------------------------------

    async def _await_decision(self, change: ChangeRequest, request: ApprovalRequest) -> None:
        try:
            decided = await self._decision(change, request)
            if decided is None:
                self._not_done(change, f"{request.approval_id} was withdrawn: a child has gone on meanwhile")
            elif not decided.approved:
                self._state.audit(decided.person_id, f"order.{change.kind}.rejected", approval_id=request.approval_id)
            else:
                await self._carry_out(change, request, decided)
        finally:
            del self._waiting[request.approval_id]
            self._asked_for.difference_update(change.children)

    async def _decision(self, change: ChangeRequest, request: ApprovalRequest) -> Decided | None:
        policy, number = self._state.policy, request.approval_id
        waits = Waits(policy.approval_reminder_s, policy.approval_escalation_s)
        deciding = asyncio.ensure_future(self._approvals.decided(number, waits, self._reminders.escalate))
        parcels = [self._parcels.by_number[n] for n in change.children]
        await workflow.wait_condition(
            lambda: deciding.done() or any(p.state.status not in BEFORE_PICKING for p in parcels)
        )
        if not deciding.done():
            await self._approvals.withdraw(number, "system", "a child has gone on meanwhile")
        decided = await deciding
        self._reminders.over(number)
        return decided

    async def _carry_out(self, change: ChangeRequest, request: ApprovalRequest, decided: Decided) -> None:
        while self.executing and workflow.patched(ONE_OWNER):
            await workflow.wait_condition(lambda: not self.executing)
        if refused := self._why_not(change, decided.person_id):
            self._not_done(change, f"{refused[1]} ({refused[0]})")
            return
        who = _claimant(change)
        parcels = [self._parcels.by_number[n] for n in change.children]
        mine = [p for p in parcels if p.claim.take(who)]
        self.executing = True
        try:
            if len(mine) < len(parcels):
                raise ReallocationRefused("one of them is being stopped for something else; they go on as they were")
            await self._approvals.use(request.approval_id, f"{change.because} {' '.join(change.children)}")
            made = await self._execute(change, request.approval_id)
        except ApplicationError as refusal:
            self._not_done(change, f"{refusal.message} ({refusal.type})")
            return
        except ReallocationRefused as error:
            self._not_done(change, str(error))
            return
        finally:
            self.executing = False
            for parcel in mine:
                parcel.claim.release(who)
        self._state.audit(decided.person_id, f"order.{change.kind}.done", children=", ".join(made))

    async def _execute(self, change: ChangeRequest, approval_id: str) -> tuple[str, ...]:
        """The numbers of the new children. Raises `ReallocationRefused`; what stood still for it is then on its way
        again."""
        parcels = [self._parcels.by_number[n] for n in change.children]
        before = [p.state.held for p in parcels]
        if not await self._halt(parcels, _claimant(change)):
            await self._restore(change, parcels, before)
            raise ReallocationRefused("the warehouse had begun with one of them; they go on as they were")
        parts = change.into or (together(before, change.warehouse),)
        group = ReallocationGroup(tuple(parcels), tuple(before), tuple(parts))
        try:
            return await self.reallocation.remake((group,), change.because, change.remark, approval_id)
        except ReallocationRefused:
            await self._restore(change, parcels, before, everything=True)
            raise

    async def _halt(self, parcels: list[Parcel], who: Claimant) -> bool:
        """Those that the warehouse has are stopped there; their stock stays reserved. True: all stand still now."""
        while True:
            await asyncio.gather(*(p.between_calls() for p in parcels))
            moving = [p for p in parcels if p.at_warehouse and not p.state.set_aside]
            if any(p.state.cancelled and not p.state.set_aside for p in parcels) and workflow.patched(ONE_OWNER):
                return False  # cancelled since it was asked about: its money goes back
            if not moving:
                return all(p.state.set_aside or p.state.status in BEFORE_PICKING for p in parcels)
            ships = await halt(moving, who)
            self._parcels.roll_up()
            if ships:
                return False

    async def _restore(
        self, change: ChangeRequest, parcels: list[Parcel], before: list[Held], *, everything: bool = False
    ) -> None:
        """What was stopped at the warehouse ships after all, each under a new number."""
        groups = [
            ReallocationGroup((p,), (h,), (together([h], h.plan.warehouse),))
            for p, h in zip(parcels, before, strict=True)
            if everything or (p.state.set_aside and p.claim.owner is _claimant(change))
        ]
        if not groups:
            return
        await self.reallocation.insist(tuple(groups), "as before", change.remark)

    def _not_done(self, change: ChangeRequest, why: str) -> None:
        what = {"merged": "not shipped together", "resplit": "not split by hand"}.get(change.because, "not remade")
        self._state.tickets.note(SYSTEM, what, f"{', '.join(change.children)}: {why}"[:500])


def _claimant(change: ChangeRequest) -> Claimant:
    return Claimant.MERGE if change.because == "merged" else Claimant.SPLIT
