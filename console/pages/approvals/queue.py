"""`/approvals`: what waits for a role of this person's, the longest waiting first, and what became of many at once."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from console.pages.rendering import render
from console.security.access import STAFF
from console.session.user import User
from console.text.catalogue import N_
from console.text.language import language_of
from console.wiring import wiring_of
from domain.approvals import Allowed, Kind, RefusalCode, Role, may_decide
from store.approvals.approvals import Approval
from store.console.approvals import ApprovalPages, WaitingApproval
from store.rules.policies import PolicyStore

router = APIRouter()
A_PAGE = 30
MOST_RESULTS = 50
GROUPS: Mapping[str, tuple[str, frozenset[Kind]]] = {
    "returns": (
        N_("Returns"),
        frozenset({"refund_application", "refund_payout", "refund_lowered", "dispute", "exchange", "return_review"}),
    ),
    "orders": (
        N_("Orders"),
        frozenset({"merge_shipment", "manual_resplit", "state_correction", "cancel_paid", "automation"}),
    ),
    "money": (N_("Money"), frozenset({"money_fact", "outside_money"})),
    "controls": (
        N_("People and rules"),
        frozenset(
            {
                "change_people",
                "publish_policy",
                "publish_rules",
                "publish_automations",
                "publish_forms",
                "set_source",
                "correct_stock",
                "forget_buyer",
            }
        ),
    ),
}


@dataclass(frozen=True)
class ToDecide:
    """`refused` None: the person may decide it; `for_whom`: in whose place. `amount_minor` None: it is about none."""

    approval: Approval
    due_at: datetime
    refused: RefusalCode | None
    for_whom: str | None
    amount_minor: int | None
    currency: str


@dataclass(frozen=True)
class DecisionResult:
    """What the books say now of one of many, and why the decision was not taken, if it was not."""

    approval_id: str
    approval: Approval | None
    refused: str


@router.get("/approvals")
async def queue(
    request: Request, user: Annotated[User, Depends(STAFF)], kind: str = "", only: str = "", after: str = ""
) -> Response:
    wiring, language = wiring_of(request), language_of(request)
    if (kind and kind not in GROUPS) or only not in ("", "mine"):
        raise HTTPException(400)
    kinds = GROUPS[kind][1] if kind else None
    pages = ApprovalPages(wiring.pool)
    try:
        page = await pages.queue(
            roles_of(user), user.id, kinds, user.scope, limit=A_PAGE, after=after or None
        )  # fmt: skip
    except ValueError:
        raise HTTPException(400) from None
    policy = await PolicyStore(wiring.pool).current()
    within = timedelta(seconds=policy.approval_escalation_s)
    shown = [to_decide(waiting, user, wiring.now(), within) for waiting in page.approvals]
    return render(
        request, "approvals.html", user, next=page.next,
        rows=[row for row in shown if not only or row.refused is None],
        kinds=[(name, language.say(text)) for name, (text, _) in GROUPS.items()],
    )  # fmt: skip


@router.get("/approvals-decided")
async def decided(
    request: Request, user: Annotated[User, Depends(STAFF)], of: Annotated[list[str] | None, Query()] = None
) -> Response:
    """What became of many: `of` names each, and why it was not taken; the state is read anew."""
    told = dict(one.rpartition("~")[::2] for one in (of or [])[:MOST_RESULTS])
    pages = ApprovalPages(wiring_of(request).pool)
    known, seen = await pages.some(told), await pages.seen(list(told), user.scope)
    results = [
        DecisionResult(number, approval if approval and number in seen and concerns(approval, user) else None, code)
        for number, code in told.items()
        for approval in (known.get(number),)
    ]
    return render(request, "approvals_decided.html", user, results=results)


def roles_of(user: User) -> frozenset[Role]:
    """In which this person decides: their own, and those that are lent to them now."""
    now = user.wiring.now()
    lent = (d.roles for d in user.session.person.delegations if d.active and d.ends_at > now)
    return user.roles.union(*lent)


def concerns(approval: Approval, user: User) -> bool:
    """Whose business it is: who may decide it, has asked for it, or has a part in it."""
    request = approval.request
    return request.role in roles_of(user) or user.id in (request.requested_by, approval.decided_by, *request.excluded)


def to_decide(waiting: WaitingApproval, user: User, now: datetime, within: timedelta) -> ToDecide:
    request = waiting.approval.request
    verdict = may_decide(request, user.session.person, now)
    allowed = isinstance(verdict, Allowed)
    amount = request.content.get("amount_minor")
    return ToDecide(
        approval=waiting.approval,
        due_at=waiting.due_at or waiting.approval.opened_at + within,
        refused=None if allowed else cast(RefusalCode, getattr(verdict, "code", None)),
        for_whom=verdict.on_behalf_of if isinstance(verdict, Allowed) else None,
        amount_minor=amount if isinstance(amount, int) else None,
        currency=str(request.content.get("currency", "CNY")),
    )
