"""Who has to agree to a case: the supervisor on application, finance before payout, the supervisor about a dispute.

An approval names the exact amount (domain/approvals.py); when the amount is lowered, what was approved before approves
nothing any more. Time never approves: it reminds, then it escalates (R43, R44).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Kind, Role, ask
from domain.returns.enums import GOODS_COME_BACK, GOODS_GO_OUT, CaseStatus, Level
from domain.returns.states import ReturnEvent
from domain.units import UnitRange, per_line
from workflows.approvals.approvals import Approvals, Overdue, Waits
from workflows.approvals.reminders import ApprovalReminders, Reminder
from workflows.approvals.supplied_money import KIND as MONEY_FACT
from workflows.durable.carrying import Own, Table
from workflows.returns.state import ReturnEnded, ReturnState


class Review:
    """All approvals of one case. `taken_back`: the buyer has withdrawn the application meanwhile."""

    CARRIED = Table(
        approvals=Own(),
        _agreed=dict[Level, tuple[int, Decided]],
        _reminders=Own(),
        _asked=str,
        left={"state": "wiring", "_taken_back": "wiring", "_not_stopped": "wiring"},
    )

    def __init__(
        self, state: ReturnState, taken_back: Callable[[], bool], not_stopped: Callable[[], tuple[UnitRange, ...]]
    ) -> None:
        self.state = state
        self.approvals = Approvals()
        self._taken_back = taken_back
        self._not_stopped = not_stopped
        self._agreed: dict[Level, tuple[int, Decided]] = {}
        """By level: the version that was approved, and by whom."""
        self._asked = ""
        """The number of the approval that is waited for."""
        self._reminders = ApprovalReminders(state.tickets, self._overdue_ticket)

    # --- the two levels ----------------------------------------------------------------------------------------------

    async def application(self) -> None:
        """The supervisor agrees to the application. Raises `ReturnEnded` when not."""
        state = self.state
        while not self.agreed(Level.CS_SUPERVISOR):
            if state.status is not CaseStatus.SUPERVISOR_REVIEW:
                state.happens(ReturnEvent.ADMITTED if state.status is CaseStatus.APPLIED else ReturnEvent.REVIEW_WANTED)
            kind: Kind = "exchange" if state.type in GOODS_GO_OUT else "refund_application"
            await self._level(Level.CS_SUPERVISOR, kind, Role.CS_SUPERVISOR, ())
        if state.status is CaseStatus.SUPERVISOR_REVIEW and state.type in GOODS_COME_BACK:
            state.happens(ReturnEvent.APPROVED)

    async def payout(self) -> None:
        """Finance agrees, when the matrix wants it: after inspection, before money moves, another person. When the
        amount is lowered meanwhile, the supervisor comes first again."""
        while not self.agreed(Level.FINANCE) and self.agreed(Level.CS_SUPERVISOR):
            if self.state.status is not CaseStatus.FINANCE_REVIEW:
                self.state.happens(ReturnEvent.FINANCE_WANTED)
            await self._level(Level.FINANCE, "refund_payout", Role.FINANCE, self._people)

    async def clear(self) -> None:
        """Every level has agreed to what is paid now, and is still entitled to: approvals are looked at again and
        spent (N16). An approver who is not any more means that the level is asked again."""
        while True:
            while not (self.agreed(Level.CS_SUPERVISOR) and self.agreed(Level.FINANCE)):
                await self.application()
                await self.payout()
            try:
                for _, decided in list(self._agreed.values()):
                    await self.approvals.use(decided.approval_id, self.state.return_no)
                if self._taken_back() and workflow.patched("taken back while approvals are spent"):
                    self.unless_taken_back()
                return
            except ApplicationError as refused:
                self.state.log("system", "approval no longer valid", why=f"{refused.type}: {refused.message}"[:300])
                self.state.version += 1  # the same content may not be asked about twice
                self._agreed.clear()

    def unless_taken_back(self) -> None:
        """Raises `ReturnEnded`."""
        if self._taken_back():
            raise ReturnEnded(ReturnEvent.BUYER_CANCELLED, "taken back")

    async def _level(self, level: Level, kind: Kind, role: Role, excluded: tuple[str, ...]) -> None:
        version = self.state.version
        decided = await self._ask(kind, role, self._content(), excluded)
        if decided is None:
            return  # withdrawn: what is asked has changed
        self.state.log(decided.person_id, f"{kind} {decided.decision}", decided.role.value, remark=decided.remark)
        if not decided.approved:
            raise ReturnEnded(ReturnEvent.REJECTED, decided.remark, by=decided.person_id, role=decided.role.value)
        if version == self.state.version:
            self._agreed[level] = (version, decided)

    def agreed(self, level: Level) -> bool:
        """This level has agreed to the case as it is now."""
        nothing_is_paid = level is Level.FINANCE and self.state.type in GOODS_GO_OUT
        if nothing_is_paid or level not in self.state.case.route:
            return True
        return level in self._agreed and self._agreed[level][0] == self.state.version

    @property
    def _people(self) -> tuple[str, ...]:
        """Who has decided in this case, in person or as a delegate."""
        people = [p for _, d in self._agreed.values() for p in (d.person_id, d.on_behalf_of) if p]
        return tuple(people)

    @property
    def parties(self) -> frozenset[str]:
        """Who may not receive or inspect the goods: who asked, and who decides (R57)."""
        actor = self.state.applicant
        return frozenset(p for p in (actor.id, actor.on_behalf_of, *self._people) if p)

    def _content(self) -> dict[str, Any]:
        state, case = self.state, self.state.case
        application = state.application
        units, late = per_line(case.units), self._not_stopped()
        shown = bool(late) and workflow.patched("approvals name what was not stopped")
        return {
            "return_no": state.return_no, "order_no": case.order_no, "type": case.type.value, "units": units,
            "amount_minor": state.amount_minor, "currency": case.currency, "payee": "original payment",
            "reason": application.reason.value, "fault": application.fault.value,
            "money": [
                {"line_id": q.line_id, "units": q.units, "goods_minor": q.goods_minor, "freight_minor": q.freight_minor}
                for q in case.quote.lines
            ],
            "evidence": list(application.evidence),
            **({"not_stopped": per_line(late)} if shown else {}),
        }  # fmt: skip

    # --- disputes ----------------------------------------------------------------------------------------------------

    async def dispute(self, amount_minor: int, why: str, by: str) -> bool:
        """The supervisor decides whether the case pays `amount_minor` instead. True: it does."""
        content = self._content() | {
            "amount_minor": amount_minor,
            "instead_of_minor": self.state.amount_minor,
            "why": why,
        }
        decided = await self._ask("dispute", Role.CS_SUPERVISOR, content, (by,))
        if decided is None:
            return False
        self.state.log(decided.person_id, f"dispute {decided.decision}", decided.role.value, remark=decided.remark)
        return decided.approved

    # --- asking ------------------------------------------------------------------------------------------------------

    async def _ask(self, kind: Kind, role: Role, content: dict[str, Any], excluded: tuple[str, ...]) -> Decided | None:
        state, actor = self.state, self.state.applicant
        self.unless_taken_back()
        policy = state.policy
        if self._asked:  # by a run before
            request = self.approvals.request(self._asked)
        else:
            request = ask(
                kind, subject=state.return_no, n=self.approvals.next_number(), version=state.version, role=role,
                requested_by=actor.id, content=content, order_no=state.order_no,
                excluded=(*((actor.on_behalf_of,) if actor.on_behalf_of else ()), *excluded),
            )  # fmt: skip
            await self.approvals.open(request)
            due = workflow.now() + timedelta(seconds=policy.review_escalation_s)
            state.now_waits_for(f"{role.value}: {request.approval_id}", due)
            self._asked = request.approval_id
        waits = Waits(policy.review_reminder_s, policy.review_escalation_s)
        decided = await self.approvals.decided(request.approval_id, waits, self._escalate)
        self._asked = ""
        self._reminders.over(request.approval_id)
        self.unless_taken_back()
        return decided

    def _escalate(self, request: ApprovalRequest, what: Overdue) -> None:
        self.state.log("system", what, approval_id=request.approval_id, role_asked=request.role.value)
        self._reminders.escalate(request, what)

    def _overdue_ticket(self, request: ApprovalRequest, what: Overdue) -> Reminder | None:
        """The reminder is a line of the story; only the escalation is a ticket."""
        if what == "reminder":
            return None
        hours = self.state.policy.review_escalation_s // 3600
        return Reminder(
            "review overdue",
            f"{request.approval_id} has waited {hours} h for {request.role.value}",
            "nothing is approved by itself: the approval stays open",
            "urgent",
        )

    async def withdraw_all(self, by: str, why: str) -> None:
        """What is asked has changed, or is not asked any more. A decision that was faster stands."""
        for number, request in list(self.approvals.asked.items()):
            if request.kind == MONEY_FACT:
                continue
            await self.approvals.withdraw(number, by, why)
