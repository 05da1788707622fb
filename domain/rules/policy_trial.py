"""What another policy would have meant for orders and returns of the past. Data in, sums out."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta

from pydantic import AwareDatetime

from domain.policy import Policy
from domain.returns.admission import AdmissionRules
from domain.returns.approval_route import ApprovalRules, route, route_input
from domain.returns.enums import Fault, Level, Reason, ReturnType
from domain.returns.refunding import freight_goes_back
from domain.returns.windows import days_for, window_ends
from domain.rules.engine import RuleEngine
from domain.rules.simulation import PastOrder, planned
from domain.strict import Strict


class PastReturn(Strict):
    """`signed_at` None: nobody has said so, so no window had begun."""

    type: ReturnType
    reason: Reason
    fault: Fault
    amount_minor: int
    signed_at: AwareDatetime | None
    applied_at: AwareDatetime


class PastDispatch(Strict):
    """Of an order whose channel has promised nothing of its own. `left_at` None: something of it still waits."""

    channel: str
    paid_at: AwareDatetime
    left_at: AwareDatetime | None


class PolicyFigures(Strict):
    """`finance`: returns that finance has to agree to, each by itself; `too_late`: applications after the window;
    `freight`: returns whose freight goes back; `in_time`: orders that left as promised."""

    finance: int = 0
    too_late: int = 0
    freight: int = 0
    in_time: int = 0


class PolicyTrial(Strict):
    """`divided_otherwise`: of `planned` orders, those that would travel in other parcels or under other reasons."""

    compared_with: int
    returns: int
    orders: int
    planned: int
    divided_otherwise: int
    before: PolicyFigures
    after: PolicyFigures


def tried(
    before: Policy, after: Policy, returns: Iterable[PastReturn], dispatches: Iterable[PastDispatch],
    orders: Iterable[PastOrder], engine: RuleEngine,
) -> PolicyTrial:  # fmt: skip
    """`engine`: of the tables in force. Raises `domain.rules.sets.UnableToDecide`."""
    cases, left, plans = list(returns), list(dispatches), list(orders)
    same_order = before.split_priority == after.split_priority
    return PolicyTrial(
        compared_with=before.version,
        returns=len(cases),
        orders=len(left),
        planned=len(plans),
        divided_otherwise=0 if same_order else sum(_divided(order, before, after, engine) for order in plans),
        before=_figures(before, cases, left),
        after=_figures(after, cases, left),
    )


def _divided(order: PastOrder, before: Policy, after: Policy, engine: RuleEngine) -> bool:
    one, other = (planned(replace(order, priority=p.split_priority), engine) for p in (before, after))
    return [(c.lines, c.warehouse, c.reasons) for c in one] != [(c.lines, c.warehouse, c.reasons) for c in other]


def _figures(policy: Policy, cases: Iterable[PastReturn], left: Iterable[PastDispatch]) -> PolicyFigures:
    cases, limits, rules = list(cases), ApprovalRules.of(policy), AdmissionRules.of(policy)
    return PolicyFigures(
        finance=sum(Level.FINANCE in route(route_input(limits, c.type, c.amount_minor)) for c in cases),
        too_late=sum(_late(c, rules) for c in cases),
        freight=sum(freight_goes_back(policy.freight_back, c.type, c.fault) for c in cases),
        in_time=sum(one.left_at is not None and one.left_at <= _due(one, policy) for one in left),
    )


def _late(case: PastReturn, rules: AdmissionRules) -> bool:
    free = case.type in (ReturnType.CANCEL_UNSHIPPED, ReturnType.WARRANTY_REPLACEMENT)
    if free or case.signed_at is None:
        return False
    return case.applied_at > window_ends(case.signed_at, days_for(case.type, case.reason, rules.windows))


def _due(one: PastDispatch, policy: Policy) -> AwareDatetime:
    return one.paid_at + timedelta(seconds=policy.dispatch_of(one.channel))
