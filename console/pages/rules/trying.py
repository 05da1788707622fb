"""One real order through tables that are not in force: what would travel, what was turned down, what it costs."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from console.pages.acting import insist_on_order
from console.pages.rendering import render
from console.session.user import User
from console.text.language import language_of
from console.wiring import wiring_of
from domain.fulfilment.explanation import Explanation
from domain.fulfilment.explanation_text import matched, reason, turned_down
from domain.records import ChildPlan
from domain.returns.approval_route import ApprovalRules, route_input
from domain.returns.enums import REASONS, Fault, Reason, ReturnType
from domain.rules.engine import RuleEngine
from domain.rules.route_checks import SMALL_MINOR
from domain.rules.sets import UnableToDecide
from domain.rules.simulation import PastOrder, explained
from store.pool import clean
from store.rules.past_plans import PastOrders
from store.rules.trials import RuleTrials


@dataclass(frozen=True)
class TriedChild:
    """`because`, `rejected`: in the reader's language."""

    child: ChildPlan
    because: tuple[str, ...]
    rejected: tuple[str, ...]


@dataclass(frozen=True)
class TriedReturn:
    """Of all its goods. `days`, `freight`, `levels` empty: no row fits, so the policy or the built-in matrix counts."""

    reason: str
    days: tuple[int, ...]
    freight: str
    levels: tuple[str, ...]


@dataclass(frozen=True)
class TriedPlan:
    children: tuple[TriedChild, ...]
    returns: tuple[TriedReturn, ...]

    @property
    def cost_minor(self) -> int:
        return sum(one.child.shipping_cost_minor or 0 for one in self.children)

    @property
    def unpriced(self) -> int:
        return sum(one.child.shipping_cost_minor is None for one in self.children)


async def trial(request: Request, user: User, draft: RuleEngine, order_no: str) -> Response:
    """A part of a page; nothing is kept. An empty number takes it away again."""
    number = clean(order_no)[:64]
    if not number:
        return render(request, "rules/_tried.html", user, tried=None, said="")
    pool = wiring_of(request).pool
    await insist_on_order(request, user, number)
    order = await PastOrders(pool).one(number)
    if order is None:
        return render(request, "rules/_tried.html", user, tried=None, said="NoPlan")
    try:
        now = await _plan(request, order, await RuleTrials(pool).counts(), of_draft=False)
        plans = [now, await _plan(request, order, draft, of_draft=True)]
    except UnableToDecide as why:
        return render(request, "rules/_tried.html", user, tried=None, said=str(why)[:500])
    return render(
        request, "rules/_tried.html", user, tried=plans, said="", order_no=number, names=_names(order),
        currency=order.head.currency,
    )  # fmt: skip


async def _plan(request: Request, order: PastOrder, engine: RuleEngine, *, of_draft: bool) -> TriedPlan:
    found: Explanation = await asyncio.to_thread(explained, order, engine)
    n = 0 if language_of(request).code == "zh" else 1
    plans = {child.child_no: child for child in found.plan}
    children = []
    for one in found.children:
        words = [reason(because, of_draft=of_draft) for because in one.reasons] + list(matched(found, one.child_no))
        rejected = tuple(turned_down(other)[n] for other in one.rejected)
        children.append(TriedChild(plans[one.child_no], tuple(said[n] for said in words), rejected))
    returns = (_return(order, engine, why) for why in (Reason.NO_REASON, Reason.QUALITY_PROBLEM))
    return TriedPlan(tuple(children), tuple(returns))


def _return(order: PastOrder, engine: RuleEngine, why: Reason) -> TriedReturn:
    """Raises `UnableToDecide`."""
    quality, priced = REASONS[why].quality, order.inputs.priced
    fault = Fault.SELLER if quality else Fault.BUYER
    case = {
        "channel": order.head.channel, "type": ReturnType.RETURN_REFUND.value, "reason": why.value,
        "quality": quality, "fault": fault.value,
    }  # fmt: skip
    lines = [
        {
            **case, "sku": line.sku, "supplier": line.tags.supplier, "logistics": line.tags.logistics,
            "customs": line.tags.customs, "line_amount_minor": line.net_minor,
        }
        for line in priced.lines
    ]  # fmt: skip
    days = engine.answers("return_policy", "days", lines)
    (freight,) = engine.answers("freight_back", "freight", [case])
    rules = ApprovalRules(small_max_minor=SMALL_MINOR)
    route = engine.route(route_input(rules, ReturnType.RETURN_REFUND, priced.payable_minor).model_dump(mode="json"))
    return TriedReturn(
        why.value, tuple(sorted({answer[0] for answer in days if answer})), freight[0] if freight else "",
        tuple(route[0]) if route else (),
    )  # fmt: skip


def _names(order: PastOrder) -> Mapping[str, str]:
    return {line.line_id: line.sku for line in order.inputs.priced.lines}
