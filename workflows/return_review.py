"""Who has to agree to a case: the supervisor on application, finance before payout, the supervisor about a dispute.

An approval names the exact amount (domain/approvals.py); when the amount is lowered, what was approved before approves
nothing any more. Time never approves: it reminds, then it escalates (R43, R44).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, Literal

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Kind, Role, ask
from domain.returns.axis import Event
from domain.returns.words import GOODS_COME_BACK, GOODS_GO_OUT, CaseStatus, Level
from workflows.approvals import Approvals, Waits
from workflows.case_book import CaseBook
from workflows.case_over import CaseOver
from workflows.tickets import Ticket

SYSTEM = "approvals"


class Review:
    """All approvals of one case. `taken_back`: the buyer has withdrawn the application meanwhile."""

    def __init__(self, book: CaseBook, taken_back: Callable[[], bool]) -> None:
        self.book = book
        self.approvals = Approvals()
        self._taken_back = taken_back
        self._agreed: dict[Level, tuple[int, Decided]] = {}
        """By level: the version that was approved, and by whom."""
        self._overdue: dict[str, Ticket] = {}

    # --- the two levels ----------------------------------------------------------------------------------------------

    async def application(self) -> None:
        """The supervisor agrees to the application. Raises `CaseOver` when not."""
        book = self.book
        while not self.agreed(Level.CS_SUPERVISOR):
            if book.status is not CaseStatus.SUPERVISOR_REVIEW:
                book.happens(Event.ADMITTED if book.status is CaseStatus.APPLIED else Event.REVIEW_WANTED)
            kind: Kind = "exchange" if book.type in GOODS_GO_OUT else "refund_application"
            await self._level(Level.CS_SUPERVISOR, kind, Role.CS_SUPERVISOR, ())
        if book.status is CaseStatus.SUPERVISOR_REVIEW and book.type in GOODS_COME_BACK:
            book.happens(Event.APPROVED)

    async def payout(self) -> None:
        """Finance agrees, when the matrix wants it: after inspection, before money moves, another person. When the
        amount is lowered meanwhile, the supervisor comes first again."""
        while not self.agreed(Level.FINANCE) and self.agreed(Level.CS_SUPERVISOR):
            if self.book.status is not CaseStatus.FINANCE_REVIEW:
                self.book.happens(Event.FINANCE_WANTED)
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
                    await self.approvals.use(decided.approval_id, self.book.return_no)
                return
            except ApplicationError as refused:
                self.book.tell("system", "approval no longer valid", why=f"{refused.type}: {refused.message}"[:300])
                self.book.version += 1  # the same content may not be asked about twice
                self._agreed.clear()

    async def _level(self, level: Level, kind: Kind, role: Role, excluded: tuple[str, ...]) -> None:
        version = self.book.version
        decided = await self._ask(kind, role, self._content(), excluded)
        if decided is None:
            return  # withdrawn: what is asked has changed
        self.book.tell(decided.person_id, f"{kind} {decided.decision}", decided.role.value, remark=decided.remark)
        if not decided.approved:
            raise CaseOver(Event.REJECTED, decided.remark, by=decided.person_id, role=decided.role.value)
        if version == self.book.version:
            self._agreed[level] = (version, decided)

    def agreed(self, level: Level) -> bool:
        """This level has agreed to the case as it is now."""
        nothing_is_paid = level is Level.FINANCE and self.book.type in GOODS_GO_OUT
        if nothing_is_paid or level not in self.book.case.route:
            return True
        return level in self._agreed and self._agreed[level][0] == self.book.version

    @property
    def _people(self) -> tuple[str, ...]:
        """Who has decided in this case, in person or as a delegate."""
        people = [p for _, d in self._agreed.values() for p in (d.person_id, d.on_behalf_of) if p]
        return tuple(people)

    @property
    def parties(self) -> frozenset[str]:
        """Who may not receive or inspect the goods: who asked, and who decides (R57)."""
        actor = self.book.applicant
        return frozenset(p for p in (actor.id, actor.on_behalf_of, *self._people) if p)

    def _content(self) -> dict[str, Any]:
        book, case = self.book, self.book.case
        application = book.application
        units: dict[str, int] = {}
        for run in case.units:
            units[run.line_id] = units.get(run.line_id, 0) + run.units
        return {
            "return_no": book.return_no, "order_no": case.order_no, "type": case.type.value, "units": units,
            "amount_minor": book.amount_minor, "currency": case.currency, "payee": "original payment",
            "reason": application.reason.value, "fault": application.fault.value,
            "money": [
                {"line_id": q.line_id, "units": q.units, "goods_minor": q.goods_minor, "freight_minor": q.freight_minor}
                for q in case.quote.lines
            ],
            "evidence": list(application.evidence),
        }  # fmt: skip

    # --- disputes ----------------------------------------------------------------------------------------------------

    async def dispute(self, amount_minor: int, why: str, by: str) -> bool:
        """The supervisor decides whether the case pays `amount_minor` instead. True: it does."""
        content = self._content() | {
            "amount_minor": amount_minor,
            "instead_of_minor": self.book.amount_minor,
            "why": why,
        }
        decided = await self._ask("dispute", Role.CS_SUPERVISOR, content, (by,))
        if decided is None:
            return False
        self.book.tell(decided.person_id, f"dispute {decided.decision}", decided.role.value, remark=decided.remark)
        return decided.approved

    # --- asking ------------------------------------------------------------------------------------------------------

    async def _ask(self, kind: Kind, role: Role, content: dict[str, Any], excluded: tuple[str, ...]) -> Decided | None:
        book, actor = self.book, self.book.applicant
        if self._taken_back():
            raise CaseOver(Event.BUYER_CANCELLED, "taken back")
        request = ask(
            kind, subject=book.return_no, n=self.approvals.next_number(), version=book.version, role=role,
            requested_by=actor.id, content=content, order_no=book.order_no,
            excluded=(*((actor.on_behalf_of,) if actor.on_behalf_of else ()), *excluded),
        )  # fmt: skip
        await self.approvals.open(request)
        policy = book.policy
        due = workflow.now() + timedelta(seconds=policy.review_escalation_s)
        book.now_waits_for(f"{role.value}: {request.approval_id}", due)
        waits = Waits(policy.review_reminder_s, policy.review_escalation_s)
        decided = await self.approvals.decided(request.approval_id, waits, self._louder)
        if ticket := self._overdue.pop(request.approval_id, None):
            book.tickets.close_on_evidence(ticket)
        if self._taken_back():
            raise CaseOver(Event.BUYER_CANCELLED, "taken back")
        return decided

    def _louder(self, request: ApprovalRequest, what: Literal["reminder", "escalation"]) -> None:
        number = request.approval_id
        self.book.tell("system", what, approval_id=number, role_asked=request.role.value)
        if what == "escalation":
            hours = self.book.policy.review_escalation_s // 3600
            self._overdue[number] = self.book.tickets.open(
                SYSTEM, "review overdue", f"{number} has waited {hours} h for {request.role.value}",
                give_up_means="nothing is approved by itself: the approval stays open", actions=("give_up",),
                severity="urgent",
            )  # fmt: skip

    async def withdraw_all(self, by: str, why: str) -> None:
        """What is asked has changed, or is not asked any more. A decision that was faster stands."""
        for number in list(self.approvals.asked):
            await self.approvals.withdraw(number, by, why)
