"""Children made anew at a person's wish: asked for, approved by another supervisor, looked at again, carried out.

While it waits for the approval nothing stands still: once one of the children is picked, the question is withdrawn.
"""

import asyncio
from dataclasses import dataclass
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ApplicationError

from domain.approvals import ApprovalRequest, Decided, Kind, Role, ask
from domain.merging import BEFORE_PICKING, Mergeable, merge_verdict
from domain.records import PricedLine
from domain.replanning import Because, Held, Part, ReplanCode, UnableToReplan, check_resplit, replanned, together
from domain.states import ChildStatus
from workflows.approvals import Approvals, Waits
from workflows.book import Book
from workflows.branches import Branches
from workflows.elsewhere import Sourcing
from workflows.family import Family
from workflows.interception import stop
from workflows.overdue import Overdue
from workflows.parcel import Parcel
from workflows.remaking import Group, NotRemade, Remaking
from workflows.replan_messages import Requested, RequestMerge, RequestResplit

SYSTEM = "orders"
ON_HOLD = "ON_HOLD"
"""What a hold waits for (customs, a look at the risk) was decided about these children as they are."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants made of which children."""

    kind: Kind
    because: Because
    children: tuple[str, ...]
    into: tuple[Part, ...]
    """Empty: all of them together, as they are then."""
    remark: str
    by: str
    warehouse: str | None = None
    approver: str | None = None


class Replanning:
    def __init__(self, book: Book, family: Family, approvals: Approvals, branches: Branches) -> None:
        self._book = book
        self._family = family
        self._approvals = approvals
        self._branches = branches
        self.remaking = Remaking(book, family, branches)
        Sourcing(book, family, branches)
        self._asked_for: set[str] = set()
        self.executing = False

    # --- asking ------------------------------------------------------------------------------------------------------

    def check_merge(self, message: RequestMerge) -> None:
        self._check(_merge_wish(message))

    def check_resplit(self, message: RequestResplit) -> None:
        self._check(_resplit_wish(message))

    async def request_merge(self, message: RequestMerge) -> Requested:
        return await self._request(_merge_wish(message))

    async def request_resplit(self, message: RequestResplit) -> Requested:
        return await self._request(_resplit_wish(message))

    def _check(self, wish: Wish) -> None:
        """Raises `ApplicationError` with the rule's code as type."""
        if refused := self._why_not(wish, wish.approver):
            raise ApplicationError(refused[1], type=refused[0])
        if taken := sorted(self._asked_for.intersection(wish.children)):
            raise ApplicationError(f"{', '.join(taken)}: a change of it waits for approval already", type="NotNow")

    async def _request(self, wish: Wish) -> Requested:
        self._check(wish)
        n = self._approvals.next_number()
        request = ask(
            wish.kind,
            subject=self._book.order.order_no,
            n=n,
            version=n,
            role=Role.CS_SUPERVISOR,
            requested_by=wish.by,
            content=self._content(wish),
            order_no=self._book.order.order_no,
        )
        self._asked_for.update(wish.children)
        self._book.audit(wish.by, f"order.{wish.kind}", approval_id=request.approval_id, remark=wish.remark)
        await self._approvals.open(request)
        self._branches.take_on(self._see_through(wish, request))
        return Requested(approval_id=request.approval_id)

    def _content(self, wish: Wish) -> dict[str, Any]:
        parcels = [self._family.parcels[number] for number in wish.children]
        content: dict[str, Any] = {
            "children": [
                {"child_no": p.plan.child_no, "warehouse": p.plan.warehouse, "lines": dict(p.plan.lines)}
                for p in parcels
            ],
            "worth_minor": sum(p.plan.paid_minor for p in parcels),
            "currency": self._book.order.currency,
            "remark": wish.remark,
        }
        if wish.approver:
            content["asked"] = wish.approver
        if wish.warehouse:
            content["ship_from"] = wish.warehouse
        if wish.into:
            content["into"] = [{"lines": dict(p.lines), "warehouse": p.warehouse or ""} for p in wish.into]
        return content

    # --- the rules, on the order as it stands ------------------------------------------------------------------------

    def _why_not(self, wish: Wish, approver: str | None = None) -> tuple[str, str] | None:
        """Code and reason against it, as things stand."""
        parcels = [self._family.parcels.get(number) for number in wish.children]
        known = [p for p in parcels if p is not None]
        if wish.because == "merged":
            verdict = merge_verdict(
                [self._mergeable(p) for p in known],
                remark=wish.remark,
                requester=wish.by,
                approver=approver,
                target_warehouse=wish.warehouse,
            )
            refused = None if verdict.allowed else (verdict.code.value, verdict.why)
        else:
            refused = self._why_not_resplit(wish, known)
        if len(known) < len(parcels) and (refused is None or refused[0] != ReplanCode.REMARK_REQUIRED):
            missing = [n for n, p in zip(wish.children, parcels, strict=True) if p is None]
            order_no = self._book.order.order_no
            return ReplanCode.UNKNOWN_CHILD.value, f"order {order_no} has no child {', '.join(missing)}"
        if refused is None and (on_hold := [f"{p.plan.child_no} is on {p.axis.status}" for p in known if _waits(p)]):
            return ON_HOLD, f"{', '.join(on_hold)}: ask again when it is released"
        return refused

    def _why_not_resplit(self, wish: Wish, parcels: list[Parcel]) -> tuple[str, str] | None:
        assert self._book.priced is not None
        try:
            stand = [held(p) for p in parcels]
            check_resplit(self._book.priced, stand, wish.into, wish.remark)
            replanned(self._book.order.order_no, self._book.priced, stand, wish.into, 1, wish.because)
        except UnableToReplan as error:
            return error.code.value, str(error)
        return None

    def _mergeable(self, parcel: Parcel) -> Mergeable:
        tags = [line.tags for line in self._lines(parcel)]
        return Mergeable(
            child_no=parcel.plan.child_no,
            status=parcel.axis.status,
            address=self._family.address_of(parcel),
            customs=frozenset(t.customs for t in tags),
            logistics=frozenset(t.logistics for t in tags),
            suppliers=frozenset(t.supplier for t in tags),
            warehouse=parcel.plan.warehouse,
        )

    def _lines(self, parcel: Parcel) -> list[PricedLine]:
        assert self._book.priced is not None
        return [line for line in self._book.priced.lines if line.line_id in parcel.plan.lines]

    # --- seeing it through -------------------------------------------------------------------------------------------

    async def _see_through(self, wish: Wish, request: ApprovalRequest) -> None:
        try:
            decided = await self._decision(wish, request)
            if decided is None:
                self._not_done(wish, f"{request.approval_id} was withdrawn: a child has gone on meanwhile")
            elif not decided.approved:
                self._book.audit(decided.person_id, f"order.{wish.kind}.rejected", approval_id=request.approval_id)
            else:
                await self._carry_out(wish, request, decided)
        finally:
            self._asked_for.difference_update(wish.children)

    async def _decision(self, wish: Wish, request: ApprovalRequest) -> Decided | None:
        policy, number = self._book.policy, request.approval_id
        waits = Waits(policy.approval_reminder_s, policy.approval_escalation_s)
        overdue = Overdue(self._book.tickets)
        deciding = asyncio.ensure_future(self._approvals.decided(number, waits, overdue.tell))
        parcels = [self._family.parcels[n] for n in wish.children]
        await workflow.wait_condition(
            lambda: deciding.done() or any(p.axis.status not in BEFORE_PICKING for p in parcels)
        )
        if not deciding.done():
            await self._approvals.withdraw(number, "system", "a child has gone on meanwhile")
        decided = await deciding
        overdue.over()
        return decided

    async def _carry_out(self, wish: Wish, request: ApprovalRequest, decided: Decided) -> None:
        if refused := self._why_not(wish, decided.person_id):
            self._not_done(wish, f"{refused[1]} ({refused[0]})")
            return
        self.executing = True
        try:
            await self._approvals.use(request.approval_id, f"{wish.because} {' '.join(wish.children)}")
            made = await self._execute(wish, request.approval_id)
        except ApplicationError as refusal:
            self._not_done(wish, f"{refusal.message} ({refusal.type})")
            return
        except NotRemade as error:
            self._not_done(wish, str(error))
            return
        finally:
            self.executing = False
        self._book.audit(decided.person_id, f"order.{wish.kind}.done", children=", ".join(made))

    async def _execute(self, wish: Wish, approval_id: str) -> tuple[str, ...]:
        """The numbers of the new children. Raises `NotRemade`; what stood still for it is then on its way again."""
        parcels = [self._family.parcels[n] for n in wish.children]
        before = [held(p) for p in parcels]
        if not await self._stand_still(parcels):
            await self._as_before(wish, parcels, before)
            raise NotRemade("the warehouse had begun with one of them; they go on as they were")
        parts = wish.into or (together(before, wish.warehouse),)
        group = Group(tuple(parcels), tuple(before), tuple(parts))
        try:
            return await self.remaking.remake((group,), wish.because, wish.remark, approval_id)
        except NotRemade:
            await self._as_before(wish, parcels, before, everything=True)
            raise

    async def _stand_still(self, parcels: list[Parcel]) -> bool:
        """Those that the warehouse has are stopped there; their stock stays reserved. True: all stand still now."""
        while True:
            await asyncio.gather(*(p.between_calls() for p in parcels))
            moving = [p for p in parcels if p.at_warehouse and not p.set_aside]
            if not moving:
                return all(p.set_aside or p.axis.status in BEFORE_PICKING for p in parcels)
            for parcel in moving:
                parcel.set_aside = True
            answers = await asyncio.gather(*(stop(p) for p in moving))
            for parcel, stopped in zip(moving, answers, strict=True):
                parcel.set_aside = stopped
            self._family.roll_up()
            if not all(answers):
                return False

    async def _as_before(
        self, wish: Wish, parcels: list[Parcel], before: list[Held], *, everything: bool = False
    ) -> None:
        """What was stopped at the warehouse ships after all, each under a new number."""
        groups = [
            Group((p,), (h,), (together([h], h.plan.warehouse),))
            for p, h in zip(parcels, before, strict=True)
            if everything or p.set_aside
        ]
        if not groups:
            return
        try:
            await self.remaking.remake(tuple(groups), "as before", wish.remark, None)
        except NotRemade as error:
            # Loud, and nothing is lost: the order stops here until people have looked.
            raise RuntimeError(f"{', '.join(wish.children)} were stopped and cannot go on: {error}") from error

    def _not_done(self, wish: Wish, why: str) -> None:
        what = {"merged": "not shipped together", "resplit": "not split by hand"}.get(wish.because, "not remade")
        self._book.tickets.note(SYSTEM, what, f"{', '.join(wish.children)}: {why}"[:500])


def _waits(parcel: Parcel) -> bool:
    return parcel.axis.status in (ChildStatus.CUSTOMS_HOLD, ChildStatus.RISK_HOLD)


def held(parcel: Parcel) -> Held:
    """A child as it stands, for the rules of replanning."""
    waits = not parcel.axis.has_stock
    return Held(parcel.plan, ChildStatus.BACKORDER if waits else parcel.axis.status, parcel.runs)


def _merge_wish(m: RequestMerge) -> Wish:
    return Wish("merge_shipment", "merged", m.children, (), m.remark, m.by, m.warehouse, m.approver)


def _resplit_wish(m: RequestResplit) -> Wish:
    return Wish("manual_resplit", "resplit", m.children, m.into, m.remark, m.by)
